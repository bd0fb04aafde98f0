"""Tells a page how far a long step is, line by line, while the step is carried out."""

import json
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import translation

from channels.people.importing import WRITING
from channels.people.unusable import UnusableFile

ASKED_BY = "X-Progress"  # our script's header; a browser without it gets a page at the end


def is_asked_for(request: HttpRequest) -> bool:
    """Whether our script waits for the lines."""
    return ASKED_BY in request.headers


def told(steps: Iterator[int], *, then: str) -> StreamingHttpResponse:
    """Carry out these steps and tell of each. The last line says where to go, or what is wrong."""
    lines = _lines(steps, then, translation.get_language())
    response = StreamingHttpResponse(lines, content_type="application/x-ndjson")
    response["Cache-Control"] = "private, no-store"
    response["X-Accel-Buffering"] = "no"  # a proxy would keep the lines back until the end
    return response


def _lines(steps: Iterator[int], then: str, language: str | None) -> Iterator[str]:
    with translation.override(language):
        try:
            for rows in steps:
                yield _line(writing=True) if rows == WRITING else _line(rows=rows)
            yield _line(then=then)
        except UnusableFile as error:
            yield _line(error=str(error))


def _line(**facts: Any) -> str:
    return json.dumps(facts) + "\n"
