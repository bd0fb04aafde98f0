"""The first step: for which unit, under which title, to which rooms."""

from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels.adapters import registry
from channels.models import Account, Audience, Room
from orgs.models import Unit
from orgs.reach import STEP, Act, within
from schedules.models.schedule import LABEL_LENGTH
from schedules.wizard.forms.base import StepForm

SHOWN = 50  # rooms of a list; more are found by searching
AUDIENCE = "audience"


def units_of(user: Any) -> QuerySet[Unit]:
    """The units for which this person may register, those above first."""
    return within(user, Unit.objects.filter(is_active=True)).order_by("path")


def rooms_of(user: Any, unit: Unit, *, kind: str = "", search: str = "") -> QuerySet[Room]:
    """The rooms that a schedule of this unit may be sent to, by name."""
    rows = within(user, Room.objects.all(), Act.USE).filter(
        unit__in=Unit.objects.get_tree(unit), is_active=True, account__is_active=True
    )
    if kind:
        rows = rows.filter(kind=kind)
    if search:
        rows = rows.filter(Q(name__icontains=search) | Q(unit__name__icontains=search))
    return rows.select_related("account", "unit").order_by("name", "id")


def audiences_of(user: Any, unit: Unit) -> QuerySet[Audience]:
    """The audiences that a schedule of this unit may be sent to, by name."""
    rows = within(user, Audience.objects.all(), Act.USE).filter(
        unit__in=Unit.objects.get_tree(unit), is_active=True, account__is_active=True
    )
    return rows.select_related("account", "unit").order_by("name", "id")


