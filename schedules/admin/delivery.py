"""The send log, and what a person decides about a delivery that is not confirmed."""

from typing import Any

from django.contrib import admin, messages
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.scoped.admin import ReadOnlyAdmin
from logs.said import retell
from schedules import actions
from schedules.admin.columns import two_lines
from schedules.admin.filters import (
    AppointedFilter,
    ChannelFilter,
    HourFilter,
    KindFilter,
    OneRecipientFilter,
    OneRunFilter,
    OutcomeFilter,
    TestsFilter,
    person_asked,
)
from schedules.admin.not_confirmed import ask_if_sure
from schedules.admin.saved_filters import WithSavedFilters
from schedules.models import Delivery
from schedules.states import DeliveryState
from schedules.templatetags.teiji_answers import channel_named
from schedules.templatetags.teiji_states import delivery_badge, state_badge
from schedules.templatetags.teiji_times import lateness, time_element


@admin.register(Delivery)
class DeliveryAdmin(WithSavedFilters, ReadOnlyAdmin):
    list_display = ["appointed", "room_name", "title", "badge", "why", "late", "tries", "through"]
    list_display_links = ["appointed", "room_name"]
    list_filter = [
        AppointedFilter, "state", OutcomeFilter, HourFilter, ChannelFilter, KindFilter, TestsFilter,
        OneRunFilter, OneRecipientFilter,
    ]  # fmt: skip
    list_select_related = ["run"]
    search_fields = ["room_name", "run__title", "request_id"]
    ordering = ["-due_at", "-id"]
    list_fullwidth = True

    class Media:
        css = {"all": ["teiji/schedules.css"]}

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        said = {"title": _("Send log"), "person": person_asked(request), **(extra_context or {})}
        return super().changelist_view(request, said)

    @admin.display(description=gettext_lazy("appointed"), ordering="due_at")
    def appointed(self, row: Delivery) -> SafeString:
        return time_element(row.due_at, row.run.zone)

    @admin.display(description=gettext_lazy("schedule"))
    def title(self, row: Delivery) -> SafeString:
        return two_lines(row.run.title)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def badge(self, row: Delivery) -> SafeString:
        if getattr(row, "is_refused", False):
            return state_badge(DeliveryState.FAILED, _("refused"))
        return delivery_badge(row)

    @admin.display(description=gettext_lazy("reason"))
    def why(self, row: Any) -> str:
        if getattr(row, "is_refused", False):
            return _("the channel refused this person’s address")
        return str(row.get_reason_display() or retell(row.error)[:80] or "–")

    @admin.display(description=gettext_lazy("channel"), ordering="channel")
    def through(self, row: Delivery) -> str:
        return channel_named(row.channel)

    @admin.display(description=gettext_lazy("lateness"), ordering="lateness_ms")
    def late(self, row: Delivery) -> str:
        return lateness(row.lateness_ms)

    def get_urls(self) -> list[Any]:
        wrapped = self.admin_site.admin_view(self.resolve_view)
        name = "schedules_delivery_resolve"
        return [path("<int:pk>/resolve/", wrapped, name=name), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return HttpResponseRedirect(place_of(row))

    def resolve_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Settle an unconfirmed delivery as the person says."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.get_object(request, str(pk))
        verdict = request.POST.get("verdict", "")
        if row is None or verdict not in list(actions.Verdict):
            raise Http404
        seen = request.POST.get("seen", "")
        try:
            actions.resolve(row, actions.Verdict(verdict), by=request.user, seen=seen, sure=False)
            messages.success(request, _("Noted for %(room)s.") % {"room": row.room_name})
        except actions.NeedsSure:
            doubts = [actions.Doubt(row.pk, seen)]
            return ask_if_sure(request, actions.Verdict(verdict), doubts)
        except actions.OutOfReach as error:
            raise Http404 from error
        except actions.Refused as error:
            messages.error(request, str(error))
        return HttpResponseRedirect(place_of(row))


def place_of(row: Delivery) -> str:
    """Where a delivery stands on the page of its run."""
    return f"{reverse('admin:schedules_run_change', args=[row.run_id])}#delivery-{row.pk}"
