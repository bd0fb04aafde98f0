"""The catalogues in locale/: what is to be translated, what is missing, and their binary form.

    python scripts/translations.py update            the catalogues follow the code
    python scripts/translations.py missing ko        what has no translation yet, as JSON
    python scripts/translations.py fill ko FILE      takes translations in from such JSON
    python scripts/translations.py compile           the .mo files that are missing or older

Babel does what gettext's tools would, so that nothing but Python need be installed. There are
two catalogues for each language: `locale/` has Teiji's own texts, `locale/packages/` those of
packages that people meet and that come without a translation, or with one that misleads.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[1]
LANGUAGES = ("ko", "zh_Hant", "zh_Hans")
OWN = ("channels", "config", "logs", "orgs", "schedules", "templates")
PACKAGES = ("unfold", "django_filters", "rest_framework", "treebeard", "django")
# Of packages, what nobody meets: they register no such page, or a command prints it.
UNMET = (
    "django/contrib/admin/models.py", "rest_framework/templates",
    "rest_framework/schemas", "django_filters/templates",
    "unfold/contrib/forms", "treebeard/al_tree", "treebeard/ns_tree", "treebeard/ltree",
    "unfold/templates/unfold_crispy",
    "unfold/contrib/constance", "unfold/contrib/crispy_forms", "unfold/contrib/guardian",
    "unfold/contrib/hijack", "unfold/contrib/location_field", "unfold/contrib/simple_history",
    "unfold/contrib/import_export", "unfold/templates/two_factor", "rest_framework/authtoken",
    "rest_framework/management", "django/conf", "django/contrib/admindocs",
    "django/contrib/flatpages",
    "django/contrib/gis", "django/contrib/humanize", "django/contrib/postgres",
    "django/contrib/redirects", "django/contrib/sites", "django/contrib/syndication",
    "django/core/management", "django/views/templates/technical",
)  # fmt: skip
KEYWORDS: dict[str, Any] = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
# What a package translates so that it misleads: said better in `locale/packages/`.
MISLED = {
    "ko": {
        "You may edit it again below.",  # there: “you must correct what stands below”
        "Save and add another",  # there: “save and add under another name”
        "and",  # there: “also”, which joins no two words
        # There a particle follows a name, with a choice between its two forms left to the reader.
        "%(model_name)s with this %(field_label)s already exists.",
        "%(model_name)s with this %(field_labels)s already exists.",
        "Constraint “%(name)s” is violated.",
        "Value %(value)r is not a valid choice.",
        "Select a valid choice. %(value)s is not one of the available choices.",
        "“%(pk)s” is not a valid value.",
        "Delete selected %(verbose_name_plural)s",
        "Successfully deleted %(count)d %(items)s.",
        "The %(name)s “%(obj)s” was deleted successfully.",
        "%(name)s with ID “%(key)s” doesn’t exist. Perhaps it was deleted?",
    },
    # With a space before a name that is Chinese itself.
    "zh_Hant": {"Add another %(verbose_name)s", "Add another %(model)s", "Add %(name)s"},
    "zh_Hans": {"Add another %(verbose_name)s", "Add another %(model)s", "Add %(name)s"},
}
Key = tuple[str | None, str]  # the context, and the English text (where it has two, its singular)


def main(arguments: list[str]) -> int:
    match arguments:
        case ["update"]:
            update()
        case ["missing", language]:
            found = {said(key): "" for key in missing(language)}
            sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=0) + "\n")
        case ["fill", language, path]:
            fill(language, json.loads(Path(path).read_text(encoding="utf-8")))
        case ["compile"]:
            compile_all()
        case _:
            sys.stderr.write(__doc__ or "")
            return 2
    return 0


def update() -> None:
    """Bring each catalogue to what the code says now: new texts empty, what is gone removed."""
    own, packages = own_texts(), package_texts()
    for language in LANGUAGES:
        _bring(catalogue(language), own, language)
        wanted = {key: text for key, text in packages.items() if key not in own}
        known = known_to_packages(language)
        lacking = {key: text for key, text in wanted.items() if key not in known}
        _bring(catalogue(language, packages=True), lacking, language)


def missing(language: str) -> list[Key]:
    """The texts without a translation, in the order of the catalogues."""
    return [
        key
        for packages in (False, True)
        for key, message in entries(catalogue(language, packages=packages)).items()
        if not is_whole(message)
    ]


def fill(language: str, translations: dict[str, str]) -> None:
    """Take translations in, where they are for texts that the catalogues have."""
    for packages in (False, True):
        path = catalogue(language, packages=packages)
        kept = read(path, language)
        for message in kept:
            text = translations.get(said(key_of(message))) if message.id else None
            if text:
                message.string = (text,) if message.pluralizable else text
        write(path, kept)


def compile_all() -> None:
    """Write the .mo of each catalogue that has none, or an older one."""
    for path in sorted((ROOT / "locale").glob("**/*.po")):
        compiled = path.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < path.stat().st_mtime:
            buffer = BytesIO()
            write_mo(buffer, _whole(path))
            _replace(compiled, buffer.getvalue())


def catalogue(language: str, *, packages: bool = False) -> Path:
    folder = ROOT / "locale" / "packages" if packages else ROOT / "locale"
    return folder / language / "LC_MESSAGES" / "django.po"


def entries(path: Path) -> dict[Key, Message]:
    """What a catalogue has, by key."""
    return {key_of(message): message for message in read(path, path.parts[-3]) if message.id}


def is_whole(message: Message) -> bool:
    """Whether each of its forms is translated, and by a person."""
    forms = [message.string] if isinstance(message.string, str) else message.string or [""]
    return all(forms) and not message.fuzzy


def key_of(message: Message) -> Key:
    english = message.id if isinstance(message.id, str) else message.id[0]
    context: Any = message.context  # bytes, where Babel has read a .mo
    return context.decode() if isinstance(context, bytes) else context, english


def said(key: Key) -> str:
    """A key as one text: the context, if it has one, stands before a bar."""
    return f"{key[0]}|{key[1]}" if key[0] else key[1]


def own_texts() -> dict[Key, Message]:
    """Every text in Teiji's code and templates."""
    return _texts(path for name in OWN for path in _sources(ROOT / name))


