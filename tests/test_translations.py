"""The catalogues: complete, in step with the code, and with the placeholders of the English."""

import re
from collections import Counter

import pytest
from babel.messages.mofile import read_mo
from django.conf import settings
from django.utils.translation import to_locale

from scripts import translations as ours

CATALOGUES = [
    pytest.param(ours.catalogue(language, packages=packages), id=f"{language}-{packages}")
    for language in ours.LANGUAGES
    for packages in (False, True)
]
PLACEHOLDERS = re.compile(r"%\(\w+\)[sd]|%%|%[sd]|\{\w*\}|<[^>]+>")


@pytest.fixture(scope="module")
def own_texts():
    return ours.own_texts()


def test_each_language_of_the_settings_has_catalogues():
    assert {to_locale(code) for code, _ in settings.LANGUAGES} == {"en", *ours.LANGUAGES}


@pytest.mark.parametrize("language", ours.LANGUAGES)
def test_the_catalogue_has_every_text_of_the_code_and_no_other(language, own_texts):
    has = ours.entries(ours.catalogue(language))
    assert [ours.said(key) for key in own_texts if key not in has] == []
    assert [ours.said(key) for key in has if key not in own_texts] == []
    assert [
        key for key, one in has.items() if one.pluralizable != own_texts[key].pluralizable
    ] == []


@pytest.mark.parametrize("language", ours.LANGUAGES)
def test_no_text_is_without_a_translation(language):
    assert [ours.said(key) for key in ours.missing(language)] == []


@pytest.fixture(scope="module")
def package_texts():
    return ours.package_texts()


@pytest.mark.parametrize("language", ours.LANGUAGES)
def test_what_packages_leave_untranslated_is_in_a_catalogue_of_ours(
    language, own_texts, package_texts
):
    known = ours.known_to_packages(language) | set(own_texts)
    has = set(ours.entries(ours.catalogue(language, packages=True)))
    assert has == {key for key in package_texts if key not in known}


def test_no_korean_text_leaves_the_choice_of_a_particle_to_its_reader():
    left = re.compile(r"[을은]/[를는]|이/가|\((을|를|은|는|이|가|와|과|으)\)")
    own = ours.entries(ours.catalogue("ko")).values()
    assert [text for one in own if left.search(text := str(one.string))] == []


def test_what_misleads_in_a_package_is_said_by_us():
    for language, texts in ours.MISLED.items():
        has = ours.entries(ours.catalogue(language, packages=True))
        assert {english for _context, english in has} >= texts


@pytest.mark.parametrize("path", CATALOGUES)
def test_a_translation_has_the_placeholders_and_tags_of_its_text(path):
    assert [ours.said(key) for key, one in ours.entries(path).items() if not agrees(one)] == []


@pytest.mark.parametrize("path", CATALOGUES)
def test_a_translation_begins_and_ends_as_its_text_does(path):
    def edges(text):
        return text[:1].isspace(), text[-1:].isspace(), text.startswith("\n"), text.endswith("\n")

    # What has no letter is no text but a sign, such as the comma of a list.
    pairs = [(key[1], *forms(one)) for key, one in ours.entries(path).items()]
    pairs = [pair for pair in pairs if any(map(str.isalpha, pair[0]))]
    assert [text for text, theirs in pairs if theirs and edges(text) != edges(theirs)] == []


@pytest.mark.parametrize("path", CATALOGUES)
def test_the_compiled_catalogue_says_the_same(path):
    with path.with_suffix(".mo").open("rb") as file:
        compiled = {ours.key_of(one): forms(one) for one in read_mo(file) if one.id}
    whole = {key: one for key, one in ours.entries(path).items() if ours.is_whole(one)}
    assert compiled == {key: forms(one) for key, one in whole.items()}


def test_a_missing_a_fuzzy_and_a_wrong_translation_would_be_found(tmp_path):
    """The measure measured."""
    path = tmp_path / "ko" / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True)
    path.write_text(
        ours.HEADER.format(language="ko")
        + 'msgid "A"\nmsgstr ""\n\n#, fuzzy\nmsgid "B"\nmsgstr "나"\n\n'
        + '#, python-format\nmsgid "%(count)s of %(all)s"\nmsgstr "%(count)s"\n'
    )
    found = list(ours.entries(path).values())
    assert [ours.is_whole(one) for one in found] == [False, False, True]
    assert [agrees(one) for one in found] == [True, True, False]


@pytest.mark.parametrize("code, word", [("ko", "로그인"), ("zh-hant", "登入"), ("zh-hans", "登录")])
def test_pages_speak_the_language_that_the_browser_asks_for(client, db, code, word):
    assert word in client.get("/sign-in/", headers={"Accept-Language": code}).text


def agrees(message):
    """Whether the translation has the placeholders of the text; of a plural, those of either form
    (“one room” need not say its number)."""
    (translation,) = forms(message)
    if not translation:
        return True
    texts = message.id if message.pluralizable else (message.id,)
    return any(parts(text) == parts(translation) for text in texts)


def forms(message):
    return tuple(message.string) if message.pluralizable else (message.string,)


def parts(text):
    return Counter(PLACEHOLDERS.findall(text))
