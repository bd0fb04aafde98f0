"""What would keep a run from being sent is found before its time; what cannot be looked at is
never taken for trouble."""

from datetime import UTC, datetime, time, timedelta

import pytest

from channels.models import Account, MediaLink, QuotaReading, Room
from orgs.clock import database_now
from orgs.models import Unit
from schedules.dispatch.preflight import ask, look
from schedules.dispatch.preflight import turn as turn_module
from schedules.models import PlaceholderValue, Preflight, Run
from tests.fakes.line import PUSH
from tests.schedules.dispatch.preflight.conftest import PublicHost, found, public_host, turn

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.enable_socket]

VALIDATE = "/v2/bot/message/validate/push"
INFO = "/v2/bot/info"


def count_of(address: str) -> str:
    return f"/v2/bot/group/{address}/members/count"


def test_what_will_go_is_looked_at_and_nothing_is_found(coming, line, group):
    schedule = coming()
    line.members[group.address] = 12
    turn()
    assert found(schedule) == []
    assert line.requests == {INFO: 1, VALIDATE: 1, count_of(group.address): 1}
    assert PUSH not in line.requests and not Run.objects.exists()
    group.refresh_from_db()
    assert group.people == 12


def test_a_token_that_is_refused_is_found_and_nothing_more_is_asked(coming, line, group):
    schedule = coming()
    line.revoke_tokens()
    turn()
    (words,) = found(schedule)
    assert words.startswith("LINE refuses the account: LINE does not accept the access token")
    assert line.requests == {INFO: 1}


def test_a_bot_that_is_not_in_the_group_is_found(coming, line, group):
    schedule = coming()
    line.left.add(group.address)
    turn()
    assert found(schedule) == ["The bot is not in the room “Group”."]


def test_what_the_tables_know_is_found_without_asking(world, coming, line, group, line_account):
    elsewhere, idle, left = (
        Room.objects.create(
            unit=world.xinyi, account=line_account, name=name, address=f"C{number:032x}"
        )
        for number, name in enumerate(["Elsewhere", "Idle", "Left"], start=1)
    )
    schedule = coming(rooms=[group, elsewhere, idle, left])
    Room.objects.filter(pk=elsewhere.pk).update(unit=world.tainan)
    Room.objects.filter(pk=idle.pk).update(is_active=False)
    Room.objects.filter(pk=left.pk).update(left_at=database_now())
    turn()
    assert found(schedule) == [
        "The bot is not in the room “Left”.",
        "The room “Idle” is inactive.",
        "A target belongs to another unit now.",
    ]
    assert line.requests[count_of(group.address)] == 1
    assert len(line.requests) == 3, "of the others nothing is asked"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"is_active": False}, "The LINE account is inactive."),
        ({"stopped_why": "Bad token."}, "The LINE account is stopped: Bad token."),
        (
            {"stopped_why": "1,000 of 1,000.", "is_spent": True},
            "The LINE account has spent its month: 1,000 of 1,000.",
        ),
    ],
)
def test_an_account_that_sends_nothing_is_found(coming, line, line_account, values, words):
    schedule = coming()
    stopped = {"stopped_at": database_now()} if "stopped_why" in values else {}
    Account.objects.filter(pk=line_account.pk).update(**values, **stopped)
    turn()
    assert found(schedule) == [words]
    assert line.requests == {}


def test_an_inactive_unit_is_found(world, coming, line):
    schedule = coming()
    Unit.objects.filter(pk=world.north.pk).update(is_active=False)
    turn()
    assert "Its unit, or one above it, is inactive." in found(schedule)


def test_a_run_that_does_not_fit_into_the_month_is_found(coming, line, line_account, group):
    schedule = coming()
    Room.objects.filter(pk=group.pk).update(members_count=37)
    now = database_now()
    values = {"limit": 1000, "used": 980, "read_at": now, "tried_at": now}
    QuotaReading.objects.create(account=line_account, **values)
    turn()
    assert found(schedule) == [
        "It does not fit into the account’s month. LINE: needs 37, 20 left this month"
    ]


