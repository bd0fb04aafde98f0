"""The OpenAPI document. To make it takes more than half a second, and anybody may ask for it: each
process makes it once for each language."""

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.translation import get_language
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.request import Request
from rest_framework.response import Response


class DocumentView(SpectacularJSONAPIView):
    """In the language that is asked for, as all answers."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(document())


def document() -> dict[str, Any]:
    """What is kept: to be read, and not to be changed."""
    return _made(get_language())


@lru_cache(maxsize=len(settings.LANGUAGES))
def _made(language: str | None) -> dict[str, Any]:
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return made
