"""Who there is: the tree of units, the people in it, and their tokens."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from treebeard.mp_tree import MP_Node, MP_NodeManager

from orgs.reach import Belongs, Role, covers, lineage


def languages() -> list[tuple[str, Any]]:
    """The languages in which people are written to."""
    return list(settings.LANGUAGES)


def validate_zone(value: str) -> None:
    """Refuse what is not an IANA zone name."""
    if value not in available_timezones():
        raise ValidationError(
            _("“%(value)s” is not a time zone. Write one like Asia/Seoul."), params={"value": value}
        )


def quiet_hours_are_whole(of: str) -> models.CheckConstraint:
    """Quiet hours have a beginning and another end, or there are none."""
    none = models.Q(quiet_from=None, quiet_until=None)
    some = models.Q(quiet_from__isnull=False, quiet_until__isnull=False)
    return models.CheckConstraint(
        condition=none | (some & ~models.Q(quiet_from=models.F("quiet_until"))),
        name=f"quiet_hours_of_a_{of}_are_whole",
        violation_error_message=_("Give the beginning and another end of the quiet hours."),
    )


def never_quiet_has_no_quiet_hours(of: str) -> models.CheckConstraint:
    """“No quiet hours” stands alone."""
    return models.CheckConstraint(
        condition=models.Q(never_quiet=False) | models.Q(quiet_from=None),
        name=f"a_{of}_is_never_quiet_or_has_quiet_hours",
        violation_error_message=_("Give quiet hours, or choose that there are none: not both."),
    )


class User(AbstractUser):
    """A person who signs in. What they may do hangs on their memberships."""

    reach = Belongs("member__unit__path", write=Role.MANAGER)

    language = models.CharField(
        _("language"),
        max_length=10,
        choices=languages,
        blank=True,
        default="",
        db_default="",
        help_text=_("In it pages are shown. Empty: as the browser asks."),
    )

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")

    def member_or_none(self) -> "Member | None":
        """The membership with its unit, straight from the database."""
        return Member.objects.select_related("unit").filter(user=self).first()


class UnitManager(MP_NodeManager):
    def plant(self, parent: "Unit | None" = None, **values: Any) -> "Unit":
        """A new unit under `parent`, or a new top."""
        if parent is None:
            return self.add_root(values)
        above = self.get(pk=parent.pk)
        place = {"path": self.free_path(above), "depth": above.depth + 1}
        unit: Unit = self.create(**place, **values)
        self.filter(pk=above.pk).update(numchild=models.F("numchild") + 1)
        return unit

    def free_path(self, parent: "Unit") -> str:
        """A path under `parent` that no unit has or ever had: who had it left its log there."""
        last = self.get_last_child(parent)
        path = last._inc_path() if last else Unit._get_path(parent.path, parent.depth + 1, 1)
        while Move.objects.filter(old_path=path).exists():
            path = Unit(path=path)._inc_path()
        return str(path)

    def is_stopped(self, path: str) -> bool:
        """Whether the unit at `path`, or one above it, is inactive."""
        return self.filter(path__in=lineage(path), is_active=False).exists()

    def languages(self, paths: Iterable[str]) -> dict[str, str]:
        """For each of these units, by its path, the language in which its rooms are written to:
        its own, else that of the nearest unit above it, else the installation's. One query."""
        above = {path: lineage(path) for path in paths}
        steps = {step for steps in above.values() for step in steps}
        own = dict(self.filter(path__in=steps).exclude(language="").values_list("path", "language"))
        return {
            path: next(
                (own[step] for step in reversed(steps) if step in own), str(settings.LANGUAGE_CODE)
            )
            for path, steps in above.items()
        }

    def demanding(self, paths: Iterable[str]) -> dict[str, "Unit"]:
        """Of these units, by its path, each that demands approval, with the unit that says so:
        itself, or the nearest above it that says anything of it. One query."""
        above = {path: lineage(path) for path in paths}
        steps = {step for steps in above.values() for step in steps}
        said = {unit.path: unit for unit in self.filter(path__in=steps).exclude(approval="")}
        nearest = {
            path: next((said[step] for step in reversed(steps) if step in said), None)
            for path, steps in above.items()
        }
        demands = Unit.Approval.DEMANDED
        return {path: unit for path, unit in nearest.items() if unit and unit.approval == demands}


