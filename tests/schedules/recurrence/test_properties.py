"""What holds for every rule in every zone, against definitions that are slow and plain."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from schedules.recurrence import Kind, Timing, occurrences

from .strategies import clocks, moments, shifts, timings, years, zones

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

settings.register_profile("recurrence", deadline=None, max_examples=80)
quick = settings(settings.get_profile("recurrence"))


def wall(moment, zone):
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


@quick
@given(st.data(), zones)
def test_occurrences_ascend_after_the_start_and_within_validity(data, zone):
    after = data.draw(moments(zone))
    valid_from = after + data.draw(st.timedeltas(-DAY, 40 * DAY))
    valid_until = valid_from + data.draw(st.timedeltas(timedelta(0), 400 * DAY))
    timing = replace(data.draw(timings(zone)), valid_from=valid_from, valid_until=valid_until)
    found = [each.due_at for each in islice(occurrences(timing, after), 60)]
    assert all(earlier < later for earlier, later in pairwise([after, *found]))
    assert all(valid_from <= due_at <= valid_until for due_at in found)
    unlimited = replace(timing, valid_from=None, valid_until=None)
    expected = (each.due_at for each in occurrences(unlimited, max(after, valid_from - MINUTE)))
    assert (
        found
        == [due_at for due_at in islice(expected, 62) if valid_from <= due_at <= valid_until][
            : len(found)
        ]
    )


@quick
@given(st.data(), zones)
def test_starting_again_from_any_occurrence_goes_on_identically(data, zone):
    timing, after = data.draw(timings(zone)), data.draw(moments(zone))
    found = list(islice(occurrences(timing, after), 40))
    start = data.draw(st.integers(0, len(found) - 1))
    for moment in (found[start].due_at, found[start].local):
        assert list(islice(occurrences(timing, moment), 39 - start)) == found[start + 1 :]


@quick
@given(st.data(), zones)
def test_a_grid_goes_at_each_minute_that_shows_one_of_its_times(data, zone):
    timing = data.draw(timings(zone, (Kind.INTERVAL, Kind.PEAK)))
    after = data.draw(moments(zone))
    minutes = [after + number * MINUTE for number in range(1, 1501)]
    expected = [minute for minute in minutes if is_on_the_grid(timing, wall(minute, zone))]
    ends = replace(timing, valid_until=minutes[-1])
    assert [each.due_at for each in occurrences(ends, after)] == expected


def is_on_the_grid(timing, shown):
    step = timing.every_minutes
    if timing.kind == Kind.PEAK and shown.hour in timing.peak_hours:
        step = timing.peak_minutes
    return (shown.hour * 60 + shown.minute) % step == 0


@quick
@given(st.data(), zones, clocks)
def test_an_appointment_is_when_the_clocks_first_show_its_time_or_a_later_one(data, zone, clock):
    after = data.draw(moments(zone))
    day = wall(after, zone).date() + DAY
    timing = Timing(Kind.ONCE, zone, date=day, time=clock)
    target = datetime.combine(day, clock)
    (found,) = occurrences(timing, after - 3 * DAY)
    minutes = (after - DAY + number * MINUTE for number in range(5000))
    assert found.due_at == next(minute for minute in minutes if wall(minute, zone) >= target)
    assert found.moved == (wall(found.due_at, zone) != target)


@quick
@given(zones, years, clocks)
def test_a_daily_rule_loses_and_doubles_no_day(zone, year, clock):
    tz = ZoneInfo(zone)
    first = datetime(year, 1, 5, tzinfo=tz)
    timing = Timing(
        Kind.DAILY, zone, time=clock, valid_until=datetime(year, 12, 20, 23, 59, tzinfo=tz)
    )
    found = list(occurrences(timing, first - MINUTE))
    probes = (first.astimezone(UTC) + number * timedelta(hours=6) for number in range(1404))
    real_days = {wall(probe, zone).date() for probe in probes if probe <= timing.valid_until}
    assert len(found) == len(real_days)
    in_place = [each.local for each in found if not each.moved]
    assert {each.time() for each in in_place} == {clock}
    assert len({each.date() for each in in_place}) == len(in_place) >= len(real_days) - 3


@quick
@given(st.data(), zones)
def test_what_is_moved_lies_at_a_change_of_the_clocks(data, zone):
    timing, after = data.draw(timings(zone)), data.draw(moments(zone))
    for each in islice(occurrences(timing, after), 40):
        before = wall(each.due_at - timedelta.resolution, zone)
        jumped = wall(each.due_at, zone) - before > MINUTE
        assert jumped or not each.moved


def test_the_years_drawn_from_do_hold_changes_of_the_clocks():
    assert len(shifts("America/New_York", 2026)) == 2
    assert len(shifts("Pacific/Apia", 2011)) == 3
    assert not shifts("Asia/Seoul", 2026)
