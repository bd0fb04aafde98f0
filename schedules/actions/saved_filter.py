"""What people do with the filters that they keep for a list: theirs alone."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from orgs.models import User
from schedules.actions.refusal import OutOfReach, Refused
from schedules.models import SavedFilter
from schedules.models.saved_filter import LONGEST, MOST, NAME_LENGTH

COLUMNS = ("name", "query", "is_default")


@transaction.atomic
def keep_filter(page: str, given: Mapping[str, Any], *, by: Any) -> SavedFilter:
    """Keep a query for this list under a name, in place of what had it before."""
    _refuse_odd(given)
    mine = _mine(by, page)
    row = mine.filter(name=_name(given)).first() or SavedFilter(user=by, page=page)
    if row.pk is None and mine.count() >= MOST:
        raise Refused(_("You have %(most)d already. Remove one first.") % {"most": MOST})
    return _fill(row, {"is_default": False, **given}, mine)


@transaction.atomic
def change_filter(saved: SavedFilter, given: Mapping[str, Any], *, by: Any) -> SavedFilter:
    """Give it what is given of a name, a query, and whether it opens its list: then no other."""
    _refuse_odd(given)
    mine = _mine(by, saved.page)
    row = _of(mine, saved)
    if "name" in given and mine.filter(name=_name(given)).exclude(pk=row.pk).exists():
        raise Refused(_("You have one of this name already."))
    return _fill(row, given, mine)


@transaction.atomic
def remove_filter(saved: SavedFilter, *, by: Any) -> None:
    _of(_mine(by, saved.page), saved).delete()


def _mine(user: Any, page: str) -> QuerySet[SavedFilter]:
    """Held by their person: two windows change them one after the other."""
    User.objects.select_for_update().get(pk=user.pk)
    return SavedFilter.objects.filter(user=user.pk, page=page)


def _of(mine: QuerySet[SavedFilter], saved: SavedFilter) -> SavedFilter:
    row = mine.filter(pk=saved.pk).first()
    if row is None:
        raise OutOfReach(_("There is no such filter."))
    return row


def _fill(row: SavedFilter, given: Mapping[str, Any], mine: QuerySet[SavedFilter]) -> SavedFilter:
    for name in COLUMNS:
        if name in given:
            setattr(row, name, _name(given) if name == "name" else given[name])
    if row.is_default:
        mine.exclude(pk=row.pk).update(is_default=False)
    row.save()
    return row


def _name(given: Mapping[str, Any]) -> str:
    return " ".join(given["name"].split())


def _refuse_odd(given: Mapping[str, Any]) -> None:
    too_long = _("The name or the filters are too long.")
    found = {}
    if "name" in given and not _name(given):
        found["name"] = [_("Give it a name.")]
    elif "name" in given and len(_name(given)) > NAME_LENGTH:
        found["name"] = [too_long]
    if len(given.get("query", "")) > LONGEST:
        found["query"] = [too_long]
    if found:
        raise Refused(_("Some fields are not right."), found)
