"""Changes of single occurrences, whatever the rule: none is lost, none doubled, none elsewhere."""

from datetime import timedelta
from itertools import islice, takewhile

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schedules.recurrence import Change, changed_occurrences, occurrences
from tests.schedules.recurrence.strategies import moments, timings, zones

MINUTE = timedelta(minutes=1)
COUNT = 12


@st.composite
def changed(draw):
    """A timing, a moment, its next occurrences, and changes of some of them, or of no time of
    its own."""
    zone = draw(zones)
    timing, after = draw(timings(zone)), draw(moments(zone))
    coming = list(islice(occurrences(timing, after), COUNT))
    own = {one.due_at for one in coming}
    changes = {}
    for one in coming:
        match draw(st.sampled_from(["as it is", "as it is", "skip", "move", "edit", "void"])):
            case "skip":
                changes[one.due_at] = Change(skips=True)
            case "edit":
                changes[one.due_at] = Change(text="Other")
            case "move":
                away = draw(st.integers(-600, 6000)) * MINUTE + timedelta(seconds=1)
                changes[one.due_at] = Change(due_at=one.due_at + away)
            case "void" if one.due_at + timedelta(seconds=7) not in own:
                void = one.due_at + timedelta(seconds=7)
                changes[void] = Change(due_at=void + MINUTE)
    return timing, after, coming, changes


@given(changed())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_each_occurrence_is_there_once_at_its_own_time_or_at_the_new_one(case):
    timing, after, coming, changes = case
    if not coming:
        return
    until = max(
        [one.due_at for one in coming]
        + [change.due_at for at, change in changes.items() if change.due_at]
    )
    found = list(
        takewhile(
            lambda one: one.due_at <= until, changed_occurrences(timing, after, changes=changes)
        )
    )
    times = [one.due_at for one in found]
    assert times == sorted(set(times)) and all(at > after for at in times)
    by_rule = {one.due_at for one in occurrences_until(timing, after, until)}
    appointed = [one.appointed_at for one in found]
    assert len(appointed) == len(set(appointed)) and set(appointed) <= by_rule
    for one in found:
        change = changes.get(one.appointed_at, Change())
        assert one.due_at == (change.due_at or one.appointed_at)
        assert (one.skipped == "left_out") == change.skips
        assert one.text == change.text
    # Only what was moved into the past, or onto another's time, is not there.
    for at in by_rule - set(appointed):
        due_at = changes[at].due_at or at
        assert due_at <= after or due_at in times


def occurrences_until(timing, after, until):
    return list(takewhile(lambda one: one.due_at <= until, occurrences(timing, after)))


@given(changed())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_to_go_on_from_any_of_its_times_finds_the_rest(case):
    timing, after, _coming, changes = case
    whole = list(islice(changed_occurrences(timing, after, changes=changes), 8))
    for number, one in enumerate(whole[:-1]):
        rest = islice(changed_occurrences(timing, one.due_at, changes=changes), 7 - number)
        assert list(rest) == whole[number + 1 :]
