"""Templates and the values of placeholders. Those of a unit above are shown and used, not
changed."""

from typing import Any
from uuid import UUID, uuid4

from django.contrib import admin, messages
from django.db.models import Count, OuterRef, QuerySet, Subquery, TextField
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminTextareaWidget

from config.scoped.admin import ScopedAdmin
from config.scoped.removing import RemovingAdmin
from orgs.clock import database_now
from orgs.models import Unit
from orgs.reach import Act, can, can_anywhere, member_of, within
from schedules.actions.placeholder_value import keep_value, remove_value
from schedules.actions.prefill import prefill
from schedules.actions.refusal import OutOfReach
from schedules.actions.template import apply_template
from schedules.admin.parts import AtTheEnd, Parts
from schedules.admin.template_form import TemplateForm
from schedules.models import (
    MessageTemplate,
    PlaceholderValue,
    Schedule,
    TemplateBlock,
    TemplateDefault,
    TemplateImage,
)
from schedules.models.prefills import PREFILLED
from schedules.placeholders import names
from schedules.shown.prefills import prefills_in_words
from schedules.shown.values import from_above, held_in


class PartInline(TabularInline):
    """A part of a template: whoever may change the template may change its parts."""

    extra = 1
    formset = Parts
    hide_title = True

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field:  # its column's heading is none to whoever hears the page
            field.widget.attrs["aria-label"] = field.label
        return field

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True  # who is shown the template is shown its parts

    def has_add_permission(self, request: HttpRequest, obj: Any) -> bool:
        return self._may_change(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_change(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_change(request, obj)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        rows = db_field.remote_field.model._default_manager.all()
        kwargs["queryset"] = within(request.user, rows, Act.USE)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _may_change(self, request: HttpRequest, obj: Any) -> bool:
        if obj is None or obj.pk is None:
            return can_anywhere(request.user, Act.CREATE, MessageTemplate)
        return can(request.user, Act.CHANGE, obj)


class BlockInline(PartInline):
    model = TemplateBlock
    formset = AtTheEnd
    fields = ["position", "text", "is_locked"]
    formfield_overrides = {TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 3})}}


class ImageInline(PartInline):
    model = TemplateImage
    formset = AtTheEnd
    fields = ["position", "image"]
    autocomplete_fields = ["image"]
    extra = 0


class DefaultInline(PartInline):
    model = TemplateDefault
    fields = ["name", "value"]
    extra = 0


OWN = ["unit", "name", "order", "interval_seconds", "is_shared", "is_active"]


