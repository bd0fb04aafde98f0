"""The fence in the API: whether anything is sent at all, and the two acts that decide it."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from config.scoped.acting import ActingViewSet
from config.scoped.fields import Moment, StrictBody, Words, YesNo
from orgs.clock import database_now
from orgs.models import Unit
from orgs.reach import Act
from schedules.actions.fence import NOTE_LENGTH, foresee_lift, lift, may_fence, may_send_due, stop
from schedules.models import Installation
from schedules.shown.fence import due_meanwhile

Reason = Installation.Reason


class DueCountSerializer(serializers.Serializer):
    """So many messages of one unit by one channel."""

    unit = serializers.CharField(help_text="Its name.")
    channel = serializers.CharField()
    count = serializers.IntegerField()


class FirstDueSerializer(serializers.Serializer):
    """One of the first."""

    id = serializers.IntegerField(help_text="Its entry of the log.")
    due_at = Moment()
    title = serializers.CharField(source="run.title")
    room_name = serializers.CharField()


class MeanwhileSerializer(serializers.Serializer):
    """What came due meanwhile, as far as you reach it."""

    messages = serializers.IntegerField(source="total")
    schedules = serializers.IntegerField(help_text="Whose times were not even planned.")
    by_unit = DueCountSerializer(source="counts", many=True)
    first = FirstDueSerializer(many=True)


class FenceSerializer(serializers.Serializer):
    """Whether all sending is stopped."""

    is_up = serializers.BooleanField()
    reason = serializers.ChoiceField(
        choices=[(code, label) for code, label in Reason.choices if code],
        allow_null=True,
        help_text="Null: messages are sent.",
    )
    why = serializers.CharField(help_text="The reason in words. Empty: messages are sent.")
    detail = serializers.CharField(help_text="What was written down, or what was found.")
    since = Moment(allow_null=True)
    due = MeanwhileSerializer(allow_null=True, help_text="Null: messages are sent.")
    may_send_due = serializers.BooleanField(
        help_text="False: other headquarters share this database, so you can only skip it."
    )
    lifted_at = Moment(allow_null=True, help_text="When it was lifted last.")
    lifted_by = serializers.CharField()


class StopSerializer(StrictBody):
    """Why it is done."""

    why = Words(max_length=NOTE_LENGTH, help_text="It stands in the history.")


class LiftSerializer(StopSerializer):
    """Why, and what becomes of what came due."""

    send_due = YesNo(
        default=False,
        help_text="Let go what is not too late: only if none of it was sent from another copy. "
        "Else it is skipped.",
    )
    dry_run = YesNo(default=False, help_text="Only say how many would be skipped.")


class LiftedSerializer(serializers.Serializer):
    """What became of it, or would."""

    skipped = serializers.IntegerField(help_text="Messages that came due meanwhile.")
    fence = FenceSerializer(help_text="As it stands now.")


@extend_schema(tags=["fence"])
class FenceViewSet(ActingViewSet):
    """All sending, for every unit and every channel. Needs a manager of the headquarters."""

    queryset = Unit.objects.all()  # who may change the top of the organisation, may fence
    serializer_class = FenceSerializer
    acts = {"state": Act.VIEW, "stop": Act.CHANGE, "lift": Act.CHANGE}

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        if not may_fence(request.user):
            self.permission_denied(request)

    @extend_schema(operation_id="fence", filters=False)
    def state(self, request: Request) -> Response:
        """Whether all sending is stopped: why, since when, and what came due meanwhile."""
        return Response(self._state())

    @extend_schema(
        operation_id="fence_stop",
        request=StopSerializer,
        responses={status.HTTP_201_CREATED: FenceSerializer},
    )
    def stop(self, request: Request) -> Response:
        """Stop all sending. What is being handed over at that moment still arrives."""
        stop(by=request.user, note=self._said(StopSerializer)["why"])
        return Response(self._state(), status=status.HTTP_201_CREATED)

    @extend_schema(operation_id="fence_lift", request=LiftSerializer, responses=LiftedSerializer)
    def lift(self, request: Request) -> Response:
        """Send again, from this database as it stands."""
        said, by = self._said(LiftSerializer), request.user
        if said["dry_run"]:
            skipped = foresee_lift(by=by, send_due=said["send_due"])
        else:
            skipped = lift(by=by, note=said["why"], send_due=said["send_due"])
        return Response(LiftedSerializer({"skipped": skipped, "fence": self._facts()}).data)

    def _said(self, body: type[StrictBody]) -> dict[str, Any]:
        asked = body(data=self.request.data)
        asked.is_valid(raise_exception=True)
        return dict(asked.validated_data)

    def _state(self) -> Any:
        return FenceSerializer(self._facts()).data

    def _facts(self) -> dict[str, Any]:
        user: Any = self.request.user
        row = Installation.objects.present()
        is_up = row is not None and row.fenced_at is not None
        return {
            "is_up": is_up,
            "reason": row.reason if row and is_up else None,
            "why": row.get_reason_display() if row and is_up else "",
            "detail": row.detail if row and is_up else "",
            "since": row.fenced_at if row else None,
            "due": due_meanwhile(user, database_now()) if is_up else None,
            "may_send_due": may_send_due(user),
            "lifted_at": row.lifted_at if row else None,
            "lifted_by": row.lifted_by if row else "",
        }
