"""`GET /metrics`: figures for Prometheus, over all units, for who holds TEIJI_METRICS_TOKEN.

Everything is read from the database at the moment of asking: web processes keep no counters of
their own, so that any of them may answer. Labels name channels, states and parts, never units.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from secrets import compare_digest

from django.conf import settings
from django.db.models import Count, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from channels.models import WebhookDelivery
from config.health import OVERDUE, SILENT
from logs.models import Counter
from logs.stats.figures import Figures
from logs.stats.punctuality import since_ever
from orgs.clock import clock_offset, database_now
from schedules.dispatch.overdue import overdue
from schedules.models import Delivery, Heartbeat, Installation
from schedules.states import DeliveryState

# Seconds. Each is an edge of the buckets in which lateness is counted, so that counts are exact.
BOUNDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0, 600.0)

COUNTERS = {
    Counter.Name.FENCED_WRITE: (
        "teiji_fenced_writes",
        "Outcomes that were not written, since their worker had lost its claim.",
    ),
    Counter.Name.ALREADY_ACCEPTED: (
        "teiji_already_accepted",
        "Tries of which the channel said that it had accepted the message before.",
    ),
    Counter.Name.MISSED: (
        "teiji_missed",
        "Runs and deliveries that were skipped, since their time had long passed.",
    ),
}


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures as they are now; 404 where the setting is empty, 401 without its token."""
    if not settings.TEIJI_METRICS_TOKEN:
        raise Http404
    expected = f"Bearer {settings.TEIJI_METRICS_TOKEN}"
    given = request.headers.get("Authorization", "")
    if not compare_digest(given.encode(), expected.encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry()
    registry.register(Figured(database_now()))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Figured(Collector):
    """What is measured, at `now`."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def describe(self) -> list[Metric]:
        return []  # or else everything would be read once more to learn the names

    def collect(self) -> Iterator[Metric]:
        yield from _lateness(since_ever())
        yield from _open(self.now)
        yield from _told(self.now)
        yield from _counted()
        yield from _alive(self.now)


def _lateness(channels: dict[str, Figures]) -> Iterator[Metric]:
    lateness = HistogramMetricFamily(
        "teiji_lateness_seconds",
        "From the appointed time to the hand-over of the accepted try, of every delivery.",
        labels=["channel"],
    )
    early = CounterMetricFamily(
        "teiji_early_deliveries", "Deliveries handed over before their time.", labels=["channel"]
    )
    for channel, figures in channels.items():
        counts = [(str(bound), figures.up_to(round(bound * 1000))) for bound in BOUNDS]
        buckets = [*counts, ("+Inf", figures.count)]
        lateness.add_metric([channel], buckets, sum_value=figures.total_ms / 1000)
        early.add_metric([channel], figures.early)
    yield lateness
    yield early


def _open(now: datetime) -> Iterator[Metric]:
    """Deliveries that are not final. Each count has a partial index of its own."""
    deliveries = GaugeMetricFamily(
        "teiji_deliveries", "Deliveries that are not final, by state.", labels=["state"]
    )
    for state in (DeliveryState.PLANNED, DeliveryState.SENDING, DeliveryState.UNCONFIRMED):
        deliveries.add_metric([state], Delivery.objects.filter(state=state).count())
    yield deliveries
    planned = Delivery.objects.filter(state=DeliveryState.PLANNED)
    oldest = overdue(now).aggregate(at=Min("next_try_at"))["at"]
    yield GaugeMetricFamily(
        "teiji_oldest_due_age_seconds",
        "Since the oldest planned delivery has been due that nobody holds; 0: nothing is.",
        value=(now - oldest).total_seconds() if oldest else 0.0,
    )
    yield GaugeMetricFamily(
        "teiji_deliveries_planned_ahead",
        "Planned deliveries whose next try is still to come.",
        value=planned.filter(next_try_at__gt=now).count(),
    )
    yield GaugeMetricFamily(
        "teiji_deliveries_overdue",
        f"Planned deliveries that nobody holds, due for over {OVERDUE:.0f} s.",
        value=overdue(now, by=timedelta(seconds=OVERDUE)).count(),
    )


def _told(now: datetime) -> Iterator[Metric]:
    """Facts on their way to other systems, and those of the last 30 days that were given up."""
    waiting = WebhookDelivery.objects.filter(state=WebhookDelivery.State.WAITING)
    counts = GaugeMetricFamily(
        "teiji_webhook_deliveries",
        "Deliveries to webhooks: waiting, and failed ones that are still in their log.",
        labels=["state"],
    )
    figures = waiting.aggregate(count=Count("pk"), oldest=Min("fact__at"))
    failed = WebhookDelivery.objects.filter(state=WebhookDelivery.State.FAILED)
    counts.add_metric(["waiting"], figures["count"])
    counts.add_metric(["failed"], failed.count())
    yield counts
    oldest = figures["oldest"]
    yield GaugeMetricFamily(
        "teiji_webhook_oldest_age_seconds",
        "Since that happened of which a webhook has waited longest to be told; 0: none waits.",
        value=(now - oldest).total_seconds() if oldest else 0.0,
    )


def _counted() -> Iterator[Metric]:
    values = dict(Counter.objects.values_list("name", "value"))
    for name, (metric, words) in COUNTERS.items():
        yield CounterMetricFamily(metric, words, value=values.get(name, 0))


def _alive(now: datetime) -> Iterator[Metric]:
    ages = GaugeMetricFamily(
        "teiji_heartbeat_age_seconds",
        "Since the youngest sign of life of a worker’s loop, and of the tick of beat.",
        labels=["part"],
    )
    for kind in Heartbeat.Kind:
        age = Heartbeat.age(kind, now)
        if age is not None:
            ages.add_metric([kind], max(age, 0.0))
    yield ages
    fenced = Installation.objects.fenced() is not None
    yield GaugeMetricFamily("teiji_fenced", "1 while all sending is stopped.", value=int(fenced))
    yield GaugeMetricFamily(
        "teiji_clock_offset_seconds",
        "By how much the clock of the web server’s machine is ahead of the database’s.",
        value=round(clock_offset(), 3),
    )
    alive = Heartbeat.alive(Heartbeat.Kind.LOOP, now, within=timedelta(seconds=SILENT))
    yield GaugeMetricFamily("teiji_workers", f"Workers seen within {SILENT:.0f} s.", value=alive)


urlpatterns = [path("metrics", metrics)]
