"""The rows of a list, in the theme's look. The theme would draw all headings anew for each row, and
its tick box by a template: a third of what a list takes."""

from collections.abc import Callable, Iterator
from typing import Any

from django import template
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import lookup_field
from django.db.models import Model
from django.forms.utils import flatatt
from django.template.defaultfilters import floatformat
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from unfold.admin import checkbox
from unfold.templatetags.unfold_list import (
    CHECKBOX_CLASSES,
    LINK_CLASSES,
    ROW_CLASSES,
    result_headers,
)
from unfold.utils import display_for_field, display_for_label, display_for_value
from unfold.views import ChangeList

Cell = Callable[[Model], str]

register = template.Library()


@register.inclusion_tag("admin/change_list_results.html", takes_context=True)
def list_rows(context: dict[str, Any], cl: ChangeList) -> dict[str, Any]:
    """In place of the theme's `unfold_result_list`: our rows have no forms, sections or acts."""
    headers = list(result_headers(cl))
    return {
        "cl": cl,
        "result_headers": headers,
        "num_sorted_fields": sum(header.get("sorted", False) for header in headers),
        "results": list(_rows(cl, [header["text"] for header in headers])),
        "has_add_permission": cl.model_admin.has_add_permission(context["request"]),
    }


@register.simple_tag
def rows_counted(cl: ChangeList) -> str:
    """“7 schedules”; “more than 10,000 schedules”, where they are counted no further."""
    options, count = cl.opts, cl.result_count
    name = options.verbose_name if count == 1 else options.verbose_name_plural
    if count >= (most := getattr(cl.paginator, "most", count + 1)):
        words = pgettext("rows of a list", "more than %(count)s %(name)s")
        return words % {"count": floatformat(most - 1, "0g"), "name": name}
    words = pgettext("rows of a list", "%(count)s %(name)s")
    return words % {"count": floatformat(count, "0g"), "name": name}


def _rows(cl: ChangeList, titles: list[str]) -> Iterator[SafeString]:
    cells = list(_cells(cl, titles))
    for row in cl.result_list:
        yield mark_safe("".join(cell(row) for cell in cells))  # noqa: S308 - each escapes what it shows


def _cells(cl: ChangeList, titles: list[str]) -> Iterator[Cell]:
    """How each column draws its cells; the first with a link heads the row."""
    tag = "th"
    for name, title in zip(cl.list_display, titles, strict=True):
        if name == "action_checkbox":
            yield _tick_box()
        elif name in (cl.list_display_links or ()):
            yield _linked(cl, name, title, tag)
            tag = "td"
        else:
            yield _plain(cl, name, title)


def _tick_box() -> Cell:
    opening = _opening("td", CHECKBOX_CLASSES, checkbox.attrs["aria-label"]) + format_html(
        '<input type="checkbox" name="{}"{} value="', ACTION_CHECKBOX_NAME, flatatt(checkbox.attrs)
    )
    # The bar of acts stands before the table: from a chosen row it would be a long way back by key.
    way = format_html(
        '<a href="#changelist-actions" class="tj-to-acts" data-to-acts>{}</a>',
        _("To the actions for what is chosen"),
    )
    return lambda row: f'{opening}{escape(row.pk)}">{way}</td>'


def _linked(cl: ChangeList, name: str, title: str, tag: str) -> Cell:
    opening = _opening(tag, [f"field-{name}", *ROW_CLASSES], title)
    classes = " ".join(LINK_CLASSES)
    query = f"?{cl.preserved_filters}" if cl.preserved_filters else ""

    def cell(row: Model) -> str:
        address = escape(f"{cl.url_for_result(row)}{query}")
        shown = _shown(cl, name, row)
        return f'{opening}<a href="{address}" class="{classes}">{shown}</a></{tag}>'

    return cell


def _plain(cl: ChangeList, name: str, title: str) -> Cell:
    opening = _opening("td", [f"field-{name}", *ROW_CLASSES], title)
    return lambda row: f"{opening}{_shown(cl, name, row)}</td>"


def _opening(tag: str, classes: list[str], title: str) -> SafeString:
    return format_html('<{} class="{}" data-label="{}">', tag, " ".join(classes), title)


def _shown(cl: ChangeList, name: str, row: Model) -> str:
    """The value as the theme writes it, escaped."""
    field, method, value = lookup_field(name, row, cl.model_admin)
    nothing = cl.model_admin.get_empty_value_display()
    if label := getattr(method, "label", None):
        shown = display_for_label(value, nothing, label)
    elif field is None:
        shown = display_for_value(value, nothing, getattr(method, "boolean", False))
    elif field.remote_field:
        shown = nothing if value is None else value
    else:
        shown = display_for_field(value, field, nothing)
    return conditional_escape(shown)
