"""Who is on an audience's fixed list."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from channels.models.recipient import Recipient
from orgs.reach import Belongs, Role


class Membership(models.Model):
    """A recipient in an audience."""

    reach = Belongs("audience__unit__path", write=Role.MANAGER)

    # The constraint's index begins with it.
    audience = models.ForeignKey(
        "channels.Audience", models.CASCADE, related_name="+", db_index=False
    )
    recipient = models.ForeignKey(Recipient, models.CASCADE, related_name="+")

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(
                fields=["audience", "recipient"], name="one_membership_per_recipient"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.audience_id} · {self.recipient_id}"
