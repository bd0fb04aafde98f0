"""The chart of the days, as Chart.js (which the theme brings) reads it from the page."""

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from logs.stats.figures import Figures
from logs.stats.lateness import PROMISE

QUIET = "#8b93a1"  # readable on light and dark ground: Chart.js draws once, whatever follows
COLOURS = {"p50": "#0d9488", "p99": "#c2740a"}


def chart_of(days: dict[date, Figures]) -> dict[str, str]:
    """Its data and options, as JSON."""
    lines = [
        _line("p50", [figures.p50 for figures in days.values()]),
        _line("p99", [figures.p99 for figures in days.values()]),
        _promise("p50", PROMISE.p50, len(days)),
        _promise("p99", PROMISE.p99, len(days)),
    ]
    labels = [f"{day:%m-%d}" for day in days]
    return {
        "data": json.dumps({"labels": labels, "datasets": lines}),
        "options": json.dumps(_options()),
    }


def _line(name: str, values: Iterable[int | None]) -> dict[str, Any]:
    # The axis is logarithmic and has no zero.
    shown = [None if value is None else max(value, 1) for value in values]
    return {
        "label": f"{name} (ms)",
        "data": shown,
        "borderColor": COLOURS[name],
        "backgroundColor": COLOURS[name],
        "pointStyle": "circle" if name == "p50" else "rectRot",
        "pointRadius": 3,
    }


def _promise(name: str, most: int, days: int) -> dict[str, Any]:
    return {
        "label": _("promise for %(figure)s") % {"figure": name},
        "data": [most] * days,
        "borderColor": COLOURS[name],
        "borderDash": [4, 5],
        "borderWidth": 1,
        "pointStyle": "line",
        "pointRadius": 0,
    }


def _options() -> dict[str, Any]:
    words = {"color": QUIET}
    return {
        "animation": False,
        "responsive": True,
        "maintainAspectRatio": False,
        "interaction": {"mode": "index", "intersect": False},
        "datasets": {"line": {"borderWidth": 2}},
        "plugins": {
            "legend": {
                "position": "bottom",
                "labels": {**words, "usePointStyle": True, "boxHeight": 7},
            },
        },
        "scales": {
            "x": {"grid": {"display": False}, "ticks": {**words, "maxRotation": 0}},
            "y": {
                "type": "logarithmic",
                "title": {"display": True, "text": "ms", **words},
                "suggestedMin": 10,
                "suggestedMax": 2 * PROMISE.p99,
                "grid": {"color": QUIET},
                "ticks": words,
            },
        },
    }
