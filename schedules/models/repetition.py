"""How something repeats: the columns that a schedule and a template's defaults share."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from orgs.models import validate_zone
from schedules.recurrence import Kind, ShortMonth, Timing

KIND_CHOICES = [
    (Kind.NOW.value, _("now")),
    (Kind.ONCE.value, _("once")),
    (Kind.DAILY.value, _("every day")),
    (Kind.WEEKLY.value, _("every week")),
    (Kind.MONTHLY.value, _("every month")),
    (Kind.INTERVAL.value, _("every some minutes")),
    (Kind.PEAK.value, _("peak hours")),
    (Kind.CRON.value, _("cron expression")),
]
NONE_CHOSEN = models.Value([], models.JSONField())  # to code that leaves the column out
SHORT_MONTH_CHOICES = [
    (ShortMonth.LAST_DAY.value, _("send on its last day")),
    (ShortMonth.SKIP.value, _("leave that month out")),
]


class OnQuiet(models.TextChoices):
    """What becomes of a message whose time falls into quiet hours."""

    MOVE = "move", _("send at their end")
    SKIP = "skip", _("leave it out")


class Repetition(models.Model):
    """A kind and its details: each column is the field of schedules.recurrence.Timing with the
    same name."""

    timing_kind = models.CharField(
        _("timing"), max_length=10, choices=KIND_CHOICES, default=Kind.ONCE.value
    )
    zone = models.CharField(
        _("time zone"), max_length=50, default="Asia/Seoul", validators=[validate_zone]
    )
    date = models.DateField(_("date"), null=True, blank=True)
    time = models.TimeField(_("time"), null=True, blank=True)
    weekdays = models.JSONField(
        _("weekdays"),
        default=list,
        db_default=NONE_CHOSEN,
        blank=True,
        help_text=_("0 is Monday, 6 is Sunday."),
    )
    day_of_month = models.PositiveSmallIntegerField(
        _("day of the month"), null=True, blank=True, help_text=_("1 to 31; 32 is the last day.")
    )
    short_month = models.CharField(
        _("in a month without that day"),
        max_length=10,
        choices=SHORT_MONTH_CHOICES,
        default=ShortMonth.LAST_DAY.value,
        db_default=ShortMonth.LAST_DAY.value,
    )
    every_minutes = models.PositiveSmallIntegerField(
        _("minutes between"), null=True, blank=True, help_text=_("Aligned to the clock.")
    )
    peak_minutes = models.PositiveSmallIntegerField(
        _("minutes between in peak hours"), null=True, blank=True
    )
    peak_hours = models.JSONField(
        _("peak hours"),
        default=list,
        db_default=NONE_CHOSEN,
        blank=True,
        help_text=_("Hours from 0 to 23."),
    )
    cron = models.CharField(
        _("cron expression"),
        max_length=100,
        blank=True,
        default="",
        db_default="",
        help_text=_("Minute, hour, day, month, weekday."),
    )
    holiday_country = models.CharField(
        _("not on public holidays of"),
        max_length=2,
        blank=True,
        default="",
        db_default="",
        help_text=_("KR, TW, …"),
    )

    class Meta:
        abstract = True

    @property
    def timing(self) -> Timing:
        """These columns as a pure value."""
        return Timing(
            kind=Kind(self.timing_kind),
            zone=self.zone,
            date=self.date,
            time=self.time,
            weekdays=frozenset(self.weekdays),
            day_of_month=self.day_of_month,
            short_month=ShortMonth(self.short_month),
            every_minutes=self.every_minutes,
            peak_minutes=self.peak_minutes,
            peak_hours=frozenset(self.peak_hours),
            cron=self.cron,
            holiday_country=self.holiday_country,
        )
