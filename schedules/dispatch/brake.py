"""Brake: what is marked and has not left yet is held back when it may leave no more.

Many are marked ahead of the wire, and some wait there for seconds. While any does, it is asked
again and again whether a person has frozen it or paused its run, its account was stopped, or the
fence is up.
"""

from collections.abc import Sequence

from schedules.dispatch.claim import Claimed
from schedules.dispatch.frozen import Frozen, frozen_now
from schedules.dispatch.mark import frozen_among, places_of
from schedules.dispatch.stops import stopped_among
from schedules.models import Installation

LOOK_EVERY = 0.1  # seconds


class Brake:
    """One worker's watch over what it has marked."""

    def __init__(self) -> None:
        self._frozen = Frozen()
        self._asked: set[int] = set()  # with what was frozen at the last look

    def held_among(self, marked: Sequence[Claimed]) -> set[int]:
        """The ids of those that may leave no more."""
        if Installation.objects.fenced():
            return {delivery.id for delivery in marked}
        stopped = stopped_among(marked)
        held = {delivery.id for delivery in marked if delivery.account.pk in stopped}
        frozen = frozen_now()
        asked = self._asked if frozen == self._frozen else set()
        self._frozen, self._asked = frozen, {delivery.id for delivery in marked}
        anew = [delivery for delivery in marked if delivery.id not in asked] if frozen else []
        if anew:
            held |= frozen_among(anew, frozen, places_of(anew), held).keys()
        return held
