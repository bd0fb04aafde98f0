"""Questions: what a channel is asked besides the sending, each with a short deadline, and what it
means that no answer came, or a bad one."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from django.core.exceptions import ImproperlyConfigured

from channels.adapters.base import Adapter, Failure, SendError, unknown
from channels.models import Account
from channels.storable import storable
from schedules.dispatch.send import Senders
from schedules.dispatch.warn import channel_named
from schedules.findings import Finding, What

logger = logging.getLogger(__name__)

WORDS = 300  # characters of what a channel said

T = TypeVar("T")


async def put(
    account: Account,
    senders: Senders,
    question: Callable[[Adapter], Awaitable[T]],
    *,
    seconds: float,
) -> tuple[T | None, SendError | None]:
    """The answer, or None and why there is none. Raises nothing that has to do with the channel:
    a question that nobody answers is UNKNOWN."""
    try:
        async with asyncio.timeout(seconds):
            return await question(senders.adapter(account)), None
    except TimeoutError:
        return None, unknown("The channel did not answer in time.")
    except SendError as error:
        return None, error
    except (KeyError, ImproperlyConfigured) as error:
        return None, unknown(str(error))
    except Exception as error:  # an adapter's own fault must not end whoever asks
        logger.exception("account %s: the %s adapter failed", account.pk, account.kind)
        return None, unknown(f"{type(error).__name__}: {error}")


def is_certain(error: SendError) -> bool:
    """Whether the channel has said so."""
    return error.failure is Failure.REFUSED


def finding_of(
    account: Account, error: SendError, what: What, *, part: str, **facts: Any
) -> Finding:
    """What a channel said of what `facts` name; where it said nothing for certain, only that, and
    which part of the run could not be looked at."""
    said = {"channel": channel_named(account.kind), "why": _words(str(error))}
    if not is_certain(error):
        return Finding(What.UNSEEN, {"part": part, **said})
    if error.account_wide:
        return Finding(What.SPENT if error.spent else What.CREDENTIALS, said)
    facts = {**said, **facts}
    return Finding(what, {**facts, "why": _words(facts["why"])})


def _words(said: str) -> str:
    return str(storable(said)[:WORDS])
