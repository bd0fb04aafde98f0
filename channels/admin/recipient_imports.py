"""People from a file, in steps: upload, name the columns, check every row, import."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from channels.admin import progress
from channels.admin.account_choice import WithPeople
from channels.models import Audience, RecipientImport
from channels.people import importing
from channels.people.columns import FIELDS
from channels.people.table import MOST_BYTES, MOST_COLUMNS, MOST_ROWS
from channels.people.text import ENCODINGS
from channels.people.unusable import UnusableFile
from config.scoped.times import moment, read_by, zone_of
from orgs.reach import Act

NO_COLUMN = -1


class RecipientImportForm(forms.ModelForm):
    """The upload: what cannot be a table is refused at once."""

    look: importing.Look

    class Meta:
        model = RecipientImport
        fields = ["unit", "account", "audience", "file"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].required = True
        self.fields["file"].help_text = _(
            "A table, .csv or .xlsx, with a heading: at most %(rows)s rows and %(size)s."
        ) % {
            "rows": number_format(MOST_ROWS, force_grouping=True),
            "size": filesizeformat(MOST_BYTES),
        }

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        try:
            self.look = importing.look_at(file.file, file.size)
        except UnusableFile as error:
            raise forms.ValidationError(str(error)) from error
        return file


@admin.register(RecipientImport)
class RecipientImportAdmin(WithPeople):
    when_empty = gettext_lazy(
        "An import brings in people from a table. Every row is checked before anything is written."
    )
    form = RecipientImportForm
    list_display = ["file_name", "unit", "account", "stage", "rows", "problem_count", "uploaded"]
    list_filter = ["stage", "unit", "account"]
    list_select_related = ["unit", "account"]
    search_fields = ["file_name"]
    autocomplete_fields = ["unit"]
    ordering = ["-id"]
    fields = ["unit", "account", "audience", "file"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return read_by(request.user, super().get_queryset(request))

    @admin.display(description=gettext_lazy("uploaded"), ordering="created_at")
    def uploaded(self, row: Any) -> Any:
        return moment(row.created_at, row.read_in)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field and db_field.name == "audience":
            field.queryset = field.queryset.filter(kind=Audience.Kind.LIST)
        return field

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        self.check_unit(request, obj, Act.CREATE)
        obj.file_name = obj.file.name.rpartition("/")[2][-100:]
        importing.begin(obj, form.look, by=request.user)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: Any = None
    ) -> HttpResponse:
        return redirect("admin:channels_recipientimport_change", obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset:  # each with its file
            row.delete()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponseBase:
        """The steps after the upload; posting takes the next one."""
        if request.method not in ("GET", "POST"):
            return HttpResponseNotAllowed(["GET", "POST"])
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if request.method == "GET":
            return render(request, "channels/import.html", self._page(request, row))
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        go = request.POST.get("go", "")
        if go == "look":  # in another encoding
            page = self._page(request, row, _encoding_in(request))
            return render(request, "channels/import.html", page)
        if go not in ("check", "import"):
            raise Http404
        if go == "check":
            mapping, encoding = _mapping_in(request), _encoding_in(request)
            steps = importing.check_rows(row, encoding=encoding, mapping=mapping)
        else:
            steps = importing.run(row, by=request.user)
        if progress.is_asked_for(request):
            return progress.told(steps, then=request.path)
        return self._carry_out(request, row, steps, go)

    def _carry_out(
        self, request: HttpRequest, row: RecipientImport, steps: Iterator[int], go: str
    ) -> HttpResponse:
        try:
            for _rows in steps:
                pass
        except UnusableFile as error:
            messages.error(request, str(error))
        else:
            if go == "import":
                _say(request, row)
        return redirect(request.path)

    def _page(
        self, request: HttpRequest, row: RecipientImport, encoding: str = ""
    ) -> dict[str, Any]:
        is_done = row.stage == RecipientImport.Stage.IMPORTED
        rows, unread = ([], "") if is_done else _shown_rows(row, encoding)
        mapping = row.mapping or (importing.guess(rows[0][1]) if rows else {})
        return {
            **self.admin_site.each_context(request),
            "title": row.file_name,
            "opts": self.opts,
            "row": row,
            "is_done": is_done,
            "is_checked": row.stage == RecipientImport.Stage.CHECKED,
            "imported": moment(row.imported_at, zone_of(request.user)),
            "unread": unread,
            "encoding": encoding or row.encoding,
            "encodings": ENCODINGS.items(),
            "heading": rows[0][1] if rows else [],
            "most_columns": MOST_COLUMNS,
            "rows": [cells for _line, cells in rows[1:]],
            "columns": _columns(mapping, rows[0][1]) if rows else [],
            # SQLite has one writer at a time: what is to be sent waits for it too.
            "holds_all": row.rows >= importing.LARGE and connection.vendor == "sqlite",
            "more_problems": row.problem_count - len(row.problems),
        }


def _say(request: HttpRequest, row: RecipientImport) -> None:
    """What became of the import."""
    if row.stage == RecipientImport.Stage.IMPORTED:
        said = ngettext("%(count)s person imported.", "%(count)s people imported.", row.rows)
        count = number_format(row.rows, force_grouping=True)
        messages.success(request, said % {"count": count})
    else:
        messages.error(request, _("Nothing was imported. Check the rows first."))


def _shown_rows(row: RecipientImport, encoding: str) -> tuple[list[Any], str]:
    """The first rows, or why they cannot be shown."""
    try:
        return importing.first_rows(row, encoding), ""
    except UnusableFile as error:
        return [], str(error)


def _columns(mapping: dict[str, int], heading: list[str]) -> list[dict[str, Any]]:
    """Each field with the columns that it can be."""
    options = [(place, _title(heading, place)) for place in range(len(heading))]
    return [
        {"name": name, "label": label, "place": mapping.get(name, NO_COLUMN), "options": options}
        for name, label in FIELDS.items()
    ]


def _title(heading: list[str], place: int) -> str:
    """What the file calls a column; its number where that says too little."""
    title, number = heading[place].strip(), place + 1
    if not title:
        return str(number)
    is_only = [other.strip() for other in heading].count(title) == 1
    return title if is_only else f"{title} ({number})"


def _mapping_in(request: HttpRequest) -> dict[str, int]:
    places = {str(place): place for place in range(MOST_COLUMNS)}
    asked = {name: places.get(request.POST.get(f"column_{name}", "")) for name in FIELDS}
    return {name: place for name, place in asked.items() if place is not None}


def _encoding_in(request: HttpRequest) -> str:
    asked = request.POST.get("encoding", "")
    return asked if asked in ENCODINGS else ""
