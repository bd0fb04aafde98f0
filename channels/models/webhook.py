"""Endpoints of other systems that are told of results, and the log of what they were told."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from channels.models.fact import Fact, FactKind
from channels.secrets import seal, unseal
from orgs.models import Unit
from orgs.moments import written
from orgs.reach import Belongs, Role

# What can be chosen: a test goes to whoever asked for it.
EVENTS = [(kind.value, kind.label) for kind in FactKind if kind != FactKind.TEST]


class Webhook(models.Model):
    """A URL that is posted what happens in a unit and in those under it."""

    reach = Belongs("unit__path", view=Role.MANAGER, write=Role.MANAGER)

    unit = models.ForeignKey(
        Unit,
        models.PROTECT,
        verbose_name=_("unit"),
        help_text=_("It is told of this unit, and of all under it."),
    )
    name = models.CharField(
        _("name"), max_length=100, help_text=_("The system that receives it, as you call it.")
    )
    url = models.CharField(
        _("URL"),
        max_length=500,
        help_text=_("It must begin with https:// and lead to a public address."),
    )
    events = models.JSONField(_("events"), default=list)
    is_active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("Of what happens meanwhile an inactive one is told nothing."),
    )
    sealed = models.TextField(default="", blank=True, editable=False)
    # Until when the secret before this one signs, too.
    previous_until = models.DateTimeField(null=True, editable=False)
    told_from = models.DateTimeField(_("told from"), editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, editable=False)
    stopped_at = models.DateTimeField(_("switched off"), null=True, editable=False)
    stopped_why = models.CharField(max_length=255, blank=True, default="", editable=False)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["unit__path", "name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["unit", "name"], name="one_webhook_per_name_and_unit"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def secrets(self) -> dict[str, Any]:
        """`secret`, and after a change `previous`."""
        return unseal(self.sealed)

    @secrets.setter
    def secrets(self, values: dict[str, str]) -> None:
        self.sealed = seal(values)

    def signing_secrets(self, now: datetime) -> list[str]:
        """Those with which a message is signed now, the present one first."""
        stored = self.secrets
        is_kept = self.previous_until is not None and now < self.previous_until
        previous = [stored["previous"]] if is_kept and stored.get("previous") else []
        return [stored["secret"], *previous]


class WebhookDelivery(models.Model):
    """One fact for one endpoint."""

    reach = Belongs("webhook__unit__path", view=Role.MANAGER, write=Role.MANAGER)

    class State(models.TextChoices):
        WAITING = "waiting", _("to be delivered")
        DELIVERED = "delivered", _("delivered")
        FAILED = "failed", _("given up")

    webhook = models.ForeignKey(
        Webhook, models.CASCADE, related_name="deliveries", verbose_name=_("webhook")
    )
    fact = models.ForeignKey(Fact, models.CASCADE, related_name="deliveries")
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.WAITING
    )
    tries = models.PositiveSmallIntegerField(
        _("tries"), default=0, help_text=_("Since it was made, or was sent again by a person.")
    )
    next_try_at = models.DateTimeField(_("next try"))
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["webhook", "fact"], name="one_delivery_per_fact"),
        ]
        indexes = [
            # What is due of one endpoint.
            models.Index(
                fields=["webhook", "next_try_at"],
                condition=Q(state="waiting"),
                name="webhook_deliveries_to_do",
            ),
            # Those that were given up: they are counted.
            models.Index(
                fields=["id"], condition=Q(state="failed"), name="webhook_deliveries_given_up"
            ),
            # The log of one endpoint, newest first.
            models.Index(fields=["webhook", "-id"], name="deliveries_of_one_webhook"),
        ]

    def __str__(self) -> str:
        return f"{self.webhook} · {self.fact}"


class WebhookAttempt(models.Model):
    """One try, and what the endpoint answered."""

    reach = Belongs("delivery__webhook__unit__path", view=Role.MANAGER, write=Role.MANAGER)

    delivery = models.ForeignKey(WebhookDelivery, models.CASCADE, related_name="attempts")
    at = models.DateTimeField(_("at"))
    took_ms = models.PositiveIntegerField(_("took"))
    status = models.PositiveSmallIntegerField(_("answer"), null=True)
    why = models.CharField(_("why not"), max_length=255, blank=True)

    class Meta:
        verbose_name = _("webhook attempt")
        verbose_name_plural = _("webhook attempts")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{written(self.at, 'UTC')} · {self.status or self.why}"