@admin.register(MessageTemplate)
class MessageTemplateAdmin(ScopedAdmin):
    when_empty = gettext_lazy(
        "A template is a message to be used again. Each room gets its placeholders filled in."
    )
    change_form_outer_before_template = "organisation/why_above.html"
    list_display = ["name", "unit", "source", "uses", "is_active", "use"]
    list_filter = ["is_active", "unit"]
    list_select_related = ["unit"]
    search_fields = ["name"]
    ordering = ["name", "id"]
    autocomplete_fields = ["unit"]
    form = TemplateForm
    readonly_fields = ["uses", "use", "fills_in"]
    inlines = [BlockInline, ImageInline, DefaultInline]

    class Media:
        css = {"all": ["teiji/schedules.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        mine = within(
            request.user, Schedule.objects.filter(registered_at__isnull=False, edits=None)
        )
        made = mine.filter(template=OuterRef("pk")).order_by().values("template")
        rows = super(ScopedAdmin, self).get_queryset(request)
        used = Coalesce(Subquery(made.annotate(total=Count("pk")).values("total")), 0)
        return within(request.user, rows, Act.USE).annotate(use_count=used)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        # A template that is being made has no uses, and cannot be used.
        there = [] if obj is None else ["uses", "use"]
        filled = [] if obj is None else ["fills_in"]
        if obj is None or self.has_change_permission(request, obj):
            filled += PREFILLED
        return [
            (None, {"fields": [*OWN, *there]}),
            (gettext_lazy("Defaults for schedules made with it"), {"fields": filled}),
        ]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allows(request, Act.USE, obj)

    def get_actions(self, request: HttpRequest) -> Any:
        # Of many at once it would not be asked whose they are.
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return found

    @admin.display(description=gettext_lazy("from"))
    def source(self, template: MessageTemplate) -> str:
        return _("system") if template.is_system else str(template.unit.get_kind_display())

    @admin.display(description=gettext_lazy("registered from it"), ordering="use_count")
    def uses(self, template: Any) -> int:
        return getattr(template, "use_count", 0)

    @admin.display(description=gettext_lazy("use"))
    def use(self, template: MessageTemplate) -> SafeString | str:
        if not (template.pk and template.is_active):
            return "–"
        address = reverse("admin:schedules_messagetemplate_use", args=[template.pk])
        return format_html(
            '<a class="teiji-link" href="{}">{}</a>', address, _("Use this template")
        )

    @admin.display(description=gettext_lazy("filled in"))
    def fills_in(self, template: MessageTemplate) -> str:
        return prefills_in_words(template, template.unit.zone) or _(
            "Nothing: whoever uses it says when and how."
        )

    def get_urls(self) -> list[Any]:
        wrapped = self.admin_site.admin_view(self.use_view)
        own = path("<int:pk>/use/", wrapped, name="schedules_messagetemplate_use")
        return [own, *super().get_urls()]

    def use_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The template at a glance; posting it starts the registration form filled in."""
        template = self.get_object(request, str(pk))
        if template is None or not template.is_active:
            raise Http404
        if request.method == "POST":
            return redirect("wizard-step", self._use(request, template).pk, "target")
        unit = _unit(request, template)
        context = {
            **self.admin_site.each_context(request),
            "title": template.name,
            "opts": self.opts,
            "template": template,
            "blocks": template.blocks.all(),
            "values": held_in(unit, names(template.text), template.terms["defaults"]),
            "unit": unit,
            "fills_in": prefills_in_words(template, unit.zone),
            "notes": prefill(template, unit, now=database_now()).notes,
            "may_add_value": can_anywhere(request.user, Act.CREATE, PlaceholderValue),
            "images": template.template_images.count(),
            "may_register": can_anywhere(request.user, Act.CREATE, Schedule),
            "may_change": self.has_change_permission(request, template),
            "new_uid": uuid4(),
        }
        return render(request, "schedules/use_template.html", context)

    def _use(self, request: HttpRequest, template: MessageTemplate) -> Schedule:
        try:
            uid = UUID(request.POST.get("uid", ""))
        except ValueError:
            uid = uuid4()
        unit = _unit(request, template)
        try:
            done = apply_template(template, by=request.user, unit=unit, uid=uid)
        except OutOfReach as error:
            raise Http404 from error
        for note in done.notes:
            messages.warning(request, note)
        return done.draft


@admin.register(PlaceholderValue)
class PlaceholderValueAdmin(RemovingAdmin):
    when_empty = gettext_lazy(
        "A value stands in messages where its name is written in braces: {phone}. It holds for its "
        "unit, and for those below that have none of their own."
    )
    list_before_template = "schedules/values_above.html"
    list_display = ["placeholder", "value", "unit"]
    list_filter = ["unit"]
    list_select_related = ["unit"]
    search_fields = ["name", "value"]
    ordering = ["name", "id"]
    autocomplete_fields = ["unit"]
    fields = ["unit", "name", "value"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        row = obj if change else PlaceholderValue()
        obj.pk = keep_value(row, form.cleaned_data, by=request.user).pk

    def remove(self, row: Any, *, by: Any) -> None:
        remove_value(row, by=by)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """With what one's own unit has from those above it: that is not among one's own rows."""
        member = member_of(request.user)
        above = from_above(member.unit) if member else []
        said = {"values_above": above, "unit": member.unit if member else None}
        return super().changelist_view(request, {**said, **(extra_context or {})})

    @admin.display(description=gettext_lazy("placeholder"), ordering="name")
    def placeholder(self, row: PlaceholderValue) -> str:
        return str(row)


def _unit(request: HttpRequest, template: MessageTemplate) -> Unit:
    """The person's own; who has none starts with the template's."""
    member = member_of(request.user)
    unit: Unit = member.unit if member else template.unit
    return unit
