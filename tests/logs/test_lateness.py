"""Lateness, its buckets and what is read from them: pure."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.metrics import BOUNDS
from logs.stats.figures import WORST_KEPT, Figures, read_back
from logs.stats.lateness import bucket_of, lateness_of

DUE = datetime(2026, 1, 12, 9, 0, tzinfo=UTC)
LATENESS = st.one_of(st.integers(-5, 300), st.integers(0, 5_000), st.integers(0, 90_000_000))


def figures(values: list[int]) -> Figures:
    found = Figures()
    for number, value in enumerate(values):
        found.add(value, number)
    return found


def exact_quantile(values: list[int], percent: int) -> int:
    """By nearest rank: the smallest value that so many percent do not exceed."""
    ordered = sorted(max(value, 0) for value in values)
    return next(v for v in ordered if 100 * sum(o <= v for o in ordered) >= percent * len(ordered))


@pytest.mark.parametrize(
    ("microseconds", "milliseconds"),
    [(0, 0), (999, 0), (1_000, 1), (-1, -1), (-1_000, -1), (1_500_700, 1_500)],
)
def test_lateness_is_rounded_down_so_that_early_is_never_on_time(microseconds, milliseconds):
    assert lateness_of(DUE + timedelta(microseconds=microseconds), DUE) == milliseconds


@given(LATENESS)
def test_a_bucket_is_never_below_its_values_and_at_most_two_percent_above(value):
    edge = bucket_of(value)
    assert max(value, 0) <= edge <= max(value, 0) * 1.02
    assert bucket_of(edge) == edge


@given(LATENESS, LATENESS)
def test_buckets_keep_the_order(one, other):
    assert (bucket_of(min(one, other))) <= bucket_of(max(one, other))


@given(st.lists(LATENESS, min_size=1, max_size=60), st.sampled_from([1, 50, 90, 99, 100]))
def test_a_quantile_is_at_most_two_percent_above_the_exact_one_and_never_below(values, percent):
    exact = exact_quantile(values, percent)
    read = figures(values).quantile(percent)
    assert read is not None
    assert exact <= read <= exact * 1.02


@given(st.lists(LATENESS, max_size=60))
def test_the_worst_the_early_and_the_sum_are_exact(values):
    found = figures(values)
    late = sorted((max(value, 0) for value in values), reverse=True)
    assert [ms for ms, _ in found.worst] == late[:WORST_KEPT]
    assert found.worst_ms == (late[0] if late else None)
    assert (found.count, found.total_ms) == (len(values), sum(late))
    assert found.early == sum(value < 0 for value in values)


@given(st.lists(LATENESS, max_size=40), st.lists(LATENESS, max_size=40))
def test_parts_add_up_to_the_whole_also_after_they_were_stored(some, others):
    whole = figures([*some, *others])
    part, rest = figures(some), Figures()
    for number, value in enumerate(others, start=len(some)):
        rest.add(value, number)
    merged = read_back(part.stored())
    merged.merge(read_back(rest.stored()))
    assert merged == whole


@given(st.lists(LATENESS, max_size=60), st.sampled_from(BOUNDS))
def test_counts_up_to_the_bounds_of_the_metrics_are_exact(values, bound):
    milliseconds = round(bound * 1000)
    exact = sum(max(value, 0) <= milliseconds for value in values)
    assert figures(values).up_to(milliseconds) == exact


def test_nothing_counted_has_no_figures_and_breaks_no_promise():
    none = Figures()
    assert (none.p50, none.p99, none.worst_ms, none.early) == (None, None, None, 0)
    assert none.keeps_p50 and none.keeps_p99 and none.keeps_never_early


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ([200] * 100, (True, True, True)),
        ([201] * 100, (False, True, True)),
        ([10] * 99 + [60_000], (True, True, True)),
        ([10] * 98 + [1_001] * 2, (True, False, True)),
        ([10] * 99 + [-1], (True, True, False)),
    ],
)
def test_the_promise_is_judged_by_each_of_its_parts(values, kept):
    found = figures(values)
    assert (found.keeps_p50, found.keeps_p99, found.keeps_never_early) == kept
