"""The base of every admin page: what it shows, offers and accepts lies within reach."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin

from config.scoped.changes import changes_of, values_of
from config.scoped.choices import OneRow, SomeRows, is_id
from config.scoped.meanwhile import told_of_changes
from logs import history
from orgs.clock import database_now
from orgs.reach import Act, Belongs, can, can_anywhere, can_in, member_of, within
from orgs.refusal import OutOfReach, Refused

# How list filters ask about a field.
FILTER_FORMS = ("", "__exact", "__id__exact", "__isnull", "__gte", "__lt", "__lte", "__in")

COUNTED = 10_001  # rows that a list counts at most: an exact count of a million is slow


class CappedPaginator(Paginator):
    """Counts no further than `most`."""

    most = COUNTED

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[: self.most].count())


class ScopedRelatedFilter(admin.RelatedFieldListFilter):
    """Offers only what the user reaches."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin
    ) -> list[tuple[str, Any]]:
        rows = within(request.user, field.related_model._default_manager.all())
        return [(row.pk, str(row)) for row in rows[:200]]


class ScopedAdmin(ModelAdmin):
    """Denies by default: a model without a reach shows nothing to anybody but superusers."""

    list_per_page = 50
    show_full_result_count = False
    paginator = CappedPaginator
    actions_on_top = True
    # What it is for, and what comes first: said on the list while there is nothing in reach.
    when_empty: Any = gettext_lazy("There is nothing here yet.")
    # The field that says to which unit a row belongs, where it has one.
    unit_field = "unit"
    # Whether the history keeps what fields held; and of which fields that are only the form's.
    tells_values = True
    told_fields: tuple[str, ...] = ()
    # Whether the act that its forms carry out records the history by itself.
    records_itself = False

    # What may be seen and done.

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return within(request.user, super().get_queryset(request))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return can_anywhere(request.user, Act.VIEW, self.model)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._allows(request, Act.VIEW, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return can_anywhere(request.user, Act.CREATE, self.model)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._allows(request, Act.CHANGE, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._allows(request, Act.DELETE, obj)

    def _allows(self, request: HttpRequest, act: Act, obj: Model | None) -> bool:
        if obj is None or obj.pk is None:
            return can_anywhere(request.user, act, self.model)
        return can(request.user, act, obj)

    # What may be chosen, filtered by and asked for in the address.

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A choice chooses: no menu beside it that deletes or changes what is chosen."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs = {"form_class": OneRow, **kwargs, "queryset": self._choices(db_field, request)}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs |= {"queryset": self._choices(db_field, request), "form_class": SomeRows}
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def _choices(self, db_field: Any, request: HttpRequest) -> QuerySet:
        return within(request.user, db_field.remote_field.model._default_manager.all(), Act.USE)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new row belongs to one's own unit, unless one chooses another."""
        member = member_of(request.user)
        unit = {"unit": member.unit_id} if member else {}
        return {**unit, **super().get_changeform_initial_data(request)}

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        return [self._scoped_filter(item) for item in super().get_list_filter(request)]

    def _scoped_filter(self, item: Any) -> Any:
        if not isinstance(item, str):
            return item
        field = get_fields_from_path(self.model, item)[-1]
        return (item, ScopedRelatedFilter) if field.is_relation else item

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what is offered as a filter, in the forms in which filters ask: others would let
        a page be asked about columns that it does not show, as of a secret its first letter."""
        if value.isdigit() and not is_id(value):
            return False  # no column could be asked for it
        names = [_filter_name(item) for item in self.list_filter]
        return any(
            lookup.startswith(name) and lookup.removeprefix(name) in FILTER_FORMS for name in names
        )

    # What is written.

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kw: Any
    ) -> Any:
        built = super().get_form(request, obj, change, **kw)
        return told_of_changes(built, partial(self._parts, obj)) if change else built

    def _parts(self, obj: Any) -> dict[str, list[Any]]:
        """What its inlines hold, by their titles."""
        found = {}
        for inline in self.inlines:
            model: Any = inline.model
            [above] = [f.name for f in model._meta.fields if f.related_model is self.model]
            rows = model._default_manager.filter(**{above: obj}).order_by("pk")
            found[str(model._meta.verbose_name_plural)] = list(rows.values_list(*inline.fields))
        return found

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        self.check_unit(request, obj, Act.CHANGE if change else Act.CREATE)
        stored = self.model._default_manager.filter(pk=obj.pk).first() if change else None
        form.before = values_of(stored, form.changed_data) if stored else {}
        super().save_model(request, obj, form, change)

    def check_unit(self, request: HttpRequest, obj: Any, act: Act) -> None:
        """Refuse to put a row into a unit out of reach, whatever the form let through."""
        unit = getattr(obj, self.unit_field, None)
        if unit is not None and not can_in(request.user, act, self.model, unit):
            raise PermissionDenied(f"{request.user} may not {act} {self.model.__name__} there.")

    def get_deleted_objects(
        self, objs: Iterable[Any], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Names only what is deleted itself: what hangs on it may be another unit's."""
        _to_delete, counts, _permissions, protected = super().get_deleted_objects(objs, request)
        still_used = [_("It is still in use. Make it inactive instead.")] if protected else []
        return [str(obj) for obj in objs], {k: counts[k] for k in counts}, set(), still_used

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The form; what an act refuses, though the form let it through, is said on it."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except Refused as error:
            return self._say(request, error)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().delete_view(request, *args, **kwargs)
        except Refused as error:
            return self._say(request, error)

    def _say(self, request: HttpRequest, error: Refused) -> HttpResponse:
        if isinstance(error, OutOfReach):
            raise PermissionDenied from error
        messages.error(request, " ".join(w for found in error.problems.values() for w in found))
        return HttpResponseRedirect(request.get_full_path())

    # What is remembered.

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """The form itself: it knows what was changed."""
        return form

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record("created", request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record("updated", request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            self._record("deleted", request, obj, None)

    def _record(self, verb: str, request: HttpRequest, obj: Any, form: Any) -> None:
        if self.records_itself:
            return
        history.record(
            verb,
            obj,
            by=request.user,
            now=database_now(),
            unit_path=unit_path_of(obj),
            changes=self._changes(form, obj) if form else None,
        )

    def _changes(self, form: Any, obj: Any) -> dict[str, Any]:
        before = getattr(form, "before", {})
        return changes_of(form, obj, before, self.told_fields, values=self.tells_values)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """The history page, narrowed to this object."""
        kind = self.model._meta.model_name
        address = reverse("admin:logs_history_changelist")
        return HttpResponseRedirect(f"{address}?kind={kind}&object_id={object_id}")


class ReadOnlyAdmin(ScopedAdmin):
    """Shows and searches; nobody adds, changes or deletes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _filter_name(item: Any) -> str:
    if isinstance(item, tuple):
        return str(item[0])
    return item if isinstance(item, str) else str(item.parameter_name)


def unit_path_of(obj: Any) -> str:
    """The path of the unit to which this row belongs, by the model's own `reach`; none of what
    concerns all."""
    value, reach = obj, getattr(obj, "reach", None)
    if not isinstance(reach, Belongs):
        return ""
    for step in reach.path.split("__"):
        value = getattr(value, step, "")
    return str(value)