class TargetForm(StepForm):
    """Unit, title, description, statistics name, and rooms or an audience."""

    step = "target"

    unit = forms.ModelChoiceField(
        Unit.objects.none(),
        label=gettext_lazy("Unit"),
        empty_label=None,
        help_text=gettext_lazy("Whose schedule it is. Rooms are those of this unit and below."),
    )
    title = forms.CharField(
        label=gettext_lazy("Title"),
        max_length=255,
        help_text=gettext_lazy("For you and your colleagues. The room does not see it."),
    )
    description = forms.CharField(
        label=gettext_lazy("Description"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("If there is anything to note."),
    )
    label = forms.CharField(
        label=gettext_lazy("Statistics name"),
        max_length=LABEL_LENGTH,
        help_text=gettext_lazy(
            "LINE tells how many people opened messages of one name. Schedules of your unit with "
            "the same name are counted together; left empty, this one is counted by itself."
        ),
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Rooms"),
        choices=[*Room.Kind.choices, (AUDIENCE, gettext_lazy("an audience"))],
        required=False,
    )
    audience = forms.ModelChoiceField(
        Audience.objects.none(),
        label=gettext_lazy("Audience"),
        required=False,
        empty_label=gettext_lazy("Choose an audience"),
        help_text=gettext_lazy("Each person in it gets the message for themselves."),
    )

    def prepare(self, name: str, field: forms.Field) -> None:
        if not isinstance(field, forms.ModelChoiceField):
            return
        if name == AUDIENCE:
            # Of all units, so that one may be chosen together with its unit: the rules judge it.
            rows = within(self.by, Audience.objects.select_related("account"), Act.USE)
            field.queryset = rows if self.is_bound else audiences_of(self.by, self.draft.unit)
            field.label_from_instance = _promised  # type: ignore[assignment, method-assign]
        else:
            field.queryset = units_of(self.by)
            field.label_from_instance = _indented  # type: ignore[assignment, method-assign]

    def stored(self) -> dict[str, Any]:
        ids = {"unit": self.draft.unit_id, AUDIENCE: self.draft.audience_id}
        return super().stored() | ids

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        self._read_rooms(values.get("unit") or self.draft.unit)
        if values.get("kind") != AUDIENCE:
            values[AUDIENCE] = None
        return values

    def rooms(self) -> list[Room] | None:
        if self.cleaned_data.get("kind") == AUDIENCE:
            return []
        if self.problems_of_rooms:
            return None
        # Those of the other kind are out of sight: they stay chosen in the browser only.
        kind = self.cleaned_data.get("kind")
        return [room for room in self.chosen() if not kind or room.kind == kind]

    def chosen(self) -> list[Room]:
        """The rooms that are ticked."""
        if self.is_bound:
            self.errors  # noqa: B018 - reads the form
            return self._read
        if self.draft.pk is None:
            return []
        # One that was moved out of reach since is not named.
        return list(within(self.by, self.draft.rooms.select_related("account", "unit")))

    def chosen_kind(self) -> str:
        """Whether live rooms, test rooms or the audiences are shown."""
        if posted := self.data.get("kind") if self.is_bound else "":
            return posted if posted in (*Room.Kind.values, AUDIENCE) else Room.Kind.LIVE
        if self.draft.audience_id:
            return AUDIENCE
        return next((room.kind for room in self.chosen()), Room.Kind.LIVE)

    def has_audiences(self) -> bool:
        """Whether there is one to choose."""
        return bool(self.draft.audience_id) or audiences_of(self.by, self._unit()).exists()

    def is_counted(self) -> bool:
        """Whether a channel that may be chosen here counts messages by their label."""
        kinds = [kind for kind, adapter in registry().items() if adapter.labels_a_month]
        found = (rows(self.by, self._unit()) for rows in (rooms_of, audiences_of))
        return bool(self.draft.label) or any(
            rows.filter(account__kind__in=kinds).exists() for rows in found
        )

    def problems(self, name: str) -> list[str]:
        if name == "rooms" and self.is_bound and self.problems_of_rooms:
            return self.problems_of_rooms
        return super().problems(name)

    def offers_units(self) -> bool:
        """Whether the person has a choice of units."""
        return bool(len(units_of(self.by)[:2]) > 1)

    def lists(self) -> list[dict[str, Any]]:
        """For live and for test rooms: those that are ticked, then the first of the others."""
        chosen = self.chosen()
        return [self._list(kind, label, chosen) for kind, label in Room.Kind.choices]

    def accounts(self) -> list[Account]:
        """Those of the rooms and audiences that may be chosen here."""
        found = (rows(self.by, self._unit()) for rows in (rooms_of, audiences_of))
        of_rooms, of_audiences = (rows.order_by().values("account_id") for rows in found)
        return list(Account.objects.filter(Q(pk__in=of_rooms) | Q(pk__in=of_audiences)))

    def _list(self, kind: str, label: Any, chosen: list[Room]) -> dict[str, Any]:
        ticked = [room for room in chosen if room.kind == kind]
        unit = self._unit()
        others = rooms_of(self.by, unit, kind=kind).exclude(pk__in=[room.pk for room in ticked])
        found = list(others[: SHOWN + 1])
        return {
            "kind": kind,
            "label": label,
            "ticked": ticked,
            "others": found[:SHOWN],
            "has_more": len(found) > SHOWN,
            "is_empty": not ticked and not found,
        }

    def _unit(self) -> Unit:
        return (self.is_bound and self.cleaned_data.get("unit")) or self.draft.unit

    def _read_rooms(self, unit: Unit) -> None:
        data: Any = self.data
        raw = data.getlist("rooms")
        ids = {int(value) for value in raw if value.isdecimal() and len(value) < 19}
        allowed = set(rooms_of(self.by, unit).filter(pk__in=ids).values_list("pk", flat=True))
        if self.draft.pk:
            # One that is in the draft may stay: if it may not be sent to, the rules say why.
            kept = within(self.by, self.draft.rooms.all())
            allowed |= ids & set(kept.values_list("pk", flat=True))
        self._read = list(Room.objects.filter(pk__in=allowed).select_related("account", "unit"))
        self.problems_of_rooms = (
            []
            if len(allowed) == len(set(raw))
            else [_("A chosen room does not belong to the schedule’s unit.")]
        )


def _promised(audience: Audience) -> str:
    """With the channel and what it promises, as a room's card says it."""
    channel = registry().get(audience.account.kind)
    label = channel.label if channel else audience.account.kind
    return f"{audience.name} · {label} · {audience.account.promise.label}"


def _indented(unit: Unit) -> str:
    return "\u2003" * (len(unit.path) // STEP - 1) + unit.name
