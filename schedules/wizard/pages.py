"""What each page of the registration form is made of."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from orgs.clock import database_now
from orgs.reach import Act, can_anywhere, within
from schedules.actions import step_digest
from schedules.admin.testing import offered
from schedules.content import MOST_IMAGES
from schedules.models import PlaceholderValue, Schedule
from schedules.room_values import names_for
from schedules.rules import Problems
from schedules.shown.approvals import standing_of
from schedules.shown.audience import audience_of
from schedules.shown.best_hour import best_hour_of
from schedules.shown.chat import chats_of_draft, image_url
from schedules.shown.coming import coming
from schedules.shown.cost import cost_of
from schedules.shown.preflight import preflight_of
from schedules.shown.stopped import stopped_of
from schedules.wizard.counting import counting_of
from schedules.wizard.forms import StepForm
from schedules.wizard.steps import (
    TITLES,
    all_problems,
    neighbour,
    problems_of,
    refused_of,
    schedule_url,
    step_of,
    steps_of,
    url_of,
)

MINUTES = (5, 10, 15, 20, 30, 60)
TILES = [
    {"value": value, "icon": icon, "title": title, "help": help_text}
    for value, icon, title, help_text in (
        ("once", "event", gettext_lazy("Once"), gettext_lazy("on one date")),
        ("daily", "today", gettext_lazy("Every day"), gettext_lazy("at the same time")),
        ("weekly", "date_range", gettext_lazy("Every week"), gettext_lazy("on some weekdays")),
        ("monthly", "calendar_month", gettext_lazy("Every month"), gettext_lazy("on one day")),
        ("interval", "timer", gettext_lazy("Every few minutes"), gettext_lazy("like :00, :30")),
        ("peak", "bar_chart", gettext_lazy("Peak hours"), gettext_lazy("more often when busy")),
        ("cron", "terminal", gettext_lazy("For experts"), gettext_lazy("a cron expression")),
        ("now", "bolt", gettext_lazy("Now"), gettext_lazy("when you register it")),
    )
]


def step_page(
    request: HttpRequest,
    draft: Schedule,
    form: StepForm,
    *,
    found: Problems,
    conflict: Schedule | None = None,
    action: str = "",
) -> HttpResponse:
    """The page of a step with a form."""
    now = database_now()
    context = {
        "form": form,
        "conflict": conflict,
        "action": action or url_of(draft, form.step),
        "back": neighbour(form.step, -1) if form.step != "target" else "",
        **_common(request, draft, form.step, found),
        **_extras(form.step)(request, draft, now),
    }
    if conflict:
        context |= {"conflict_at": conflict.updated_at, "conflict_now": now}
    return render(request, f"schedules/wizard/{form.step}.html", context)


def review_page(request: HttpRequest, draft: Schedule) -> HttpResponse:
    """Everything at a glance, and what is still missing."""
    now = database_now()
    found = all_problems(draft, by=request.user, now=now)
    audience = audience_of(draft, by=request.user)
    cost = cost_of(draft, by=request.user, now=now, audience=audience)
    refused = refused_of(draft, now)
    may_test = not found and draft.edits_id is None
    looked = preflight_context(draft, now)
    context = {
        **_common(request, draft, "review", refused | found),
        **panel_context(request, draft, "review", now),
        **looked,
        "stopped": stopped_of(draft, looked["preflight"].findings),
        "cost": cost,
        "is_short": any(line.short for line in cost),
        "images": image_rows(draft),
        "rooms": list(within(request.user, draft.rooms.select_related("account", "unit"))[:51]),
        "rooms_count": draft.rooms.count(),
        "audience": audience,
        "listed": _listed(draft, found),
        "refused": _listed(draft, refused),
        **(offered(draft, by=request.user) if may_test else {}),
        "may_test": may_test,
        "test_url": reverse("wizard-test", args=[draft.pk]),
        "back": "timing",
    }
    return render(request, "schedules/wizard/review.html", context)


def preflight_context(draft: Schedule, now: datetime) -> dict[str, Any]:
    """What was found when somebody let the draft be checked."""
    return {
        "schedule": draft,
        "now": now,
        "preflight": preflight_of(draft, now),
        "may_change": True,
        "check_url": reverse("wizard-check", args=[draft.pk]),
        "check_state_url": reverse("wizard-checked", args=[draft.pk]),
    }


def panel(request: HttpRequest, draft: Schedule, step: str) -> str:
    """The part of a step's page that follows what is typed."""
    context = panel_context(request, draft, step, database_now())
    name = {"content": "chat_panel", "timing": "coming_panel"}.get(step)
    return render_to_string(f"schedules/wizard/{name}.html", context, request) if name else ""


