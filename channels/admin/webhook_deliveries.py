"""The log of webhooks: what was told to whom, each try with its answer, and once more by hand."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from channels.actions.webhooks import resend
from channels.models import WebhookAttempt, WebhookDelivery
from config.scoped.admin import ReadOnlyAdmin
from config.scoped.times import moment, read_by
from logs.said import retell
from orgs.reach import Act, can
from orgs.refusal import Refused

State = WebhookDelivery.State
LOOKS = {
    State.WAITING: ("info", "schedule"),
    State.DELIVERED: ("good", "check_circle"),
    State.FAILED: ("bad", "error"),
}


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    list_display = ["happened", "event", "webhook", "badge", "last_answer"]
    list_display_links = ["happened", "event"]
    list_filter = ["state", "webhook"]
    list_select_related = ["webhook__unit", "fact"]
    search_fields = ["webhook__name"]
    ordering = ["-id"]
    list_fullwidth = True
    actions = ["send_again"]
    fields = ["happened", "event", "webhook", "message_id", "badge", "next_try", "tried", "body"]
    readonly_fields = ["happened", "event", "message_id", "badge", "next_try", "tried", "body"]
    change_form_outer_before_template = "channels/webhook_delivery_above.html"

    class Media:
        css = {"all": ["teiji/schedules.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = read_by(request.user, super().get_queryset(request))
        return rows.prefetch_related("attempts")

    def get_urls(self) -> list[URLPattern]:
        wrapped = self.admin_site.admin_view(self.resend_view)
        return [path("<int:pk>/resend/", wrapped, name="webhook-resend"), *super().get_urls()]

    @admin.display(description=gettext_lazy("happened"), ordering="id")
    def happened(self, row: Any) -> SafeString:
        return moment(row.fact.at, row.read_in)

    @admin.display(description=gettext_lazy("event"))
    def event(self, row: WebhookDelivery) -> str:
        return str(row.fact.get_kind_display())

    @admin.display(description=gettext_lazy("message"))
    def message_id(self, row: WebhookDelivery) -> SafeString:
        return format_html("<code>{}</code>", row.fact.message_id)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def badge(self, row: WebhookDelivery) -> SafeString:
        colour, icon = LOOKS[State(row.state)]
        return format_html(
            '<span class="tj-state tj-{}"><span class="material-symbols-outlined" '
            'aria-hidden="true">{}</span>{}</span>',
            colour,
            icon,
            row.get_state_display(),
        )

    @admin.display(description=gettext_lazy("next try"))
    def next_try(self, row: Any) -> SafeString:
        return moment(row.next_try_at if row.state == State.WAITING else None, row.read_in)

    @admin.display(description=gettext_lazy("last answer"))
    def last_answer(self, row: Any) -> str:
        tries = list(row.attempts.all())
        if not tries:
            return "–"
        count = ngettext("%(n)d try", "%(n)d tries", len(tries)) % {"n": len(tries)}
        return f"{_answer(tries[-1])} · {count}"

    @admin.display(description=gettext_lazy("tries"))
    def tried(self, row: Any) -> SafeString | str:
        lines = [(moment(one.at, row.read_in), _answer(one)) for one in row.attempts.all()]
        each = format_html_join("", "<div>{} · {}</div>", lines)
        return format_html("<div>{}</div>", each) if lines else _("none yet")

    @admin.display(description=gettext_lazy("body"))
    def body(self, row: WebhookDelivery) -> SafeString:
        return format_html('<pre class="tj-raw">{}</pre>', row.fact.body)

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    @admin.action(
        description=pgettext_lazy("a message that was sent before", "Send again"),
        permissions=["resend"],
    )
    def send_again(self, request: HttpRequest, queryset: QuerySet) -> None:
        done = 0
        for row in queryset:
            try:
                resend(row, by=request.user)
                done += 1
            except Refused as error:
                messages.error(request, f"{row.webhook}: {error}")
        if done:
            words = ngettext("%(n)d is sent again.", "%(n)d are sent again.", done)
            messages.success(request, words % {"n": done})

    def resend_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Once more, now."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.get_object(request, str(pk))
        if row is None or not can(request.user, Act.CHANGE, row):
            raise Http404
        try:
            resend(row, by=request.user)
            messages.success(request, _("It is sent again: its answer stands here in a moment."))
        except Refused as error:
            messages.error(request, str(error))
        return redirect("admin:channels_webhookdelivery_change", pk)


def _answer(attempt: WebhookAttempt) -> str:
    said = f"HTTP {attempt.status}" if attempt.status else retell(attempt.why)
    return f"{said} · {attempt.took_ms} ms"
