"""The steps: each saves what was typed on the draft and leads on. GET changes nothing."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.contrib import messages
from django.db import transaction
from django.db.models import Min
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.scoped.times import zone_of
from orgs.clock import database_now
from orgs.moments import clock
from orgs.reach import Act, within
from schedules import actions
from schedules.admin.testing import send_as_asked
from schedules.dispatch.rehearse import Heard, hear, questions, remember
from schedules.models import Delivery, Schedule
from schedules.rules import Problems
from schedules.shown.approvals import standing_of
from schedules.shown.coming import coming, held_in_words
from schedules.states import DeliveryState, RunState
from schedules.templatetags.teiji_times import in_zone
from schedules.wizard import pages
from schedules.wizard.access import draft_or_404, first_unit, is_id
from schedules.wizard.forms import FORMS, StepForm, TargetForm
from schedules.wizard.forms.target import SHOWN, rooms_of, units_of
from schedules.wizard.posting import is_script, post_or_step
from schedules.wizard.prefilled import wish_of
from schedules.wizard.steps import (
    ORDER,
    all_problems,
    done_url,
    leaving,
    neighbour,
    problems_of,
    refused_of,
    schedule_url,
    step_of,
    url_of,
)


@require_GET
def add(request: HttpRequest) -> HttpResponse:
    """To a page with an id of its own: coming back to it finds what was made from it."""
    first_unit(request.user)
    address = reverse("wizard-begin", args=[uuid4()])
    wanted = urlencode(wish_of(request.GET).query)
    return redirect(f"{address}?{wanted}" if wanted else address)


@require_http_methods(["GET", "POST"])
def begin(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The first step of a draft that is not there yet; posting it makes the draft, once."""
    unit = first_unit(request.user)
    known = Schedule.objects.filter(uid=uid).first()
    if known is not None and request.method == "GET":
        return redirect(url_of(draft_or_404(request, known.pk), "target"))
    unsaved = Schedule(uid=uid, unit=unit, zone=unit.zone)
    if request.method == "GET":
        form = TargetForm(draft=unsaved, by=request.user)
        return pages.step_page(request, unsaved, form, found={}, action=request.get_full_path())
    return _begun(request, unsaved)


@require_GET
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """To the first step that is not complete."""
    draft = draft_or_404(request, pk)
    now = database_now()
    found = refused_of(draft, now) | all_problems(draft, by=request.user, now=now)
    steps = [name for name in ORDER if problems_of(found, name)]
    return redirect(url_of(draft, steps[0] if steps else "review"))


@require_http_methods(["GET", "POST"])
def step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """A step's page, and where it is posted to."""
    draft = draft_or_404(request, pk)
    if request.method == "POST" and step != "review":
        return _save_and_go(request, draft, step)
    if step == "review":
        return pages.review_page(request, draft)
    now = database_now()
    refused = refused_of(draft, now)
    found = refused | all_problems(draft, by=request.user, now=now)
    shown = problems_of(found if "check" in request.GET else refused, step)
    form = FORMS[step](draft=draft, by=request.user, problems=shown)
    return pages.step_page(request, draft, form, found=found)


