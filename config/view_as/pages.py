"""Beginning and leaving it."""

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from config.scoped.way_back import way_back
from config.view_as.session import begin, end
from orgs.models import Member
from orgs.reach import within
from orgs.refusal import OutOfReach, Refused


@require_POST
def begin_view(request: HttpRequest, pk: int) -> HttpResponse:
    """See the pages as this person; `next` says which first."""
    member = within(request.user, Member.objects.select_related("user", "unit"))
    found = member.filter(pk=pk).first()
    if found is None:
        raise Http404
    opens = way_back(request, reverse("admin:index"))
    try:
        begin(request, found, opens=opens)
    except OutOfReach as error:
        raise Http404 from error
    except Refused as error:
        messages.error(request, str(error))
        return redirect("admin:index")
    return HttpResponseRedirect(opens)


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """See them as oneself again."""
    look = getattr(request, "look", None)
    if look is None:
        return redirect("admin:index")
    end(request, look)
    return redirect("admin:orgs_member_change", look.member.pk)


urlpatterns = [
    path("leave/", admin.site.admin_view(leave), name="view-as-leave"),
    path("members/<int:pk>/", admin.site.admin_view(begin_view), name="view-as"),
]
