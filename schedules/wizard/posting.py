"""What is asked of the form's addresses, and answered where an act cannot be done."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from orgs.clock import database_now
from schedules import actions
from schedules.wizard.access import RegisteredAlready
from schedules.wizard.steps import done_url

View = Callable[..., HttpResponse]


def for_registered(view: View) -> View:
    """Send who comes back to a draft that is registered by now to where it is seen; what
    is out of reach answers as what does not exist."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except RegisteredAlready as found:
            url = done_url(found.schedule, database_now())
            words = _("Not saved: this schedule was registered in another window.")
            return _closed(words, url) if is_script(request) else redirect(url)
        except actions.OutOfReach as error:
            raise Http404 from error
        except actions.Refused as error:
            # Another window was faster: say so where the schedule or the form is shown anew.
            url = reverse("admin:schedules_schedule_changelist")
            if is_script(request):
                return _closed(str(error), url)
            messages.warning(request, str(error))
            return redirect(url)

    return wrapped


def post_or_step(step: str) -> Callable[[View], View]:
    """Let a view be posted to; who comes by a link, as after signing in again, finds the step."""

    def decorated(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, pk: int) -> HttpResponse:
            if request.method == "POST":
                return view(request, pk)
            return redirect("wizard-step", pk, step)

        return wrapped

    return decorated


def is_script(request: HttpRequest) -> bool:
    """Whether the page's script asks, which shows the answer beside what is typed."""
    return request.headers.get("Accept") == "application/json"


def _closed(words: str, url: str) -> JsonResponse:
    return JsonResponse({"closed": words, "url": url, "link": _("Look at it")})
