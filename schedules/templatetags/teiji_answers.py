"""What a channel answered, for people."""

from typing import Any

from django import template

from channels.adapters import registry
from logs.said import retell

register = template.Library()
register.filter("said", retell)


@register.filter
def channel_named(kind: str) -> str:
    """A channel by its name, not by the word under which it is stored."""
    found = registry().get(kind)
    return str(found.label) if found else kind


@register.filter
def answer_in_words(answer: Any) -> str:
    """“shown: 1 · id: 5”: the names and values of an answer, those inside others with a dot."""
    return " · ".join(f"{name}: {value}" if name else str(value) for name, value in _flat(answer))


def _flat(answer: Any, name: str = "") -> list[tuple[str, Any]]:
    if isinstance(answer, dict):
        pairs = [(f"{name}.{key}" if name else str(key), value) for key, value in answer.items()]
    elif isinstance(answer, list):
        pairs = [(name, value) for value in answer]
    else:
        return [(name, answer)]
    return [found for key, value in pairs for found in _flat(value, key)]
