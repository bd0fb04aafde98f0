"""Whoever is told is told in their language: a person's own, else that of the unit."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils.translation import get_language, ngettext, override
from django.utils.translation import gettext as _

from channels import alerts
from channels.alerts import AlertKind
from channels.alerts.gather import gather, greet
from channels.alerts.tell import take
from channels.models import Alert, Notice, Telling
from orgs.models import Member, Unit
from orgs.reach import Role
from schedules.models import Run
from schedules.runs import warn

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 10, 3, 30, tzinfo=UTC)
MISSED = "%(n)d were not sent"


@pytest.fixture(autouse=True)
def speaking(world, settings):
    settings.TEIJI_ALERT_URLS = ["mailtos://user:pass@example.com/ops@example.com"]
    Unit.objects.filter(pk=world.north.pk).update(language="ko")


def raise_in(unit, **values) -> None:
    facts = {"name": "", "text": lambda: _("Tests"), "now": NOW} | values
    alerts.raise_(AlertKind.MISSED, "runs", unit.path, key="1", **facts)


def told() -> dict[str, tuple[str, str]]:
    """By whom, what they are told: its title, and its line without the time."""
    return {
        call.to: (call.title, call.body.splitlines()[2].partition(" · ")[2]) for call in take(NOW)
    }


def said_in(language: str) -> tuple[str, str]:
    with override(language):
        words = ngettext("%(n)d was not sent", "%(n)d were not sent", 1) % {"n": 1}
        return f"Teiji: {words}", _("Tests")


def test_a_place_is_told_in_the_language_of_its_unit_and_operators_in_the_installations(
    world, add_target
):
    add_target(world.north)
    raise_in(world.xinyi)
    gather(NOW)
    assert said_in("ko") != said_in("en")
    assert told() == {"Ops of north": said_in("ko"), "TEIJI_ALERT_URLS 1": said_in("en")}


def test_a_person_is_told_in_their_own_language(world, add_target):
    person = world.person(world.north, Role.MANAGER)
    person.email, person.language = "who@example.com", "zh-hant"
    person.save()
    add_target(world.north, member=Member.objects.get(user=person), name="Who")
    raise_in(world.xinyi)
    gather(NOW)
    assert told()["Who"] == said_in("zh-hant")


def test_the_language_of_whoever_raises_it_does_not_matter(world, add_target):
    add_target(world.north)
    with override("zh-hans"):
        raise_in(world.xinyi)
        gather(NOW)
        assert told()["Ops of north"] == said_in("ko")
        assert get_language() == "zh-hans"
    assert Notice.objects.get().said_in("en")[0] == said_in("en")[0]


def test_what_a_run_was_skipped_for_is_said_in_each(world, add_target, make_schedule):
    add_target(world.north)
    schedule = make_schedule()
    run = Run.objects.create(
        schedule=schedule, due_at=NOW, planned_at=NOW, title="Morning", unit_path=world.xinyi.path,
        zone="UTC", state="skipped", reason="missed",
    )  # fmt: skip
    alerts.raise_all(warn._of_runs([run.pk]), NOW)
    gather(NOW)
    with override("ko"):
        assert told()["Ops of north"][1] == f"Morning: {run.get_reason_display()}"
    assert f"Morning: {run.get_reason_display()}" in Notice.objects.get().said_in("en")[1]


def test_a_greeting_is_in_their_language_too(world, add_target):
    target = add_target(world.north)
    greet(target, NOW)
    with override("ko"):
        words = _("From now on the alerts of %(unit)s come here.") % {"unit": "North"}
    assert take(NOW)[0].body.startswith(words)


def test_a_manager_reads_them_in_the_language_of_the_pages(client, world, add_target):
    add_target(world.north)
    raise_in(world.xinyi)
    gather(NOW)
    person = world.people["north"]
    person.language = "zh-hant"
    person.save()
    client.force_login(person)
    page = client.get("/admin/channels/notice/", headers={"Accept-Language": "zh-hant"})
    assert said_in("zh-hant")[0] in page.content.decode()


def test_what_an_older_worker_has_raised_is_told_as_it_is(world, add_target):
    add_target(world.north)
    Alert.objects.create(
        kind=AlertKind.MISSED, subject="runs", key="old", unit_path=world.xinyi.path,
        lines=[[NOW.isoformat(), "As it was"]], raised_at=NOW,
    )  # fmt: skip
    gather(NOW)
    assert told()["Ops of north"][1] == "As it was"


def test_words_that_cannot_be_said_disturb_nothing(world, caplog):
    raise_in(world.xinyi, text=lambda: _("%(lacking)s") % {"other": 1})
    assert not Alert.objects.exists()
    assert "could not be put into words" in caplog.text
    raise_in(world.xinyi)
    assert gather(NOW + timedelta(seconds=1)) == 1
    assert Telling.objects.count() == 1
