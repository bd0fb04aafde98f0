"""Recipients: people who are written to themselves; and audiences: sets of them."""

from collections.abc import Iterator
from itertools import islice
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from channels.models.account import Account
from orgs.models import Unit
from orgs.reach import Belongs, Role

READ_AT_ONCE = 5_000  # rows that are held in memory while a large audience is read


class Recipient(models.Model):
    """One person, by the id that the channel of this account gave them."""

    reach = Belongs("unit__path", write=Role.MANAGER)

    unit = models.ForeignKey(Unit, models.PROTECT, verbose_name=_("unit"))
    account = models.ForeignKey(Account, models.PROTECT, verbose_name=_("account"))
    address = models.CharField(
        _("address"), max_length=200, help_text=_("The channel’s own id of the person.")
    )
    name = models.CharField(_("name"), max_length=100, blank=True)
    opted_out_at = models.DateTimeField(
        _("opted out"), null=True, blank=True, help_text=_("From then on nothing is sent to them.")
    )

    class Meta:
        verbose_name = _("recipient")
        verbose_name_plural = _("recipients")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "address"], name="one_recipient_per_address"
            ),
        ]
        indexes = [
            # The recipients of a unit, for every list of them.
            models.Index(fields=["unit", "id"], name="recipients_of_one_unit"),
        ]

    def __str__(self) -> str:
        return self.name or self.address

    def clean(self) -> None:
        """The account must reach down to the person's unit, and know such an address."""
        if not self.account_id:
            return
        if self.unit_id:
            self.account.refuse_other_trees(self.unit)
        problem = self.account.adapter_class(config=None).recipient_problem(self.address)
        if problem:
            raise ValidationError({"address": problem})


class Audience(models.Model):
    """A fixed list of one account's recipients."""

    reach = Belongs("unit__path", write=Role.MANAGER)

    uid = models.UUIDField(default=uuid4, unique=True, editable=False)
    unit = models.ForeignKey(Unit, models.PROTECT, verbose_name=_("unit"))
    account = models.ForeignKey(Account, models.PROTECT, verbose_name=_("account"))
    name = models.CharField(_("name"), max_length=100)
    recipients = models.ManyToManyField(
        Recipient, through="Membership", verbose_name=_("recipients"), blank=True
    )
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Nothing is sent to an inactive audience.")
    )

    class Meta:
        verbose_name = _("audience")
        verbose_name_plural = _("audiences")
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["unit", "name"], name="one_audience_per_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """The account must reach down to the unit, and its channel have audiences."""
        if not self.account_id:
            return
        if self.unit_id:
            self.account.refuse_other_trees(self.unit)
        if not self.account.adapter_class.limits.members_per_request:
            message = _("The channel of this account has no audiences.")
            raise ValidationError({"account": message})

    def batches(self, size: int) -> Iterator[list[str]]:
        """The addresses of those who may be written to, so many at a time, in a fixed order.
        However many there are, only a few thousand are in memory."""
        addresses = self._addresses()
        while batch := list(islice(addresses, size)):
            yield batch

    def _addresses(self) -> Iterator[str]:
        # One table a question, so that the plan is the same whether the database has statistics
        # or not: of people just imported it has none, and a join or a filter by their account
        # then takes minutes.
        members = Membership.objects.filter(audience_id=self.pk).order_by("recipient_id")
        ids = members.values_list("recipient_id", flat=True).iterator(chunk_size=READ_AT_ONCE)
        while page := list(islice(ids, READ_AT_ONCE)):
            people = Recipient.objects.filter(id__among=page).order_by("id")
            for address, account_id, opted_out_at in people.values_list(
                "address", "account_id", "opted_out_at"
            ):
                if account_id == self.account_id and opted_out_at is None:
                    yield address


class Membership(models.Model):
    """A recipient in an audience."""

    reach = Belongs("audience__unit__path", write=Role.MANAGER)

    # The constraint's index begins with it.
    audience = models.ForeignKey(Audience, models.CASCADE, related_name="+", db_index=False)
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
