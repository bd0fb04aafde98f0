"""What a move would take away from a unit and all under it, and what would hold there instead: told
before it is done. What would be sent by means that are out of reach, or not at all, bars it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from channels.models import Account, Audience, Room
from orgs.models import Deputy, Unit
from orgs.moments import time_of_day
from orgs.reach import lineage, under
from schedules.models import Approval, Freeze, MessageTemplate, PlaceholderValue, Schedule
from schedules.placeholders import meaning, names
from schedules.states import ScheduleState

NAMED = 3  # of those that a message names; of the others it says how many they are
LIVE = (
    ScheduleState.ACTIVE,
    ScheduleState.WAITING,
    ScheduleState.PAUSED,
    ScheduleState.ERROR,
)


@dataclass(frozen=True)
class Outlook:
    """What stands against a move, and what it would change; each a sentence."""

    barred: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


class Ways:
    """The units above one that moves: those that it leaves and those that it comes under, the top
    first."""

    def __init__(self, unit: Unit, to: Unit) -> None:
        before, after = lineage(unit.path)[:-1], lineage(to.path)
        above = Unit.objects.filter(path__in={*before, *after}).order_by("path")
        units = {one.path: one for one in above}
        self.before = [units[path] for path in before if path in units]
        self.after = [units[path] for path in after if path in units]
        self.lost = [one for one in self.before if one.path not in after]
        self.gained = [one for one in self.after if one.path not in before]


def outlook(unit: Unit, to: Unit) -> Outlook:
    """What would come of it, in the language in force. The same questions for any number of
    rooms and schedules."""
    ways = Ways(unit, to)
    return Outlook([*_bars(unit, ways)], [*_tells(unit, ways)])


def _bars(unit: Unit, ways: Ways) -> Iterator[str]:
    yield from _bars_of_accounts(unit, ways)
    rooms, audiences = _under(unit, Room), _under(unit, Audience)
    above = Schedule.objects.present().filter(unit__in=ways.lost, state__in=LIVE)
    theirs = above.filter(Q(rooms__in=rooms) | Q(audience__in=audiences)).distinct()
    if found := _names(theirs, "title"):
        yield _("%(schedules)s of the units above send to rooms or audiences that move.") % {
            "schedules": found
        }
    waiting = Approval.objects.filter(verdict="", unit__in=ways.lost)
    if found := _names(waiting.filter(schedule__in=_under(unit, Schedule)), "schedule__title"):
        yield _("%(schedules)s wait for the approvers of a unit that would no longer be above.") % {
            "schedules": found
        }
    yield from _bars_of_values(unit, ways)


def _bars_of_accounts(unit: Unit, ways: Ways) -> Iterator[str]:
    """An account does not follow, and the rooms and audiences of one stay with it."""
    used = Q(is_active=True, account__unit__in=ways.lost)
    if found := _names(_under(unit, Room).filter(used), "name"):
        yield _(
            "The rooms %(rooms)s send through an account (%(accounts)s) that would be out of reach."
            " Make them inactive first."
        ) % {"rooms": found, "accounts": _accounts_of(_under(unit, Room).filter(used))}
    if found := _names(_under(unit, Audience).filter(used), "name"):
        yield _(
            "The audiences %(audiences)s belong to an account (%(accounts)s) that would be out of"
            " reach. Make them inactive first."
        ) % {"audiences": found, "accounts": _accounts_of(_under(unit, Audience).filter(used))}


def _bars_of_values(unit: Unit, ways: Ways) -> Iterator[str]:
    """Nobody gets a text with holes: such a message would be skipped."""
    before, after = _values(unit, ways)
    gone = before.keys() - after.keys()
    if not gone:
        return
    mentioned = Q()
    for name in gone:
        mentioned |= Q(text__contains=f"{{{name}}}")
    rows = _under(unit, Schedule).filter(mentioned, state__in=LIVE, deleted_at=None, edits=None)
    lacking = [row for row in rows.order_by("title") if _lacks(row, gone)]
    if lacking:
        yield _(
            "%(schedules)s use values of placeholders (%(names)s) that units above have. Give the"
            " unit values of its own first."
        ) % {
            "schedules": listed([row.title for row in lacking]),
            "names": listed(sorted(gone)),
        }


def _lacks(row: Schedule, gone: Iterable[str]) -> bool:
    wanted = {meaning(name) for name in names(row.text)} & set(gone)
    return bool(wanted - row.terms_in_force.get("defaults", {}).keys())


def _tells(unit: Unit, ways: Ways) -> Iterator[str]:
    yield from _tells_of_shared(ways)
    yield from _tells_of_values(unit, ways)
    yield from _tells_of_inherited(unit, ways)
    yield from _tells_of_budgets(ways)
    yield from _tells_of_freezes(ways)
    if stopped := [one.name for one in ways.after if not one.is_active]:
        yield _("%(units)s is inactive: nothing would be sent any more.") % {
            "units": listed(stopped)
        }
    deputies = deputies_beyond(unit, ways.lost)
    if found := _names(deputies.distinct(), "member__user__username"):
        yield _("%(people)s would no longer stand in for its approvers.") % {"people": found}


def deputies_beyond(unit: Unit, lost: Iterable[Unit]) -> QuerySet[Deputy]:
    """Those from above who stand in here, and would not reach it any more."""
    return under(unit, Deputy.objects.filter(member__unit__in=list(lost)))


def _tells_of_shared(ways: Ways) -> Iterator[str]:
    accounts = Account.objects.filter(unit__in=ways.lost, is_shared=True, is_active=True)
    if found := _names(accounts, "name"):
        yield _("New rooms could no longer be added to the accounts %(accounts)s.") % {
            "accounts": found
        }
    templates = MessageTemplate.objects.filter(unit__in=ways.lost, is_shared=True, is_active=True)
    if found := _names(templates, "name"):
        yield _(
            "The templates %(templates)s could no longer be used. What was made from them stays."
        ) % {"templates": found}


def _tells_of_values(unit: Unit, ways: Ways) -> Iterator[str]:
    before, after = _values(unit, ways)
    if gone := sorted(before.keys() - after.keys()):
        yield _("These placeholders would have no value any more: %(names)s.") % {
            "names": listed(gone)
        }
    changed = [name for name in sorted(after) if before.get(name, after[name]) != after[name]]
    if changed:
        yield _("These placeholders would have another value: %(names)s.") % {
            "names": listed(changed)
        }


def _tells_of_inherited(unit: Unit, ways: Ways) -> Iterator[str]:
    """What a unit says for itself stays."""
    before, after = ([*above, unit] for above in (ways.before, ways.after))
    if _demands(before) != _demands(after):
        yield (
            _("Approval would be needed here.")
            if _demands(after)
            else _("Approval would no longer be needed here.")
        )
    if _quiet(before) != _quiet(after):
        hours = _quiet(after)
        yield (
            _("The quiet hours would be %(first)s to %(last)s.")
            % {"first": time_of_day(hours[0]), "last": time_of_day(hours[1])}
            if hours
            else _("There would be no quiet hours any more.")
        )
    if _language(before) != _language(after):
        yield _("Dates in messages would be written in another language.")


def _tells_of_budgets(ways: Ways) -> Iterator[str]:
    for one in ways.gained:
        if one.monthly_budget is not None:
            yield _("What is sent would count for the budget of %(unit)s (%(most)d a month).") % {
                "unit": one.name,
                "most": one.monthly_budget,
            }
    if spared := [one.name for one in ways.lost if one.monthly_budget is not None]:
        yield _("It would no longer count for the budget of %(units)s.") % {"units": listed(spared)}


def _tells_of_freezes(ways: Ways) -> Iterator[str]:
    frozen = Freeze.objects.in_force().filter(unit__in=[*ways.lost, *ways.gained])
    units = {row.unit_id for row in frozen}
    if found := [one.name for one in ways.gained if one.pk in units]:
        yield _("%(units)s is frozen: nothing would be sent until that is lifted.") % {
            "units": listed(found)
        }
    if found := [one.name for one in ways.lost if one.pk in units]:
        yield _("The freeze of %(units)s would no longer hold it.") % {"units": listed(found)}


def _demands(units: Iterable[Unit]) -> bool:
    said = [unit.approval for unit in units if unit.approval]
    return bool(said) and said[-1] == Unit.Approval.DEMANDED


def _quiet(units: Iterable[Unit]) -> Any:
    saying = [one for one in units if one.quiet_from is not None or one.never_quiet]
    nearest = saying[-1] if saying else None
    hours = nearest and (nearest.quiet_from, nearest.quiet_until)
    return None if hours is None or None in hours else hours


def _language(units: Iterable[Unit]) -> str:
    said = [unit.language for unit in units if unit.language]
    return said[-1] if said else ""


def _values(unit: Unit, ways: Ways) -> tuple[dict[str, str], dict[str, str]]:
    """What placeholders stand for in the unit, as it is and as it would be."""
    to = ways.after[-1]
    inherited = PlaceholderValue.objects.inherited([unit.path, to.path])
    own = dict(PlaceholderValue.objects.filter(unit=unit).values_list("name", "value"))
    return inherited[unit.path], inherited[to.path] | own


def _under(unit: Unit, model: Any) -> QuerySet[Any]:
    return under(unit, model._default_manager.all())


def _accounts_of(rows: QuerySet[Any]) -> str:
    return _names(rows.order_by("account__name").distinct(), "account__name")


def _names(rows: QuerySet[Any], column: str) -> str:
    found = list(dict.fromkeys(rows.order_by(column).values_list(column, flat=True)))
    return listed(found)


def listed(found: list[str]) -> str:
    """The first of them in quotes, and how many more there are; "" for none."""
    if not found:
        return ""
    first = ", ".join(f"“{name}”" for name in found[:NAMED])
    more = len(found) - NAMED
    if more <= 0:
        return first
    return ngettext("%(first)s and %(more)d more", "%(first)s and %(more)d more", more) % {
        "first": first,
        "more": more,
    }
