"""What is read of a request's body: bounded in size and depth before anything looks at it."""

import json
from typing import IO, Any, NoReturn

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser, MultiPartParser

from config.scoped.problems import BodyTooLarge

DEPTH_LIMIT = 20  # an object with lists in it has 2


class StrictJSONParser(JSONParser):
    """JSON as RFC 8259 has it: UTF-8 whatever the header says, no NaN, no half characters. Of a
    name that stands twice, nobody knows which value was meant."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None
    ) -> Any:
        _bound(parser_context, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        try:
            text = stream.read().decode("utf-8")
            value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object)
            _check(value)
        except (ValueError, RecursionError) as error:
            raise ParseError(_("The body is not valid JSON.")) from error
        return value


class BoundedMultiPartParser(MultiPartParser):
    """A form with files; `limit` is in bytes, for all of it."""

    limit = 1024 * 1024

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None
    ) -> Any:
        _bound(parser_context, self.limit)
        return super().parse(stream, media_type, parser_context)


def _bound(parser_context: Any, limit: int) -> None:
    # The server hands over no more than the header announces.
    announced = parser_context["request"].META.get("CONTENT_LENGTH") or "0"
    if not announced.isdecimal() or int(announced) > limit:
        raise BodyTooLarge


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ParseError(_("The body has a name twice in one object."))
    return found


def _check(value: Any) -> None:
    """Refuse what JSON can carry but no answer could repeat: half characters, great depth."""
    level = [value]
    for _depth in range(DEPTH_LIMIT):
        below: list[Any] = []
        for item in level:
            if isinstance(item, str):
                item.encode()
            elif isinstance(item, dict):
                below += [*item.keys(), *item.values()]
            elif isinstance(item, list):
                below += item
        if not below:
            return
        level = below
    raise ValueError("too deep")
