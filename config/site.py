"""The admin's site."""

from typing import Any

from django.http import HttpRequest
from unfold.sites import UnfoldAdminSite


class TeijiSite(UnfoldAdminSite):
    """Names the models of one app at a time: on every page they would be looked up for a menu, and
    ours stands in config.look."""

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        return super().get_app_list(request, app_label) if app_label else []
