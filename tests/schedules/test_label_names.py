"""People may name the label of a schedule, where a channel counts by it."""

import pytest
from django.urls import reverse

from channels.models import Room
from schedules import rules
from schedules.actions import begin_edit, change, duplicate, register
from schedules.models import Schedule

pytestmark = pytest.mark.django_db


@pytest.fixture
def page_of_targets(client, world, make_schedule) -> str:
    draft = make_schedule()
    client.force_login(world.people["xinyi"])
    return reverse("wizard-step", args=[draft.pk, "target"])


def test_the_name_is_asked_for_where_a_channel_counts_by_it(
    client, world, page_of_targets, line_account
):
    def asks() -> bool:
        return b'id="help-label"' in client.get(page_of_targets).content

    assert not asks()
    Room.objects.create(
        unit=world.xinyi, account=line_account, name="Group", address="C" + "0" * 32
    )
    assert asks()


@pytest.mark.parametrize(
    ("label", "is_good"), [("Spring_26", True), ("", True), ("봄", False), ("a b", False)]
)
def test_a_name_has_letters_digits_and_underscores(world, make_schedule, now, label, is_good):
    schedule = make_schedule(label=label)
    found = rules.problems(schedule, by=world.people["xinyi"], now=now)
    assert ("label" in found) != is_good


def test_the_name_goes_along_with_an_edit_and_a_duplicate(world, make_schedule):
    by = world.people["xinyi"]
    schedule = register(make_schedule(label="spring"), by=by)
    copy = begin_edit(schedule, by=by)
    assert copy.label == "spring"
    Schedule.objects.filter(pk=copy.pk).update(label="summer")
    changed = change(Schedule.objects.get(pk=copy.pk), by=by)
    assert changed.label == "summer"
    uid = "5f0c1a52-7a63-5f9e-9d6b-0f6f2f0c9a11"
    assert duplicate(changed, by=by, uid=uid).label == "summer"
