"""An account: a unit's credentials at a channel."""

from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import uuid4

import aiohttp
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from channels.adapters import adapter_class, registry
from channels.adapters.base import Adapter
from channels.http import open_adapter
from channels.promises import Promise, promise_of
from channels.secrets import seal, unseal
from orgs.models import Unit
from orgs.reach import Belongs, Role

HINTED = 12  # characters of a secret of which the last four may be shown


class AccountQuerySet(models.QuerySet["Account"]):
    def metering(self) -> "AccountQuerySet":
        """Those whose channel bills each message."""
        found = Q(pk__in=[])
        for kind, adapter in registry().items():
            setting = f"config__{adapter.meters_if}"
            if adapter.meters and adapter.meters_if:
                is_set = Q(config__has_key=adapter.meters_if) & ~Q(**{setting: ""})
                found |= Q(kind=kind) & is_set
            elif adapter.meters:
                found |= Q(kind=kind)
        return self.filter(found)


class Account(models.Model):
    """Credentials at a channel. Secrets are sealed; `config` holds only what may be read."""

    reach = Belongs("unit__path", view=Role.MANAGER, write=Role.MANAGER, shared="is_shared")

    class OnUnknown(models.TextChoices):
        ASK = "ask", _("ask me: at most once")
        RESEND = "resend", _("send again: may arrive twice")

    unit = models.ForeignKey(Unit, models.PROTECT, verbose_name=_("unit"))
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("channel"), max_length=30)
    config = models.JSONField(_("settings"), default=dict, blank=True)
    sealed = models.TextField(default="", blank=True, editable=False)
    on_unknown = models.CharField(
        _("when an answer is lost"),
        max_length=10,
        choices=OnUnknown.choices,
        default=OnUnknown.ASK,
        help_text=_("Only for channels that cannot tell a repeated message from a new one."),
    )
    is_shared = models.BooleanField(
        _("shared"), default=False, help_text=_("Units below may add rooms with this account.")
    )
    requests_per_second = models.PositiveIntegerField(
        _("requests per second"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Over all workers together. Empty: as many as the channel allows."),
    )
    # Whoever knows it may call us where the channel itself signs nothing.
    hook = models.UUIDField(default=uuid4, unique=True, editable=False)
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Nothing is sent through an inactive account.")
    )

    stopped_at = models.DateTimeField(_("stopped"), null=True, editable=False)
    stopped_why = models.TextField(_("why it was stopped"), blank=True, editable=False)
    is_spent = models.BooleanField(
        default=False,
        editable=False,
        help_text=_("It was stopped for its month’s quota, and goes on when there is room again."),
    )

    objects = AccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = [
            models.UniqueConstraint(fields=["unit", "name"], name="one_account_per_name_and_unit"),
        ]
        indexes = [
            # Those that may go on by themselves: looked for each second.
            models.Index(
                fields=["stopped_at"], condition=models.Q(is_spent=True), name="spent_accounts"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def adapter_class(self) -> type[Adapter]:
        return adapter_class(self.kind)

    @property
    def meters(self) -> bool:
        """Whether its channel bills each message."""
        found = registry().get(self.kind)
        if found is None or not found.meters:
            return False
        return not found.meters_if or bool(self.config.get(found.meters_if))

    @property
    def counts(self) -> bool:
        """Whether its channel tells how many messages of a day it has delivered."""
        found = registry().get(self.kind)
        return found is not None and bool(found.counts)

    @property
    def promise(self) -> Promise:
        """How often a message arrives of which the answer was lost."""
        resends = self.on_unknown == self.OnUnknown.RESEND
        return promise_of(self.kind, self.config, resends=resends)

    @property
    def quota_zone(self) -> str:
        """In which its channel's month turns."""
        found = registry().get(self.kind)
        return found.quota_zone if found else "UTC"

    @property
    def secrets(self) -> dict[str, Any]:
        return unseal(self.sealed)

    @secrets.setter
    def secrets(self, values: dict[str, str]) -> None:
        self.sealed = seal(values) if values else ""

    def stop(self, why: str, now: datetime, *, spent: bool = False) -> bool:
        """Hold all of its messages until a person has seen to it, or where its quota is spent
        until there is room again; the channel takes none of them. False: it was stopped already.
        """
        going = Account.objects.filter(pk=self.pk, stopped_at=None)
        return bool(going.update(stopped_at=now, stopped_why=why[:500], is_spent=spent))

    def let_go_on(self) -> bool:
        """Send again. False: it was not stopped, or was stopped anew meanwhile."""
        stopped = Account.objects.filter(pk=self.pk, stopped_at=self.stopped_at)
        known = stopped.exclude(stopped_at=None)
        return bool(known.update(stopped_at=None, stopped_why="", is_spent=False))

    def renew_secrets(self, values: dict[str, str]) -> bool:
        """Store what the vendor has replaced. False: a person has changed the secrets since
        this account was loaded, and theirs are kept."""
        known = self.secrets
        for _try in range(3):
            unchanged = Account.objects.filter(pk=self.pk, sealed=self.sealed)
            if unchanged.update(sealed=seal({**known, **values})):
                return True
            stored = Account.objects.filter(pk=self.pk).first()
            if stored is None or stored.secrets != known:
                return False
            self.sealed = stored.sealed  # the same, sealed with another key
        return False

    def refuse_other_trees(self, unit: Unit) -> None:
        """Raises ValidationError where the account does not reach down to this unit."""
        if not self.unit.covers(unit):
            message = _("This account cannot be used for that unit.")
            raise ValidationError({"account": message})

    def rate_of(self, endpoint: str) -> float | None:
        """Requests a second that may be sent to this endpoint; None: as many as one likes."""
        return self.requests_per_second or self.adapter_class.rates.get(endpoint)

    def open(self, http: aiohttp.ClientSession | None = None) -> Adapter:
        """An adapter for this account; without `http` for packing, previews and questions of
        what it can do. Raises KeyError for a channel that is not installed."""
        values = {**self.config, **self.secrets}
        return open_adapter(self.kind, values, http, account_id=self.pk or 0)

    def secret_hints(self) -> dict[str, str]:
        """For each secret that is set, its last four characters if it is long."""
        stored = self.secrets
        names = [f.name for f in fields(self.adapter_class.config_class) if f.metadata["secret"]]
        return {name: _hint(stored[name]) for name in names if stored.get(name)}


def _hint(secret: str) -> str:
    return f"…{secret[-4:]}" if len(secret) >= HINTED else "…"
