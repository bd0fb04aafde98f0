"""Members: who is in a batch when it leaves. Who has opted out since it was planned is not."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import F

from channels.models import Recipient
from schedules.dispatch.claim import Claimed, load_members
from schedules.models import Delivery, Run

HEARD_LATE = timedelta(hours=1)  # after somebody left us, the channel may still have to say so

Members = dict[int, tuple[str, ...]]


def settle_members(batches: Sequence[Claimed]) -> Members:
    """The addresses of each batch, by its id; those who have opted out are taken out for good
    before its first try. At a retry the channel must find the people of the first, or it would
    not know the message again."""
    members = load_members(batches)
    untried = [d for d in batches if d.started_at is None and not d.in_doubt and d.id in members]
    gone = _opted_out(untried)
    changed = {
        d.id: tuple(address for address in members[d.id] if address not in gone[d.account.pk])
        for d in untried
        if not gone[d.account.pk].isdisjoint(members[d.id])
    }
    if changed:
        _take_out([d for d in untried if d.id in changed], members, changed)
    return members | changed


def _opted_out(untried: Sequence[Claimed]) -> dict[int, set[str]]:
    """By account, who opted out since the first of these was planned."""
    gone: dict[int, set[str]] = defaultdict(set)
    runs = Run.objects.filter(pk__in={delivery.run_id for delivery in untried})
    first = min(runs.values_list("planned_at", flat=True), default=None)
    if first is None:
        return gone
    accounts = {delivery.account.pk for delivery in untried}
    people = Recipient.objects.filter(account__in=accounts, opted_out_at__gte=first - HEARD_LATE)
    for account_id, address in people.values_list("account_id", "address"):
        gone[account_id].add(address)
    return gone


@transaction.atomic
def _take_out(batches: Sequence[Claimed], before: Members, after: Members) -> None:
    """Deliveries by id, then their runs by id, as whoever settles locks them."""
    fewer: dict[int, int] = defaultdict(int)
    for delivery in sorted(batches, key=lambda delivery: delivery.id):
        mine = Delivery.objects.filter(pk=delivery.id, claim=delivery.token)
        left = after[delivery.id]
        if mine.update(members=list(left), billed=len(left) if delivery.billed else 0):
            fewer[delivery.run_id] += len(before[delivery.id]) - len(after[delivery.id])
    for run_id, count in sorted(fewer.items()):
        Run.objects.filter(pk=run_id).update(recipients=F("recipients") - count)
