"""Why an occurrence does not go, in words."""

from django import template

from schedules.shown.coming import clashes_in_words, held_in_words, reason_in_words

register = template.Library()
register.filter("reason", reason_in_words)
register.filter("held_at", held_in_words)
register.filter("clashes_at", clashes_in_words)
