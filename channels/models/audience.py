"""Audiences: sets of recipients, by a fixed list or by a rule."""

from collections.abc import Iterator
from itertools import islice
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from channels.models.account import Account
from channels.models.recipient import Recipient
from channels.models.selection import Person, Selection
from orgs.models import Unit
from orgs.reach import Belongs, Role


class Audience(models.Model):
    """Some of one account's recipients, of its unit and those under it."""

    reach = Belongs("unit__path", write=Role.MANAGER)

    class Kind(models.TextChoices):
        LIST = "list", _("a fixed list")
        RULE = "rule", _("a rule")

    class TagMatch(models.TextChoices):
        ANY = "any", _("one of the tags is enough")
        ALL = "all", _("all of the tags")

    uid = models.UUIDField(default=uuid4, unique=True, editable=False)
    unit = models.ForeignKey(Unit, models.PROTECT, verbose_name=_("unit"))
    account = models.ForeignKey(Account, models.PROTECT, verbose_name=_("account"))
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(
        _("who is in it"),
        max_length=10,
        choices=Kind.choices,
        default=Kind.LIST,
        help_text=_("A rule is asked anew each time a message is planned."),
    )
    recipients = models.ManyToManyField(
        Recipient, through="Membership", verbose_name=_("recipients"), blank=True
    )
    tags = models.JSONField(_("tags"), default=list, blank=True)
    tag_match = models.CharField(
        _("of these tags"), max_length=10, choices=TagMatch.choices, default=TagMatch.ANY
    )
    regions = models.JSONField(_("regions"), default=list, blank=True)
    languages = models.JSONField(_("languages"), default=list, blank=True)
    most = models.PositiveIntegerField(
        _("at most"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("So many of them, drawn by lot. Empty: all."),
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

    def batches(self, size: int, draw: str = "") -> Iterator[list[str]]:
        """As `groups`, their addresses only."""
        for people in self.groups(size, draw):
            yield [person.address for person in people]

    def groups(self, size: int, draw: str = "") -> Iterator[list[Person]]:
        """Those who may be written to, so many at a time, in a fixed order. However many there
        are, only a few thousand are in memory.

        `draw` names the lot that decides where there are too many: by default this audience's
        own, so that the same people are drawn each time."""
        everybody = self._people(draw)
        while people := list(islice(everybody, size)):
            yield people

    def count(self, up_to: int | None = None) -> int:
        """How many would get a message now, counted no further than `up_to`."""
        least = min((n for n in (up_to, self.most) if n is not None), default=None)
        return self.selection.count(least)

    @property
    def language(self) -> str:
        """The one that all of it read, by its rule; else "", as of a room that has none."""
        has_one = self.kind == self.Kind.RULE and len(self.languages) == 1
        return str(self.languages[0]) if has_one else ""

    @property
    def selection(self) -> Selection:
        """Whom the list or the rule means, however many may be drawn of them."""
        if self.kind == self.Kind.LIST:
            return Selection(self.account_id, self.unit, list_id=self.pk)
        return Selection(
            self.account_id,
            self.unit,
            tags=tuple(self.tags),
            has_all_tags=self.tag_match == self.TagMatch.ALL,
            regions=tuple(self.regions),
            languages=tuple(self.languages),
        )

    def _people(self, draw: str) -> Iterator[Person]:
        if self.most is None:
            return self.selection.people()
        return self.selection.drawn(self.most, draw or str(self.uid))
