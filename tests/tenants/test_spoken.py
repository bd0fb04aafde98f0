"""Every page in Korean and Chinese: no word of the English interface is left on it."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.test import Client

from channels.models import Account, Room
from orgs.models import Unit, User
from tests.tenants.canaries import WORD, make_canaries
from tests.tenants.routes import routes

# Names, formats and what is typed as it stands: the same in every language.
# fmt: off
NAMES = {
    "alimtalk", "apprise", "discord", "iris", "irislite", "kakao", "kakaotalk", "line", "lms",
    "messengerbot", "sandbox", "slack", "sms", "solapi", "teams", "teiji", "telegram", "webhook",
    "excel", "unicode", "windows", "english", "approve", "read", "room", "vip", "write", "api",
    "big", "cron", "csv", "esc", "http", "https", "jpeg", "json", "png", "url", "utf", "webp",
    "organisation",
    "uuid", "xls", "xlsx", "asia", "seoul", "taipei", "utc",
}
# fmt: on
SILENT = {"script", "style", "code", "pre", "textarea"}
READ_OUT = ("title", "aria-label", "placeholder", "alt")
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}


@pytest.fixture(params=["ko", "zh-hant", "zh-hans"])
def spoken(request, world, make_schedule, settings, tmp_path):
    """A world in this language, alerts too."""
    settings.MEDIA_ROOT = tmp_path
    Unit.objects.update(language=request.param)
    return request.param, make_canaries(world, make_schedule)


@pytest.mark.parametrize("who", ["tainan", "hq"])
def test_no_page_is_left_in_english(spoken, world, who):
    language, canaries = spoken
    client = Client(raise_request_exception=False)
    client.force_login(world.people[who])
    User.objects.update(language=language)
    left = []
    for route in routes(canaries):
        answer = client.get(route.foreign)
        if answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html"):
            html = b"".join(answer) if answer.streaming else answer.content
            left += [(route.foreign, text) for text in english_on(html.decode(), names())]
        answer.close()
    assert left == []


FORMS = ["channels/room", "channels/account", "channels/audience", "channels/recipient",
         "channels/alerttarget", "channels/webhook", "orgs/unit", "orgs/member", "orgs/token",
         "schedules/placeholdervalue"]  # fmt: skip


@pytest.mark.parametrize("language", ["ko", "zh-hant", "zh-hans"])
def test_what_is_refused_is_said_in_the_readers_language(world, language):
    User.objects.update(language=language)
    client = Client(raise_request_exception=False)
    client.force_login(world.people["hq"])
    left = []
    for form in FORMS:
        answer = client.post(f"/admin/{form}/add/", {"email": "x"})
        assert answer.status_code == 200, form
        left += [(form, text) for text in english_on(answer.text, names())]
    missing = client.get("/admin/nowhere/")
    assert missing.status_code == 404
    left += [("", text) for text in english_on(missing.text, names())]
    assert left == []


def test_english_would_be_found():
    html = "<p title='Sent'>보냄 <b>Schedule</b></p><code>GET</code><i lang='en'>English words</i>"
    assert list(english_on(html, [])) == ["Sent", "Schedule"]


def names():
    """What the rows themselves are called, the longest first."""
    found = [*Unit.objects.values_list("name", flat=True), *User.objects.values_list("username")]
    found += [*Room.objects.values_list("name", flat=True), *Account.objects.values_list("name")]
    return sorted({one if isinstance(one, str) else one[0] for one in found}, key=len)[::-1]


def english_on(html: str, known: list[str]) -> Iterator[str]:
    """The texts of a page with a word that is in no list of names."""
    reader = Reader()
    reader.feed(html)
    for text in reader.texts:
        bare = re.sub(
            rf"\S*{WORD}([ -]\w+)?|\S+[@/_:.]\S+|\{{\w+\}}|…\w+|\b[0-9a-f-]{{36}}\b", " ", text
        )
        for name in known:
            bare = re.sub(rf"\b{re.escape(name)}\b", " ", bare, flags=re.IGNORECASE)
        if {word.lower() for word in re.findall(r"[A-Za-z]{3,}", bare)} - NAMES:
            yield " ".join(text.split())


class Reader(HTMLParser):
    """What a person reads on a page, or has read to them."""

    def __init__(self) -> None:
        super().__init__()
        self.within: list[bool] = []  # of each element around, whether it is silent
        self.texts: list[str] = []

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        silent = tag in SILENT or "material-symbols" in given.get("class", "")
        silent = silent or ("lang" in given and tag != "html")
        if not (silent or any(self.within)):
            self.texts += [given[name] for name in READ_OUT if name in given]
        if tag not in VOID:
            self.within.append(silent)

    def handle_endtag(self, tag):
        if self.within and tag not in VOID:
            self.within.pop()

    def handle_data(self, data):
        if not any(self.within):
            self.texts.append(data)
