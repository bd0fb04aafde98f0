"""A freeze: nothing is sent through an account, or for a unit and all under it, until a person
lifts it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from channels.models import Account
from orgs.models import Unit
from orgs.reach import Belongs, Role

REASON_LENGTH = 500


class FreezeManager(models.Manager["Freeze"]):
    def in_force(self) -> models.QuerySet["Freeze"]:
        return self.filter(lifted_at=None)


class Freeze(models.Model):
    """Of one account, or of one unit with all under it. Kept when it is lifted."""

    reach = Belongs("unit_path", write=Role.MANAGER)

    unit = models.ForeignKey(
        Unit, models.CASCADE, null=True, related_name="+", verbose_name=_("unit")
    )
    account = models.ForeignKey(
        Account, models.CASCADE, null=True, related_name="+", verbose_name=_("account")
    )
    # By value: of the unit, or of the account's.
    unit_path = models.CharField(max_length=255)
    name = models.CharField(_("name"), max_length=100)
    why = models.CharField(_("reason"), max_length=REASON_LENGTH)
    frozen_at = models.DateTimeField(_("since"))
    frozen_by = models.CharField(_("frozen by"), max_length=150)
    # The unit of whoever froze it: who stands below does not lift it.
    placed_from = models.ForeignKey(Unit, models.CASCADE, related_name="+")
    lifted_at = models.DateTimeField(_("lifted"), null=True)
    lifted_by = models.CharField(_("lifted by"), max_length=150, blank=True)
    lifted_why = models.CharField(_("why it was lifted"), max_length=REASON_LENGTH, blank=True)

    objects = FreezeManager()

    class Meta:
        verbose_name = _("freeze")
        verbose_name_plural = _("freezes")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(unit=None, account__isnull=False) | Q(unit__isnull=False, account=None),
                name="one_unit_or_one_account_is_frozen",
            ),
            models.UniqueConstraint(
                fields=["unit"], condition=Q(lifted_at=None), name="one_freeze_of_a_unit"
            ),
            models.UniqueConstraint(
                fields=["account"], condition=Q(lifted_at=None), name="one_freeze_of_an_account"
            ),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by="", lifted_why="")
                | Q(lifted_at__isnull=False) & ~Q(lifted_by="") & ~Q(lifted_why=""),
                name="who_lifts_a_freeze_says_why",
            ),
        ]
        indexes = [
            # Those in force: asked with every claim and every mark.
            models.Index(fields=["id"], condition=Q(lifted_at=None), name="freezes_in_force"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def full_name(self) -> str:
        """Of an account with its unit: several units may call theirs alike."""
        return f"{self.name} ({self.account.unit})" if self.account else self.name