@require_POST
def live(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """Save while the person types, and answer with what the page shows beside it."""
    draft = draft_or_404(request, pk)
    if step not in FORMS:
        raise Http404
    form = FORMS[step](request.POST, draft=draft, by=request.user)
    stale = None
    try:
        draft = _save(request, draft, form)
    except actions.Stale as error:
        stale, draft = error, error.row
    now, zone = database_now(), zone_of(request.user)
    found = refused_of(draft, now) | all_problems(draft, by=request.user, now=now)
    form.rule_problems = problems_of(found, step)
    # What the page was made from stays stale until the person has said what shall stand.
    kept = {"revision": form.data.get("revision"), "seen": form.data.get("seen")}
    return JsonResponse(
        {
            **(kept if stale else pages.marks(draft, step)),
            "conflict": _conflict_in_words(request, draft) if stale else "",
            "panel": pages.panel(request, draft, step),
            "steps": pages.bar(request, draft, step, found),
            "problems": _by_field(form, form.rule_problems),
            "unsaved": "" if stale else _unsaved_in_words(form),
            "saved_at": f"{clock(now, zone)} {zone}",
            "url": url_of(draft, step),
        }
    )


@post_or_step("review")
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Register what was reviewed, unless a channel refuses it. Posted twice it registers once."""
    revision = _number(request.POST.get("revision"))
    try:
        draft = draft_or_404(request, pk)
        heard = _heard(request, draft, revision)
        if heard.problems:
            return _refused(request, draft, heard)
        done = actions.register_reviewed(draft, by=request.user, revision=revision)
    except (Http404, actions.OutOfReach):
        # A working copy is gone once it has taken effect: the second click finds the schedule.
        return redirect(schedule_url(_edited_or_404(request).pk))
    except actions.Stale:
        messages.warning(
            request, _("This was changed in another window. Look at it once more, then register.")
        )
        return redirect(url_of(draft, "review"))
    except actions.Refused:
        return redirect(url_of(draft, "review"))
    remember(done, heard, database_now())
    messages.success(request, _registered_in_words(request, done))
    for doubt in heard.doubts:
        messages.warning(request, doubt)
    return redirect(done_url(done, database_now()))


@post_or_step("review")
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a worker to look whether it would go."""
    draft = draft_or_404(request, pk)
    actions.check(draft, by=request.user)
    return redirect(f"{url_of(draft, 'review')}#preflight")


@post_or_step("review")
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Send it as it now is to test rooms."""
    draft = draft_or_404(request, pk)
    try:
        send_as_asked(request, draft)
    except actions.Refused as error:
        messages.error(request, str(error))
    return redirect(url_of(draft, "review"))


@require_GET
def checked(request: HttpRequest, pk: int) -> HttpResponse:
    """What was found of the draft, as it is now."""
    context = pages.preflight_context(draft_or_404(request, pk), database_now())
    return render(request, "schedules/preflight.html", context)


@post_or_step("review")
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw the draft, or the changes, away."""
    draft = draft_or_404(request, pk)
    if draft.edits_id:
        actions.drop_edit(draft, by=request.user)
        messages.success(request, _("The changes were discarded. The schedule is as it was."))
        return redirect(schedule_url(draft.edits_id))
    actions.delete(draft, by=request.user)
    messages.success(request, _("The draft was deleted."))
    return redirect("admin:schedules_schedule_changelist")


@require_GET
def rooms(request: HttpRequest) -> HttpResponse:
    """Rooms to choose from: those of a unit and a kind that match a search."""
    unit = units_of(request.user).filter(pk=_number(request.GET.get("unit"))).first()
    if unit is None:
        raise Http404
    search = request.GET.get("q", "").strip()[:100]
    kind = request.GET.get("kind", "")
    found = list(rooms_of(request.user, unit, kind=kind, search=search)[: SHOWN + 1])
    context = {"rooms": found[:SHOWN], "has_more": len(found) > SHOWN, "unit": unit}
    return render(request, "schedules/wizard/rooms.html", context)


@transaction.atomic
def _begun(request: HttpRequest, unsaved: Schedule) -> HttpResponse:
    """Make the draft and fill it in one transaction: nobody finds it empty."""
    posted = TargetForm(request.POST, draft=unsaved, by=request.user)
    posted.is_valid()
    unit = posted.cleaned_data.get("unit") or unsaved.unit
    times = wish_of(request.GET).values_in(unit.zone)
    draft = actions.create_draft(by=request.user, unit=unit, uid=unsaved.uid, **times)
    if is_script(request):
        return live(request, draft.pk, "target")
    return _save_and_go(request, draft_or_404(request, draft.pk), "target")


def _save_and_go(request: HttpRequest, draft: Schedule, step: str) -> HttpResponse:
    form = FORMS[step](request.POST, draft=draft, by=request.user)
    try:
        draft = _save(request, draft, form)
    except actions.Stale as error:
        found = all_problems(error.row, by=request.user, now=database_now())
        return pages.step_page(request, error.row, form, found=found, conflict=error.row)
    found = all_problems(draft, by=request.user, now=database_now())
    if form.errors or (form.problems("rooms") and step == "target" and form.rooms() is None):
        # What cannot be stored is shown again as it was typed; nothing is led away from.
        form.rule_problems = problems_of(found, step)
        return pages.step_page(request, draft, form, found=found)
    return HttpResponseRedirect(_next(request, draft, step, found))


def _save(request: HttpRequest, draft: Schedule, form: StepForm) -> Schedule:
    """Store what can be stored, whatever is wrong with it."""
    form.is_valid()
    return actions.save_draft(
        draft,
        by=request.user,
        step=form.step,
        revision=_number(form.data.get("revision")),
        seen=form.data.get("seen", ""),
        values=form.values(),
        rooms=form.rooms(),
    )


def _next(request: HttpRequest, draft: Schedule, step: str, found: Problems) -> str:
    wish = request.POST.get("go", "next")
    if wish == "close":
        if draft.edits_id:
            return schedule_url(draft.edits_id)
        return reverse("admin:schedules_schedule_changelist")
    if wish == "back":
        return url_of(draft, neighbour(step, -1))
    if wish in ORDER:
        return url_of(draft, wish)
    wrong = problems_of(found, step)
    if wrong:
        return f"{url_of(draft, step)}?check=1#field-{next(iter(wrong))}"
    return url_of(draft, neighbour(step, 1))


def _by_field(form: StepForm, found: Problems) -> Problems:
    names = [*form.fields, *found]
    return {name: form.problems(name) for name in names if form.problems(name)}


def _unsaved_in_words(form: StepForm) -> str:
    """What was typed and could not be stored, with the reason."""
    unread = {name: [str(text) for text in found] for name, found in form.errors.items()}
    if form.step == "target" and form.rooms() is None:
        unread["rooms"] = form.problems("rooms")
    if not unread:
        return ""
    labels = {name: str(field.label) for name, field in form.fields.items()}
    parts = [
        f"{labels.get(name, _('Rooms'))} – {' '.join(found)}" for name, found in unread.items()
    ]
    return _("Not saved yet: %(what)s") % {"what": "; ".join(parts)}


def _conflict_in_words(request: HttpRequest, row: Schedule) -> str:
    at = in_zone(row.updated_at, zone_of(request.user))
    return _(
        "This step was changed in another window (%(at)s). What you type here is kept, but not "
        "saved until you press “Save and continue”."
    ) % {"at": at}


def _registered_in_words(request: HttpRequest, done: Schedule) -> str:
    if standing := standing_of(done, request.user):
        registered = _("“%(title)s” is registered.") % {"title": done.title}
        return f"{registered} {standing.words}"
    now = database_now()
    times = coming(done, by=request.user, now=now)
    first, title = times.first, {"title": done.title}
    if first is None and done.runs.filter(state=RunState.SKIPPED).exists():
        return _("“%(title)s” is registered, but nothing is sent. The run below says why.") % title
    if first is None:
        planned = Delivery.objects.filter(run__schedule=done, state=DeliveryState.PLANNED)
        leaves_at = planned.aggregate(at=Min("next_try_at"))["at"]
        run = leaving(done, now)
        if leaves_at and leaves_at > (run.due_at if run else now):
            return _(
                "“%(title)s” is registered. The limits of its rooms hold it back: it is sent "
                "from %(at)s."
            ) % {**title, "at": in_zone(leaves_at, done.zone)}
        if run:
            return (
                _("“%(title)s” is registered. It is sent in a few seconds, and can be taken back "
                  "until then.") % title
            )  # fmt: skip
        return _("“%(title)s” is registered. It is sent at once.") % title
    words = _("“%(title)s” is registered. First message: %(at)s.") % {
        **title,
        "at": in_zone(first.due_at, done.zone),
    }
    held = "; ".join(held_in_words(times, first))
    return (
        _("%(words)s Its limits change that: %(held)s.") % {"words": words, "held": held}
        if held
        else words
    )


def _heard(request: HttpRequest, draft: Schedule, revision: int) -> Heard:
    """What the channels say of the draft, if it still is what was looked at."""
    if draft.revision != revision:
        return Heard()
    return hear(questions(draft, by=request.user, now=database_now()))[0]


def _refused(request: HttpRequest, draft: Schedule, heard: Heard) -> HttpResponse:
    """To the field that a channel finds fault with, where its words stand."""
    remember(draft, heard, database_now())
    found = heard.problems
    words = " · ".join(text for texts in found.values() for text in texts)
    said = (
        _("The changes were not saved. %(why)s") if draft.edits_id else _("Not registered. %(why)s")
    )
    messages.error(request, said % {"why": words})
    name = next(iter(found))
    where = url_of(draft, step_of(name))
    return redirect(where if name == "__all__" else f"{where}?check=1#field-{name}")


def _edited_or_404(request: HttpRequest) -> Schedule:
    rows = within(request.user, Schedule.objects.present(), Act.VIEW)
    found = rows.filter(pk=_number(request.POST.get("edits"))).first()
    if found is None:
        raise Http404
    return found


def _number(text: Any) -> int:
    """A whole number that was posted; -1, which nothing has, for anything else."""
    text = str(text or "")
    return int(text) if is_id(text) else -1
