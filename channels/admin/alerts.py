"""Where alerts go, and which were told, to whom, or why not."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminPasswordWidget

from channels.actions.alert_target import keep_target, problems, remove_target
from channels.models import AlertTarget, Notice, Telling
from config.scoped.admin import ReadOnlyAdmin
from config.scoped.removing import RemovingAdmin
from config.scoped.times import moment, read_by
from orgs.models import Unit


class AlertTargetForm(forms.ModelForm):
    """A URL, which may only be written, or a member."""

    url = forms.CharField(
        label=gettext_lazy("Apprise URL"),
        required=False,
        strip=True,
        help_text=gettext_lazy(
            "One place, such as discord://…, slack://…, tgram://… or mailtos://…: see the docs."
        ),
        widget=UnfoldAdminPasswordWidget({"autocomplete": "new-password"}),
    )

    class Meta:
        model = AlertTarget
        fields = ["unit", "name", "member", "is_active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.sealed:
            self.fields["url"].widget.attrs["placeholder"] = f"{self.instance.service}://…"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        found = problems(
            url=cleaned.get("url", ""),
            member=cleaned.get("member"),
            unit=cleaned.get("unit"),
            has_url=bool(self.instance.sealed),
        )
        for name, messages in found.items():
            for message in messages:
                self.add_error(name, message)
        return cleaned

    def _post_clean(self) -> None:
        # Before the model looks at itself: it must hold one of the two.
        url, member = self.cleaned_data.get("url"), self.cleaned_data.get("member")
        if url or member:
            self.instance.url = "" if member else url
        super()._post_clean()  # type: ignore[misc]


@admin.register(AlertTarget)
class AlertTargetAdmin(RemovingAdmin):
    form = AlertTargetForm
    fields = ["unit", "name", "url", "member", "is_active"]
    list_display = ["name", "unit", "place", "is_active"]
    list_filter = ["is_active", "unit"]
    list_select_related = ["unit", "member__user", "member__unit"]
    search_fields = ["name", "unit__name"]
    autocomplete_fields = ["unit", "member"]
    ordering = ["unit__path", "name", "id"]

    @admin.display(description=gettext_lazy("goes to"))
    def place(self, target: AlertTarget) -> str:
        if target.member:
            return target.member.user.email or _("no mail address")
        return f"{target.service}://…"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        row = obj if change else AlertTarget()
        kept = keep_target(row, form.cleaned_data, by=request.user)
        obj.pk = kept.target.pk
        if kept.is_greeted:
            self.message_user(request, _("It is told a greeting now: see Records, Alerts."))

    def remove(self, row: Any, *, by: Any) -> None:
        remove_target(row, by=by)


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ["made", "headline", "unit_name", "told"]
    list_display_links = ["made", "headline"]
    list_filter = ["kind"]
    search_fields = ["title"]
    ordering = ["-id"]
    list_fullwidth = True
    fields = ["made", "headline", "unit_name", "kind", "count", "words", "told"]
    readonly_fields = ["made", "headline", "unit_name", "words", "told"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        unit = Unit.objects.filter(path=OuterRef("unit_path")).values("name")[:1]
        rows = super().get_queryset(request).annotate(unit_of=Subquery(unit))
        return read_by(request.user, rows).prefetch_related("tellings")

    @admin.display(description=gettext_lazy("at"), ordering="made_at")
    def made(self, notice: Any) -> SafeString:
        return moment(notice.made_at, notice.read_in)

    @admin.display(description=gettext_lazy("unit"))
    def unit_name(self, notice: Any) -> str:
        return notice.unit_of or _("the installation")

    @admin.display(description=gettext_lazy("title"), ordering="title")
    def headline(self, notice: Notice) -> str:
        return notice.said_in(get_language())[0]

    @admin.display(description=gettext_lazy("text"))
    def words(self, notice: Notice) -> SafeString:
        body = notice.said_in(get_language())[1]
        return format_html('<div style="white-space: pre-wrap">{}</div>', body)

    @admin.display(description=gettext_lazy("told"))
    def told(self, notice: Any) -> SafeString | str:
        """To whom and when, or why not; each on its line."""
        lines = [(_telling(row, notice.read_in),) for row in notice.tellings.all()]
        if not lines:
            return _("Nobody: no alert target is set for this unit or one above it.")
        # In one box: on a phone those of a list stand beside each other.
        return format_html("<div>{}</div>", format_html_join("", "<div>{}</div>", lines))


def _telling(row: Telling, zone: str) -> SafeString:
    if row.state == Telling.State.TOLD:
        return format_html("{} · {} {}", row.to, _("told"), moment(row.told_at, zone))
    why = f": {row.why}" if row.why else ""
    return format_html("{} · <b>{}</b>{}", row.to, row.get_state_display(), why)
