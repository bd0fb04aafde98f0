"""Who may call an endpoint: asked of orgs.reach."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import MethodNotAllowed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from orgs.reach import SCOPES, acts_of, can_anywhere


class ReachPermission(BasePermission):
    """Who asks must be known, the view must declare the act, and role and token must allow it."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user or not request.user.is_authenticated:
            return False
        if getattr(view, "action", "") in (None, "metadata"):
            raise MethodNotAllowed(str(request.method))
        act = getattr(view, "acts", {}).get(getattr(view, "action", None))
        if act is None:
            return False
        token: Any = request.auth
        if token is not None and act not in acts_of(token.scopes):
            needed = next(scope for scope, acts in SCOPES.items() if act in acts)
            message = _("This token needs the scope “%(scope)s”.") % {"scope": needed}
            raise PermissionDenied(message)
        return can_anywhere(request.user, act, view.queryset.model)
