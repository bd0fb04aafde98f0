"""The admin's site."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.views.i18n import JavaScriptCatalog
from unfold.sites import UnfoldAdminSite


class ScriptWords(JavaScriptCatalog):
    """The words of the admin's scripts, one of them as it is said in each language."""

    packages = ["django.contrib.admin"]

    def get_catalog(self) -> dict[str, Any]:
        chosen = _("%(sel)s of %(cnt)s selected")
        return super().get_catalog() | {"%(sel)s of %(cnt)s selected": [chosen, chosen]}


class TeijiSite(UnfoldAdminSite):
    """Names the models of one app at a time: on every page they would be looked up for a menu, and
    ours stands in config.look."""

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        return super().get_app_list(request, app_label) if app_label else []

    def i18n_javascript(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return ScriptWords.as_view()(request)
