"""Rehearse: before a schedule is registered, its channels are asked whether they would take what it
would send, so that whoever wrote it hears so at once and not at the hour.

questions (tables) → hear (channels, outside any transaction: a person waits for them) → the act →
remember. A channel that says nothing refuses nothing: that it was not heard is kept, and a worker
looks soon.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from django.db import transaction

from channels.adapters import registry
from channels.models import Account, Audience, Room
from schedules import rules
from schedules.dispatch.clock import Clock
from schedules.dispatch.questions import finding_of, put
from schedules.dispatch.samples import Sample, samples
from schedules.dispatch.send import Senders
from schedules.findings import Finding, What
from schedules.models import Preflight, Schedule
from schedules.rules import Problems
from schedules.runs.freeze import freeze, with_content
from schedules.states import ScheduleState

SECONDS = 3.0  # for all accounts together
AT_ONCE = 10  # questions to one account under way: none waits behind another
MOST = 50  # different messages of one account


@dataclass(frozen=True)
class Heard:
    """What the channels said. `is_asked`: whether there was one to ask."""

    findings: tuple[Finding, ...] = ()
    is_asked: bool = False

    @property
    def problems(self) -> Problems:
        """What a channel has refused for certain, by field."""
        found: Problems = {}
        for finding in self.findings:
            if finding.what == What.REFUSED:
                found.setdefault(finding.field or "__all__", []).append(finding.words)
        return found

    @property
    def doubts(self) -> list[str]:
        """What keeps nobody from registering, and is to be known all the same."""
        return [finding.words for finding in self.findings if finding.what != What.REFUSED]


def can_ask_any() -> bool:
    """Whether there is an account of which a channel could say something."""
    kinds = [kind for kind, found in registry().items() if found.can_be_validated()]
    return Account.objects.filter(kind__in=kinds).exists()


def questions(schedule: Schedule, *, by: Any, now: datetime) -> list[Sample]:
    """What is to be asked about a draft as it stands in the table: nothing where no channel can
    say, or as long as our own rules refuse it. Asks no channel: it may stand in a transaction."""
    row = with_content(Schedule.objects.all()).get(pk=schedule.pk)
    targets: list[Room | Audience] = [row.audience] if row.audience else [*row.rooms.all()]
    accounts = {target.account_id: target.account for target in targets}
    asked = [account for account in accounts.values() if _can_say(account)]
    if not asked or rules.problems(row, by=by, now=now):
        return []
    coming = rules.preview(row, now, 1)
    frozen = freeze(row, coming[0].due_at if coming else now, now=now)
    first = next(row.audience.selection.people(), None) if row.audience else None
    member, rooms = first.address if first else "", list(row.rooms.all())
    found = (samples(frozen, account, rooms, member=member) for account in asked)
    return [sample for some in found for sample in islice(some, MOST)]


def hear(*asked: Sequence[Sample]) -> list[Heard]:
    """Put the questions of each of several schedules to their channels, all at once."""
    if not any(asked):
        return [Heard() for _none in asked]
    clock = Clock()
    clock.set_by_database()
    flat = [sample for some in asked for sample in some]
    loop = asyncio.new_event_loop()
    try:
        answers = iter(loop.run_until_complete(_ask(flat, Senders(clock))))
    finally:
        # Not asyncio.run: it would wait for the thread in which a name is looked up in vain.
        loop.close()
    return [_heard([next(answers) for _sample in some]) for some in asked]


@transaction.atomic
def remember(schedule: Schedule, heard: Heard, now: datetime) -> None:
    """Keep with the schedule, as it now stands, what was heard; what was found of it otherwise
    stays. What was registered in doubt is looked at by the next worker."""
    row = Preflight.objects.select_for_update().filter(pk=schedule.pk).first()
    before = row.found if row and row.says_something_of(schedule, now) else []
    others = [finding for finding in before if not _is_of_message(finding)]
    found = [*others, *(finding for finding in heard.findings if finding not in others)]
    if not heard.is_asked or not (found or before):
        return
    values: dict[str, Any] = {
        "revision": schedule.revision,
        "findings": [finding.as_json() for finding in found],
        "looked_at": now if found else None,  # of all the rest nobody has looked
        "due_at": None,  # so that the look before the run is still to come
        "again_at": None,
        "taken_at": None,
    }
    if heard.findings and schedule.state != ScheduleState.DRAFT:
        values["asked_at"] = now
    Preflight.objects.update_or_create(schedule=schedule, defaults=values)


def _can_say(account: Account) -> bool:
    found = registry().get(account.kind)
    is_open = account.is_active and account.stopped_at is None
    return is_open and found is not None and found.can_be_validated()


async def _ask(asked: Sequence[Sample], senders: Senders) -> list[list[Finding]]:
    ends_at = asyncio.get_running_loop().time() + SECONDS
    places: dict[int, asyncio.Semaphore] = defaultdict(partial(asyncio.Semaphore, AT_ONCE))
    try:
        return await asyncio.gather(
            *(_ask_about(sample, senders, places[sample.account.pk], ends_at) for sample in asked)
        )
    finally:
        await senders.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)


async def _ask_about(
    sample: Sample, senders: Senders, places: asyncio.Semaphore, ends_at: float
) -> list[Finding]:
    async with places:
        _none, error = await put(
            sample.account,
            senders,
            lambda adapter: adapter.validate(sample.target, sample.payload),
            seconds=ends_at - asyncio.get_running_loop().time(),
        )
    if error is None:
        return []
    found = partial(finding_of, sample.account, error, What.REFUSED, part="message")
    return [found(**fault) for fault in sample.faults(error)]


def _heard(answers: Sequence[Sequence[Finding]]) -> Heard:
    found: list[Finding] = []
    for finding in (finding for some in answers for finding in some):
        if finding not in found:  # of two accounts at one channel
            found.append(finding)
    return Heard(tuple(found), is_asked=bool(answers))


def _is_of_message(finding: Finding) -> bool:
    is_unheard = finding.what == What.UNSEEN and finding.facts.get("part") == "message"
    return finding.what == What.REFUSED or is_unheard
