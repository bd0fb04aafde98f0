"""The demonstration's data."""

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.test import Client

from channels.models import (
    Account,
    Audience,
    Image,
    QuotaReading,
    Recipient,
    RecipientImport,
    Room,
)
from channels.people import importing
from orgs.clock import database_now
from orgs.models import Token, Unit, User
from orgs.reach import Role
from schedules import demo
from schedules.bookings.bounds import bounds_of
from schedules.demo_people import CUSTOMERS, SAMPLE
from schedules.models import MessageTemplate, Run, Schedule
from schedules.placeholders import names
from schedules.recurrence import Kind
from schedules.shown.values import held_in
from tests.channels.people.steps import done


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def loaded(db: None) -> demo.DemoPeople:
    return demo.load(database_now())


def counts() -> dict[str, int]:
    return {model._meta.label: model._base_manager.count() for model in apps.get_models()}


def test_loading_twice_changes_nothing(loaded: demo.DemoPeople) -> None:
    before, schedules = counts(), list(Schedule.objects.order_by("id").values())
    again = demo.load(database_now())
    assert counts() == before and list(Schedule.objects.order_by("id").values()) == schedules
    assert again.people == loaded.people and (loaded.token[:3], again.token) == ("tj_", "")


def test_places_and_people_are_there_before_anything_is_due(db: None) -> None:
    assert demo.load_places().people
    assert not Schedule.objects.exists()


def test_what_is_due_at_once_is_registered_when_nothing_else_is_written_any_more(
    loaded: demo.DemoPeople,
) -> None:
    assert Schedule.objects.order_by("-registered_at", "-id")[0].timing_kind == Kind.NOW


def test_the_organisation_has_all_levels_and_skips_one(loaded: demo.DemoPeople) -> None:
    kinds = Counter(Unit.objects.values_list("kind", flat=True))
    assert kinds == {"headquarters": 1, "distributor": 2, "agency": 4, "branch": 6}
    assert Unit.objects.get(code="busan-agency").depth == 2


def test_everybody_can_sign_in(loaded: demo.DemoPeople) -> None:
    names = {person.username for person in loaded.people}
    assert names == set(User.objects.values_list("username", flat=True))
    for name in ("admin", "hq", "gangnam", "gangnam-viewer"):
        assert Client().login(username=name, password=loaded.password)


@pytest.mark.parametrize("kind", ["headquarters", "distributor", "agency", "branch"])
def test_each_level_has_each_role(loaded: demo.DemoPeople, kind: str) -> None:
    roles = User.objects.filter(member__unit__kind=kind).values_list("member__role", flat=True)
    assert set(roles) == set(Role)


def test_there_is_a_schedule_of_each_timing(loaded: demo.DemoPeople) -> None:
    rows = Schedule.objects.all()
    assert set(rows.values_list("timing_kind", flat=True)) == {str(kind) for kind in Kind}
    assert set(rows.values_list("state", flat=True)) == {"active", "paused"}
    assert rows.filter(timing_kind="interval", every_minutes=1).count() == 1
    assert Run.objects.count() == 1  # the one that goes now


def test_each_branch_has_a_live_and_a_test_room(loaded: demo.DemoPeople) -> None:
    for branch in Unit.objects.filter(kind="branch"):
        kinds = Room.objects.filter(unit=branch, account__name="Sandbox").values_list("kind")
        assert sorted(kinds) == [("live",), ("test",)]


def test_each_country_has_customers_with_a_region_a_language_and_tags(
    loaded: demo.DemoPeople,
) -> None:
    for code in ("gangnam", "xinyi"):
        people = Recipient.objects.filter(unit__code=code)
        assert people.count() == len(CUSTOMERS[code])
        assert all(p.region and p.language and p.tags.exists() for p in people)
        assert people.values("language").distinct().count() > 1


def test_an_audience_by_tags_and_a_list_have_people_and_one_is_scheduled_for(
    loaded: demo.DemoPeople,
) -> None:
    own = Audience.objects.filter(unit__code="gangnam")
    assert {audience.kind: audience.count() for audience in own} == {"rule": 6, "list": 3}
    (schedule,) = Schedule.objects.filter(audience__isnull=False)
    assert (schedule.audience.kind, schedule.rooms.count()) == ("rule", 0)
    assert (schedule.state, schedule.unit.code) == ("active", "gangnam")