class Unit(MP_Node):
    """A node of the organisation."""

    reach = Belongs("path", write=Role.MANAGER, top=True)

    class Kind(models.TextChoices):
        HEADQUARTERS = "headquarters", _("headquarters")
        DISTRIBUTOR = "distributor", _("distributor")
        AGENCY = "agency", _("agency")
        BRANCH = "branch", _("branch")

    class Approval(models.TextChoices):
        INHERITED = "", _("as the unit above")
        DEMANDED = "demanded", _("needed")
        FREE = "free", _("not needed")

    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    code = models.CharField(
        _("code"), max_length=50, help_text=_("The code by which other systems know this unit.")
    )
    name = models.CharField(_("name"), max_length=100)
    zone = models.CharField(
        _("time zone"),
        max_length=50,
        default="Asia/Seoul",
        validators=[validate_zone],
        help_text=_("New schedules of this unit start with this zone."),
    )
    language = models.CharField(
        _("language"),
        max_length=10,
        choices=languages,
        blank=True,
        help_text=_("In it the dates of messages are written. Empty: as the unit above."),
    )
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Nothing is sent for an inactive unit.")
    )
    monthly_budget = models.PositiveIntegerField(
        _("budget of a month"),
        null=True,
        blank=True,
        help_text=_(
            "How many billed messages may be sent in a month for this unit and those under it. "
            "Empty: as many as its accounts allow."
        ),
    )

    quiet_from = models.TimeField(
        _("quiet from"),
        null=True,
        blank=True,
        help_text=_(
            "From then on nothing is sent to the rooms of this unit and of those under it which "
            "have no quiet hours of their own, on their own clocks."
        ),
    )
    quiet_until = models.TimeField(
        _("quiet until"), null=True, blank=True, help_text=_("Past midnight, if it is earlier.")
    )
    never_quiet = models.BooleanField(
        _("no quiet hours"),
        default=False,
        db_default=False,
        help_text=_("Those of the units above do not count here and below."),
    )
    approval = models.CharField(
        _("approval"),
        max_length=10,
        choices=Approval.choices,
        blank=True,
        default="",
        db_default="",
        help_text=_(
            "Where it is needed, what others register for this unit or those under it waits until "
            "an approver of this unit, or above, says yes."
        ),
    )

    objects = UnitManager()

    class Meta:
        verbose_name = _("unit")
        verbose_name_plural = _("units")
        constraints = [
            models.UniqueConstraint(fields=["kind", "code"], name="one_unit_per_code"),
            quiet_hours_are_whole("unit"),
            never_quiet_has_no_quiet_hours("unit"),
        ]

    def __str__(self) -> str:
        return self.name

    def covers(self, other: "Unit") -> bool:
        """Whether `other` is this unit or stands somewhere under it."""
        return covers(self.path, other.path)


class Move(models.Model):
    """A unit that was moved with all under it. Its old path is given to no other: what is still
    written with it belongs to where the unit stands since."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    old_path = models.CharField(max_length=255, unique=True)
    new_path = models.CharField(max_length=255, unique=True)
    moved_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("move of a unit")
        verbose_name_plural = _("moves of units")
        ordering = ["id"]

    def __str__(self) -> str:
        return str(self.unit)


class Member(models.Model):
    """A user in a unit with a role. One each: rights never add up unseen."""

    reach = Belongs("unit__path", write=Role.MANAGER)

    user = models.OneToOneField(User, models.CASCADE, verbose_name=_("user"))
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="members", verbose_name=_("unit"))
    role = models.PositiveSmallIntegerField(_("role"), choices=Role.choices)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")

    def __str__(self) -> str:
        return f"{self.user} · {self.unit} · {self.get_role_display()}"


class DeputyQuerySet(models.QuerySet["Deputy"]):
    def current(self, now: datetime) -> "DeputyQuerySet":
        """Those who stand in at this moment."""
        return self.filter(begins_at__lte=now, ends_at__gt=now)

    def within(self, begins_at: datetime, ends_at: datetime) -> "DeputyQuerySet":
        """Those who stand in at some moment from the first to before the second."""
        return self.filter(begins_at__lt=ends_at, ends_at__gt=begins_at)


class Deputy(models.Model):
    """Somebody who stands in for a unit's approvers for some days: they answer what waits there.

    It adds that to what their membership gives, for units that it reaches anyway.
    """

    reach = Belongs("unit__path", write=Role.APPROVER)

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("unit"))
    member = models.ForeignKey(
        Member, models.CASCADE, related_name="deputyships", verbose_name=_("person")
    )
    begins_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    named_by = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", verbose_name=_("named by")
    )

    objects = DeputyQuerySet.as_manager()

    class Meta:
        verbose_name = _("deputy")
        verbose_name_plural = _("deputies")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(begins_at__lt=models.F("ends_at")),
                name="a_deputy_ends_after_beginning",
            ),
        ]
        indexes = [models.Index(fields=["member", "ends_at"], name="deputy_of_member")]

    def __str__(self) -> str:
        return f"{self.member.user} · {self.unit}"

    @property
    def first_day(self) -> date:
        """Of the unit's zone, as is the last one."""
        return self.begins_at.astimezone(ZoneInfo(self.unit.zone)).date()

    @property
    def last_day(self) -> date:
        last = self.ends_at - timedelta(microseconds=1)
        return last.astimezone(ZoneInfo(self.unit.zone)).date()


class TokenQuerySet(models.QuerySet["Token"]):
    def usable(self, key: str, now: datetime) -> "TokenQuerySet":
        """The token that `key` opens, unless it has expired or its owner may not sign in."""
        return self.select_related("user").filter(
            models.Q(expires_at=None) | models.Q(expires_at__gt=now),
            digest=digest_of(key),
            user__is_active=True,
        )


class Token(models.Model):
    """A key for the API. Only its digest is stored; its rights are at most its user's."""

    reach = Belongs("user__member__unit__path", view=Role.MANAGER, write=Role.MANAGER)

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens", verbose_name=_("user"))
    name = models.CharField(_("name"), max_length=100, help_text=_("What uses this token."))
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(
        _("ends with"), max_length=4, editable=False, help_text=_("The last four characters.")
    )
    scopes = models.JSONField(
        _("scopes"), default=list, help_text=_("Any of: read, write, approve.")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)

    objects = TokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return f"{self.name} (…{self.hint})"

    @classmethod
    def issue(
        cls, *, user: User, name: str, scopes: list[str], expires_at: datetime | None = None
    ) -> tuple["Token", str]:
        """Make a token; the second value is its key, which nobody can read again."""
        key = "tj_" + secrets.token_urlsafe(32)
        token = cls.objects.create(
            user=user,
            name=name,
            scopes=scopes,
            digest=digest_of(key),
            hint=key[-4:],
            expires_at=expires_at,
        )
        return token, key


def digest_of(key: str) -> str:
    """The form in which a token's key is stored (its 256 random bits need no slow hash)."""
    return hashlib.sha256(key.encode()).hexdigest()
