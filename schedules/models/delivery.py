"""A delivery: one run to one room, or to one batch of an audience."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.utils.translation import gettext_lazy as _

from channels.adapters import registry
from channels.models import Account, Audience, Recipient, Room
from logs.models import Attempt
from logs.models.request import request_field
from orgs.reach import Belongs
from schedules.models.run import Run
from schedules.states import DeliveryState

BATCHES_LOOKED_INTO = 10_000  # of those that may hold one person, the newest
# A person has left the very doubt in which the delivery is now.
LEFT = Q(left_open__completed_at=F("completed_at"))


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self, until: datetime) -> "DeliveryQuerySet":
        """Planned for `until` or before, in no order."""
        return self.filter(state=DeliveryState.PLANNED, next_try_at__lte=until).order_by()

    def waiting(self) -> "DeliveryQuerySet":
        """Claimed, and not yet handed over."""
        return self.filter(state=DeliveryState.SENDING, wire_at=None).order_by()

    def abandoned(self, now: datetime, silent: Collection[str] = ()) -> "DeliveryQuerySet":
        """Claimed by a worker whose lease has run out; or by one of the silent, and not yet
        handed over."""
        left = Q(lease_until__lt=now) | Q(wire_at=None, worker__in=silent)
        return self.filter(left, state=DeliveryState.SENDING)

    def to_person(self, person: Recipient) -> "DeliveryQuerySet":
        """Those in whose batch this person is, whether or not still in the audience, and those
        to a room that is this person: one of the same account and address. `is_refused`: the
        channel took the others of the batch, and not this person.

        The range of ids leaves few batches of each run, which then are looked into: an index of
        all who are in them would be written anew with each change of their state."""
        ranges = {"members_from__lte": person.pk, "members_to__gte": person.pk}
        batches = self.filter(audience__isnull=False, account_id=person.account_id, **ranges)
        newest = batches.order_by("-due_at", "-id").values_list("pk", flat=True)
        within = Q(pk__among=list(newest[:BATCHES_LOOKED_INTO]), members__holds=person.address)
        rooms = Room.objects.filter(account_id=person.account_id, address=person.address)
        alone = Q(room_id__in=list(rooms.values_list("pk", flat=True)))
        tries = Attempt.objects.filter(delivery_id=OuterRef("pk"))
        refused = tries.filter(answer__refused__holds=person.address)
        return self.filter(within | alone).annotate(is_refused=Exists(refused))

    def unconfirmed(self) -> "DeliveryQuerySet":
        """May or may not have arrived."""
        return self.filter(state=DeliveryState.UNCONFIRMED)

    def to_decide(self) -> "DeliveryQuerySet":
        """Of the unconfirmed, those that nothing but a person can settle, and none has left."""
        return self.unconfirmed().filter(confirm_at=None).exclude(LEFT)

    def being_asked(self) -> "DeliveryQuerySet":
        """Of the unconfirmed, those whose channel is still asked: they may settle themselves."""
        return self.unconfirmed().filter(confirm_at__isnull=False)

    def worst_first(self, *before: str) -> "DeliveryQuerySet":
        """What waits for a person, then what failed, then the rest by room; but first of all in
        the order of the columns `before`."""
        urgency = Case(
            When(state=DeliveryState.UNCONFIRMED, then=Value(0)),
            When(state=DeliveryState.FAILED, then=Value(1)),
            default=Value(2),
            output_field=models.IntegerField(),
        )
        return self.order_by(*before, urgency, "room_name", "id")

    def with_phones(self) -> "DeliveryQuerySet":
        """Of those being asked, what phones fetch from us: it may wait there still."""
        kinds = [kind for kind, adapter in registry().items() if adapter.pulls]
        return self.being_asked().filter(account__kind__in=kinds)

    def left_as_they_are(self) -> "DeliveryQuerySet":
        """Of the unconfirmed, those that a person has looked at and left."""
        return self.unconfirmed().filter(LEFT, confirm_at=None)


class Delivery(models.Model):
    """Moves as docs/architecture.md draws it. Its parts are sent in order."""

    reach = Belongs("unit_path")

    class Reason(models.TextChoices):
        NONE = "", ""
        REACH = "reach", _("the room no longer belongs to the schedule’s unit")
        INACTIVE = "inactive", _("the room, its account or its unit is inactive")
        LEFT = "left", _("the bot is no longer in the room")
        STOPPED = "stopped", _("the channel took no message of this account any more")
        MISSED = "missed", _("its time passed while nothing could be sent")
        DUPLICATE = "duplicate", _("the same content went to this room at the same time")
        CANCELLED = "cancelled", _("the schedule was cancelled")
        FENCED = "fenced", _("all sending was stopped when it was due")
        FROZEN = "frozen", _("its account or unit was frozen when it was due")
        PAUSED = "paused", _("its run was paused when it was due")
        UNFILLED = "unfilled", _("its text could not be filled in")
        QUIET = "quiet", _("quiet hours")
        BUSY = "busy", _("the room has other messages at that time")
        CAP = "cap", _("the room has had its messages for that day")
        FOLLOWED = "followed", _("quiet hours; a later one takes its place after them")
        OPTED_OUT = "opted_out", _("nobody in it wants messages any more")

    # Indexes that nobody asks would be written three times for each message.
    run = models.ForeignKey(Run, models.CASCADE, related_name="deliveries", db_index=False)
    room = models.ForeignKey(Room, models.PROTECT, null=True, related_name="+")
    audience = models.ForeignKey(
        Audience, models.PROTECT, null=True, related_name="+", db_index=False
    )
    batch = models.PositiveIntegerField(
        _("batch"), null=True, help_text=_("Its number within the audience, from 0.")
    )
    # By value: who it was is known after the audience has changed.
    members = models.JSONField(_("recipients"), null=True, editable=False)
    # Between these lie the ids that its recipients had.
    members_from = models.BigIntegerField(null=True, editable=False)
    members_to = models.BigIntegerField(null=True, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    room_name = models.CharField(_("room"), max_length=100)
    channel = models.CharField(_("channel"), max_length=30)
    unit_path = models.CharField(max_length=255)
    is_test = models.BooleanField(
        _("test"),
        default=False,
        db_default=False,
        help_text=_("To a test room: it is left out of the figures."),
    )
    content_hash = models.CharField(max_length=64)
    # Of a text with placeholders: [payload of each part], filled for this room.
    own_payloads = models.JSONField(null=True, editable=False)
    key = models.UUIDField(editable=False)
    state = models.CharField(
        _("state"), max_length=12, choices=DeliveryState.choices, default=DeliveryState.PLANNED
    )
    reason = models.CharField(_("reason"), max_length=12, choices=Reason.choices, blank=True)
    error = models.TextField(_("error"), blank=True)
    priority = models.PositiveSmallIntegerField(_("priority"))
    due_at = models.DateTimeField(_("appointed"))
    # When its limits let it leave; empty: at its appointed time.
    slot_at = models.DateTimeField(_("held back until"), null=True, editable=False)
    next_try_at = models.DateTimeField(_("next try"))
    part = models.PositiveSmallIntegerField(_("parts sent"), default=0)
    parts = models.PositiveSmallIntegerField(_("parts"))
    billed = models.PositiveIntegerField(
        _("billed"),
        default=0,
        help_text=_("Messages that the channel bills for each request; 0: it bills none."),
    )
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    crashes = models.PositiveSmallIntegerField(default=0)
    in_doubt = models.BooleanField(
        _("in doubt"), default=False, help_text=_("An earlier try of this part may have arrived.")
    )
    claim = models.UUIDField(null=True, editable=False)
    # What was on the wire when its worker was given up: an answer to it is still one.
    lost_claim = models.UUIDField(null=True, editable=False)
    worker = models.CharField(_("worker"), max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True, editable=False)
    claimed_at = models.DateTimeField(_("claimed"), null=True)
    wire_at = models.DateTimeField(null=True, editable=False)
    confirm_at = models.DateTimeField(
        null=True, editable=False, help_text=_("When the channel is asked whether it arrived.")
    )
    started_at = models.DateTimeField(_("started"), null=True)
    completed_at = models.DateTimeField(_("completed"), null=True)
    lateness_ms = models.IntegerField(_("lateness (ms)"), null=True)
    status = models.PositiveSmallIntegerField(_("status"), null=True)
    request_id = models.CharField(_("request id"), max_length=100, blank=True)
    request = request_field()  # where it is another than its run's: a person sends it again

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("send log")
        ordering = ["-due_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["run", "room"], name="one_delivery_per_room"),
            models.UniqueConstraint(
                fields=["room", "due_at", "content_hash"],
                condition=~Q(state__in=["skipped", "cancelled"]),
                name="one_message_per_room_and_time",
            ),
            models.UniqueConstraint(
                fields=["run", "audience", "batch"],
                condition=Q(audience__isnull=False),
                name="one_delivery_per_batch",
            ),
            models.UniqueConstraint(
                fields=["audience", "batch", "due_at", "content_hash"],
                condition=Q(audience__isnull=False) & ~Q(state__in=["skipped", "cancelled"]),
                name="one_message_per_batch_and_time",
            ),
            models.CheckConstraint(
                condition=Q(room__isnull=False, audience=None, batch=None, members=None)
                | Q(
                    room=None,
                    audience__isnull=False,
                    batch__isnull=False,
                    members__isnull=False,
                    members_from__isnull=False,
                    members_to__isnull=False,
                ),
                name="one_room_or_one_batch",
            ),
            models.CheckConstraint(
                condition=Q(state="sending", claim__isnull=False)
                | (~Q(state="sending") & Q(claim__isnull=True)),
                name="sending_means_claimed",
            ),
            models.CheckConstraint(
                condition=Q(state__in=DeliveryState.values), name="delivery_state_is_known"
            ),
        ]
        indexes = [
            # The claim: the queues of each account, in the order in which they go.
            models.Index(
                fields=["account", "priority", "next_try_at", "id"],
                condition=Q(state="planned"),
                name="deliveries_to_claim",
            ),
            # Whether anything is due at all.
            models.Index(
                fields=["next_try_at"], condition=Q(state="planned"), name="deliveries_due"
            ),
            # What the limits of rooms hold back, beside one_message_per_room_and_time.
            models.Index(
                fields=["room", "slot_at"], condition=Q(slot_at__isnull=False), name="held_by_rooms"
            ),
            # What quiet hours or limits let leave lately.
            models.Index(fields=["slot_at"], condition=Q(slot_at__isnull=False), name="held_until"),
            # What workers hold: few rows, and none of these columns changes until it is over
            # (an index of the lease would be written again for each mark).
            models.Index(
                fields=["worker"], condition=Q(state="sending"), name="deliveries_in_hand"
            ),
            # What the channel is to be asked about.
            models.Index(
                fields=["confirm_at"],
                condition=Q(confirm_at__isnull=False),
                name="deliveries_to_confirm",
            ),
            # Which batches one person may be in.
            models.Index(
                fields=["account", "members_to", "members_from"],
                condition=Q(audience__isnull=False),
                name="batches_by_members",
            ),
            # The totals of a run.
            models.Index(fields=["run", "state"], name="deliveries_of_one_run"),
            # The log, newest first.
            models.Index(fields=["-due_at", "-id"], name="deliveries_by_time"),
            models.Index(
                fields=["unit_path"], name="deliveries_by_unit", opclasses=["varchar_pattern_ops"]
            ),
            # The worklist of what a person must decide.
            models.Index(
                fields=["-due_at"],
                condition=Q(state="unconfirmed"),
                name="deliveries_unconfirmed",
            ),
        ]

    def __str__(self) -> str:
        return str(self.room_name)

    @property
    def leaves_at(self) -> datetime:
        """When it is to leave: its slot, where its limits gave it one, else its appointed time."""
        return self.slot_at or self.due_at

    @property
    def payloads(self) -> list[dict[str, Any]]:
        """Of each part, as it is sent to this room."""
        return self.own_payloads or self.run.payloads[str(self.account_id)]

    @property
    def is_asked_about(self) -> bool:
        """Not confirmed so far; its channel will be asked, and a person need not decide yet."""
        return self.state == DeliveryState.UNCONFIRMED and self.confirm_at is not None


def delivery_key(schedule_uid: UUID, due_at: datetime, channel: str, address: str) -> UUID:
    """The key of a delivery, from natural ids: serial numbers repeat after a restore."""
    return uuid5(schedule_uid, f"{due_at.isoformat()}|{channel}|{address}")


def part_key(key: UUID, part: int) -> UUID:
    """The idempotency key of one part: the same at every try."""
    return uuid5(key, str(part))