def package_texts() -> dict[Key, Message]:
    """Every text of the packages that a person can meet."""
    return _texts(path for name in PACKAGES for path in _sources(_package(name)))


def known_to_packages(language: str) -> set[Key]:
    """What Django finds translated without us."""
    known: set[Key] = set()
    for name in PACKAGES:
        for path in _package(name).glob(f"**/locale/{language}/LC_MESSAGES/django.mo"):
            with path.open("rb") as file:
                known |= {key_of(one) for one in read_mo(file) if one.id and is_whole(one)}
    return {key for key in known if key[1] not in MISLED.get(language, ())}


def read(path: Path, language: str) -> Catalog:
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def write(path: Path, kept: Catalog) -> None:
    """Write a catalogue; with no date and no line number, so that two people's changes meet in
    their own texts alone."""
    buffer = BytesIO()
    write_po(buffer, kept, width=98, include_lineno=False, omit_header=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, HEADER.format(language=path.parts[-3]).encode() + buffer.getvalue())


def _whole(path: Path) -> Catalog:
    """Without what is not translated: an empty form would be shown, not the English."""
    kept = Catalog(locale=path.parts[-3])
    for message in entries(path).values():
        if is_whole(message):
            kept.add(message.id, message.string, context=message.context)
    return kept


def _bring(path: Path, texts: dict[Key, Message], language: str) -> None:
    before = entries(path)
    after = Catalog(locale=language)
    for key, message in texts.items():
        old = before.get(key)
        same = old is not None and old.pluralizable == message.pluralizable
        after.add(
            message.id,
            old.string if old is not None and same else None,
            locations=message.locations,
            auto_comments=message.auto_comments,
            context=message.context,
            flags=message.flags,
        )
    write(path, after)


def _texts(paths: Iterator[Path]) -> dict[Key, Message]:
    found = Catalog()
    for path in paths:
        source = path.read_text(encoding="utf-8")
        if path.suffix != ".py":
            lines = templatize(source, origin=str(path)).splitlines()
            source = "\n".join(line.strip() for line in lines)  # Python, but for the indents
        place = str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
        for _line, text, comments, context in extract(
            "python", BytesIO(source.encode()), KEYWORDS, ["Translators:"]
        ):
            where = place.rsplit("/site-packages/", 1)[-1]
            found.add(text, locations=[(where, 0)], auto_comments=comments, context=context)
    return {key_of(message): message for message in found if message.id}


def _sources(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".py", ".html", ".txt") and not _is_unmet(path):
            yield path


def _is_unmet(path: Path) -> bool:
    return "migrations" in path.parts or any(f"/{part}" in str(path) for part in UNMET)


def _package(name: str) -> Path:
    found = find_spec(name)
    if found is None or found.origin is None:
        raise LookupError(name)
    return Path(found.origin).parent


def _replace(path: Path, content: bytes) -> None:
    """At once: somebody may be reading it."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(name).chmod(0o644)
    Path(name).replace(path)


HEADER = """\
# Texts of Teiji. See docs/translating.md.
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
