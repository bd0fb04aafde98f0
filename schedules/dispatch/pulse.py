"""Pulse: tells somebody outside that all is well. When it stops, they tell the operators: of a
machine that is gone nobody else can."""

import logging
from datetime import datetime, timedelta

import aiohttp

from schedules.dispatch.overdue import overdue
from schedules.models import Installation

logger = logging.getLogger(__name__)

OVERDUE = timedelta(minutes=1)
SECONDS = 5.0


def is_well(now: datetime) -> bool:
    """Whether messages leave: nothing is fenced, and nothing has been due for long."""
    if Installation.objects.fenced():
        return False
    return not overdue(now, by=OVERDUE).exists()


async def call(url: str) -> bool:
    """Call this address. What goes wrong is logged, without the address: it is a secret."""
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url, allow_redirects=False) as response,
        ):
            status = response.status
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        logger.warning("the heartbeat was not heard: %s", type(error).__name__)
        return False
    if status >= 300:
        logger.warning("the heartbeat was not heard: HTTP %s", status)
    return status < 300
