"""What people do with the calendar feeds that are theirs: get one, and revoke it."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from logs import history
from orgs.clock import database_now
from orgs.models import Unit, User
from orgs.reach import Act, can, can_anywhere
from schedules.actions.refusal import OutOfReach
from schedules.models import CalendarFeed, Schedule
from schedules.models.calendar_feed import new_key


@transaction.atomic
def give_feed(unit: Unit, *, by: Any, shows_details: bool) -> tuple[CalendarFeed, str]:
    """A new address for `by`; the second value is its key, which nobody can read again. The one
    that they had of this unit is no longer good."""
    if not (can_anywhere(by, Act.VIEW, Schedule) and can(by, Act.VIEW, unit)):
        raise OutOfReach(_("There is no such unit."))
    User.objects.select_for_update().get(pk=by.pk)  # two windows: one after the other
    now = database_now()
    CalendarFeed.objects.filter(user=by, unit=unit).delete()
    key, digest = new_key()
    values = {"digest": digest, "shows_details": shows_details, "created_at": now}
    feed = CalendarFeed.objects.create(user=by, unit=unit, **values)
    history.record("created", feed, by=by, now=now, unit_path=unit.path)
    return feed, key


@transaction.atomic
def revoke_feed(feed: CalendarFeed, *, by: Any) -> None:
    """From now on its address leads nowhere. Only its person may: others end the membership."""
    row = CalendarFeed.objects.select_for_update(of=("self",)).select_related("unit")
    found = row.filter(pk=feed.pk, user=by).first()
    if found is None:
        raise OutOfReach(_("There is no such calendar feed."))
    history.record("deleted", found, by=by, now=database_now(), unit_path=found.unit.path)
    found.delete()
