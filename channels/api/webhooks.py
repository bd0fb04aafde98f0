"""Webhooks in the API: endpoints that are told of results, and the log of what they were told."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from channels.actions import webhooks as acts
from channels.models import Webhook, WebhookAttempt, WebhookDelivery
from channels.models.webhook import EVENTS
from config.scoped.acting import ActingViewSet
from config.scoped.fields import (
    Choice,
    Moment,
    ScopedRelatedField,
    ShownSerializer,
    StrictSerializer,
    own_unit,
)
from logs.said import retell
from orgs.clock import database_now
from orgs.models import Unit
from orgs.reach import Act, within

NAMES = [name for name, _label in EVENTS]


class WebhookSerializer(StrictSerializer):
    """An endpoint. Its secret has an address of its own."""

    unit = ScopedRelatedField(
        queryset=Unit.objects.all(),
        required=False,
        help_text="It is told of this unit and of all under it. If you leave it out: your own. "
        "It stays as it was made.",
    )
    events = serializers.ListField(
        child=Choice(choices=NAMES), allow_empty=False, help_text="What it is told of."
    )

    class Meta:
        model = Webhook
        fields = [
            "id", "unit", "name", "url", "events", "is_active", "failing_since", "stopped_at",
            "stopped_why", "previous_until", "told_from",
        ]  # fmt: skip
        read_only_fields = [
            "failing_since", "stopped_at", "stopped_why", "previous_until", "told_from"
        ]  # fmt: skip
        validators: list[Any] = []  # the act answers, in words for people

    def to_representation(self, instance: Any) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(instance)
        return shown | {"stopped_why": retell(shown["stopped_why"])}


class SecretSerializer(serializers.Serializer):
    """With what messages are signed."""

    secret = serializers.CharField(help_text="By Standard Webhooks: whsec_ and Base64.")
    previous_until = Moment(
        allow_null=True, help_text="Until when the secret before this one signs, too."
    )


class WebhookAttemptSerializer(ShownSerializer):
    """One try."""

    why = serializers.SerializerMethodField(help_text="Why no answer was heard.")

    class Meta:
        model = WebhookAttempt
        fields = ["at", "took_ms", "status", "why"]
        read_only_fields = fields

    def get_why(self, attempt: WebhookAttempt) -> str:
        return retell(attempt.why)


class WebhookDeliverySerializer(ShownSerializer):
    """One message to one endpoint."""

    message_id = serializers.CharField(
        source="fact.message_id", help_text="The same at every try: its header webhook-id."
    )
    event = serializers.ChoiceField(choices=[*NAMES, "webhook.test"], source="fact.kind")
    happened_at = Moment(source="fact.at")
    attempts: Any = WebhookAttemptSerializer(many=True)

    class Meta:
        model = WebhookDelivery
        fields = [
            "id", "message_id", "event", "happened_at", "state", "tries", "next_try_at",
            "ended_at", "attempts",
        ]  # fmt: skip
        read_only_fields = fields


@extend_schema(tags=["webhooks"])
class WebhookViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActingViewSet):
    """Endpoints that are told of results. Needs a manager."""

    queryset = Webhook.objects.select_related("unit").order_by("-id")
    serializer_class = WebhookSerializer
    url_problem = ""
    acts = {
        "list": Act.VIEW,
        "retrieve": Act.VIEW,
        "create": Act.CREATE,
        "partial_update": Act.CHANGE,
        "destroy": Act.DELETE,
        "secret": Act.CHANGE,
        "renew": Act.CHANGE,
        "test": Act.CHANGE,
    }

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action in ("create", "partial_update"):
            # Here, for it asks the DNS, and what follows may stand in a transaction.
            url = request.data.get("url") if isinstance(request.data, dict) else None
            self.url_problem = acts.problem_of_url(url) if isinstance(url, str) else ""

    @extend_schema(responses={status.HTTP_201_CREATED: WebhookSerializer})
    def create(self, request: Request) -> Response:
        """Add one. Its signing secret is made, and read at `/secret`."""
        values = self.values()
        if "unit" not in values:
            values["unit"] = own_unit(request.user)
        webhook = acts.add(values, by=request.user, url_problem=self.url_problem)
        return Response(self.get_serializer(webhook).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is given. Switched on again, it is told what happens from then on."""
        webhook = self.get_object()
        values = self.values(instance=webhook, partial=True)
        values.pop("unit", None)
        changed = acts.change(webhook, values, by=request.user, url_problem=self.url_problem)
        return Response(self.get_serializer(changed).data)

    @extend_schema(responses={status.HTTP_204_NO_CONTENT: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove it, with its log."""
        acts.remove(self.get_object(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses=SecretSerializer)
    @action(methods=["get"], detail=True)
    def secret(self, request: Request, pk: str) -> Response:
        """The secret with which its messages are signed. Needs the scope to write."""
        return self._secret(self.get_object())

    @extend_schema(request=None)
    @action(methods=["post"], detail=True, url_path="renew-secret")
    def renew(self, request: Request, pk: str) -> Response:
        """Sign with a new secret, read at `/secret`; for a day the one before it signs, too."""
        webhook = acts.renew_secret(self.get_object(), by=request.user)
        return Response(self.get_serializer(webhook).data)

    @extend_schema(request=None, responses={status.HTTP_202_ACCEPTED: WebhookDeliverySerializer})
    @action(methods=["post"], detail=True)
    def test(self, request: Request, pk: str) -> Response:
        """Send it a message that says that it is a test."""
        delivery = acts.send_test(self.get_object(), by=request.user)
        shown = WebhookDeliverySerializer(delivery).data
        return Response(shown, status=status.HTTP_202_ACCEPTED)

    def _secret(self, webhook: Webhook) -> Response:
        now = database_now()
        is_kept = webhook.previous_until and now < webhook.previous_until
        shown = {
            "secret": webhook.secrets["secret"],
            "previous_until": webhook.previous_until if is_kept else None,
        }
        return Response(SecretSerializer(shown).data, headers={"Cache-Control": "no-store"})


WHOSE = OpenApiParameter("webhook", int, OpenApiParameter.PATH, description="The endpoint.")


@extend_schema(tags=["webhooks"], parameters=[WHOSE])
class WebhookDeliveryViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActingViewSet):
    """What an endpoint was told in the last 30 days, the latest first."""

    queryset = (
        WebhookDelivery.objects.select_related("fact", "webhook__unit")
        .prefetch_related("attempts")
        .order_by("-id")
    )
    serializer_class = WebhookDeliverySerializer
    acts = {"list": Act.VIEW, "retrieve": Act.VIEW, "resend": Act.CHANGE}

    def get_queryset(self) -> QuerySet:
        seen = within(self.request.user, Webhook.objects.all())
        webhook = get_object_or_404(seen, pk=self.kwargs["webhook"])
        return super().get_queryset().filter(webhook=webhook)

    @extend_schema(request=None, responses={status.HTTP_202_ACCEPTED: WebhookDeliverySerializer})
    @action(methods=["post"], detail=True)
    def resend(self, request: Request, webhook: str, pk: str) -> Response:
        """Send it once more: the same body with the same `webhook-id`."""
        delivery = acts.resend(self.get_object(), by=request.user)
        return Response(self.get_serializer(delivery).data, status=status.HTTP_202_ACCEPTED)
