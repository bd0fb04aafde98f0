"""From which request something came: by value, so that one can be followed through all tables."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


def request_field() -> Any:
    """A column for X-Request-ID, as the answer and the log's lines have it."""
    return models.CharField(
        _("originating request"),
        max_length=64,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text=_("The X-Request-ID of the request from which it came; empty: of none."),
    )
