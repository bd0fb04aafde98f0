"""States by colour, icon and word: none of the three alone."""

from collections.abc import Sequence
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from schedules.findings import Finding
from schedules.models import Delivery
from schedules.states import DeliveryState

register = template.Library()

# value → (tone, icon of the Material Symbols that the theme brings)
LOOKS = {
    "draft": ("quiet", "edit_note"),
    "waiting": ("warn", "hourglass_top"),
    "active": ("good", "schedule_send"),
    "paused": ("warn", "pause_circle"),
    "completed": ("quiet", "task_alt"),
    "cancelled": ("quiet", "cancel"),
    "expired": ("quiet", "event_busy"),
    "error": ("bad", "error"),
    "planned": ("info", "schedule"),
    "sending": ("info", "sync"),
    "sent": ("good", "check_circle"),
    "confirmed": ("good", "verified"),
    "partial": ("warn", "rule"),
    "failed": ("bad", "error"),
    "unconfirmed": ("warn", "help"),
    "skipped": ("quiet", "skip_next"),
    "retracted": ("quiet", "undo"),
    "asked": ("info", "pending"),
}


@register.simple_tag
def state_badge(value: str, label: Any) -> SafeString:
    """A badge for a state of a schedule, a run or a delivery."""
    tone, icon = LOOKS.get(value, ("quiet", "circle"))
    return format_html(
        '<span class="tj-state tj-{}"><span class="material-symbols-outlined" '
        'aria-hidden="true">{}</span>{}</span>',
        tone,
        icon,
        label,
    )


def trouble_badge(troubles: Sequence[Finding]) -> SafeString:
    """A badge for a schedule whose next run would not go as it is; the reasons on hover."""
    return format_html(
        '<span class="tj-state tj-warn" title="{}"><span class="material-symbols-outlined" '
        'aria-hidden="true">warning</span>{}</span>',
        " ".join(finding.words for finding in troubles),
        ngettext("%(count)d problem", "%(count)d problems", len(troubles))
        % {"count": len(troubles)},
    )


def held_badge() -> SafeString:
    """A badge for a schedule of which a freeze holds messages back."""
    return format_html(
        '<span class="tj-state tj-warn"><span class="material-symbols-outlined" '
        'aria-hidden="true">ac_unit</span>{}</span>',
        _("held by a freeze"),
    )


@register.simple_tag
def delivery_badge(delivery: Delivery) -> SafeString:
    """A badge for a delivery; of one whose channel is still being asked it says so."""
    if delivery.is_asked_about:
        return state_badge("asked", _("being confirmed"))
    # Not get_state_display(): that translates every choice before it finds the one.
    return state_badge(delivery.state, DeliveryState(delivery.state).label)
