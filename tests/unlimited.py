"""Rooms that are sent to all the time: their own limits would be what is tested."""

from typing import Any

UNLIMITED: dict[str, Any] = {"min_interval_seconds": 0, "daily_cap": 0}
