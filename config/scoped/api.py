"""The base of every endpoint: rows within reach, acts declared, everything else refused."""

from functools import partial
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.status import is_success
from rest_framework.viewsets import GenericViewSet

from config.scoped.fields import ScopedRelatedField
from config.scoped.headers import place_of
from config.scoped.once import answer_once, key_of
from config.scoped.openapi import ProblemSchema
from config.scoped.parsers import StrictJSONParser
from config.scoped.permission import ReachPermission
from config.scoped.query import refuse_unknown
from config.scoped.rates import TokenRate
from config.scoped.sparse import asked_fields, narrowed
from orgs.reach import Act, within

__all__ = ["ScopedRelatedField", "ScopedViewSet"]


class ScopedViewSet(GenericViewSet):
    """Declares in `acts` which act each of its actions is; one that is not there is refused."""

    acts: ClassVar[dict[str, Act]] = {}
    permission_classes = [ReachPermission]
    throttle_classes = [TokenRate]
    parser_classes = [StrictJSONParser]
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]
    lookup_value_regex = "[0-9]{1,18}"
    schema = ProblemSchema()
    filterset_class: ClassVar[Any] = None
    # By what else its lists may be ordered than as they are, the other way round.
    orderings: ClassVar[tuple[str, ...]] = ()
    # Whether an action beside list and retrieve answers with no more than the `fields` asked for.
    is_sparse: ClassVar[bool] = False
    # Whether an act may be refused for the state in which its row is (409).
    may_conflict: ClassVar[bool] = False
    # Actions whose answer has the ETag of a schedule.
    tagged: ClassVar[tuple[str, ...]] = ()
    # Of an action besides create that makes something: the name of the address where it then is.
    made_at: ClassVar[dict[str, str]] = {}
    post: Any  # set by the router, for each address anew

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        refuse_unknown(request, self)
        self.asked_fields = asked_fields(request, self)
        if key := key_of(request):
            self.post = partial(answer_once, key, self.post)

    def check_permissions(self, request: Request) -> None:
        """What is refused was asked as well: it counts."""
        super().check_throttles(request)
        super().check_permissions(request)

    def check_throttles(self, request: Request) -> None:
        """Done already: REST framework would count only what is allowed."""

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        for name, value in vars(request).get("rate", {}).items():
            response[name] = value
        if place := place_of(self, request, response):
            response["Location"] = place
        asked = getattr(self, "asked_fields", None)
        if asked is not None and is_success(response.status_code):
            response.data = narrowed(response.data, asked)
        return super().finalize_response(request, response, *args, **kwargs)

    def get_queryset(self) -> QuerySet:
        """Rows that may be seen. What is out of reach and what does not exist answer alike."""
        return within(self.request.user, super().get_queryset())

    def get_object(self) -> Any:
        """The row named in the address. A list's filters do not narrow it."""
        return get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])
