"""Many recipients at once: who is there is changed, who is not is added."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from channels.models import Account, Recipient, Tag, Tagging
from channels.people.checking import NOT_YOURS
from logs import history
from orgs.bulk import insert, insert_new, update_each
from orgs.clock import database_now
from orgs.models import Unit
from orgs.reach import Act, member_of, within
from orgs.refusal import Problems, Refused

COLUMNS = ("unit_id", "name", "region", "language", "opted_out_at", "opted_out_by_channel")
TRIES = 3


@dataclass
class Wanted:
    """What is said of one person; what is None or not in `values` stays as it is."""

    account: int
    address: str
    unit: int | None = None
    values: dict[str, str] = field(default_factory=dict)  # name, region, language
    tags: list[str] | None = None
    has_opted_out: bool | None = None


@dataclass
class Fate:
    """What became of one. `problems`, by field: it was refused."""

    wanted: Wanted
    person: Recipient | None = None
    is_new: bool = False
    problems: Problems = field(default_factory=dict)


def upsert(wanted: Sequence[Wanted], *, by: Any, go: Callable[[list[Fate]], bool]) -> list[Fate]:
    """Write all that are right, if `go` says so of what was found; the others stay as they are.
    In a fixed number of questions to the database, however many they are."""
    for _once in range(TRIES):
        try:
            with transaction.atomic():
                return _upsert(wanted, by, go)
        except IntegrityError:
            continue  # one of them was added meanwhile: now it is there
    raise Refused(_("Another import changed the same people meanwhile. Check once more."))


def _upsert(wanted: Sequence[Wanted], by: Any, go: Callable[[list[Fate]], bool]) -> list[Fate]:
    fates = _judge(wanted, by)
    right = [fate for fate in fates if not fate.problems]
    if go(fates) and right:
        now = database_now()
        _write(right, now)
        _tag([fate for fate in right if fate.wanted.tags is not None])
        _record(right, by, now)
    return fates


def _judge(wanted: Sequence[Wanted], by: Any) -> list[Fate]:
    """Each with the person whom we know, or why it is refused."""
    every = Account.objects.select_related("unit")
    usable = within(by, every, Act.USE).in_bulk({one.account for one in wanted})
    member = member_of(by)
    own = member.unit_id if member else None
    units = within(by, Unit.objects.all()).in_bulk({one.unit or own or 0 for one in wanted})
    known = _known(wanted)
    mine = within(by, Recipient.objects.filter(pk__in=[p.pk for p in known.values()]), Act.CHANGE)
    reached, seen = set(mine.values_list("pk", flat=True)), set()
    # Whom one has already one may change, though their account is no longer shared.
    theirs = {p.account_id for p in known.values() if p.pk in reached} - usable.keys()
    kept = every.in_bulk(theirs) if theirs else {}
    fates = []
    for one in wanted:
        key = (one.account, one.address)
        fate = Fate(one, known.get(key))
        if key in seen:
            fate.problems = {"address": [_("This request names the same person twice.")]}
        elif fate.person and fate.person.pk not in reached:
            fate.problems = {"address": [str(NOT_YOURS)]}
        else:
            account = usable.get(one.account) or (kept.get(one.account) if fate.person else None)
            _judge_one(fate, account, units, own)
        seen.add(key)
        fates.append(fate)
    return fates


def _judge_one(
    fate: Fate, account: Account | None, units: dict[int, Unit], own: int | None
) -> None:
    """Find what is wrong with it, or make it ready to be written."""
    one, person = fate.wanted, fate.person
    unit = person.unit if person and one.unit is None else units.get(one.unit or own or 0)
    if account is None:
        fate.problems["account"] = [_there_is_no(one.account)]
    elif unit is None:
        fate.problems["unit"] = [_there_is_no(one.unit)]
    elif not account.unit.covers(unit):
        fate.problems["account"] = [_("This account cannot be used for that unit.")]
    elif problem := account.adapter_class(config=None).recipient_problem(one.address):
        fate.problems["address"] = [str(problem)]
    else:
        fate.is_new = person is None
        fate.person = person or Recipient(account=account, address=one.address)
        fate.person.unit = unit


def _there_is_no(pk: int | None) -> str:
    return _("This field is required.") if pk is None else _("There is nothing here.")


def _known(wanted: Iterable[Wanted]) -> dict[tuple[int, str], Recipient]:
    """Those whom we know, locked in one order for all who ask."""
    accounts, addresses = {one.account for one in wanted}, {one.address for one in wanted}
    rows = Recipient.objects.filter(account_id__in=accounts, address__in=addresses)
    locked = rows.select_related("unit").select_for_update(of=("self",)).order_by("pk")
    return {(person.account_id, person.address): person for person in locked}


def _write(fates: Sequence[Fate], now: datetime) -> None:
    for fate in fates:
        person: Any = fate.person
        for name, value in fate.wanted.values.items():
            setattr(person, name, value)
        if fate.wanted.has_opted_out:
            person.opt_out(now)
        elif fate.wanted.has_opted_out is False and not person.opted_out_by_channel:
            person.opt_in()  # what somebody did at the channel, a list does not take back
    new = [fate.person for fate in fates if fate.person and fate.is_new]
    # In one order for all who ask: two who add the same people would wait for each other.
    new.sort(key=lambda person: (person.account_id, person.address))
    insert(new, ids=True)
    rows = [[*(getattr(f.person, name) for name in COLUMNS), f.person.pk]
            for f in fates if f.person and not f.is_new]  # fmt: skip
    update_each(Recipient, COLUMNS, rows)


def _tag(fates: Sequence[Fate]) -> None:
    """Bear the tags that are named and no others. One borne already stays the tag of whichever
    unit gave it; a new one is of the person's own unit."""
    pks = [fate.person.pk for fate in fates if fate.person]
    borne: dict[int, dict[str, int]] = defaultdict(dict)
    rows = Tagging.objects.filter(recipient_id__in=pks).select_related("tag")
    for pk, bearer, name in rows.values_list("pk", "recipient_id", "tag__name"):
        borne[bearer][name] = pk
    gone, fresh = [], defaultdict(list)
    for fate in fates:
        person: Any = fate.person
        names = set(fate.wanted.tags or [])
        gone += [pk for name, pk in borne[person.pk].items() if name not in names]
        for name in sorted(names - borne[person.pk].keys()):
            fresh[person.unit].append((name, person.pk))
    Tagging.objects.filter(pk__in=gone).delete()
    for unit, pairs in sorted(fresh.items(), key=lambda found: found[0].pk):
        tags = Tag.objects.named(unit, sorted({name for name, _pk in pairs}))
        insert_new([Tagging(tag=tags[name], recipient_id=pk) for name, pk in pairs])


def _record(fates: Sequence[Fate], by: Any, now: datetime) -> None:
    """One entry for each unit: how many, not who."""
    counts: dict[Unit, Counter] = defaultdict(Counter)
    for fate in fates:
        if fate.person:
            counts[fate.person.unit]["created" if fate.is_new else "updated"] += 1
    row = Recipient(name=str(Recipient._meta.verbose_name_plural))
    for unit, facts in counts.items():
        changes = {"rows": facts.total(), "created": facts["created"], "updated": facts["updated"]}
        history.record("imported", row, by=by, now=now, unit_path=unit.path, changes=changes)
