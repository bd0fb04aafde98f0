"""What a channel said when it was asked whether an account's credentials hold."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from channels.models.account import Account
from orgs.reach import Belongs, Role

HOLD = timedelta(seconds=30)  # who holds one for longer is gone


class AccountCheck(models.Model):
    """The last check of an account: one row each. A person asks, a worker finds the row."""

    reach = Belongs("account__unit__path", view=Role.MANAGER, write=Role.MANAGER)

    class Outcome(models.TextChoices):
        GOOD = "good", _("in order")
        REFUSED = "refused", _("refused")
        UNSURE = "unsure", _("no certain answer")

    account = models.OneToOneField(
        Account, models.CASCADE, primary_key=True, related_name="check_row"
    )
    asked_at = models.DateTimeField(_("asked for"), null=True)
    # A person has seen to what stopped it: it goes on, unless the channel refuses it once more.
    is_seen_to = models.BooleanField(default=False, db_default=False)
    taken_at = models.DateTimeField(null=True)  # the hold of the worker that asks
    checked_at = models.DateTimeField(_("checked"), null=True)
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome.choices, blank=True)
    name = models.CharField(
        _("name"), max_length=200, blank=True, help_text=_("What the channel calls the account.")
    )
    balance = models.CharField(
        _("balance"), max_length=60, blank=True, db_default="", help_text=_("The money left there.")
    )
    why = models.TextField(_("why not"), blank=True)

    class Meta:
        verbose_name = _("check")
        verbose_name_plural = _("checks")
        ordering = ["account_id"]
        indexes = [
            # Those that a person waits for: looked for each second.
            models.Index(
                fields=["asked_at"], condition=Q(asked_at__isnull=False), name="asked_checks"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} · {self.outcome}"

    @classmethod
    def ask(cls, account: Account, now: datetime, *, seen_to: bool = False) -> bool:
        """Have it checked by the next worker. False: that is asked for already, and begun by
        nobody."""
        row, _is_new = cls.objects.get_or_create(account=account)
        if seen_to:
            cls.objects.filter(pk=row.pk).update(is_seen_to=True)
        waiting = Q(asked_at__isnull=False, taken_at=None)
        mine = cls.objects.filter(pk=row.pk).exclude(waiting)
        return bool(mine.update(asked_at=now, taken_at=None))

    @classmethod
    def take(cls, now: datetime, most: int) -> list["AccountCheck"]:
        """Those that are asked for, each held by one worker."""
        free = Q(taken_at=None) | Q(taken_at__lt=now - HOLD)
        wanted = cls.objects.filter(free, asked_at__isnull=False).select_related("account__unit")
        rows = list(wanted.order_by("asked_at")[:most])
        held = {"taken_at": now}
        mine = cls.objects.filter(free)
        return [r for r in rows if mine.filter(pk=r.pk, asked_at=r.asked_at).update(**held)]

    def answered(
        self, outcome: str, now: datetime, *, name: str = "", balance: str = "", why: str = ""
    ) -> bool:
        """Note what the channel said. False: it was asked for anew meanwhile, perhaps for other
        credentials."""
        mine = AccountCheck.objects.filter(pk=self.pk, asked_at=self.asked_at)
        said = {"name": name[:200], "balance": balance[:60], "why": why[:500]}
        facts = {"outcome": outcome, "checked_at": now, "is_seen_to": False} | said
        return bool(mine.update(**facts, asked_at=None, taken_at=None))
