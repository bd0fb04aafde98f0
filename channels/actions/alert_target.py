"""What people do with the places that are told of alerts: keep one, and remove it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from channels.adapters.apprise import AppriseConfig
from channels.alerts.gather import greet
from channels.models import AlertTarget
from logs import history
from orgs.actions.facts import check, differences, facts_of
from orgs.actions.kept import held, store
from orgs.clock import database_now
from orgs.models import Member, Unit
from orgs.reach import Act, can_in
from orgs.refusal import OutOfReach, Problems, Refused

COLUMNS = ("unit", "name", "is_active")
FACTS = (*COLUMNS, "member", "service")
URL = "Apprise URL"  # as the history, which is read in each language, names it


class Kept(NamedTuple):
    """The target as it stands; and whether it is told a greeting, for it leads somewhere else."""

    target: AlertTarget
    is_greeted: bool


@transaction.atomic
def keep_target(target: AlertTarget, given: Mapping[str, Any], *, by: Any) -> Kept:
    """Store a new target, or what is given of one: its columns; and a `url` or a `member`, which
    takes the place of what it had."""
    is_new = target.pk is None
    row = target if is_new else _held(target, by, Act.CHANGE)
    before = {} if is_new else facts_of(row, FACTS)
    for name in COLUMNS:
        if name in given:
            setattr(row, name, given[name])
    if not can_in(by, Act.CREATE if is_new else Act.CHANGE, AlertTarget, row.unit):
        raise OutOfReach(_("You cannot add alert targets there."))
    has_new_place = _set_place(row, given)
    check(row)
    store(row)
    changes = differences(before, facts_of(row, FACTS))
    if given.get("url"):
        changes["fields"] = [URL]
    _record("created" if is_new else "updated", row, by, changes)
    is_greeted = row.is_active and has_new_place
    if is_greeted:
        greet(row, database_now())
    return Kept(row, is_greeted)


@transaction.atomic
def remove_target(target: AlertTarget, *, by: Any) -> None:
    """It is told nothing more; what it was told stays in the log."""
    row = _held(target, by, Act.DELETE)
    _record("deleted", row, by, {})
    row.delete()


def problems(*, url: str, member: Member | None, unit: Unit | None, has_url: bool) -> Problems:
    """Why these make no place for the alerts of this unit, by field. `has_url`: it has one, which
    stays if nothing else is given."""
    found: Problems = {}
    if url and member:
        found["member"] = [_("Give a URL or a member, not both.")]
    elif not url and not member and not has_url:
        found["url"] = [_("Give a URL, or choose a member.")]
    elif url:
        found |= {name: [str(why)] for name, why in AppriseConfig(url=url).problems().items()}
    if member and unit and not member.unit.covers(unit):
        found.setdefault("member", []).append(_("This person does not reach that unit."))
    if member and not member.user.email:
        found.setdefault("member", []).append(_("This person has no mail address."))
    return found


def _set_place(row: AlertTarget, given: Mapping[str, Any]) -> bool:
    """Whether it is another place than before. Raises Refused."""
    url, earlier = given.get("url", ""), row.member
    member = given.get("member", None if url else earlier)
    found = problems(url=url, member=member, unit=row.unit, has_url=bool(row.sealed))
    if found:
        raise Refused(_("Some fields are not right."), found)
    if url or member:
        row.url, row.member = url, member
    return bool(url) or member != earlier


def _held(target: AlertTarget, by: Any, act: Act) -> AlertTarget:
    absent = _("There is no such alert target.")
    return held(target, "unit", "member__user", "member__unit", by=by, act=act, absent=absent)


def _record(verb: str, row: AlertTarget, by: Any, changes: dict[str, Any]) -> None:
    now = database_now()
    history.record(verb, row, by=by, now=now, unit_path=row.unit.path, changes=changes)
