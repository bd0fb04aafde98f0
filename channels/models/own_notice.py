"""What people are told of the runs that are theirs and of what waits for them, and how they want
to be told."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from channels.models.fact import FactKind
from channels.secrets import seal, unseal
from orgs.reach import Belongs, Role

# How a run came to its end, in the words that lists have for it; and what was given back.
RESULTS = {
    FactKind.SENT: _("sent"),
    FactKind.PARTIAL: _("partly sent"),
    FactKind.FAILED: _("failed"),
    FactKind.UNCONFIRMED: _("not confirmed"),
    FactKind.MISSED: _("missed"),
    FactKind.SKIPPED: _("skipped"),
    FactKind.APPROVAL_ASKED: _("waits for your approval"),
    FactKind.APPROVED: _("approved"),
    FactKind.APPROVAL_REFUSED: _("refused"),
}


class OwnNotice(models.Model):
    """How a run ended, for the person who registered it. What is found out later takes its place
    and is new again: of a run there is one. What approvers said to a schedule, for who had asked.
    And that one waits for an approval, for each who may give it: as long as it waits."""

    reach = Belongs("unit_path")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="own_notices")
    run_id = models.BigIntegerField(null=True)
    schedule_id = models.BigIntegerField(null=True)  # of what is about no run
    approval_id = models.BigIntegerField(null=True)  # of one that waits
    kind = models.CharField(_("result"), max_length=20, choices=FactKind.choices)
    title = models.CharField(_("title"), max_length=255)
    note = models.CharField(_("note"), max_length=500, default="", db_default="")
    unit_path = models.CharField(max_length=255)
    due_at = models.DateTimeField(_("appointed"), null=True)
    at = models.DateTimeField(_("at"))
    read_at = models.DateTimeField(_("read"), null=True)
    # When it is to be told outside of the pages; null: it was, or is not to be.
    tell_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("notice of a result")
        verbose_name_plural = _("notices of results")
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "run_id"], name="one_notice_per_run"),
            models.UniqueConstraint(fields=["user", "approval_id"], name="one_notice_per_approval"),
        ]
        indexes = [
            # The list of one person, and the count on every page.
            models.Index(fields=["user", "-at", "-id"], name="own_notices_by_time"),
            models.Index(fields=["user"], condition=Q(read_at=None), name="own_notices_unread"),
            models.Index(
                fields=["user", "tell_at"],
                condition=Q(tell_at__isnull=False),
                name="own_notices_to_tell",
            ),
            # Those of what waits no more.
            models.Index(
                fields=["schedule_id"],
                condition=Q(approval_id__isnull=False),
                name="own_notices_of_approvals",
            ),
            # Those that are forgotten.
            models.Index(fields=["at"], name="own_notices_to_forget"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def result(self) -> str:
        return str(RESULTS[FactKind(self.kind)])


class NoticeChoice(models.Model):
    """How one person wants to be told of results. Who has none is told by the bell alone."""

    reach = Belongs("user__member__unit__path", view=Role.MANAGER, write=Role.MANAGER)

    class What(models.TextChoices):
        NOTHING = "nothing", _("nothing")
        FAILURES = "failures", _("only what did not go as it should")
        EVERYTHING = "everything", _("every result")

    class Rhythm(models.TextChoices):
        AT_ONCE = "at_once", _("at once")
        DAILY = "daily", _("once a day, at eight in the morning")

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notice_choice"
    )
    bell = models.CharField(
        _("by the bell"), max_length=10, choices=What.choices, default=What.EVERYTHING
    )
    outside = models.CharField(
        _("by mail or elsewhere"), max_length=10, choices=What.choices, default=What.NOTHING
    )
    rhythm = models.CharField(
        _("when"), max_length=10, choices=Rhythm.choices, default=Rhythm.AT_ONCE
    )
    # Empty: by mail to the person's own address.
    sealed = models.TextField(default="", blank=True)
    service = models.CharField(max_length=20, blank=True, default="")
    # Nothing is told before: in a hold of a worker, after a message, or until it is tried again.
    quiet_until = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    trouble = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        verbose_name = _("choice of notices")
        verbose_name_plural = _("choices of notices")

    def __str__(self) -> str:
        return str(self.user)

    @property
    def url(self) -> str:
        """Apprise's, of a place of the person's own."""
        return str(unseal(self.sealed).get("url", ""))

    @url.setter
    def url(self, value: str) -> None:
        self.sealed = seal({"url": value}) if value else ""
        self.service = value.partition("://")[0][:20]
