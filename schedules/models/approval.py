"""An approval: what approvers are asked about a schedule, and what they said."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from orgs.models import Unit
from orgs.reach import Belongs, Role
from schedules.models.schedule import Schedule
from schedules.states import ScheduleState

NOTE_LENGTH = 500


class ApprovalQuerySet(models.QuerySet["Approval"]):
    def waiting(self) -> "ApprovalQuerySet":
        """Those that wait for an answer, the soonest send first; what goes at once before all."""
        open_ = self.filter(verdict=Approval.Verdict.NONE, schedule__state=ScheduleState.WAITING)
        return open_.filter(schedule__deleted_at=None).order_by(
            F("schedule__next_due_at").asc(nulls_first=True), "id"
        )


class Approval(models.Model):
    """The last question about a schedule with its answer; those before it are in the history.

    It belongs to the unit whose approvers are asked: they, and those above, answer it.
    """

    reach = Belongs("unit__path", view=Role.APPROVER, write=Role.APPROVER)

    class Verdict(models.TextChoices):
        NONE = "", _("waiting for an answer")
        APPROVED = "approved", _("approved")
        REFUSED = "refused", _("refused")

    class Stage(models.IntegerChoices):
        """How urgently it was told, for its next time. Escalated is the level above; the levels
        above that are each one more."""

        ASKED = 0
        REMINDED = 1
        ESCALATED = 2

    schedule = models.OneToOneField(Schedule, models.CASCADE, verbose_name=_("schedule"))
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("unit"))
    # What is asked about, by value (schedules.clearance), and its digest.
    facts = models.JSONField(default=dict)
    digest = models.CharField(max_length=64)
    # What the last answer was to, whoever gave it: from there on an approver sees what changed.
    answered_facts = models.JSONField(null=True)
    asked_at = models.DateTimeField(_("asked"))
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    verdict = models.CharField(
        _("answer"), max_length=10, choices=Verdict.choices, blank=True, default=Verdict.NONE
    )
    stage = models.PositiveSmallIntegerField(default=Stage.ASKED, db_default=0)
    note = models.CharField(_("note"), max_length=NOTE_LENGTH, blank=True)
    answered_at = models.DateTimeField(_("answered"), null=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )

    objects = ApprovalQuerySet.as_manager()

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict="", answered_at=None, answered_by=None)
                | Q(verdict__in=["approved", "refused"], answered_at__isnull=False),
                name="an_answer_has_its_time",
            ),
            models.CheckConstraint(
                condition=~Q(verdict="refused") | ~Q(note=""), name="who_refuses_says_why"
            ),
            models.CheckConstraint(
                condition=Q(asked_by=None) | Q(answered_by=None) | ~Q(answered_by=F("asked_by")),
                name="nobody_approves_their_own",
            ),
        ]

    def __str__(self) -> str:
        return str(self.schedule)
