"""What the colours and icons of the calendar mean."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from schedules.shown.calendar.asked import STATES
from schedules.templatetags.teiji_states import LOOKS

OFTEN = ("info", "repeat", _("several times that day"))
MOVED = ("info", "event_repeat", _("a person moved it"))

CLASH = ("warn", "warning", _("too close to another, or too many for the room"))


def look_of(state: str, *, is_often: bool, is_moved: bool) -> tuple[str, str]:
    """Its tone and its icon."""
    tone, icon = LOOKS[state]
    if is_often:
        return tone, str(OFTEN[1])
    return (tone, str(MOVED[1])) if is_moved and state == "planned" else (tone, icon)


def legend() -> list[tuple[str, str, Any]]:
    """Tone, icon and words of each."""
    return [*((*LOOKS[value], label) for value, label in STATES), OFTEN, MOVED, CLASH]
