"""Webhooks: endpoints of other systems that are told of results."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from channels.actions import webhooks as acts
from channels.models import Webhook
from channels.models.webhook import EVENTS
from config.scoped.removing import RemovingAdmin
from logs.said import retell
from orgs.clock import database_now
from orgs.moments import exact
from orgs.reach import Act, can
from orgs.refusal import Refused


class WebhookForm(forms.ModelForm):
    """What is told, and where."""

    events = forms.MultipleChoiceField(
        label=gettext_lazy("Events"),
        choices=EVENTS,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=gettext_lazy("What it is told of, in its unit and in all under it."),
    )
    url_problem = ""

    class Meta:
        model = Webhook
        fields = ["unit", "name", "url", "events", "is_active"]

    def clean_url(self) -> str:
        if self.url_problem:
            raise forms.ValidationError(self.url_problem)
        return str(self.cleaned_data["url"])


@admin.register(Webhook)
class WebhookAdmin(RemovingAdmin):
    when_empty = gettext_lazy(
        "A webhook tells another system by itself how runs ended, and of approvals and "
        "accounts that were stopped."
    )
    form = WebhookForm
    list_display = ["name", "unit", "host", "what", "going"]
    list_filter = ["is_active", "unit"]
    list_select_related = ["unit"]
    search_fields = ["name", "unit__name"]
    autocomplete_fields = ["unit"]
    ordering = ["unit__path", "name", "id"]
    fields = ["unit", "name", "url", "events", "is_active"]
    change_form_outer_before_template = "channels/webhook_above.html"

    class Media:
        css = {"all": ["teiji/schedules.css"]}

    @admin.display(description=gettext_lazy("goes to"))
    def host(self, webhook: Webhook) -> str:
        return urlsplit(webhook.url).hostname or ""

    @admin.display(description=gettext_lazy("events"))
    def what(self, webhook: Webhook) -> str:
        return ", ".join(str(label) for kind, label in EVENTS if kind in webhook.events)

    @admin.display(description=gettext_lazy("state"))
    def going(self, webhook: Webhook) -> SafeString:
        if not webhook.is_active:
            words = retell(webhook.stopped_why)
            return _badge("bad" if words else "warn", "block", _("switched off"), words)
        if webhook.failing_since:
            since = exact(webhook.failing_since, webhook.unit.zone)
            return _badge("warn", "warning", _("fails"), _("since %(since)s") % {"since": since})
        return _badge("good", "check_circle", _("told"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["unit"] if obj else []

    def get_urls(self) -> list[URLPattern]:
        wrapped = self.admin_site.admin_view
        return [
            path("<int:pk>/secret/", wrapped(self.secret_view), name="webhook-secret"),
            path("<int:pk>/renew/", wrapped(self.renew_view), name="webhook-renew"),
            path("<int:pk>/test/", wrapped(self.test_view), name="webhook-test"),
            *super().get_urls(),
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        if request.method == "POST":
            found = self.get_object(request, object_id) if object_id else None
            if self._allows(request, Act.CHANGE if object_id else Act.CREATE, found):
                # Here, because the base opens a transaction and this question goes to the DNS.
                problem = acts.problem_of_url(request.POST.get("url", ""))
                request.url_problem = problem  # type: ignore[attr-defined]
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kw: Any
    ) -> Any:
        built: Any = super().get_form(request, obj, change, **kw)
        built.url_problem = getattr(request, "url_problem", "")
        return built

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        problem = form.url_problem
        if change:
            acts.change(obj, form.cleaned_data, by=request.user, url_problem=problem)
        else:
            obj.pk = acts.add(form.cleaned_data, by=request.user, url_problem=problem).pk

    def remove(self, row: Any, *, by: Any) -> None:
        acts.remove(row, by=by)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        answer = super().response_add(request, obj, post_url_continue)
        return answer if "_addanother" in request.POST else redirect(_page("secret", obj))

    def secret_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The secret, for whoever sets up the receiver."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        webhook = self._mine(request, pk)
        now = database_now()
        until = webhook.previous_until
        context = {
            **self.admin_site.each_context(request),
            "title": _("Signing secret"),
            "opts": self.opts,
            "webhook": webhook,
            "secret": webhook.secrets["secret"],
            "until": exact(until, webhook.unit.zone) if until and now < until else "",
        }
        headers = {"Cache-Control": "no-store"}
        return TemplateResponse(request, "channels/webhook_secret.html", context, headers=headers)

    def renew_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        words = _("Messages are signed with a new secret, and for a day with the old one, too.")
        return self._carry_out(request, pk, acts.renew_secret, words, "secret")

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        words = _("A test is on its way. What was answered stands in the log in a moment.")
        return self._carry_out(request, pk, acts.send_test, words, "log")

    def _carry_out(
        self, request: HttpRequest, pk: int, act: Callable[..., Any], words: str, where: str
    ) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        webhook = self._mine(request, pk)
        try:
            act(webhook, by=request.user)
        except Refused as error:
            messages.error(request, str(error))
            return redirect("admin:channels_webhook_change", pk)
        messages.success(request, words)
        return redirect(_page(where, webhook))

    def _mine(self, request: HttpRequest, pk: int) -> Webhook:
        webhook = self.get_object(request, str(pk))
        if webhook is None or not can(request.user, Act.CHANGE, webhook):
            raise Http404
        return webhook


def log_of(webhook: Webhook) -> str:
    """The address of what it was told."""
    address = reverse("admin:channels_webhookdelivery_changelist")
    return f"{address}?webhook__id__exact={webhook.pk}"


def _page(where: str, webhook: Webhook) -> str:
    return log_of(webhook) if where == "log" else reverse("admin:webhook-secret", args=[webhook.pk])


def _badge(colour: str, icon: str, words: str, more: str = "") -> SafeString:
    return format_html(
        '<span class="tj-state tj-{}"><span class="material-symbols-outlined" aria-hidden="true">'
        '{}</span>{}</span>{}',
        colour,
        icon,
        words,
        format_html('<span class="tj-list-words">{}</span>', more) if more else "",
    )  # fmt: skip
