"""What arrived at the rooms and people of the sandbox channel."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from orgs.moments import written
from orgs.reach import Belongs, Role


class SandboxMessage(models.Model):
    """One message as a room or a person sees it. The sandbox's side of the wire: it knows an
    account and an address, as a vendor does, and no schedule."""

    reach = Belongs("account__unit__path", view=Role.MANAGER, write=Role.MANAGER)

    account = models.ForeignKey("channels.Account", models.CASCADE)
    address = models.CharField(max_length=200)
    key = models.UUIDField()
    position = models.PositiveSmallIntegerField()
    body = models.JSONField()
    is_keyed = models.BooleanField(default=True)
    arrived_at = models.DateTimeField(_("arrived"))

    class Meta:
        verbose_name = _("sandbox message")
        verbose_name_plural = _("sandbox messages")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "key", "address", "position"],
                condition=models.Q(is_keyed=True),
                name="one_sandbox_message_per_key_and_address",
            ),
        ]
        indexes = [
            # A room's chat, and what is new in it.
            models.Index(fields=["account", "address", "id"], name="messages_of_one_sandbox_room"),
            # Whether a key was accepted before.
            models.Index(fields=["account", "key"], name="sandbox_messages_by_key"),
        ]

    def __str__(self) -> str:
        return f"{self.address} · {written(self.arrived_at, 'UTC')}"