def test_a_message_to_an_audience_shows_what_it_costs(loaded: demo.DemoPeople) -> None:
    (schedule,) = Schedule.objects.filter(audience__isnull=False)
    desk = Client()
    desk.force_login(User.objects.get(username=demo.BRANCH_MANAGER))
    page = desk.get(f"/admin/schedules/schedule/{schedule.pk}/change/").content.decode()
    assert "6 billed messages" in page


def test_each_country_has_a_template_whose_values_its_branches_inherit(
    loaded: demo.DemoPeople,
) -> None:
    for name, branch in (("주말 행사", "gangnam"), ("週末活動", "daan")):
        template = MessageTemplate.objects.get(name=name)
        assert [block.is_locked for block in template.blocks.all()] == [False, True]
        unit = Unit.objects.get(code=branch)
        held = held_in(unit, names(template.text), template.terms["defaults"])
        assert all(row.value is not None for row in held)


def imported_by_the_branch(data: bytes) -> RecipientImport:
    """The file as the branch's manager takes it in: on its list, columns as they are guessed."""
    audience = Audience.objects.get(kind="list")
    started = RecipientImport(
        unit=audience.unit, account=audience.account, audience=audience, file_name="people.csv",
        created_at=database_now(),
    )  # fmt: skip
    started.file.save("people.csv", ContentFile(data))
    look = importing.look_at(started.file.file, started.file.size)
    done(importing.check_rows(started, encoding=look.encoding, mapping=look.mapping))
    started.refresh_from_db()
    if started.stage == RecipientImport.Stage.CHECKED:
        done(importing.run(started, by=User.objects.get(username=demo.BRANCH_MANAGER)))
    return started


def test_the_sample_file_is_refused_for_its_two_lines_and_mended_it_goes_in(
    loaded: demo.DemoPeople,
) -> None:
    data = SAMPLE.read_bytes()
    refused = imported_by_the_branch(data)
    assert [(line, column) for line, column, _what in refused.problems] == [
        (7, "언어"),
        (9, "이름"),
    ]
    assert Recipient.objects.filter(address="gangnam-21").count() == 0

    lines = data.splitlines(keepends=True)
    taken = imported_by_the_branch(b"".join(lines[:6] + lines[7:8] + lines[9:]))
    assert (taken.stage, taken.rows, taken.updated) == ("imported", 8, 1)
    assert "蔡宜蓁" in Recipient.objects.values_list("name", flat=True)
    assert Audience.objects.get(kind="rule", unit__code="gangnam").count() == 9


def test_one_account_has_a_quota_that_its_schedule_spends(
    loaded: demo.DemoPeople, client: Client
) -> None:
    (account,) = Account.objects.metering()
    now = database_now()
    told = {"limit": 500, "used": 0, "read_at": now, "tried_at": now}
    QuotaReading.objects.create(account=account, **told)
    client.login(username="hq", password=loaded.password)
    page = client.get(f"/admin/channels/account/{account.pk}/change/").content.decode()
    assert "매시간 소식" in page


def test_the_pictures_can_be_sent(loaded: demo.DemoPeople) -> None:
    assert {image.name for image in Image.objects.all()} == {
        "morning-cup.png", "evening-lanterns.png",
    }  # fmt: skip
    assert Image.objects.first().width == 1080


def test_the_token_opens_the_api_for_one_operator(loaded: demo.DemoPeople) -> None:
    token = Token.objects.usable(loaded.token, database_now()).get()
    assert (token.user.username, token.user.member.role) == ("gangnam", Role.OPERATOR)


def test_it_is_refused_in_production(db: None, settings: Any, now: datetime) -> None:
    settings.PRODUCTION = True
    with pytest.raises(ImproperlyConfigured):
        demo.load(now)
    assert not User.objects.exists()


def test_its_rooms_are_quiet_at_night_but_where_one_wants_to_see_something(
    loaded: demo.DemoPeople,
) -> None:
    bounds = {room.address: bounds_of([room])[room.pk] for room in Room.objects.all()}
    quiet = {address for address, bound in bounds.items() if bound.quiet}
    assert {"seocho-live", "xinyi-live"} <= quiet
    assert not {"gangnam-live", "gangnam-test", "xinyi-test"} & quiet
    assert not any(bound.bind for address, bound in bounds.items() if address.endswith("-test"))
    assert all(bound.cap and bound.interval for address, bound in bounds.items()
               if address.endswith("-live"))  # fmt: skip
