"""The worklist in the API: what may or may not have arrived, and what a person says of it."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.scoped.acting import ActingViewSet
from config.scoped.fields import Choice, Moment, StrictBody, WholeNumber, Words, YesNo
from config.scoped.filters import IdFilter, MomentFilter
from config.scoped.paging import Pages
from orgs.clock import database_now
from orgs.reach import Act, within
from schedules import actions
from schedules.actions.resolve import IN_WORDS, MOST_AT_ONCE, NOTE_LENGTH
from schedules.api.logs import AttemptSerializer
from schedules.models import Delivery
from schedules.shown.doubt import Evidence, evidence_of, with_evidence

SHOWN = {
    "decide": "what only a person can settle",
    "asked": "what the channel is still asked about",
    "left": "what a person has left open",
}


class EvidenceSerializer(serializers.Serializer):
    """One delivery that may or may not have arrived, with all that is known of it."""

    id = serializers.IntegerField(source="delivery.pk", help_text="As in the log.")
    run = serializers.IntegerField(source="delivery.run_id")
    schedule = serializers.IntegerField(source="delivery.run.schedule_id")
    title = serializers.CharField(source="delivery.run.title")
    room = serializers.IntegerField(source="delivery.room_id", allow_null=True)
    room_name = serializers.CharField(source="delivery.room_name")
    channel = serializers.CharField(source="delivery.channel")
    unit = serializers.CharField(help_text="The name of its unit.")
    zone = serializers.CharField(source="delivery.run.zone", help_text="The schedule’s time zone.")
    text = serializers.CharField(help_text="Of the part in doubt, as it was sent; shortened.")
    images = serializers.IntegerField(source="pictures", help_text="How many that part had.")
    part = serializers.IntegerField(help_text="The part in doubt, from 1.")
    parts_total = serializers.IntegerField(source="delivery.parts")
    due_at = Moment(source="delivery.due_at", help_text="Its appointed time.")
    late_seconds = serializers.SerializerMethodField(
        help_text="How late it would be if it were sent now."
    )
    handed_over_at = Moment(
        source="handed_at", allow_null=True, help_text="The last hand-over, as far as it is known."
    )
    seen = Moment(
        source="delivery.completed_at",
        allow_null=True,
        help_text="When the doubt arose. Give it back with the verdict.",
    )
    asked_until = Moment(
        allow_null=True, help_text="While the channel is still asked: it may settle by itself."
    )
    why = serializers.CharField(help_text="Why nobody can know, for people.")
    error = serializers.CharField(source="delivery.error")
    left_at = Moment(source="left.at", allow_null=True, default=None)
    left_by = serializers.CharField(source="left.by", allow_null=True, default=None)
    left_note = serializers.CharField(source="left.note", allow_null=True, default=None)
    attempts = AttemptSerializer(many=True)

    def get_late_seconds(self, evidence: Evidence) -> int:
        return int(evidence.late.total_seconds())


class VerdictSerializer(StrictBody):
    """What a person says."""

    verdict = Choice(
        choices=[(verdict.value, str(IN_WORDS[verdict])) for verdict in actions.Verdict],
        help_text="`arrived`; `send_again`: it did not, send it now; `leave`: looked at, left.",
    )
    note = Words(
        required=False, default="", allow_blank=True, max_length=NOTE_LENGTH,
        help_text="For the history.",
    )  # fmt: skip
    sure = YesNo(
        required=False,
        default=False,
        help_text="Needed where the channel is still asked, and to send what is later than its "
        "grace allows: without it such a row is refused.",
    )


class OneVerdictSerializer(VerdictSerializer):
    """What a person says of one."""

    seen = Moment(help_text="`seen` of the row as you read it: it must still be in that doubt.")


class RowSerializer(StrictBody):
    """A row that is meant."""

    id = WholeNumber()
    seen = Moment(help_text="`seen` of the row as you read it.")


class ManyVerdictsSerializer(VerdictSerializer):
    """What a person says of many."""

    rows = serializers.ListField(child=RowSerializer(), allow_empty=False, max_length=MOST_AT_ONCE)


class DecidedSerializer(serializers.Serializer):
    """What became of one."""

    id = serializers.IntegerField(source="pk")
    state = serializers.CharField()


class RefusedSerializer(serializers.Serializer):
    """A row that was not decided."""

    id = serializers.IntegerField()
    detail = serializers.CharField(help_text="Why, for people.")
    needs_sure = serializers.BooleanField(help_text="It can be decided with `sure`.")


class ResolvedSerializer(serializers.Serializer):
    """What became of many."""

    decided = serializers.ListField(child=serializers.IntegerField())
    refused = RefusedSerializer(many=True)


class NotConfirmedFilter(filters.FilterSet):
    """Narrows the worklist."""

    show = filters.ChoiceFilter(
        choices=list(SHOWN.items()), method="only", label="Which part of it; otherwise all three."
    )
    room = IdFilter("room_id", label="To this room.")
    run = IdFilter("run_id", label="Of this run.")
    channel = filters.CharFilter(label="Through this channel: line, sandbox, …")
    due_before = MomentFilter("due_at", "lt", label="Appointed for before this moment.")

    def only(self, rows: Any, _name: str, part: str) -> QuerySet[Delivery]:
        parts = {"decide": rows.to_decide, "asked": rows.being_asked, "left": rows.left_as_they_are}
        found: QuerySet[Delivery] = parts[part]()
        return found


class OldestFirst(Pages):
    """What was due first, first."""

    ordering = ("due_at", "id")


@extend_schema(tags=["not confirmed"])
class NotConfirmedViewSet(ActingViewSet):
    """What may or may not have arrived."""

    queryset = Delivery.objects.all()
    serializer_class = EvidenceSerializer
    filterset_class = NotConfirmedFilter
    pagination_class = OldestFirst
    acts = {
        "list": Act.VIEW,
        "retrieve": Act.VIEW,
        "resolve": Act.RUN,
        "resolve_many": Act.RUN,
    }

    def get_queryset(self) -> QuerySet:
        rows: Any = super().get_queryset()
        return with_evidence(rows.unconfirmed())

    def list(self, request: Request) -> Response:
        """The worklist, the oldest appointed time first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        assert page is not None
        return self.get_paginated_response(self._shown(page))

    def retrieve(self, request: Request, pk: str) -> Response:
        """One of them, with its evidence."""
        return Response(self._shown([self.get_object()])[0])

    @extend_schema(request=OneVerdictSerializer, responses=DecidedSerializer)
    @action(methods=["post"], detail=True)
    def resolve(self, request: Request, pk: str) -> Response:
        """Settle one: it arrived; it did not, send now; or leave it."""
        said = _said(OneVerdictSerializer, request)
        # Of any state: who comes second is told what has become of it.
        rows = within(request.user, Delivery.objects.filter(pk=pk))
        row = actions.resolve(
            rows.first() or Delivery(pk=int(pk)),
            actions.Verdict(said["verdict"]),
            by=request.user,
            seen=said["seen"].isoformat(),
            note=said["note"],
            sure=said["sure"],
        )
        return Response(DecidedSerializer(row).data)

    @extend_schema(
        operation_id="not_confirmed_resolve_many",
        request=ManyVerdictsSerializer,
        responses=ResolvedSerializer,
    )
    @action(methods=["post"], detail=False, url_path="resolve")
    def resolve_many(self, request: Request) -> Response:
        """Settle many with one answer. Each stands for itself: what is refused is named."""
        said = _said(ManyVerdictsSerializer, request)
        resolved = actions.resolve_many(
            [actions.Doubt(row["id"], row["seen"].isoformat()) for row in said["rows"]],
            actions.Verdict(said["verdict"]),
            by=request.user,
            note=said["note"],
            sure=said["sure"],
        )
        found = {"decided": resolved.decided, "refused": refused_of(resolved.refused)}
        return Response(ResolvedSerializer(found).data)

    def _shown(self, rows: Any) -> Any:
        lines = evidence_of(list(rows), by=self.request.user, now=database_now())
        return EvidenceSerializer(lines, many=True).data


def refused_of(refused: dict[int, actions.Refused]) -> list[dict[str, Any]]:
    """Why each of these was not carried out."""
    return [
        {"id": pk, "detail": str(why), "needs_sure": isinstance(why, actions.NeedsSure)}
        for pk, why in refused.items()
    ]


def _said(body: type[VerdictSerializer], request: Request) -> dict[str, Any]:
    serializer = body(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
