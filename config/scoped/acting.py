"""The base of endpoints that only call acts."""

from typing import Any

from rest_framework.response import Response

from config.scoped.api import ScopedViewSet
from config.scoped.refusals import answer_to
from orgs.refusal import Refused


class ActingViewSet(ScopedViewSet):
    """Says what an act says."""

    may_conflict = True

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(answer_to(exc) if isinstance(exc, Refused) else exc)

    def values(self, **kwargs: Any) -> dict[str, Any]:
        """What the request gives, checked."""
        serializer = self.get_serializer(data=self.request.data, **kwargs)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)
