"""What a template says of when and how its schedules go, for who uses it to change."""

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orgs.models import validate_zone
from schedules.models.repetition import KIND_CHOICES, OnQuiet, Repetition
from schedules.recurrence import LAST_DAY, Kind, ShortMonth, Timing
from schedules.recurrence.timing import MINUTES_OF_A_DAY

MOST_PRIORITY = 100
MOST_RETRIES = 10

# The columns that each kind has of its own, and what they hold for all other kinds.
DETAILS: Mapping[str, tuple[str, ...]] = {
    "": (),
    Kind.NOW: (),
    Kind.ONCE: ("date", "time"),
    Kind.DAILY: ("time",),
    Kind.WEEKLY: ("time", "weekdays"),
    Kind.MONTHLY: ("time", "day_of_month", "short_month"),
    Kind.INTERVAL: ("every_minutes",),
    Kind.PEAK: ("every_minutes", "peak_minutes", "peak_hours"),
    Kind.CRON: ("cron",),
}
EMPTY: Mapping[str, Any] = {
    "date": None,
    "time": None,
    "weekdays": [],
    "day_of_month": None,
    "short_month": ShortMonth.LAST_DAY.value,
    "every_minutes": None,
    "peak_minutes": None,
    "peak_hours": [],
    "cron": "",
}
PREFILLED = (
    "timing_kind", *EMPTY, "zone", "holiday_country", "on_quiet", "priority", "max_retries",
)  # fmt: skip
ZONELESS = ("", Kind.NOW)
SINCE = datetime(2000, 1, 1, tzinfo=UTC)  # of “now” any moment will do: a default has none
MINUTES = (1, MINUTES_OF_A_DAY)
FILLED = {
    "time": Q(time__isnull=False),
    "weekdays": ~Q(weekdays=[]),
    "day_of_month": Q(day_of_month__range=(1, LAST_DAY)),
    "every_minutes": Q(every_minutes__range=MINUTES),
    "peak_minutes": Q(peak_minutes__range=MINUTES),
    "peak_hours": ~Q(peak_hours=[]),
    "cron": ~Q(cron=""),
}


class Prefills(Repetition):
    """Each column is that of a schedule with the same name. Empty: nothing is filled in."""

    timing_kind = models.CharField(
        gettext_lazy("timing"),
        max_length=10,
        choices=KIND_CHOICES,
        blank=True,
        default="",
        db_default="",
        help_text=gettext_lazy("Empty: whoever uses it chooses."),
    )
    zone = models.CharField(
        gettext_lazy("time zone"),
        max_length=50,
        blank=True,
        default="",
        db_default="",
        validators=[validate_zone],
        help_text=gettext_lazy("Empty: that of the unit for which it is used."),
    )
    on_quiet = models.CharField(
        gettext_lazy("in quiet hours"),
        max_length=4,
        choices=OnQuiet.choices,
        blank=True,
        default="",
        db_default="",
    )
    priority = models.PositiveSmallIntegerField(
        gettext_lazy("priority"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(MOST_PRIORITY)],
        help_text=gettext_lazy("0 to 100; of what is due at once, higher first. Empty: as usual."),
    )
    max_retries = models.PositiveSmallIntegerField(
        gettext_lazy("most retries"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(MOST_RETRIES)],
        help_text=gettext_lazy("How often a send that may succeed is repeated. Empty: as usual."),
    )

    class Meta:
        abstract = True

    @property
    def prefills(self) -> dict[str, Any]:
        """The columns of a schedule that it fills in."""
        kind = self.timing_kind
        names = ["timing_kind", *DETAILS[kind], "zone"] if kind else []
        said = {name: getattr(self, name) for name in [*names, "holiday_country", "on_quiet"]}
        numbers = {"priority": self.priority, "max_retries": self.max_retries}
        filled = {name: value for name, value in said.items() if value not in ("", None, [])}
        return filled | {name: value for name, value in numbers.items() if value is not None}

    def timing_in(self, zone: str) -> Timing:
        """Its timing for a unit of this zone; without one of its own, “now”."""
        kind = Kind(self.timing_kind or Kind.NOW)
        return replace(self._as_kind(kind), zone=self.zone or zone, registered_at=SINCE)

    def clean(self) -> None:
        """Forget the details of other kinds, and refuse what is half a timing."""
        super().clean()
        if self.timing_kind not in DETAILS:
            raise ValidationError({"timing_kind": _("There is no timing of this kind.")})
        for name in EMPTY.keys() - set(DETAILS[self.timing_kind]):
            setattr(self, name, copy(EMPTY[name]))
        if self.timing_kind in ZONELESS:
            self.zone = ""
        problems = self.timing_in("UTC").problems()
        if self.date is None:
            problems.pop("date", None)  # on which day, whoever uses it chooses
        if problems:
            raise ValidationError({name: [message] for name, message in problems.items()})

    def _as_kind(self, kind: Kind) -> Timing:
        row = copy(self)
        row.timing_kind = kind.value
        return row.timing


def no_half_default() -> Q:
    """The condition that each kind has its details, and that none stand without a kind."""
    nothing = Q(timing_kind="", zone="", **EMPTY)
    whole = (
        Q(timing_kind=kind) & _all(FILLED[name] for name in names if name in FILLED)
        for kind, names in DETAILS.items()
        if kind
    )
    condition = nothing
    for one in whole:
        condition |= one
    return condition


def _all(conditions: Iterable[Q]) -> Q:
    found = Q()
    for condition in conditions:
        found &= condition
    return found
