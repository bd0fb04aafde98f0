"""On a page that was refused: the way to why."""

from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from orgs.models import Member
from orgs.reach import Act, can_anywhere

register = template.Library()


@register.simple_tag(takes_context=True)
def why_link(context: dict[str, Any]) -> SafeString | str:
    """For who belongs somewhere, on pages of the admin: what an address outside it says is not
    asked of anybody's role."""
    request = context.get("request")
    user = getattr(request, "user", None)
    if request is None or not request.path.startswith("/admin/") or user is None:
        return ""
    if not can_anywhere(user, Act.VIEW, Member):
        return ""
    address = f"{reverse('organisation-why')}?{urlencode({'page': request.path}, doseq=False)}"
    return format_html('<a href="{}">{}</a> ', address.replace("%2F", "/"), _("Why may I not?"))
