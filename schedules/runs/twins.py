"""Deliveries whose twin (same room, time and content) is planned or sent already: skipped."""

from orgs.bulk import insert, insert_new
from schedules.models import Delivery, Run
from schedules.states import DeliveryState, RunState, move


def insert_but_twins(deliveries: list[Delivery]) -> list[Delivery]:
    """Write them; as skipped those that a twin keeps out, which are returned."""
    if insert_new(deliveries):
        return []
    run_ids = {delivery.run_id for delivery in deliveries}
    rows = Delivery.objects.filter(run_id__in=run_ids).values_list("run_id", "room_id", "batch")
    stored = set(rows)
    refused = [d for d in deliveries if (d.run_id, d.room_id, d.batch) not in stored]
    for delivery in refused:
        delivery.pk = None
        delivery.state = DeliveryState.SKIPPED
        delivery.reason = Delivery.Reason.DUPLICATE
        delivery.completed_at = delivery.run.planned_at
    insert(refused)
    return refused


def finish_runs(refused: list[Delivery]) -> None:
    """A run whose every delivery was refused has nothing to wait for."""
    counts: dict[int, int] = {}
    for delivery in refused:
        counts[delivery.run_id] = counts.get(delivery.run_id, 0) + 1
    for delivery in {d.run_id: d for d in refused}.values():
        run, count = delivery.run, counts[delivery.run_id] + delivery.run.skipped
        row = Run.objects.filter(pk=run.pk)
        if count == run.total:
            move(row, RunState.SKIPPED, skipped=count, completed_at=run.planned_at)
        else:
            row.update(skipped=count)
