"""Corrections to the public holidays that the `holidays` package knows."""

import datetime
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from orgs.reach import OfAll
from schedules.recurrence.public_holidays import countries


class HolidayException(models.Model):
    """A day that is a holiday though the calendar says no, or the other way round."""

    reach = OfAll()

    country = models.CharField(_("country"), max_length=2, help_text=_("Two letters, like KR."))
    date = models.DateField(_("date"))
    is_holiday = models.BooleanField(_("is a holiday"), default=True)
    note = models.CharField(_("note"), max_length=100, blank=True)

    class Meta:
        verbose_name = _("holiday exception")
        verbose_name_plural = _("holiday exceptions")
        ordering = ["-date"]
        constraints = [
            models.UniqueConstraint(fields=["country", "date"], name="one_exception_per_day"),
        ]

    def clean(self) -> None:
        if self.country not in countries():
            message = _("The public holidays of this country are not known.")
            raise ValidationError({"country": message})

    def __str__(self) -> str:
        return f"{self.country} {self.date}"

    @classmethod
    def table(cls, country: str) -> dict[tuple[str, datetime.date], bool]:
        """The exceptions of one country, as schedules.recurrence takes them."""
        return cls.tables({country}) if country else {}

    @classmethod
    def tables(cls, countries: Iterable[str]) -> dict[tuple[str, datetime.date], bool]:
        """The same of several: to ask one of them is to ask all."""
        known = cls.objects.filter(country__in=countries)
        rows = known.values_list("country", "date", "is_holiday")
        return {(code, day): is_holiday for code, day, is_holiday in rows}
