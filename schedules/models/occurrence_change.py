"""What people want of single occurrences of a schedule."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orgs.reach import Belongs
from schedules.models.schedule import Schedule
from schedules.recurrence import Change


class OccurrenceChange(models.Model):
    """One occurrence is left out, or goes at another time, with another text, or both. Kept after
    it was sent. If the rule is edited so that the time is none of its own, it does nothing."""

    reach = Belongs("schedule__unit__path")

    schedule: Any = models.ForeignKey(Schedule, models.CASCADE, related_name="changes")
    appointed_at = models.DateTimeField(
        _("appointed"), help_text=_("As the schedule’s timing has it: that never changes.")
    )
    skips = models.BooleanField(_("left out"), default=False)
    due_at = models.DateTimeField(_("at another time"), null=True)
    text = models.TextField(_("with another text"), blank=True)
    changed_at = models.DateTimeField(_("changed"))
    changed_by = models.CharField(_("changed by"), max_length=150)

    class Meta:
        verbose_name = _("change of one occurrence")
        verbose_name_plural = _("changes of single occurrences")
        ordering = ["appointed_at"]
        constraints = [
            # The planner and all who foresee it ask by schedule, from a time on.
            models.UniqueConstraint(
                fields=["schedule", "appointed_at"], name="one_change_per_occurrence"
            ),
            models.UniqueConstraint(
                fields=["schedule", "due_at"],
                condition=Q(due_at__isnull=False),
                name="one_occurrence_at_a_new_time",
            ),
            models.CheckConstraint(
                condition=Q(skips=True, due_at=None, text="")
                | (Q(skips=False) & (Q(due_at__isnull=False) | ~Q(text=""))),
                name="left_out_or_changed",
            ),
            models.CheckConstraint(
                condition=~Q(due_at=models.F("appointed_at")), name="another_time_differs"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.schedule_id} · {self.appointed_at.isoformat()}"

    @property
    def change(self) -> Change:
        """As schedules.recurrence takes it."""
        return Change(self.skips, self.due_at, self.text)

    @classmethod
    def of(cls, schedule: Schedule, after: datetime) -> dict[datetime, Change]:
        """Those of one schedule that concern times after this one. A working copy has those of
        what it edits."""
        pk = schedule.edits_id or schedule.pk
        return cls.of_all([pk], after).get(pk, {}) if pk else {}

    @classmethod
    def of_all(
        cls, schedule_ids: Iterable[int], after: datetime
    ) -> dict[int, dict[datetime, Change]]:
        """The same of several, by schedule: to ask of one is to ask of all."""
        concerned = Q(appointed_at__gt=after) | Q(due_at__gt=after)
        rows = cls.objects.filter(concerned, schedule__in=list(schedule_ids))
        found: dict[int, dict[datetime, Change]] = defaultdict(dict)
        for row in rows:
            found[row.schedule_id][row.appointed_at] = row.change
        return dict(found)
