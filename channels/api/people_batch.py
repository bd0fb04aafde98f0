"""Many recipients in one request: who is there is changed, who is not is added."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from channels.actions.people import Fate, Wanted, upsert
from channels.api.recipients import TagNames
from channels.models import Recipient
from channels.models.recipient import NAME_LENGTH
from config.scoped.acting import ActingViewSet
from config.scoped.fields import Choice, StrictBody, WholeNumber, Words, YesNo
from config.scoped.many import ALL_OR_NOTHING, is_all_or_nothing
from config.scoped.openapi import ProblemSerializer
from config.scoped.problems import MEDIA_TYPE, by_field, problem
from orgs.reach import Act

MOST_ITEMS = 1_000
COLUMNS = ("name", "region", "language")


class ItemSerializer(StrictBody):
    """What is said of one person. What is left out stays as it is."""

    account = WholeNumber(min_value=1)
    address = Words(max_length=200)
    unit = WholeNumber(
        min_value=1, required=False, help_text="Of somebody new: your own if you leave it out."
    )
    name = Words(max_length=100, allow_blank=True, required=False)
    region = Words(max_length=NAME_LENGTH, allow_blank=True, required=False)
    language = Choice(choices=settings.LANGUAGES, allow_blank=True, required=False)
    tags = TagNames(help_text="These and no others.")
    has_opted_out = YesNo(
        required=False,
        help_text="Left out it stays as it is. False takes back what was noted here, and not what "
        "somebody did at the channel (who blocked the account follows it again there).",
    )


@extend_schema_field(ItemSerializer(many=True))
class People(serializers.ListField):
    """What is said of each is looked at one by one."""

    child = serializers.JSONField(allow_null=True)


class PeopleSerializer(StrictBody):
    """Persons, each by account and address."""

    items = People(allow_empty=False, max_length=MOST_ITEMS)


class PersonOutcomeSerializer(serializers.Serializer):
    """What became of one."""

    index = serializers.IntegerField(help_text="Its place in the request, from 0.")
    status = serializers.IntegerField(
        help_text="201: added. 200: changed. 424: not done, since another was refused."
    )
    id = serializers.IntegerField(allow_null=True)
    problem = ProblemSerializer(allow_null=True)


class PeopleOutcomesSerializer(serializers.Serializer):
    """What became of each, in the order of the request."""

    results = PersonOutcomeSerializer(many=True)
    done = serializers.IntegerField()
    refused = serializers.IntegerField()


class PeopleProblemSerializer(ProblemSerializer):
    """Nothing was done; why, says each of the results."""

    results = PersonOutcomeSerializer(many=True, required=False)


@extend_schema(tags=["recipients"])
class PeopleBatchViewSet(ActingViewSet):
    """Many recipients at once."""

    queryset = Recipient.objects.all()
    serializer_class = PeopleSerializer
    acts = {"create": Act.CREATE}

    @extend_schema(
        operation_id="recipients_batch",
        parameters=[ALL_OR_NOTHING],
        responses={200: PeopleOutcomesSerializer, (409, MEDIA_TYPE): PeopleProblemSerializer},
    )
    def create(self, request: Request) -> Response:
        """Add and change up to 1,000 people, each by account and address."""
        as_one = is_all_or_nothing(request)
        read = [_read(item) for item in self.values()["items"]]
        unread = [one for one in read if isinstance(one, dict)]

        def go(fates: list[Fate]) -> bool:
            return not as_one or not (unread or any(fate.problems for fate in fates))

        wanted = [one for one in read if isinstance(one, Wanted)]
        fates = iter(upsert(wanted, by=request.user, go=go))
        results = [_outcome(i, one if isinstance(one, dict) else next(fates))
                   for i, one in enumerate(read)]  # fmt: skip
        refused = sum(one["problem"] is not None for one in results)
        if as_one and refused:
            return _nothing_done(results, refused)
        answer = {"results": results, "done": len(results) - refused, "refused": refused}
        return Response(PeopleOutcomesSerializer(answer).data)


ITEM = ItemSerializer()  # one for all: to make one costs more than to ask it


def _read(item: Any) -> Wanted | dict[str, Any]:
    """What it says, or the problem with it."""
    try:
        said = ITEM.run_validation(item)
    except ValidationError as error:
        return problem(400, errors=by_field(error.detail))
    values = {name: said.pop(name) for name in COLUMNS if name in said}
    if "region" in values:
        values["region"] = " ".join(values["region"].split())
    return Wanted(**said, values=values)


def _outcome(index: int, one: Fate | dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any]
    if isinstance(one, Fate) and not one.problems and one.person:
        found = {"status": 201 if one.is_new else 200, "id": one.person.pk, "problem": None}
    else:
        said = one if isinstance(one, dict) else problem(400, errors=one.problems)
        found = {"status": 400, "id": None, "problem": said}
    return {"index": index, **found}


def _nothing_done(results: list[dict[str, Any]], refused: int) -> Response:
    dropped = problem(424, _("Another one was refused."))
    for one in results:
        if one["problem"] is None:
            one |= {"status": 424, "id": None, "problem": dropped}
    words = _("Nothing was done: %(refused)d of %(all)d were refused.")
    said = problem(409, words % {"refused": refused, "all": len(results)})
    shown = PersonOutcomeSerializer(results, many=True).data
    return Response(said | {"results": shown}, status=409, content_type=MEDIA_TYPE)
