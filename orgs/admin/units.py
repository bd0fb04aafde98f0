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
from orgs.models import Unit
from orgs.reach import Act, member_of, within

RANK = {kind: rank for rank, kind in enumerate(Unit.Kind)}
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
        if "kind" in cleaned:
            self._check_kind(cleaned["kind"], cleaned.get("parent"))
        member = member_of(self.by)
        stands_on = self.instance.pk and member and self.instance.covers(member.unit)
        if stands_on and cleaned.get("is_active") is False:
            self.add_error(
                "is_active", _("You belong to this unit: nobody in it could sign in to undo this.")
            )
        return cleaned

    def _check_kind(self, kind: str, parent: Unit | None) -> None:
        if parent is None and "parent" not in self.errors and kind != Unit.Kind.HEADQUARTERS:
            self.add_error("kind", _("Only a headquarters stands at the top."))
        if parent is not None and RANK[Unit.Kind(kind)] <= RANK[Unit.Kind(parent.kind)]:
            self.add_error(
                "kind",
                _("Under this unit there can only be units of a lower kind (%(kinds)s).")
                % {"kinds": ", ".join(str(lower.label) for lower in _below(parent))},
            )


def _below(unit: Unit) -> list[Unit.Kind]:
    return [kind for kind in Unit.Kind if RANK[kind] > RANK[Unit.Kind(unit.kind)]]


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
            super().save_model(request, obj, form, change)
            return
        parent = form.cleaned_data["parent"]
        if parent is None:
            Unit.objects.add_root(instance=obj)
        else:
            Unit.objects.add_child(Unit.objects.get(pk=parent.pk), instance=obj)
