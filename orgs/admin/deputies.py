"""Deputies: who answers approvals in somebody's stead, and in which days."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDateWidget

from config.scoped.admin import ScopedAdmin
from orgs.actions.deputies import name_deputy, problems, take_back
from orgs.clock import database_now
from orgs.models import Deputy


class DeputyForm(forms.ModelForm):
    """Whole days, on the clocks of the unit."""

    first_day = forms.DateField(label=_("First day"), widget=UnfoldAdminDateWidget)
    last_day = forms.DateField(
        label=_("Last day"),
        widget=UnfoldAdminDateWidget,
        help_text=_("To its end, on the clocks of the unit."),
    )

    by: Any  # who names them: set by the page

    class Meta:
        model = Deputy
        fields = ["unit", "member"]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            found = problems(
                given["member"],
                of=given["unit"],
                first=given["first_day"],
                last=given["last_day"],
                by=self.by,
                now=database_now(),
            )
            for field, messages in found.items():
                self.add_error(field, messages)
        return given


@admin.register(Deputy)
class DeputyAdmin(ScopedAdmin):
    form = DeputyForm
    records_itself = True
    list_display = ["member", "unit", "first_day", "last_day", "named_by"]
    list_filter = ["unit"]
    list_select_related = ["member__user", "member__unit", "unit", "named_by"]
    search_fields = ["member__user__username", "member__user__first_name", "unit__name"]
    ordering = ["-ends_at", "-id"]
    autocomplete_fields = ["unit", "member"]
    fields = ["unit", "member", "first_day", "last_day"]

    @admin.display(description=_("first day"), ordering="begins_at")
    def first_day(self, deputy: Deputy) -> Any:
        return deputy.first_day

    @admin.display(description=_("last day"), ordering="ends_at")
    def last_day(self, deputy: Deputy) -> Any:
        return deputy.last_day

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # other days are another naming

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(request, *args, **kwargs)
        return type(form.__name__, (form,), {"by": request.user})

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)  # each is taken back by its act
        return actions

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        given = form.cleaned_data
        named = name_deputy(
            given["member"],
            of=given["unit"],
            first=given["first_day"],
            last=given["last_day"],
            by=request.user,
        )
        obj.pk = named.pk

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        take_back(obj, by=request.user)
