"""`manage.py check_channels`: what the channels say of our accounts, with nothing sent."""

import pytest
from cryptography.fernet import Fernet
from django.conf import settings as present

from channels.models import Account, Room
from tests.fakes.line import LineFake
from tests.fakes.serving import in_thread

pytestmark = pytest.mark.django_db(transaction=True)

GROUPS = [f"C{number:032x}" for number in range(3)]


@pytest.fixture
def line(world, line_account, settings):
    """LINE, with an account of ours in three groups."""
    fake = LineFake(quota=1000)
    fake.used = 188
    for address in GROUPS:
        Room.objects.create(
            unit=world.xinyi, account=line_account, name=f"Group {address[-1]}", address=address
        )
    with in_thread(fake) as url:
        settings.TEIJI_LINE_API_HOST = url
        yield fake
    assert fake.log == [], "nothing was sent"


def test_all_is_well(line, manage):
    said = manage("check_channels", "--json")
    assert said.status == 0
    by_kind = {one["channel"]: one for one in said.json}
    assert by_kind["line"] == {
        "id": Account.objects.get(kind="line").pk, "account": "LINE", "channel": "line",
        "rooms": 3, "credentials": "ok", "used": 188, "limit": 1000, "lost": [], "problems": [],
        "is_well": True,
    }  # fmt: skip
    assert by_kind["sandbox"]["credentials"] == "ok"


def test_the_table_has_a_line_for_each_account(line, manage):
    lines = manage("check_channels").out.splitlines()
    assert [row.split()[0] for row in lines] == ["account", "LINE", "Sandbox"]
    assert "188 of 1,000" in lines[1]


def test_the_table_says_so_of_a_month_without_a_limit(line, manage):
    line.quota = None
    assert "188 of ∞" in manage("check_channels").out


def test_a_room_without_us_is_named(line, manage):
    line.left.add(GROUPS[1])
    said = manage("check_channels")
    assert (said.status, "not in “Group 1”" in said.out) == (1, True)


def test_bad_credentials_are_said_and_no_secret_is(line, manage):
    line.revoke_tokens()
    said = manage("check_channels", "--json")
    assert said.status == 1
    (one,) = [one for one in said.json if one["channel"] == "line"]
    assert one["credentials"] == "failed"
    assert "Authentication failed" in one["problems"][0]
    assert "a-long-lived-token" not in said.out + said.err


def test_a_secret_that_cannot_be_opened_is_said(line, manage, settings):
    settings.TEIJI_SECRET_KEYS = [Fernet.generate_key().decode()]
    said = manage("check_channels", "--account", "LINE", "--json")
    assert said.json[0]["credentials"] == "closed"
    assert "TEIJI_SECRET_KEYS" in said.json[0]["problems"][0]
    assert present.TEIJI_SECRET_KEYS[0] not in said.out


def test_a_month_that_is_used_up_is_trouble(line, manage):
    line.used = 1000
    assert "Its month is used up." in manage("check_channels").out


def test_a_channel_that_is_not_installed_is_trouble(world, manage):
    Account.objects.update(kind="pigeon")
    said = manage("check_channels")
    assert (said.status, "“pigeon” is not installed" in said.out) == (1, True)


def test_a_number_of_rooms_that_is_none_is_refused(line, manage):
    said = manage("check_channels", "--rooms=-5")
    assert "“-5” is not a number from 0 on" in said.err


def test_only_so_many_rooms_are_asked_about(line, manage):
    manage("check_channels", "--rooms", 0)
    assert not any("/members/count" in path for path in line.requests)
    manage("check_channels", "--rooms", 2)
    asked = [path for path in line.requests if path.endswith("/members/count")]
    assert len(asked) == 2
