"""A line of shares over days, as points of an SVG. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 1000, 200  # of the drawing, which is stretched to its place
FLOORS = (0.98, 0.95, 0.9, 0.75, 0.5, 0.0)  # at which the scale may begin

Shares = Sequence[float | None]


@dataclass(frozen=True)
class Trend:
    """Lines as lists of points; for each day that stands alone a bar up to its point, as a path;
    and the share at the foot of the drawing."""

    lines: list[str]
    bars: list[str]
    before: list[str]
    floor: float


def trend_of(shares: Shares, before: Shares) -> Trend:
    """The line of these days and that of the days before, on one scale. A day without a share
    leaves a gap."""
    least = min((share for share in (*shares, *before) if share is not None), default=1.0)
    floor = next(floor for floor in FLOORS if floor <= least)
    drawn = list(_lines(shares, floor))
    alone = [line.split()[0] for line in drawn if _is_dot(line)]
    lines, bars = [line for line in drawn if not _is_dot(line)], [f"M{at}V{HEIGHT}" for at in alone]
    return Trend(lines, bars, list(_lines(before, floor)), floor)


def _lines(shares: Shares, floor: float) -> Iterable[str]:
    line: list[str] = []
    for place, share in enumerate((*shares, None)):
        if share is not None:
            line.append(_point(place, len(shares), share, floor))
        elif line:
            # One day alone is a line of no length, which its round ends make a dot.
            yield " ".join(line if len(line) > 1 else line * 2)
            line = []


def _is_dot(line: str) -> bool:
    return len(set(line.split())) == 1


def _point(place: int, places: int, share: float, floor: float) -> str:
    x = WIDTH * place / max(places - 1, 1)
    y = HEIGHT * (1 - (share - floor) / (1 - floor))
    return f"{x:.1f},{y:.1f}"
