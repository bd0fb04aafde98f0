"""Hour: what is to be done once an hour, by whichever worker or beat comes first.

Each worker asks by itself, so that it is done with beat dead; what failed is done next hour.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from channels import facts, hearing, pull
from channels.told import notices
from schedules.dispatch import foretell
from schedules.dispatch.remind import ask_again
from schedules.models import Heartbeat, Installation

logger = logging.getLogger(__name__)

HOUR = timedelta(hours=1)

DUTIES: dict[str, Callable[[datetime], int]] = {
    "what phones have fetched is forgotten": pull.forget_old,
    "what channels told is forgotten": hearing.forget_old,
    "facts and the log of webhooks are forgotten": facts.forget_old,
    "notices of results are forgotten": notices.forget_old,
    "what was approved is looked at": ask_again,
    "quotas and budgets are foretold": foretell.look,
}


def turn(now: datetime) -> bool:
    """Do it, if nobody has within the hour. Returns whether this one did. A copy of a database
    does none of it: it is the business of the one from which it was made."""
    if Installation.objects.fenced():
        return False
    if not Heartbeat.take_turn(Heartbeat.Kind.HOUR, "hour", now, every=HOUR):
        return False
    for name, duty in DUTIES.items():
        try:
            count = duty(now)
        except Exception:  # one that fails must not keep the others from being done
            logger.exception("hour: %s: failed", name)
        else:
            if count:
                logger.info("hour: %s: %d", name, count)
    return True
