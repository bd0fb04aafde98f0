"""Parts of pages that are asked for again while something is under way."""

from hashlib import sha256
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def fingerprint(*shown: Any) -> str:
    """Differs when what is shown does."""
    return sha256(repr(shown).encode()).hexdigest()[:16]


def answer_if_new(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """The part, or 204 when the page has it already: `?seen=` its fingerprint."""
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    return render(request, template, context)
