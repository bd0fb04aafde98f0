"""Accounts in the API: what may be read of them, and secrets that may only be written."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from channels.actions.account import Saved, add_account, change_account, check_account
from channels.actions.settings import Given, by_place, url_problems
from channels.adapters import registry
from channels.adapters.base import Adapter
from channels.models import Account, AccountCheck
from channels.promises import Promise
from config.scoped.acting import ActingViewSet
from config.scoped.fields import (
    Choice,
    Moment,
    ScopedRelatedField,
    StrictSerializer,
    Words,
    own_unit,
)
from config.scoped.filters import IdFilter, YesNoFilter
from config.scoped.once import ShownOnce
from orgs.models import Unit
from orgs.reach import Act, within

LONGEST_SETTING = 5_000


class CheckSerializer(serializers.ModelSerializer):
    """What the channel said when it was asked whether the credentials hold."""

    is_waiting = serializers.SerializerMethodField(help_text="Asked for; a worker comes shortly.")
    checked_at = Moment(read_only=True, allow_null=True)

    class Meta:
        model = AccountCheck
        fields = ["is_waiting", "checked_at", "outcome", "name", "balance", "why"]
        read_only_fields = fields
        extra_kwargs = {"outcome": {"allow_blank": True, "help_text": "Empty: not answered yet."}}

    def get_is_waiting(self, row: AccountCheck) -> bool:
        return row.asked_at is not None


class AccountSerializer(StrictSerializer):
    """Credentials at a channel. Its channel is chosen once, when it is made."""

    unit = ScopedRelatedField(
        queryset=Unit.objects.all(),
        required=False,
        help_text="Whose it is; your own if you leave it out.",
    )
    channel = Choice(source="kind", choices=[])
    settings = serializers.DictField(
        source="config",
        child=Words(max_length=LONGEST_SETTING, allow_blank=True),
        required=False,
        help_text="Those of the channel that may be read, by name. One that is left out stays.",
    )
    secrets = serializers.DictField(
        child=Words(max_length=LONGEST_SETTING, allow_null=True, trim_whitespace=False),
        required=False,
        write_only=True,
        help_text="By name. Never shown again. Left out it stays, null removes it.",
    )
    new_secrets = serializers.ListField(
        child=Words(),
        required=False,
        write_only=True,
        max_length=5,
        help_text="Names of secrets that Teiji makes, to be made anew.",
    )
    secret_hints = serializers.SerializerMethodField(
        help_text="Of each secret that is set the last four characters, if it is long."
    )
    promise = serializers.ChoiceField(
        choices=Promise.choices,
        read_only=True,
        help_text="How often a message arrives of which the channel’s answer was lost.",
    )
    stopped_at = Moment(
        read_only=True,
        allow_null=True,
        help_text="Since then nothing goes; a change of more than its name lets it go on.",
    )
    check = serializers.SerializerMethodField(
        help_text="What its channel said last. Null: it was never asked."
    )
    made = serializers.SerializerMethodField(
        help_text="Secrets that Teiji has just made, by name: only in the answer to this request."
    )

    class Meta:
        model = Account
        fields = [
            "id", "unit", "name", "channel", "settings", "secrets", "new_secrets", "secret_hints",
            "on_unknown", "is_shared", "requests_per_second", "is_active", "promise", "stopped_at",
            "stopped_why", "is_spent", "check", "made",
        ]  # fmt: skip
        read_only_fields = ["stopped_why", "is_spent"]
        extra_kwargs = {"requests_per_second": {"min_value": 1, "max_value": 2**31 - 1}}
        validators: list[Any] = []  # the act answers, in words for people

    def get_fields(self) -> Any:
        found: Any = super().get_fields()
        found["channel"].choices = [(kind, kind) for kind in sorted(registry())]
        return found

    def get_secret_hints(self, account: Account) -> dict[str, str]:
        return account.secret_hints() if account.kind in registry() else {}

    @extend_schema_field(CheckSerializer(allow_null=True))
    def get_check(self, account: Account) -> Any:
        row = getattr(account, "check_row", None)
        return CheckSerializer(row).data if row else None

    def get_made(self, account: Account) -> dict[str, str]:
        return {}

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        kind = values.pop("kind", None)
        if self.instance and kind not in (None, self.instance.kind):
            raise serializers.ValidationError({"channel": [_("It stays as it was made.")]})
        kind = self.instance.kind if self.instance else kind
        found = registry().get(kind)
        if found is None:
            raise serializers.ValidationError(_("The channel of this account is not installed."))
        said = {"settings": values.pop("config", {}), "secrets": values.pop("secrets", {}),
                "new_secrets": values.pop("new_secrets", [])}  # fmt: skip
        return values | {"kind": kind, "given": given_of(found, **said)}


def given_of(
    found: type[Adapter],
    *,
    settings: dict[str, str],
    secrets: dict[str, str | None],
    new_secrets: list[str],
) -> Given:
    """What the body says, if the channel has such settings. Raises ValidationError."""
    known: dict[str, Any] = {f.name: f.metadata for f in dataclasses.fields(found.config_class)}
    problems = {}
    for place, names in (
        ("settings", settings),
        ("secrets", secrets),
        ("new_secrets", new_secrets),
    ):
        for name in names:
            if name not in known or place != _place_of(known[name]):
                problems[f"{place}.{name}"] = [_("There is no such field.")]
    for name in settings.keys() & known.keys():
        offered = [value for value, _label in known[name]["choices"]]
        if offered and settings[name] not in offered:
            words = serializers.ChoiceField.default_error_messages["invalid_choice"]
            problems[f"settings.{name}"] = [words.format(input=settings[name])]
    if problems:
        raise serializers.ValidationError(problems)
    set_ones = {name: value for name, value in secrets.items() if value}
    cleared = [name for name, value in secrets.items() if not value]
    return Given({**settings, **set_ones}, cleared, new_secrets)


def _place_of(facts: Mapping[str, Any]) -> str:
    if facts["made"]:
        return "new_secrets"
    return "secrets" if facts["secret"] else "settings"


class AccountFilter(filters.FilterSet):
    """Narrows the list of accounts."""

    unit = IdFilter(label="Accounts of this unit itself.")
    channel = filters.CharFilter("kind", label="At this channel.")
    is_shared = YesNoFilter(label="Only those that units below may use, or only the others.")
    is_active = YesNoFilter(label="Only those through which is sent, or only the others.")
    search = filters.CharFilter("name", "icontains", label="Part of the name.")


class UsableSerializer(serializers.ModelSerializer):
    """An account as those see it who may only send through it."""

    channel = serializers.CharField(source="kind")
    promise = serializers.ChoiceField(choices=Promise.choices)
    is_own = serializers.SerializerMethodField(help_text="Whether you manage it, too.")

    class Meta:
        model = Account
        fields = ["id", "name", "channel", "promise", "is_shared", "is_active", "is_own"]
        read_only_fields = fields

    def get_is_own(self, account: Account) -> bool:
        return account.pk in self.context["own"]


@extend_schema(tags=["accounts"])
class AccountViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ActingViewSet):
    """Accounts that you manage. None is deleted, for the log refers to it: make it inactive."""

    queryset = Account.objects.select_related("unit", "check_row")
    serializer_class = AccountSerializer
    filterset_class = AccountFilter
    orderings = ("name",)
    acts = {
        "list": Act.VIEW,
        "retrieve": Act.VIEW,
        "usable": Act.VIEW,
        "create": Act.CREATE,
        "partial_update": Act.CHANGE,
        "check": Act.CHANGE,
    }

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Asks the DNS about URLs before a transaction is open, as an Idempotency-Key does."""
        super().initial(request, *args, **kwargs)
        if self.action in ("create", "partial_update"):
            self._refuse_unsafe_urls(request.data)

    @extend_schema(responses={status.HTTP_201_CREATED: AccountSerializer})
    def create(self, request: Request) -> Response:
        """Add an account. Its channel is asked at once whether it holds: see `check`."""
        values = self.values()
        values["unit"] = values.get("unit") or own_unit(request.user)
        given, kind = values.pop("given"), values.pop("kind")
        saved = add_account(values, given, by=request.user, kind=kind)
        return self._answer(saved, status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is given. One that was stopped goes on: a person has seen to it."""
        account = self.get_object()
        values = self.values(instance=account, partial=True)
        given = values.pop("given")
        return self._answer(change_account(account, values, given, by=request.user), 200)

    @extend_schema(request=None, responses={status.HTTP_202_ACCEPTED: AccountSerializer})
    @action(methods=["post"], detail=True)
    def check(self, request: Request, pk: str) -> Response:
        """Ask its channel now whether the credentials hold. A worker does so within seconds:
        read `check` until `is_waiting` is false."""
        account = self.get_object()
        check_account(account, by=request.user)
        return Response(self.get_serializer(self.get_object()).data, status=202)

    @extend_schema(
        operation_id="accounts_usable_list", filters=True, responses=UsableSerializer(many=True)
    )
    @action(detail=False, serializer_class=UsableSerializer, is_sparse=True)
    def usable(self, request: Request) -> Response:
        """Accounts that you may use for rooms and people: your own, and shared ones above you."""
        rows = within(request.user, Account.objects.all(), Act.USE)
        page = self.paginate_queryset(self.filter_queryset(rows))
        assert page is not None
        mine = within(request.user, Account.objects.filter(pk__in=[row.pk for row in page]))
        own = set(mine.values_list("pk", flat=True))
        context = {**self.get_serializer_context(), "own": own}
        return self.get_paginated_response(UsableSerializer(page, many=True, context=context).data)

    def _refuse_unsafe_urls(self, data: Any) -> None:
        account = self.get_object() if "pk" in self.kwargs else None
        said = data if isinstance(data, dict) else {}
        kind, settings = account.kind if account else said.get("channel"), said.get("settings")
        found = registry().get(kind) if isinstance(kind, str) else None
        if found and isinstance(settings, dict):
            problems = by_place(found, url_problems(found, settings))
            if problems:
                raise serializers.ValidationError(problems)

    def _answer(self, saved: Saved, code: int) -> Response:
        account = self.get_queryset().get(pk=saved.account.pk)
        kept: dict[str, Any] = dict(self.get_serializer(account).data)
        return ShownOnce(kept | {"made": saved.made}, kept=kept, status=code)
