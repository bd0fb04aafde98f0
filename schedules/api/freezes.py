"""Freezes: nothing is sent through an account, or for a unit and all under it."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from channels.models import Account
from config.scoped.acting import ActingViewSet
from config.scoped.api import ScopedViewSet
from config.scoped.fields import ShownSerializer, StrictBody
from config.scoped.problems import Conflict
from orgs.models import Unit
from orgs.reach import Act, within
from schedules.actions.freeze import freeze, in_force_of, unfreeze
from schedules.models import Freeze
from schedules.models.freeze import REASON_LENGTH


class WhySerializer(StrictBody):
    """Why it is done."""

    why = serializers.CharField(max_length=REASON_LENGTH, help_text="It stands in the history.")


class FreezeSerializer(ShownSerializer):
    """A freeze, in force while `lifted_at` is null."""

    class Meta:
        model = Freeze
        fields = ["id", "unit", "account", "name", "why", "frozen_at", "frozen_by", "lifted_at",
                  "lifted_by", "lifted_why"]  # fmt: skip
        read_only_fields = fields


@extend_schema(tags=["freezes"])
class FreezeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """What is frozen and what was, the latest first."""

    queryset = Freeze.objects.order_by("-id")
    serializer_class = FreezeSerializer
    acts = {"list": Act.VIEW, "retrieve": Act.VIEW}


class _Freezing(ActingViewSet):
    """Freezes and lifts what `subjects` has: who may is asked of the freeze, not of these."""

    queryset = Freeze.objects.all()
    subjects: ClassVar[QuerySet]
    serializer_class = FreezeSerializer
    acts = {"freeze": Act.CREATE, "unfreeze": Act.CHANGE}
    made_at = {"freeze": "freeze"}

    def get_object(self) -> Any:
        return get_object_or_404(within(self.request.user, self.subjects), pk=self.kwargs["pk"])

    @extend_schema(request=WhySerializer, responses={status.HTTP_201_CREATED: FreezeSerializer})
    @action(methods=["post"], detail=True)
    def freeze(self, request: Request, pk: str) -> Response:
        """Hand over nothing more of it. Needs a manager."""
        row = freeze(self.get_object(), by=request.user, why=self._why())
        return Response(self.get_serializer(row).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=WhySerializer, responses=FreezeSerializer)
    @action(methods=["post"], detail=True)
    def unfreeze(self, request: Request, pk: str) -> Response:
        """Let it send again. Needs a manager who stands no lower than whoever froze it."""
        subject, why = self.get_object(), self._why()
        row = in_force_of(subject, by=request.user)
        if row is None:
            raise Conflict(_("It is not frozen."))
        return Response(self.get_serializer(unfreeze(row, by=request.user, why=why)).data)

    def _why(self) -> str:
        asked: Any = WhySerializer(data=self.request.data)
        asked.is_valid(raise_exception=True)
        return str(asked.validated_data["why"])


@extend_schema(tags=["freezes"])
class UnitFreezeViewSet(_Freezing):
    """A unit with all under it."""

    subjects = Unit.objects.all()


@extend_schema(tags=["freezes"])
class AccountFreezeViewSet(_Freezing):
    """An account, for all who send through it."""

    subjects = Account.objects.select_related("unit")
