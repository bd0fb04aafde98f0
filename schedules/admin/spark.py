"""A spark line: how the latest runs of a schedule went, a bar each; by height, mark and words
as well as by colour."""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from schedules.shown.recent import RUNS, Recent
from schedules.states import RunState

Look = tuple[str, int, bool]  # state, height, and whether all was sent

WIDTH, STEP, HEIGHT = 5, 8, 20  # of a bar, from bar to bar, of the whole

# What is drawn above the base where nothing, or not all, was sent.
MARKS = {
    RunState.FAILED: ("bad", "M{0} 15l5 5m0 -5l-5 5"),  # a cross
    RunState.UNCONFIRMED: ("warn", "M{0} 17.5a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0 -5 0"),  # a ring
    RunState.SENDING: ("info", "M{0} 10h5m-2.5 -2.5v5"),  # a plus
}
DOT = ("quiet", "M{0} 18.5h5")  # a line at the foot: skipped, cancelled


def spark(runs: Sequence[Recent]) -> SafeString:
    """`runs`: the newest first, RUNS at most."""
    said = in_words(runs)
    return format_html(
        '<svg class="tj-spark" viewBox="0 0 {} {}" role="img" aria-label="{}"><title>{}</title>{}'
        '</svg><small class="tj-spark-words">{}</small>',
        RUNS * STEP - (STEP - WIDTH),
        HEIGHT,
        said,
        said,
        _bars(tuple(_look_of(run) for run in reversed(runs))),
        _of_all(runs),
    )


def in_words(runs: Sequence[Recent]) -> str:
    """“The last 12 runs: 10 sent, 1 failed, 1 skipped”."""
    counts = Counter(run.state for run in runs)
    words = ", ".join(f"{count} {RunState(state).label}" for state, count in counts.most_common())
    return _("The last %(runs)d runs: %(words)s") % {"runs": len(runs), "words": words}


def _of_all(runs: Sequence[Recent]) -> str:
    sent = sum(run.state == RunState.SENT for run in runs)
    return _("%(sent)d of %(runs)d sent") % {"sent": sent, "runs": len(runs)}


def _look_of(run: Recent) -> Look:
    """As high as the share that was sent."""
    share = run.sent / run.total if run.total else 0
    if run.state == RunState.SENT:
        share = 1
    return run.state, round(share * HEIGHT), share == 1


@lru_cache(maxsize=1_000)
def _bars(looks: tuple[Look, ...]) -> SafeString:
    """Most schedules went alike."""
    first = RUNS - len(looks)
    bars = (_bar(look, (first + place) * STEP) for place, look in enumerate(looks))
    return format_html_join("", "{}", ((bar,) for bar in bars))


def _bar(look: Look, left: int) -> SafeString:
    """With a mark where its height says too little."""
    state, high, is_whole = look
    if high:
        return format_html(
            '<rect class="sp-track" x="{0}" width="{2}" height="{3}" rx="1"/>'
            '<rect class="sp-{1}" x="{0}" y="{4}" width="{2}" height="{5}" rx="1"/>',
            left, "good" if is_whole else "part", WIDTH, HEIGHT, HEIGHT - high, high,
        )  # fmt: skip
    tone, path = MARKS.get(RunState(state), DOT)
    return format_html('<path class="sp-{}" d="{}"/>', tone, path.format(left))
