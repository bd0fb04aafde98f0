"""Questions: what a channel is asked besides the sending, each with a short deadline."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

from channels.adapters.base import Adapter, SendError, unknown
from channels.models import Account
from schedules.dispatch.send import Senders

logger = logging.getLogger(__name__)

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
