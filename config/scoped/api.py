"""The base of every endpoint: rows within reach, acts declared, everything else refused."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework.viewsets import GenericViewSet

from config.scoped.fields import ScopedRelatedField
from config.scoped.openapi import ProblemSchema
from config.scoped.parsers import StrictJSONParser
from config.scoped.permission import ReachPermission
from orgs.reach import Act, within

__all__ = ["ScopedRelatedField", "ScopedViewSet"]


class ScopedViewSet(GenericViewSet):
    """Declares in `acts` which act each of its actions is; one that is not there is refused."""

    acts: ClassVar[dict[str, Act]] = {}
    permission_classes = [ReachPermission]
    parser_classes = [StrictJSONParser]
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]
    lookup_value_regex = "[0-9]{1,18}"
    schema = ProblemSchema()
    # Whether an act may be refused for the state in which its row is (409).
    may_conflict: ClassVar[bool] = False

    def get_queryset(self) -> QuerySet:
        """Rows that may be seen. What is out of reach and what does not exist answer alike."""
        return within(self.request.user, super().get_queryset())

    def get_object(self) -> Any:
        """The row named in the address. A list's filters do not narrow it."""
        return get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])
