"""Halted: an account through which nothing goes at present, as a run and whoever plans one are
told."""

from channels.models import Account
from schedules.findings import Finding, What
from schedules.runs.warn import channel_named


def halted(account: Account) -> Finding | None:
    """Inactive, stopped, or with its month spent; None: it sends."""
    facts = {"channel": channel_named(account.kind)}
    if not account.is_active:
        return Finding(What.ACCOUNT_OFF, facts)
    if not account.stopped_at:
        return None
    what = What.SPENT if account.is_spent else What.STOPPED
    return Finding(what, facts | {"why": account.stopped_why})
