"""What channels told us: stored at once, acted on later, kept for a while as evidence."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from channels.models.account import Account
from orgs.reach import Belongs, Role


class InboundEvent(models.Model):
    """One event of one account, however often it was told."""

    reach = Belongs("account__unit__path", view=Role.MANAGER, write=Role.MANAGER)

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    event_id = models.CharField(_("event"), max_length=100)
    kind = models.CharField(_("kind"), max_length=12)
    address = models.CharField(_("address"), max_length=200, blank=True)
    body = models.JSONField(_("content"), default=dict)
    happened_at = models.DateTimeField(_("happened"))
    received_at = models.DateTimeField(_("received"))
    taken_in_at = models.DateTimeField(_("taken in"), null=True)

    class Meta:
        verbose_name = _("inbound event")
        verbose_name_plural = _("inbound events")
        constraints = [
            models.UniqueConstraint(fields=["account", "event_id"], name="one_row_per_event"),
        ]
        indexes = [
            # What is to be taken in, in the order in which it happened.
            models.Index(
                fields=["happened_at", "id"],
                condition=Q(taken_in_at=None),
                name="events_to_take_in",
            ),
            # Whether something was told of an address that happened later.
            models.Index(
                fields=["account", "address", "-happened_at"], name="events_of_an_address"
            ),
            # What is old enough to be removed.
            models.Index(fields=["received_at"], name="events_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} · {self.address}"
