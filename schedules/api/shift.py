"""Many schedules, their times moved by as much; or looked at first."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.scoped.fields import Moment, StrictBody, WholeNumber, YesNo
from config.scoped.many import ALL_OR_NOTHING
from config.scoped.openapi import ProblemSerializer
from config.scoped.problems import MEDIA_TYPE
from orgs.clock import database_now
from orgs.reach import Act
from schedules import actions
from schedules.actions.locked import refuse_if_changed
from schedules.actions.shift import MOST_DAYS, MOST_MINUTES
from schedules.api.batch import (
    MOST_ITEMS,
    BatchViewSet,
    OutcomeSerializer,
    OutcomesSerializer,
)


class ShiftedSerializer(StrictBody):
    """Which schedule."""

    id = WholeNumber(min_value=1)
    revision = WholeNumber(
        required=False,
        min_value=0,
        help_text="That which you looked at: what was changed since is refused, and so nothing is "
        "shifted twice.",
    )


class ShiftSerializer(StrictBody):
    """Which schedules, and by how much of their own clocks."""

    items: Any = ShiftedSerializer(many=True, min_length=1, max_length=MOST_ITEMS)  # type: ignore[call-arg]
    days = WholeNumber(required=False, default=0, min_value=-MOST_DAYS, max_value=MOST_DAYS)
    minutes = WholeNumber(
        required=False,
        default=0,
        min_value=-MOST_MINUTES,
        max_value=MOST_MINUTES,
        help_text="With a minus: earlier.",
    )
    dry_run = YesNo(default=False, help_text="Say what would become of each, and change nothing.")

    def validate(self, said: dict[str, Any]) -> dict[str, Any]:
        if not (said["days"] or said["minutes"]):
            raise serializers.ValidationError(_("Say by how many days or minutes; −30 is earlier."))
        return said


class ShiftOutcomeSerializer(OutcomeSerializer):
    """What became of one, or would."""

    due_at = Moment(
        allow_null=True, help_text="When it goes next then. Null: it does not, or it is paused."
    )


class ShiftOutcomesSerializer(OutcomesSerializer):
    """What became of each, in the order of the request. In a dry run `schedule` is as it stands."""

    results = ShiftOutcomeSerializer(many=True)


class ShiftProblemSerializer(ProblemSerializer):
    """Nothing was done; why, says each of the results."""

    results = ShiftOutcomeSerializer(many=True, required=False)


@extend_schema(tags=["schedules"])
class ShiftViewSet(BatchViewSet):
    """Many schedules, shifted."""

    acts = {"shift": Act.CHANGE}
    answer_class = ShiftOutcomesSerializer

    @extend_schema(
        operation_id="schedules_batch_shift",
        parameters=[ALL_OR_NOTHING],
        request=ShiftSerializer,
        responses={200: ShiftOutcomesSerializer, (409, MEDIA_TYPE): ShiftProblemSerializer},
    )
    def shift(self, request: Request) -> Response:
        """Let many schedules go so much later or earlier. Their rhythm stays as it is, and what has
        begun is finished as it was. With `dry_run` the same answer, and the same refusals."""
        asked = ShiftSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said: Any = asked.validated_data
        self.coming: dict[int, datetime | None] = {}
        span = timedelta(days=said["days"], minutes=said["minutes"])
        act = self._foresee_one if said["dry_run"] else self._shift_one
        return self._carry_out(said["items"], partial(act, span=span))

    def _shift_one(self, item: Any, *, span: timedelta) -> int:
        schedule, seen = self._schedule(item["id"]), item.get("revision")
        row = actions.shift(schedule, by=self.request.user, span=span, seen=seen)
        self.coming[row.pk] = row.next_due_at
        return row.pk

    def _foresee_one(self, item: Any, *, span: timedelta) -> int:
        row = self._schedule(item["id"])
        refuse_if_changed(row, item.get("revision"))
        self.coming[row.pk] = actions.foresee_shift(
            row, by=self.request.user, span=span, now=database_now()
        )
        return int(row.pk)

    def _shown(self, outcomes: Any) -> list[dict[str, Any]]:
        return [one | {"due_at": self.coming.get(one["id"])} for one in super()._shown(outcomes)]
