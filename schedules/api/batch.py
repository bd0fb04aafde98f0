"""Many schedules in one request: each for itself, or all or nothing."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar

from django.db import connection, transaction
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from config.scoped.fields import LARGEST, StrictBody, WholeNumber, own_unit
from config.scoped.many import ALL_OR_NOTHING, is_all_or_nothing
from config.scoped.openapi import ProblemSerializer
from config.scoped.problems import MEDIA_TYPE, problem, problem_response
from config.scoped.refusals import answer_to
from orgs.reach import Act
from schedules import actions
from schedules.actions.locked import hold_in_order
from schedules.api import writing
from schedules.api.rehearsing import Rehearsal, RehearsingViewSet, as_heard
from schedules.api.representation import ScheduleSerializer
from schedules.api.schedules import ScheduleViewSet
from schedules.dispatch.rehearse import Heard
from schedules.dispatch.samples import Sample
from schedules.recurrence import Kind

MOST_ITEMS = 100

IDS = OpenApiParameter(
    "ids", {"type": "string", "pattern": r"^[0-9]{1,18}(,[0-9]{1,18})*$", "example": "4,8,15"},
    required=True, description=f"The ids, with commas between them: at most {MOST_ITEMS}.",
)  # fmt: skip


class ChangeSerializer(ScheduleSerializer):
    """A schedule’s id, and what is to change of it."""

    id = WholeNumber(min_value=1)


class Items(serializers.ListField):
    """What is done to each is looked at one by one."""

    child = serializers.JSONField(allow_null=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_empty=False, max_length=MOST_ITEMS, **kwargs)


@extend_schema_field(ScheduleSerializer(many=True))
class NewItems(Items):
    """Each as in `POST /schedules`."""


@extend_schema_field(ChangeSerializer(many=True, partial=True))
class ChangedItems(Items):
    """Each as in `PATCH /schedules/{id}`, with its `id`."""


class BatchCreateSerializer(StrictBody):
    """New schedules."""

    items = NewItems()


class BatchChangeSerializer(StrictBody):
    """Changes of schedules."""

    items = ChangedItems()


class OutcomeSerializer(serializers.Serializer):
    """What became of one."""

    index = serializers.IntegerField(help_text="Its place in the request, from 0.")
    id = serializers.IntegerField(allow_null=True)
    status = serializers.IntegerField(help_text="As if it had been sent alone; 424: not done, "
                                                "since another was refused.")  # fmt: skip
    schedule = ScheduleSerializer(allow_null=True, read_only=True)
    problem = ProblemSerializer(allow_null=True)


class OutcomesSerializer(serializers.Serializer):
    """What became of each, in the order of the request."""

    results = OutcomeSerializer(many=True)
    done = serializers.IntegerField()
    refused = serializers.IntegerField()


class BatchProblemSerializer(ProblemSerializer):
    """Nothing was done; why, says each of the results."""

    results = OutcomeSerializer(many=True, required=False)


@dataclass
class Outcome:
    """What became of one item. `pk`: of the schedule that it is about, where that is known."""

    index: int
    status: int
    pk: int | None = None
    problem: dict[str, Any] | None = None


def _answers(code: int) -> dict[Any, Any]:
    return {code: OutcomesSerializer, (409, MEDIA_TYPE): BatchProblemSerializer}


@extend_schema(tags=["schedules"], parameters=[ALL_OR_NOTHING], responses=_answers(200))
class BatchViewSet(RehearsingViewSet):
    """Many schedules at once."""

    queryset = ScheduleViewSet.queryset
    serializer_class = ScheduleSerializer
    may_conflict = True
    acts = {"create": Act.CREATE, "change": Act.CHANGE, "cancel": Act.RUN}
    rehearsed = frozenset({"create", "change"})
    answer_class: ClassVar[type[OutcomesSerializer]] = OutcomesSerializer

    @extend_schema(operation_id="schedules_batch_create", request=BatchCreateSerializer)
    def create(self, request: Request) -> Response:
        """Register many schedules."""
        items = self._items(BatchCreateSerializer)
        heard = iter(self.heard_each(len(items)))
        return self._carry_out(
            items, lambda item: self._create_one(item, next(heard)), status.HTTP_201_CREATED
        )

    @extend_schema(operation_id="schedules_batch_change", request=BatchChangeSerializer)
    def change(self, request: Request) -> Response:
        """Change many schedules: of each what is given."""
        items = self._items(BatchChangeSerializer)
        heard = iter(self.heard_each(len(items)))
        return self._carry_out(items, lambda item: self._change_one(item, next(heard)))

    @extend_schema(operation_id="schedules_batch_cancel", parameters=[IDS])
    def cancel(self, request: Request) -> Response:
        """End many schedules for good."""
        return self._carry_out(_ids(request), self._cancel_one)

    def _items(self, body: type[serializers.Serializer]) -> list[Any]:
        asked = body(data=self.request.data)
        asked.is_valid(raise_exception=True)
        return list(asked.validated_data["items"])

    def rehearsals(self) -> Sequence[Rehearsal]:
        """Of a body that cannot be read there are none."""
        with suppress(ValidationError):
            if self.action == "create":
                return [partial(self._ask_new, item) for item in self._items(BatchCreateSerializer)]
            return [partial(self._ask_change, item) for item in self._items(BatchChangeSerializer)]
        return []

    def _ask_new(self, item: Any) -> list[Sample]:
        return writing.ask_create(**self._asked_new(item))

    def _ask_change(self, item: Any) -> list[Sample]:
        return writing.ask_edit(**self._asked_change(item))

    def _create_one(self, item: Any, heard: Heard) -> int:
        return as_heard(heard, partial(writing.create, **self._asked_new(item))).pk

    def _change_one(self, item: Any, heard: Heard) -> int:
        return as_heard(heard, partial(writing.edit, **self._asked_change(item))).pk

    def _asked_new(self, item: Any) -> dict[str, Any]:
        values = self._values(item)
        unit = values.pop("unit", None) or own_unit(self.request.user)
        return {"values": values, "by": self.request.user, "unit": unit}

    def _asked_change(self, item: Any) -> dict[str, Any]:
        values = dict(item) if isinstance(item, dict) else {}
        pk = WholeNumber(min_value=1)
        try:
            schedule = self._schedule(pk.run_validation(values.pop("id", None)))
        except ValidationError as error:
            raise ValidationError({"id": error.detail}) from error
        values = self._values(values, instance=schedule, partial=True)
        said = {"revisions": {values["revision"]} if "revision" in values else set()}
        who = {"schedule": schedule, "by": self.request.user}
        return {**who, "values": values, **said, "whole": False}

    def _cancel_one(self, pk: int) -> int:
        return actions.cancel(self._schedule(pk), by=self.request.user).pk

    def _schedule(self, pk: int) -> Any:
        return get_object_or_404(self.get_queryset(), pk=pk)

    def _values(self, item: Any, **kwargs: Any) -> dict[str, Any]:
        serializer = self.get_serializer(data=item, **kwargs)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def _carry_out(
        self, items: Sequence[Any], act: Callable[[Any], int], code: int = status.HTTP_200_OK
    ) -> Response:
        as_one = is_all_or_nothing(self.request)
        with transaction.atomic() if as_one else nullcontext():
            if connection.in_atomic_block:  # also where an Idempotency-Key makes it one
                self._hold(items)
            outcomes = [_try(index, item, act, code) for index, item in enumerate(items)]
            refused = sum(outcome.problem is not None for outcome in outcomes)
            is_undone = as_one and refused > 0
            if is_undone:
                transaction.set_rollback(True)
        if is_undone:
            return self._nothing_done(outcomes, refused)
        return Response(self._answer(outcomes, refused))

    def _answer(self, outcomes: Sequence[Outcome], refused: int) -> Any:
        told = {"results": self._shown(outcomes), "done": len(outcomes) - refused}
        return self.answer_class(told | {"refused": refused}).data

    def _hold(self, items: Sequence[Any]) -> None:
        """All that the items will hold, in one order for all who ask."""
        rows = [item if isinstance(item, dict) else {"id": item} for item in items]
        ids, rooms, audiences = (
            {pk for row in rows for pk in _numbers(row.get(name))}
            for name in ("id", "rooms", "audience")
        )
        hold_in_order(
            self.get_queryset().filter(pk__in=ids),
            rooms=rooms,
            audiences=audiences,
            sends=any(row.get("timing_kind") == Kind.NOW for row in rows),
        )

    def _nothing_done(self, outcomes: Sequence[Outcome], refused: int) -> Response:
        dropped = problem(HTTPStatus.FAILED_DEPENDENCY, _("Another one was refused."))
        for outcome in outcomes:
            if outcome.problem is None:
                outcome.status, outcome.pk, outcome.problem = dropped["status"], None, dropped
        words = _("Nothing was done: %(refused)d of %(all)d were refused.")
        said = problem(409, words % {"refused": refused, "all": len(outcomes)})
        results = self._answer(outcomes, len(outcomes))["results"]
        return Response(said | {"results": results}, status=409, content_type=MEDIA_TYPE)

    def _shown(self, outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
        done = [outcome.pk for outcome in outcomes if outcome.pk and not outcome.problem]
        rows = self.get_queryset().in_bulk(done)
        return [vars(outcome) | {"id": outcome.pk, "schedule": rows.get(outcome.pk)}
                for outcome in outcomes]  # fmt: skip


def _try(index: int, item: Any, act: Callable[[Any], int], code: int) -> Outcome:
    """Do it; what is refused has changed nothing."""
    try:
        with transaction.atomic():
            return Outcome(index, code, act(item))
    except actions.Refused as refusal:
        error: Exception = answer_to(refusal)
    except (APIException, Http404) as raised:
        error = raised
    answer = problem_response(error, {})
    assert answer is not None, "these are the errors that REST framework answers"
    return Outcome(index, answer.status_code, problem=answer.data)


def _numbers(value: Any) -> set[int]:
    """The ids in what was given, which nobody has looked at yet."""
    found = set()
    for one in value if isinstance(value, list) else [value]:
        with suppress(ValidationError):
            found.add(WholeNumber(min_value=1).run_validation(one))
    return found


def _ids(request: Request) -> list[int]:
    texts = request.query_params.get("ids", "").split(",")
    if not all(text.isascii() and text.isdigit() and len(text) < 19 for text in texts):
        raise ValidationError({"ids": [_("Write ids with commas between them.")]})
    if len(texts) > MOST_ITEMS:
        raise ValidationError({"ids": [_("At most %(most)d ids.") % {"most": MOST_ITEMS}]})
    return [min(int(text), LARGEST) for text in texts]
