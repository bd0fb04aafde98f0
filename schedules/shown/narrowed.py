"""Addresses of lists that are narrowed to what a figure has counted."""

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse


def log_of(**narrowing: Any) -> str:
    """The send log; as in all figures, without tests."""
    address = reverse("admin:schedules_delivery_changelist")
    return f"{address}?{urlencode({**narrowing, 'tests': 'no'})}"


def schedules_of(**narrowing: Any) -> str:
    """The list of schedules."""
    return f"{reverse('admin:schedules_schedule_changelist')}?{urlencode(narrowing)}"