def test_of_two_runs_the_second_finds_what_the_first_leaves(coming, line, line_account, group):
    first, second = coming(due_in=300, text="A"), coming(due_in=480, text="B")
    Room.objects.filter(pk=group.pk).update(members_count=37)
    now = database_now()
    values = {"limit": 1000, "used": 950, "read_at": now, "tried_at": now}
    QuotaReading.objects.create(account=line_account, **values)
    turn()
    assert found(first) == []
    assert found(second) == [
        "It does not fit into the account’s month. LINE: needs 37, 13 left this month"
    ]


def test_what_quiet_hours_move_must_fit_into_the_month_in_which_it_leaves(
    coming, line_account, group
):
    schedule = coming()
    night = {"quiet_from": time(22), "quiet_until": time(8)}
    Room.objects.filter(pk=group.pk).update(members_count=37, **night)
    late = datetime(2027, 3, 31, 14, 30, tzinfo=UTC)  # 22:30 in Taipei, 23:30 in Tokyo
    schedule.next_due_at = late
    reading = QuotaReading(account=line_account, limit=36, used=36, read_at=late, tried_at=late)
    reading.save()
    (flight,) = look.look([Preflight(schedule=schedule)], late)
    assert [finding.words for finding in flight.findings] == [
        "It does not fit into the account’s month. LINE: needs 37, 36 left in 2027-04"
    ]


def test_a_budget_that_does_not_suffice_is_found(world, coming, line, group):
    schedule = coming()
    Room.objects.filter(pk=group.pk).update(members_count=37)
    above = Unit.objects.filter(pk=world.north.pk)
    above.update(monthly_budget=10)
    turn()
    assert found(schedule) == [
        "It does not fit into the unit’s budget: needs 37; a budget above its unit leaves less"
    ]
    assert "left" not in Preflight.objects.get(schedule=schedule).findings[0]["facts"]


def test_a_budget_of_its_own_unit_is_found_with_its_figures(world, coming, line, group):
    schedule = coming()
    Room.objects.filter(pk=group.pk).update(members_count=37)
    Unit.objects.filter(pk=world.xinyi.pk).update(monthly_budget=10)
    turn()
    assert found(schedule) == [
        "It does not fit into the unit’s budget: needs 37, 10 left this month"
    ]


def test_a_placeholder_that_lost_its_value_is_found(world, coming, line):
    value = PlaceholderValue.objects.create(unit=world.xinyi, name="phone", value="02-1234")
    schedule = coming(text="Call {phone}")
    value.delete()
    turn()
    assert found(schedule) == ["“Group”: There is no value for {phone}."]


def test_what_the_channel_would_not_take_is_found(coming, line, monkeypatch):
    schedule = coming()
    monkeypatch.setattr("tests.fakes.line._text_problems", lambda prefix, text: [
        {"message": "May not be that", "property": f"{prefix}.text"}])  # fmt: skip
    turn()
    (words,) = found(schedule)
    assert words == "LINE would not take the text: May not be that"


def test_which_image_the_channel_would_not_take_is_found(coming, at_line, make_images, monkeypatch):
    monkeypatch.setattr(ask.Inquiry, "_ask_rooms", nothing)
    monkeypatch.setattr(turn_module.Pictures, "get", nothing)
    schedule = coming(images=make_images(2))
    at_line.dislikes = {"messages[2].previewImageUrl": "Too large"}
    turn()
    assert found(schedule) == ["LINE would not take image 2, “image 1.png”: Too large"]


async def nothing(*_: object) -> None:
    """In the place of what is asked otherwise."""


def test_an_audience_without_anybody_is_found(coming, line, make_audience):
    audience = make_audience(2)
    schedule = coming(rooms=[], audience=audience)
    turn()
    assert found(schedule) == []
    assert line.requests["/v2/bot/message/validate/multicast"] == 1
    audience.recipients.clear()
    turn_again(schedule)
    assert found(schedule) == ["Nobody is in the audience."]


@pytest.fixture
def illustrated(coming, make_images, settings):
    settings.TEIJI_PUBLIC_URL = "https://teiji.example"
    return coming(images=make_images(2))


def test_images_are_fetched_from_their_public_address(illustrated, line, settings, live_server):
    line.takes_http_images = True
    settings.TEIJI_PUBLIC_URL = live_server.url
    turn()
    assert found(illustrated) == []


