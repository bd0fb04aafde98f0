"""Sign-in to the API by the session of the admin."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.authentication import SessionScheme
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from orgs.second_factor import lacks_second_factor


class AdminSession(SessionAuthentication):
    """A person whose second factor is missing gets no further here than in the admin."""

    def authenticate(self, request: Request) -> tuple | None:
        found: tuple | None = super().authenticate(request)
        look = getattr(request._request, "look", None)  # whose session it is, whoever they see as
        if found and lacks_second_factor(look.viewer if look else found[0]):
            raise PermissionDenied(_("Set up a second factor in the admin first."))
        return found


class AdminSessionScheme(SessionScheme):
    """How the OpenAPI document describes it."""

    target_class: Any = AdminSession
