"""The tree of units."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from config.scoped.admin import ScopedAdmin
from config.scoped.widgets import QUIET_HOURS
from orgs.actions.units import change_unit, plant, problem_of_kind, problem_of_stop
from orgs.models import Unit
from orgs.reach import Act, within

INDENT = "\u2003"  # an em space: spaces at the start of an option are not shown otherwise


class ParentField(forms.ModelChoiceField):
    """A unit of the tree, indented by its depth."""

    widget = UnfoldAdminSelectWidget

    def label_from_instance(self, obj: Any) -> str:
        return f"{INDENT * (obj.depth - 1)}{obj.name} ({obj.get_kind_display()})"


class UnitForm(forms.ModelForm):
    """A new unit stands under a parent of a higher kind; later neither changes."""

    parent = ParentField(
        queryset=Unit.objects.none(),
        label=_("Under"),
        help_text=_("The new unit belongs to this one. Levels may be skipped."),
    )
    by: Any = None

    class Meta:
        model = Unit
        fields = [
            "kind",
            "code",
            "name",
            "zone",
            "language",
            "quiet_from",
            "quiet_until",
            "never_quiet",
            "approval",
            "monthly_budget",
            "is_active",
        ]
        widgets = QUIET_HOURS

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        problems = {}
        if "kind" in cleaned and "parent" not in self.errors:
            problems["kind"] = problem_of_kind(cleaned["kind"], cleaned.get("parent"))
        if self.instance.pk and cleaned.get("is_active") is False:
            problems["is_active"] = problem_of_stop(self.instance, self.by)
        for name, problem in problems.items():
            if problem:
                self.add_error(name, problem)
        return cleaned


@admin.register(Unit)
class UnitAdmin(ScopedAdmin):
    """The tree as an indented list. Units are made inactive, never deleted: the path of a
    deleted unit would be given to the next one, and with it the log of the old."""

    form = UnitForm
    list_display = ["tree_name", "kind", "code", "zone", "is_active"]
    list_filter = ["kind", "is_active"]
    search_fields = ["name", "code"]
    ordering = ["path"]
    sortable_by = ()
    unit_field = ""
    records_itself = True
    change_form_outer_before_template = "orgs/unit_above.html"

    class Media:
        css = {"all": ["teiji/schedules.css"]}

    @admin.display(description=_("name"))
    def tree_name(self, unit: Unit) -> SafeString:
        return format_html(
            '<span class="teiji-tree" style="--depth: {}">{}</span>', unit.depth - 1, unit.name
        )

    @admin.display(description=_("under"))
    def parent_name(self, unit: Unit) -> str:
        parent = Unit.objects.get_parent(unit)
        return parent.name if parent else "–"

    def get_fields(self, request: HttpRequest, obj: Unit | None = None) -> list[str]:
        first = ["parent_name", "kind"] if obj else ["parent", "kind"]
        return [
            *first,
            "code",
            "name",
            "zone",
            "language",
            "quiet_from",
            "quiet_until",
            "never_quiet",
            "approval",
            "monthly_budget",
            "is_active",
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Unit | None = None) -> list[str]:
        return ["parent_name", "parent", "kind"] if obj else []

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kw: Any
    ) -> Any:
        form = super().get_form(request, obj, change, **kw)
        form.by = request.user
        if "parent" in form.base_fields:
            field = form.base_fields["parent"]
            parents = Unit.objects.exclude(kind=Unit.Kind.BRANCH)
            field.queryset = within(request.user, parents, Act.CREATE)
            field.required = not request.user.is_superuser
        if "kind" in form.base_fields and not request.user.is_superuser:
            kinds = [kind for kind in Unit.Kind if kind != Unit.Kind.HEADQUARTERS]
            form.base_fields["kind"].choices = [(kind.value, kind.label) for kind in kinds]
        return form

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            change_unit(obj, form.cleaned_data, by=request.user)
            return
        values = dict(form.cleaned_data)
        obj.pk = plant(values, by=request.user, parent=values.pop("parent")).pk
