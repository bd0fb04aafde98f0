"""A form's field with its label, help and problems, tied together for screen readers."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

from channels.adapters import registry as channels
from channels.models import Account

register = template.Library()

SELECTED = mark_safe(" selected")


@register.inclusion_tag("schedules/wizard/field.html")
def step_field(form: Any, name: str, kinds: str = "", suffix: str = "") -> dict[str, Any]:
    """One field of a step. `kinds`: the kinds of timing for which it is shown."""
    problems = form.problems(name)
    described = [f"help-{name}", *([f"problem-{name}"] if problems else [])]
    attrs: dict[str, Any] = {"aria-describedby": " ".join(described)}
    if problems:
        attrs["aria-invalid"] = "true"
    field = form[name]
    return {
        "field": field,
        "control": field.as_widget(attrs=attrs),
        "problems": problems,
        "classes": " ".join(f"for-{kind}" for kind in kinds.split()),
        "suffix": suffix,
    }


@register.simple_tag
def problems_of(form: Any, name: str) -> list[str]:
    """What stands against a field that a template draws itself."""
    found: list[str] = form.problems(name)
    return found


@register.simple_tag
def chosen_values(form: Any, name: str) -> set[str]:
    """The values of a field that are chosen, as texts, as they were posted or are stored."""
    value = form[name].value()
    if value is None:
        return set()
    return {str(item) for item in value} if isinstance(value, list | tuple) else {str(value)}


@register.simple_tag
def options(choices: Iterable[tuple[Any, Any]], chosen: Any) -> SafeString:
    """Those of a field that a template draws itself: of units and rooms there are hundreds."""
    rows = ((value, SELECTED if value == chosen else "", label) for value, label in choices)
    return format_html_join("", '<option value="{}"{}>{}</option>', rows)


@register.filter
def channel_of(account: Account) -> str:
    """The channel of an account, as people call it."""
    found = channels().get(account.kind)
    return str(found.label) if found else account.kind
