"""What an account can promise, as a badge and in words."""

from collections.abc import Iterable

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from channels.models import Account
from channels.promises import Promise

register = template.Library()

# → (tone, icon of the Material Symbols that the theme brings)
LOOKS = {
    Promise.ONCE: ("good", "verified"),
    Promise.ASKS: ("info", "contact_support"),
    Promise.TWICE: ("warn", "control_point_duplicate"),
    Promise.GONE: ("bad", "link_off"),
}


@register.filter
def promise_badge(account: Account) -> SafeString:
    """A badge with the meaning at its tip."""
    return badge(account.promise)


@register.filter
def promises_among(accounts: Iterable[Account]) -> list[tuple[SafeString, str]]:
    """The badges that stand with these accounts, each once with its meaning."""
    found = {account.promise for account in accounts}
    return [(badge(promise), str(promise.meaning)) for promise in Promise if promise in found]


def badge(promise: Promise) -> SafeString:
    tone, icon = LOOKS[promise]
    return format_html(
        '<span class="tj-state tj-{}" title="{}"><span class="material-symbols-outlined" '
        'aria-hidden="true">{}</span>{}</span>',
        tone,
        promise.meaning,
        icon,
        promise.label,
    )


def in_words(account: Account) -> SafeString:
    """The badge with its meaning beside it, for a page of its own."""
    shown = '<span class="tj-promise">{} <span>{}</span></span>'
    return format_html(shown, promise_badge(account), account.promise.meaning)
