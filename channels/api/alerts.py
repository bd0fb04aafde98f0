"""Alerts in the API: the places that are told, and the log of what they were told."""

from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.translation import get_language
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from channels.actions.alert_target import keep_target, remove_target
from channels.alerts import AlertKind
from channels.apprise.allowed import LONGEST_URL
from channels.models import AlertTarget, Notice, Telling
from config.scoped.acting import ActingViewSet
from config.scoped.api import ScopedViewSet
from config.scoped.fields import Moment, ScopedRelatedField, StrictSerializer, Words, own_unit
from config.scoped.filters import IdFilter, MomentFilter, UnitFilter, YesNoFilter
from logs.said import retell
from orgs.models import Member, Unit
from orgs.reach import Act


class AlertTargetSerializer(StrictSerializer):
    """A place that is told of alerts: a URL of Apprise, or the mail of a member."""

    unit = ScopedRelatedField(
        queryset=Unit.objects.all(),
        required=False,
        help_text="It is told of this unit, and of those below that have no place of their own. "
        "If you leave it out: your own.",
    )
    url = Words(
        max_length=LONGEST_URL,
        required=False,
        write_only=True,
        help_text="Of Apprise. Never shown again. It takes the place of a member.",
    )
    service = serializers.CharField(
        read_only=True,
        help_text="What kind of place the URL names: discord, slack … Empty: a mail.",
    )
    member = ScopedRelatedField(
        queryset=Member.objects.select_related("unit", "user"),
        required=False,
        allow_null=True,
        help_text="Told by mail, instead of a URL: somebody who reaches the unit.",
    )

    class Meta:
        model = AlertTarget
        fields = ["id", "unit", "name", "url", "service", "member", "is_active"]
        validators: list[Any] = []  # the act answers, in words for people


class AlertTargetFilter(filters.FilterSet):
    """Narrows the list of places."""

    unit = IdFilter(label="Of this unit itself.")
    is_active = YesNoFilter(label="Only those that are told, or only the others.")
    search = filters.CharFilter("name", "icontains", label="Part of the name.")


@extend_schema(tags=["alerts"])
class AlertTargetViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActingViewSet):
    """Places that are told of alerts. Needs a manager."""

    queryset = AlertTarget.objects.select_related("unit").order_by("-id")
    serializer_class = AlertTargetSerializer
    filterset_class = AlertTargetFilter
    orderings = ("name",)
    acts = {
        "list": Act.VIEW,
        "retrieve": Act.VIEW,
        "create": Act.CREATE,
        "partial_update": Act.CHANGE,
        "destroy": Act.DELETE,
    }

    @extend_schema(responses={status.HTTP_201_CREATED: AlertTargetSerializer})
    def create(self, request: Request) -> Response:
        """Add one. It is told a greeting: `/alerts` says whether that has arrived."""
        given = self.values()
        given.setdefault("unit", own_unit(request.user))
        kept = keep_target(AlertTarget(), given, by=request.user)
        return Response(self.get_serializer(kept.target).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is given. With another URL or member it is told a greeting."""
        target = self.get_object()
        given = self.values(instance=target, partial=True)
        return Response(
            self.get_serializer(keep_target(target, given, by=request.user).target).data
        )

    @extend_schema(responses={status.HTTP_204_NO_CONTENT: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove it. What it was told stays in the log."""
        remove_target(self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class TellingSerializer(serializers.ModelSerializer):
    """One alert to one place."""

    told_at = Moment(read_only=True, allow_null=True)
    why = serializers.SerializerMethodField(help_text="Why it was not told.")

    class Meta:
        model = Telling
        fields = ["to", "state", "tries", "told_at", "why"]
        read_only_fields = fields

    def get_why(self, row: Telling) -> str:
        return retell(row.why)


class AlertSerializer(serializers.ModelSerializer):
    """What was told about one subject: the first event, or a digest of some minutes."""

    unit = serializers.IntegerField(
        source="unit_of", allow_null=True, help_text="Whose it is. Null: of the installation."
    )
    at = Moment(source="made_at", read_only=True)
    title = serializers.SerializerMethodField(help_text="In your language, as is the text.")
    text = serializers.SerializerMethodField()
    events = serializers.IntegerField(source="count", help_text="How many are told of in it.")
    told: Any = TellingSerializer(
        source="tellings", many=True, help_text="To whom. None: no place is set for the unit."
    )

    class Meta:
        model = Notice
        fields = ["id", "kind", "unit", "at", "title", "text", "events", "told"]
        read_only_fields = fields

    def get_title(self, notice: Notice) -> str:
        return notice.said_in(get_language())[0]

    def get_text(self, notice: Notice) -> str:
        return notice.said_in(get_language())[1]


class AlertFilter(filters.FilterSet):
    """Narrows the log of alerts."""

    unit = UnitFilter(label="Of this unit itself.")
    kind = filters.ChoiceFilter(choices=AlertKind.choices)
    state = filters.ChoiceFilter(
        method="having", choices=Telling.State.choices, label="With a place of which this is so."
    )
    since = MomentFilter("made_at", "gte", label="Told at this moment or later.")
    until = MomentFilter("made_at", "lt", label="Told before this moment.")
    search = filters.CharFilter(method="containing", label="Part of the title or of the text.")

    def having(self, rows: QuerySet, _name: str, value: str) -> QuerySet:
        return rows.filter(pk__in=Telling.objects.filter(state=value).values("notice"))

    def containing(self, rows: QuerySet, _name: str, words: str) -> QuerySet:
        return rows.filter(Q(title__icontains=words) | Q(body__icontains=words))


@extend_schema(tags=["alerts"])
class AlertViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """Alerts of the last 90 days and to whom they were told, the latest first. Needs a manager."""

    queryset = (
        Notice.objects.annotate(
            unit_of=Subquery(Unit.objects.filter(path=OuterRef("unit_path")).values("pk")[:1])
        )
        .prefetch_related("tellings")
        .order_by("-id")
    )
    serializer_class = AlertSerializer
    filterset_class = AlertFilter
    acts = {"list": Act.VIEW, "retrieve": Act.VIEW}
