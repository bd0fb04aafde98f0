"""Why may I, or may I not? For any person within reach, in any unit within reach."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from config.organisation.refused import subject_at
from config.organisation.why import MODELS, Asked
from config.scoped.choices import is_id
from orgs.models import Member, Token, Unit
from orgs.reach import Act, can_anywhere, within

OFFERED = 500  # people and units in the choices
LONGEST = 300  # characters of an address


@require_safe
def why_page(request: HttpRequest) -> HttpResponse:
    """`person`, `unit`, `object` and `token` say what is asked; `page`, which one was refused."""
    viewer: Any = request.user
    given = request.GET
    if not can_anywhere(viewer, Act.VIEW, Member):
        raise Http404
    people = within(viewer, Member.objects.select_related("user", "unit")).order_by("unit__path")
    person = _one(people, given.get("person", "")) or people.filter(user_id=viewer.pk).first()
    refused = given.get("page", "")[:LONGEST]
    subject = subject_at(refused, by=viewer) if refused else None
    row = (subject.row if subject else None) or _object(viewer, given.get("object", ""))
    units = within(viewer, Unit.objects.order_by("path"))
    unit = _unit(subject, row, units, given.get("unit", ""), person)
    context = admin.site.each_context(request) | {
        "title": _("Why may I, or may I not?"),
        "people": list(people[:OFFERED]),
        "units": list(units[:OFFERED]),
        "person": person,
        "unit": unit,
        "row": given.get("object", "") if row is not None and not subject else "",
        "row_name": "" if subject else row,
        "refused": refused,
        "is_unknown": bool(refused) and row is None,
    }
    if person and unit:
        tokens = within(viewer, Token.objects.filter(user=person.user)).order_by("name")
        token = _one(tokens, given.get("token", ""))
        asked = Asked(person.user, unit, row, token)
        context |= {"tokens": tokens, "token": token, "notes": asked.notes()}
        context["answers"] = asked.of_page(subject) if subject else asked.answers()
    return render(request, "organisation/why.html", context)


def _one(rows: QuerySet, key: str) -> Any:
    return rows.filter(pk=key).first() if key and is_id(key) else None


def _object(viewer: Any, given: str) -> Model | None:
    """As room:12, if the viewer sees it."""
    kind, _colon, key = given.partition(":")
    return (
        _one(within(viewer, MODELS[kind]._default_manager.all()), key) if kind in MODELS else None
    )


def _unit(subject: Any, row: Any, units: QuerySet[Unit], key: str, person: Any) -> Any:
    """Where: that of the object, else the one that is chosen, else the person's own."""
    if subject and subject.unit:
        return subject.unit
    if row is not None:
        return row.unit
    return _one(units, key) or (person.unit if person else None)
