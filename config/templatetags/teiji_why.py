"""On a page that was refused: the way to why."""

from typing import Any

from django import template
from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from config.organisation.why import MODELS
from orgs.models import Member
from orgs.reach import Act, can_anywhere

register = template.Library()


@register.simple_tag(takes_context=True)
def why_link(context: dict[str, Any]) -> SafeString | str:
    """For who belongs somewhere, on pages of the admin: what an address outside it says is not
    asked of anybody's role."""
    request = context.get("request")
    if request is None or not request.path.startswith("/admin/") or not _may_ask(request):
        return ""
    address = f"{reverse('organisation-why')}?{urlencode({'page': request.path}, doseq=False)}"
    return format_html('<a href="{}">{}</a> ', address.replace("%2F", "/"), _("Why may I not?"))


@register.simple_tag(takes_context=True)
def why_object(context: dict[str, Any], row: Model | None) -> SafeString | str:
    """On the page of an object: who may do what with it."""
    request = context.get("request")
    kind = row._meta.model_name if row else ""
    if row is None or kind not in MODELS or not _may_ask(request):
        return ""
    address = f"{reverse('organisation-why')}?object={kind}:{row.pk}"
    words = _("Who may do what with it, and why?")
    return format_html('<a class="tj-link" href="{}">{}</a>', address, words)


def _may_ask(request: Any) -> bool:
    user = getattr(request, "user", None)
    return user is not None and can_anywhere(user, Act.VIEW, Member)
