"""A room: one place to send to."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from channels.models.account import Account
from orgs.models import (
    Unit,
    languages,
    never_quiet_has_no_quiet_hours,
    quiet_hours_are_whole,
)
from orgs.reach import Belongs, Role

# Of a room that has no values of its own.
USUAL_INTERVAL_SECONDS = 30
USUAL_DAILY_CAP = 50


def interval_in_force(own_seconds: int | None) -> timedelta:
    """Between two messages of a room that says so much of it itself."""
    return timedelta(seconds=USUAL_INTERVAL_SECONDS if own_seconds is None else own_seconds)


class Room(models.Model):
    """A group, a person, a page: whatever the channel's address leads to."""

    reach = Belongs("unit__path", write=Role.MANAGER)

    class Kind(models.TextChoices):
        LIVE = "live", _("live room")
        TEST = "test", _("test room")

    unit = models.ForeignKey(Unit, models.PROTECT, verbose_name=_("unit"))
    account = models.ForeignKey(Account, models.PROTECT, verbose_name=_("account"))
    name = models.CharField(_("name"), max_length=100)
    address = models.CharField(
        _("address"), max_length=200, help_text=_("The channel’s own id of the room.")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.LIVE)
    language = models.CharField(
        _("language"),
        max_length=10,
        choices=languages,
        blank=True,
        help_text=_("In it the dates of messages are written. Empty: as its unit."),
    )
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Nothing is sent to an inactive room.")
    )

    min_interval_seconds = models.PositiveIntegerField(
        _("seconds between messages"),
        null=True,
        blank=True,
        help_text=_("At least so many. Empty: 30; 0: none."),
    )
    daily_cap = models.PositiveIntegerField(
        _("messages a day"),
        null=True,
        blank=True,
        help_text=_("At most so many, by the day of the room’s unit. Empty: 50; "
                    "0: as many as one likes."),
    )  # fmt: skip
    quiet_from = models.TimeField(
        _("quiet from"),
        null=True,
        blank=True,
        help_text=_("Nothing is sent from then on. Empty: the quiet hours of its unit."),
    )
    quiet_until = models.TimeField(
        _("quiet until"), null=True, blank=True, help_text=_("Past midnight, if it is earlier.")
    )
    never_quiet = models.BooleanField(
        _("no quiet hours"),
        default=False,
        db_default=False,
        help_text=_("Those of its unit and of the units above do not count here."),
    )

    members_count = models.PositiveIntegerField(
        _("people"),
        null=True,
        editable=False,
        help_text=_("How many a message to it reaches, as its channel told."),
    )
    members_read_at = models.DateTimeField(_("people counted"), null=True, editable=False)
    left_at = models.DateTimeField(
        _("left"), null=True, editable=False, help_text=_("The bot is not in it since then.")
    )

    class Meta:
        verbose_name = _("room")
        verbose_name_plural = _("rooms")
        ordering = ["name", "id"]
        constraints = [
            quiet_hours_are_whole("room"),
            never_quiet_has_no_quiet_hours("room"),
            # Not per unit: the same room in two branches would be sent to by both.
            models.UniqueConstraint(
                fields=["account", "address"],
                name="one_room_per_address",
                violation_error_message=_(
                    "This address cannot be added with this account. If the room is yours, ask "
                    "your headquarters."
                ),
            ),
        ]
        indexes = [
            # The rooms of a unit by name, for every list and choice of rooms.
            models.Index(fields=["unit", "name"], name="rooms_of_one_unit"),
            # Those of an account whose people were not counted for long.
            models.Index(fields=["account", "members_read_at"], name="rooms_to_count"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def people(self) -> int:
        """How many a message to it is billed for; one where its channel did not tell."""
        return self.members_count or 1

    def clean(self) -> None:
        """The account must reach down to the room's unit, and know such an address. Neither
        changes later: what is planned or was shown belongs to the place, not to its name."""
        if not self.account_id:
            return
        self._check_unchanged()
        if self.unit_id:
            self.account.refuse_other_trees(self.unit)
        try:
            adapter = self.account.adapter_class(config=None)
        except KeyError as error:
            message = _("The channel of this account is not installed.")
            raise ValidationError({"account": message}) from error
        problem = adapter.address_problem(self.address) if self.address else None
        if problem:
            raise ValidationError({"address": problem})

    def _check_unchanged(self) -> None:
        stored = Room.objects.filter(pk=self.pk).values("account_id", "address").first()
        for name, value in (stored or {}).items():
            if getattr(self, name) != value:
                message = _("This cannot be changed. Make the room inactive and add another.")
                raise ValidationError({name.removesuffix("_id"): message})
