"""A coming time is moved: alone, with those after it, or with all to come; or looked at first."""

from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.scoped.fields import Choice, Moment, StrictBody, WholeNumber, YesNo
from schedules.actions import Scope
from schedules.api.occurrences import AT, HeldSerializer, moment_named
from schedules.api.revisions import IF_MATCH, revision_said
from schedules.shown.calendar.moving import Foreseen, foresee_move, move_and_look
from schedules.states import ScheduleState


class MoveSerializer(StrictBody):
    """Where it goes, and what goes along."""

    due_at = Moment(help_text="When it goes instead. What goes along moves by as much.")
    scope = Choice(
        choices=[scope.value for scope in Scope],
        default=Scope.ONE.value,
        help_text="one: nothing else; later: those after it too; all: all that are to come.",
    )
    dry_run = YesNo(default=False, help_text="Say what would become of it, and change nothing.")
    revision = WholeNumber(
        required=False, min_value=0, help_text="That of the schedule which you looked at."
    )


class HeldTimeSerializer(serializers.Serializer):
    """What limits do to one of the times."""

    due_at = Moment()
    limits = HeldSerializer(many=True)


class MovedSerializer(serializers.Serializer):
    """How it goes then."""

    dry_run = serializers.BooleanField()
    schedule = serializers.IntegerField(
        allow_null=True,
        help_text="What goes at the new times. Null: it would be a new one.",
    )
    ended = serializers.IntegerField(
        allow_null=True,
        help_text="Where it becomes two: what sends those before, and ends there.",
    )
    state = serializers.ChoiceField(choices=ScheduleState.choices)
    words = serializers.CharField(help_text="Its timing, as a person would say it.")
    due_at = Moment(allow_null=True, help_text="The first that moved. Null: none goes any more.")
    times = serializers.IntegerField(help_text="How many times are to come; at most 366 are told.")
    counted = serializers.BooleanField(help_text="False: there are more, or it has no end.")
    lost = serializers.IntegerField(
        help_text="Times that fall out: after its end, or on days that are left out."
    )
    held = HeldTimeSerializer(many=True, help_text="What limits do to the next that moved.")
    clashes = serializers.ListField(
        child=serializers.CharField(), help_text="What stands too close to the first, in words."
    )


class Moves:
    """The part of the schedules’ endpoints that moves their times."""

    @extend_schema(
        operation_id="schedules_occurrence_move",
        parameters=[AT, IF_MATCH],
        request=MoveSerializer,
        responses=MovedSerializer,
    )
    @action(methods=["post"], detail=True, url_path="occurrences/(?P<at>[^/]+)/move")
    def move_occurrence(self, request: Request, pk: str, at: str) -> Response:
        """Let this time go at another: it alone, it and those after it, or all that are to come.
        With `dry_run` the same answer, and the same refusals, but nothing is changed."""
        asked = MoveSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        schedule = self.get_object()  # type: ignore[attr-defined]
        wall = said["due_at"].astimezone(ZoneInfo(schedule.zone)).replace(tzinfo=None)
        act = foresee_move if said["dry_run"] else move_and_look
        found = act(
            schedule, moment_named(at), wall, scope=Scope(said["scope"]),
            by=request.user, seen=revision_said(request, said),
        )  # fmt: skip
        return Response(MovedSerializer(_told(found, dry_run=said["dry_run"])).data)


def _told(found: Foreseen, *, dry_run: bool) -> dict[str, Any]:
    is_new = found.ended is not None
    return {
        "dry_run": dry_run,
        "schedule": None if dry_run and is_new else found.row.pk,
        "ended": found.ended.pk if found.ended else None,
        "state": found.row.state,
        "words": found.words,
        "due_at": found.first.due_at if found.first else None,
        "times": found.count,
        "counted": found.is_counted,
        "lost": found.lost,
        "held": [
            {"due_at": at, "limits": [asdict(one) for one in held]} for at, held in found.held
        ],
        "clashes": found.clashes,
    }
