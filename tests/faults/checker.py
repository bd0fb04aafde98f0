"""What must hold when all is healed and drained: the channels' logs against the database."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from channels.models import Account
from logs.models import Attempt
from schedules.dispatch.sweep import MOST_CRASHES
from schedules.models import Delivery, Run
from schedules.models.delivery import part_key
from schedules.states import OPEN_DELIVERY, OPEN_RUN, SUCCESS, DeliveryState, run_state

EARLY = 0.02  # seconds that two clocks of one machine may differ by
NOT_ACCEPTED = (DeliveryState.UNCONFIRMED, DeliveryState.FAILED, DeliveryState.SKIPPED,
                DeliveryState.CANCELLED)  # fmt: skip

Place = tuple[str, str]  # an address and the messages that were accepted there


@dataclass
class Case:
    """One part of one delivery, with the acceptances that are its own."""

    delivery: Delivery
    part: int
    is_keyed: bool
    may_repeat: bool
    accepted: list[Any] = field(default_factory=list)

    @property
    def name(self) -> str:
        row = self.delivery
        kind = "keyed" if self.is_keyed else "unkeyed"
        return f"delivery {row.pk} ({kind}, {row.room_name}, {row.due_at:%H:%M:%S}, {row.state})"


def violations(
    accepted: Sequence[Any],
    *,
    expected: Collection[tuple[int, datetime]],
    may_miss: bool = False,
) -> list[str]:
    """In plain words all that must not be. `expected` are the schedules and times of the runs;
    `may_miss`: the outage was longer than the grace, so that some may be skipped as missed."""
    cases = _cases()
    found = [f"accepted, but planned by nobody: {stray}" for stray in _assign(cases, accepted)]
    for case in cases:
        found += _of_the_channel(case)
    for delivery, parts in _by_delivery(cases):
        found += _of_the_delivery(delivery, parts, may_miss)
    return found + _of_the_runs(expected) + _of_the_log(cases)


def _cases() -> list[Case]:
    rows = Delivery.objects.select_related("run", "account", "room").order_by("id")
    return [
        Case(
            delivery=row,
            part=part,
            is_keyed=row.account.open().takes_key,
            may_repeat=row.account.on_unknown == Account.OnUnknown.RESEND,
        )
        for row in rows
        for part in range(row.parts)
    ]


def _assign(cases: Iterable[Case], accepted: Iterable[Any]) -> list[Any]:
    """Give each acceptance to its case: by its key, or, where a sender made up another key, by
    room and content. Returns those that belong to none."""
    by_key: dict[str, Case] = {}
    by_place: dict[Place, Case] = {}
    for case in cases:
        row = case.delivery
        by_key[str(part_key(row.key, case.part))] = case
        payload = row.payloads[case.part]
        by_place[row.room.address, _canonical(payload["messages"])] = case
    strays = []
    for entry in accepted:
        case = by_key.get(entry.key) or by_place.get((entry.to, _canonical(entry.messages)))
        if case is None:
            strays.append(entry)
        else:
            case.accepted.append(entry)
    return strays


def _of_the_channel(case: Case) -> list[str]:
    count, due = len(case.accepted), case.delivery.due_at.timestamp()
    found = []
    if count > 1 and not (case.may_repeat and not case.is_keyed):
        found.append(f"accepted {count} times: {case.name}")
    found += [
        f"accepted {due - entry.at:.3f} s early: {case.name}"
        for entry in case.accepted
        if entry.at < due - EARLY
    ]
    shown = case.delivery.lateness_ms
    if case.part == 0 and shown is not None and shown < -1000 * EARLY:
        found.append(f"shown as {-shown} ms early: {case.name}")
    if case.part < case.delivery.part and not count:
        found.append(f"counted as sent, but never accepted: part {case.part} of {case.name}")
    return found


def _of_the_delivery(delivery: Delivery, parts: Sequence[Case], may_miss: bool) -> list[str]:
    name, state = parts[0].name, delivery.state
    count = sum(bool(case.accepted) for case in parts)
    if state in OPEN_DELIVERY:
        return [f"without an end: {name}"]
    if state in SUCCESS:
        return [] if count == len(parts) else [f"sent, but not accepted: {name}"]
    if state not in NOT_ACCEPTED:
        return [f"in a state that nobody expects: {name}"]
    if count and state != DeliveryState.UNCONFIRMED:
        return [f"accepted, but called {state}: {name}"]
    if state == DeliveryState.UNCONFIRMED and parts[0].is_keyed and not _is_given_up(delivery):
        return [f"a key would have made it certain: {name}"]
    if state == DeliveryState.SKIPPED and delivery.reason == "missed" and not may_miss:
        return [f"missed, though there was time: {name}"]
    return []


def _is_given_up(delivery: Delivery) -> bool:
    """Whether there was no further try whose key could have told: three workers died on it, its
    tries are spent, or the channel refuses."""
    refused = Attempt.objects.filter(delivery_id=delivery.pk, outcome=Attempt.Outcome.REFUSED)
    is_spent = delivery.tries > delivery.run.max_retries
    return delivery.crashes >= MOST_CRASHES or is_spent or refused.exists()


def _of_the_runs(expected: Collection[tuple[int, datetime]]) -> list[str]:
    runs = list(Run.objects.all())
    there = Counter((run.schedule_id, run.due_at) for run in runs)
    found = [f"{count} runs of one occurrence: {which}" for which, count in there.items()
             if count > 1]  # fmt: skip
    found += [f"never planned: {which}" for which in sorted(set(expected) - set(there))]
    found += [f"planned, but not expected: {which}" for which in sorted(set(there) - set(expected))]
    counts = _counts()
    for run in runs:
        found += _of_the_run(run, counts.get(run.pk, {}))
    return found


def _of_the_run(run: Run, counts: Mapping[str, int]) -> list[str]:
    name = f"run {run.pk} ({run.due_at:%H:%M:%S}, {run.state})"
    if run.state in OPEN_RUN:
        return [f"without an end: {name}"]
    totals = {
        "total": sum(counts.values()),
        "sent": sum(counts.get(state, 0) for state in SUCCESS),
        "failed": counts.get("failed", 0),
        "unconfirmed": counts.get("unconfirmed", 0),
        "skipped": counts.get("skipped", 0),
    }
    found = [
        f"{name} says {getattr(run, column)} {column}, its deliveries {count}"
        for column, count in totals.items()
        if getattr(run, column) != count
    ]
    if counts and run.state != run_state(dict(counts), parts_sent=_has_begun(run)):
        found.append(f"{name} is not the sum of {dict(counts)}")
    return found


def _has_begun(run: Run) -> bool:
    return run.deliveries.exclude(state__in=SUCCESS).filter(part__gt=0).exists()


def _of_the_log(cases: Iterable[Case]) -> list[str]:
    """Each part that counts as sent has one attempt that proves it, and no part has two."""
    accepted = Attempt.objects.filter(outcome=Attempt.Outcome.ACCEPTED)
    proofs = Counter(accepted.values_list("delivery_id", "part"))
    found = []
    for case in cases:
        count = proofs[case.delivery.pk, case.part]
        if count > 1:
            found.append(f"{count} attempts prove one part: {case.name}")
        if case.part < case.delivery.part and not count:
            found.append(f"sent without a proof in the log: {case.name}")
    return found


def _counts() -> dict[int, dict[str, int]]:
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    for (run_id, state), count in Counter(Delivery.objects.values_list("run_id", "state")).items():
        counts[run_id][state] = count
    return counts


def _by_delivery(cases: Iterable[Case]) -> list[tuple[Delivery, list[Case]]]:
    grouped: dict[int, list[Case]] = defaultdict(list)
    for case in cases:
        grouped[case.delivery.pk].append(case)
    return [(parts[0].delivery, parts) for parts in grouped.values()]


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