@pytest.mark.parametrize(
    ("host", "why"),
    [
        (PublicHost(404), "HTTP 404"),
        (PublicHost(301), "HTTP 301"),
        (PublicHost(200), "It is no image but text/html."),
    ],
)
def test_an_image_that_nobody_can_fetch_is_found(illustrated, line, settings, host, why):
    line.takes_http_images = True
    with public_host(settings, host):
        turn()
    assert found(illustrated) == [
        f"The image “image {number}.png” cannot be fetched: {why}" for number in (0, 1)
    ]
    assert all(path.startswith("/m/") for path in host.log)


def test_a_public_name_that_is_not_reached_from_here_is_no_trouble(illustrated, line, settings):
    line.takes_http_images = True
    settings.TEIJI_PUBLIC_URL = "http://127.0.0.1:9"  # nobody listens
    turn()
    (words,) = found(illustrated)
    assert words.startswith("It could not be looked at whether its images can be fetched (LINE)")
    assert not any(f.is_trouble for f in Preflight.objects.get().found)


def test_a_file_that_is_gone_is_found_for_a_channel_that_is_given_the_bytes(
    world, coming, make_images
):
    images = make_images(1)
    schedule = coming(rooms=[world.room], images=images)
    turn()
    assert found(schedule) == []
    images[0].file.delete(save=False)
    turn_again(schedule)
    assert found(schedule) == [
        "The image “image 0.png” cannot be fetched: It is not in the storage."
    ]


def test_the_links_of_the_look_are_gone_afterwards(world, coming, make_images):
    coming(rooms=[world.room], images=make_images(1))
    turn()
    assert not MediaLink.objects.exists()


@pytest.mark.parametrize("kind", ["5xx_before", "reset", "429_rate", "html_200"])
def test_a_channel_that_says_nothing_certain_is_no_trouble(coming, line, kind):
    schedule = coming()
    line.faults_of_questions.add(kind, times=9)
    turn()
    (words,) = found(schedule)
    assert words.startswith("It could not be looked at whether the credentials hold (LINE): ")
    assert set(line.requests) == {INFO}, "nothing more is asked of it"


def test_a_channel_that_never_answers_is_given_up(coming, line, monkeypatch):
    monkeypatch.setattr(ask, "DEADLINE", 0.2)
    schedule = coming()
    line.faults_of_questions.add("hang_never_accept", times=9, seconds=30)
    turn()
    (words,) = found(schedule)
    assert words.endswith("(LINE): The channel did not answer in time.")


def test_of_many_rooms_some_are_asked_and_the_next_time_others(
    world, coming, line, line_account, monkeypatch
):
    monkeypatch.setattr(ask, "ROOMS_ASKED", 3)
    rooms = [
        Room.objects.create(
            unit=world.xinyi,
            account=line_account,
            name=f"Group {number}",
            address=f"C{number:032x}",
        )
        for number in range(1, 6)
    ]
    schedule = coming(rooms=rooms)
    turn()
    assert found(schedule) == ["Of 5 rooms 3 were asked about."]
    assert not any(f.is_trouble for f in Preflight.objects.get().found)
    turn_again(schedule)
    assert all(line.requests[count_of(room.address)] >= 1 for room in rooms)
    assert line.requests[VALIDATE] == 2, "without placeholders all have the same message"


def test_an_account_and_a_room_are_asked_once_for_many_runs(coming, line, group):
    for number in range(5):
        coming(text=f"Text {number}")
    turn()
    assert (line.requests[INFO], line.requests[count_of(group.address)]) == (1, 1)
    assert line.requests[VALIDATE] == 5


def test_what_cannot_be_read_does_not_hold_up_the_others(coming, line, monkeypatch):
    bad, good = coming(text="A"), coming(text="B")
    freeze = look.freeze

    def fail(schedule, *args, **kwargs):
        if schedule.pk == bad.pk:
            raise ZeroDivisionError
        return freeze(schedule, *args, **kwargs)

    monkeypatch.setattr(look, "freeze", fail)
    turn()
    assert found(good) == []
    assert found(bad)[0].endswith("(Teiji): ZeroDivisionError")


def test_only_what_comes_soon_is_looked_at(coming, line):
    coming(due_in=3600)
    turn()
    assert not Preflight.objects.exists() and line.requests == {}
    turn(database_now() + timedelta(minutes=51))
    assert Preflight.objects.get().looked_at


def turn_again(schedule) -> None:
    """As if its result held no longer."""
    Preflight.objects.filter(schedule=schedule).update(again_at=database_now())
    turn()