def bar(request: HttpRequest, draft: Schedule, step: str, found: Problems) -> str:
    """The steps at the top of the page."""
    context = {"steps": steps_of(draft, found, step)}
    return render_to_string("schedules/wizard/steps.html", context, request)


def panel_context(
    request: HttpRequest, draft: Schedule, step: str, now: datetime
) -> dict[str, Any]:
    """The chat as the rooms will show it, and the coming times."""
    context: dict[str, Any] = {"now": now, "draft": draft, "step": step}
    if step in ("content", "review"):
        target = request.POST.get("target") or request.GET.get("target", "")
        context["chats"] = chats_of_draft(draft, by=request.user, target=target)
    if step in ("timing", "review"):
        context["coming"] = coming(draft, by=request.user, now=now)
    return context


def image_rows(draft: Schedule) -> list[dict[str, Any]]:
    """The images of a draft in their order."""
    rows = list(draft.schedule_images.select_related("image").order_by("position"))
    return [
        {
            "id": row.image_id,
            "number": number,
            "name": row.image.name,
            "url": image_url(row.image_id),
            "size": f"{row.image.width} × {row.image.height}",
            "is_first": number == 1,
            "is_last": number == len(rows),
        }
        for number, row in enumerate(rows, start=1)
    ]


def marks(draft: Schedule, step: str) -> dict[str, Any]:
    """What a page must send back, so that a change in between is noticed."""
    is_form = step != "review" and draft.pk is not None
    return {"revision": draft.revision, "seen": step_digest(draft, step) if is_form else ""}


def _common(request: HttpRequest, draft: Schedule, step: str, found: Problems) -> dict[str, Any]:
    editing = draft.edits
    title = _("Edit “%(title)s”") % {"title": editing.title} if editing else _("New schedule")
    return {
        **admin.site.each_context(request),
        "title": title,
        "subtitle": TITLES[step],
        "draft": draft,
        "step": step,
        "steps": steps_of(draft, found, step),
        "step_problems": problems_of(found, step),
        "marks": marks(draft, step),
        "editing": editing,
        "standing": standing_of(draft, request.user),
        "close_url": schedule_url(editing.pk) if editing else "",
    }


def _extras(step: str) -> Callable[[HttpRequest, Schedule, datetime], dict[str, Any]]:
    return {"target": _target, "content": _content, "timing": _timing}[step]


def _target(request: HttpRequest, draft: Schedule, now: datetime) -> dict[str, Any]:
    return {"now": now}


def _content(request: HttpRequest, draft: Schedule, now: datetime) -> dict[str, Any]:
    return {
        **panel_context(request, draft, "content", now),
        "images": image_rows(draft),
        "most_images": MOST_IMAGES,
        "counting": counting_of(draft),
        "placeholders": names_for(
            draft.unit,
            draft.content,
            language=get_language() or "",
            is_audience=draft.audience_id is not None,
        ),
        "may_see_values": can_anywhere(request.user, Act.VIEW, PlaceholderValue),
        "locked": draft.terms_in_force.get("locked", []),
    }


def _timing(request: HttpRequest, draft: Schedule, now: datetime) -> dict[str, Any]:
    return panel_context(request, draft, "timing", now) | {
        "best_hour": best_hour_of(draft, by=request.user, now=now),
        "minute_choices": MINUTES,
        "tiles": TILES,
        "every_label": _("Minutes between (outside the peak hours, where there are some)"),
    }


def _listed(draft: Schedule, found: Problems) -> list[dict[str, Any]]:
    """Each problem with a link to where it can be put right."""
    return [
        {
            "message": message,
            "step": TITLES[step_of(name)],
            "url": f"{url_of(draft, step_of(name))}?check=1#field-{name}"
            if name != "__all__"
            else "",
        }
        for name, messages in found.items()
        for message in messages
    ]
