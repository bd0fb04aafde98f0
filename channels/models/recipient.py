"""Recipients: people who are written to themselves, and the tags they bear."""

import re
from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from channels.models.account import Account
from orgs.models import Unit, languages
from orgs.reach import Belongs, Role

NAME_LENGTH = 50  # of a tag or a region
SEPARATORS = re.compile(r"[,;，、；\n]")  # those of Korean and Chinese keyboards too


def words_in(text: str) -> list[str]:
    """“a, b, a” as [a, b]: how people write several tags or regions in one field."""
    found = (" ".join(word.split()) for word in SEPARATORS.split(text))
    return list(dict.fromkeys(word for word in found if word))


class TagManager(models.Manager["Tag"]):
    def named(self, unit: Unit, names: Iterable[str]) -> dict[str, "Tag"]:
        """The unit's tags of these names; those that are not there are made."""
        wanted = list(names)
        missing = [Tag(unit=unit, name=name) for name in wanted]
        self.bulk_create(missing, ignore_conflicts=True)
        return {tag.name: tag for tag in self.filter(unit=unit, name__in=wanted)}


class Tag(models.Model):
    """A word by which a unit sorts its people. Rules ask for the word, whoever gave it."""

    reach = Belongs("unit__path", write=Role.MANAGER)

    unit = models.ForeignKey(Unit, models.PROTECT, verbose_name=_("unit"))
    name = models.CharField(_("name"), max_length=NAME_LENGTH)

    objects = TagManager()

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["unit", "name"], name="one_tag_per_name_and_unit"),
        ]
        indexes = [
            # A rule's words, over the units that it covers.
            models.Index(fields=["name"], name="tags_by_name"),
        ]

    def __str__(self) -> str:
        return self.name


class Recipient(models.Model):
    """One person, by the id that the channel of this account gave them."""

    reach = Belongs("unit__path", write=Role.MANAGER)

    unit = models.ForeignKey(Unit, models.PROTECT, verbose_name=_("unit"))
    account = models.ForeignKey(Account, models.PROTECT, verbose_name=_("account"))
    address = models.CharField(
        _("address"), max_length=200, help_text=_("The channel’s own id of the person.")
    )
    name = models.CharField(_("name"), max_length=100, blank=True)
    region = models.CharField(
        _("region"), max_length=NAME_LENGTH, blank=True, help_text=_("As your rules name it.")
    )
    language = models.CharField(_("language"), max_length=10, choices=languages, blank=True)
    tags = models.ManyToManyField(Tag, through="Tagging", verbose_name=_("tags"), blank=True)
    opted_out_at = models.DateTimeField(
        _("opted out"), null=True, blank=True, help_text=_("From then on nothing is sent to them.")
    )
    # A later follow takes back only what the channel itself has told, never what people noted.
    opted_out_by_channel = models.BooleanField(default=False, db_default=False, editable=False)

    class Meta:
        verbose_name = _("recipient")
        verbose_name_plural = _("recipients")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "address"],
                name="one_recipient_per_address",
                violation_error_message=_(
                    "This address cannot be added with this account. If the person is yours, ask "
                    "your headquarters."
                ),
            ),
        ]
        indexes = [
            # The recipients of a unit, for every list of them.
            models.Index(fields=["unit", "id"], name="recipients_of_one_unit"),
            # Who has opted out since a message to them was planned.
            models.Index(
                fields=["account", "opted_out_at"],
                condition=models.Q(opted_out_at__isnull=False),
                name="recipients_opted_out",
            ),
            # Those of a region, and those of a language, for rules.
            models.Index(fields=["account", "region", "id"], name="recipients_of_one_region"),
            models.Index(fields=["account", "language", "id"], name="recipients_of_one_language"),
        ]

    def __str__(self) -> str:
        return self.name or self.address

    def clean(self) -> None:
        """The account must reach down to the person's unit, and know such an address. Neither
        changes later: what was sent names the person by it."""
        if not self.account_id:
            return
        self._check_unchanged()
        if self.unit_id:
            self.account.refuse_other_trees(self.unit)
        problem = self.account.adapter_class(config=None).recipient_problem(self.address)
        if problem:
            raise ValidationError({"address": problem})

    def opt_out(self, now: datetime) -> None:
        """As a person has noted it: the first time counts, and no follow takes it back."""
        self.opted_out_at = self.opted_out_at or now
        self.opted_out_by_channel = False

    def opt_in(self) -> None:
        """Write to them again."""
        self.opted_out_at, self.opted_out_by_channel = None, False

    def retag(self, names: list[str]) -> None:
        """Bear the tags of these names and no others. One borne already stays the tag of
        whichever unit gave it; a new one is of the person's own unit."""
        borne = {tag.name: tag for tag in self.tags.all()}
        fresh = Tag.objects.named(self.unit, [name for name in names if name not in borne])
        self.tags.set([*(borne[name] for name in names if name in borne), *fresh.values()])

    def _check_unchanged(self) -> None:
        stored = Recipient.objects.filter(pk=self.pk).values("account_id", "address").first()
        for name, value in (stored or {}).items():
            if getattr(self, name) != value:
                message = _("This cannot be changed. Delete the person and add them anew.")
                raise ValidationError({name.removesuffix("_id"): message})


class Tagging(models.Model):
    """A tag borne by a recipient."""

    reach = Belongs("recipient__unit__path", write=Role.MANAGER)

    # The constraint's index begins with it, and gives the people of a tag in order.
    tag = models.ForeignKey(Tag, models.CASCADE, related_name="+", db_index=False)
    recipient = models.ForeignKey(Recipient, models.CASCADE, related_name="taggings")

    class Meta:
        verbose_name = _("tagging")
        verbose_name_plural = _("taggings")
        constraints = [
            models.UniqueConstraint(
                fields=["tag", "recipient"], name="one_tagging_per_tag_and_recipient"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tag_id} · {self.recipient_id}"
