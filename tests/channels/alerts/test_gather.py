"""First at once, then at most one digest for a while; nothing twice; the nearest unit upward."""

from datetime import timedelta
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.alerts import AlertKind, raise_
from channels.alerts.gather import KEPT, QUIET, gather
from channels.alerts.raising import Event, raise_all
from channels.models import Alert, Notice, Quiet, Telling
from tests.channels.alerts.conftest import raise_one
from tests.schedules.at_once import at_once, before_statement, outcome_of

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
WINDOW = QUIET


def told() -> list[tuple[str, int]]:
    return list(Notice.objects.order_by("id").values_list("title", "count"))


def test_the_first_is_told_at_once_and_the_rest_in_one_digest(world, start):
    raise_one(world.xinyi, start, "1")
    assert gather(start) == 1
    for number in (2, 3):
        raise_one(world.xinyi, start + MINUTE, str(number))
        assert gather(start + number * MINUTE) == 0
    assert gather(start + WINDOW) == 1
    assert gather(start + 5 * WINDOW) == 0
    assert told() == [("Teiji: 1 message failed for good (LINE)", 1),
                      ("Teiji: 2 messages failed for good (LINE)", 2)]  # fmt: skip


def test_the_same_event_is_told_once_whoever_raises_it_and_however_often(world, start):
    for _ in range(3):
        raise_one(world.xinyi, start, "the same")
        gather(start)
        gather(start + WINDOW)
    assert [count for _title, count in told()] == [1]


def test_other_subjects_do_not_wait_for_each_other(world, start):
    raise_one(world.xinyi, start, "1")
    raise_one(world.xinyi, start, "2", subject="account:2")
    raise_one(world.xinyi, start, "3", kind=AlertKind.MISSED)
    raise_one(world.tainan, start, "4")
    assert gather(start) == 3, "of two units below one headquarters that is told, one digest"
    assert sorted(Notice.objects.values_list("count", flat=True)) == [1, 1, 2]


def test_a_notice_says_what_when_and_where_to_look(world, start, add_target):
    add_target(world.north)
    raise_one(world.xinyi, start, "1", text="Morning notice → Xinyi room: HTTP 400")
    gather(start)
    notice = Notice.objects.get()
    assert notice.unit_path == world.north.path
    for words in ("North", "Morning notice → Xinyi room: HTTP 400", "Asia/Taipei",
                  "http://127.0.0.1:8000/admin/schedules/delivery/?state__exact="):  # fmt: skip
        assert words in notice.body


def test_of_many_the_first_are_written_out_and_the_others_counted(world, start):
    events = [
        Event("failed", "account:1", world.xinyi.path, f"k{n}", "LINE", f"Text {n}", start)
        for n in range(300)
    ]
    raise_all(events, start)
    assert Alert.objects.count() == 1
    gather(start)
    notice = Notice.objects.get()
    assert notice.count == 300
    assert "Text 4" in notice.body
    assert "Text 5" not in notice.body
    assert "… and 295 more" in notice.body


def test_it_is_over_is_told_with_what_was_or_after_it(world, start):
    stopped = partial(raise_one, kind=AlertKind.STOPPED, name="Main")
    stopped(world.xinyi, start, "1", text="Nothing more is sent")
    gather(start)
    stopped(world.xinyi, start, "2", text="It sends again", is_over=True)
    gather(start + WINDOW)
    assert [title for title, _count in told()] == [
        "Teiji: An account is stopped (Main)", "Teiji: The account sends again (Main)",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("targets", "told_unit"),
    [(["xinyi", "north"], "xinyi"), (["north", "hq"], "north"), (["hq"], "hq"), ([], "hq"),
     (["tainan", "south"], "hq")],
)  # fmt: skip
def test_the_nearest_unit_upward_with_a_target_is_told(
    world, start, add_target, targets, told_unit
):
    for code in targets:
        add_target(getattr(world, code))
    raise_one(world.xinyi, start)
    gather(start)
    notice = Notice.objects.get()
    assert notice.unit_path == getattr(world, told_unit).path
    names = set(notice.tellings.values_list("to", flat=True))
    assert names == ({f"Ops of {told_unit}"} if told_unit in targets else set())


def test_an_inactive_target_is_none(world, start, add_target):
    add_target(world.xinyi, is_active=False)
    add_target(world.north)
    raise_one(world.xinyi, start)
    gather(start)
    assert Notice.objects.get().unit_path == world.north.path


def test_operators_are_told_besides_but_of_the_fence_once(world, start, settings, add_target):
    settings.TEIJI_ALERT_URLS = ["discord://1/a", "discord://2/b"]
    add_target(world.hq)
    raise_one(world.xinyi, start)
    for path in ("", world.hq.path):
        raise_(AlertKind.FENCED, "fence", path, key=f"f{path}", name="", text="!", now=start)
    gather(start)
    by_notice = {
        (notice.kind, notice.unit_path): sorted(notice.tellings.values_list("to", flat=True))
        for notice in Notice.objects.all()
    }
    operators = ["TEIJI_ALERT_URLS 1", "TEIJI_ALERT_URLS 2"]
    assert by_notice == {
        ("failed", world.hq.path): ["Ops of hq", *operators],
        ("fenced", ""): operators,
        ("fenced", world.hq.path): ["Ops of hq"],
    }


def test_what_cannot_be_stored_is_made_storable_and_short(world, start):
    raise_one(world.xinyi, start, "k" * 500, text="a\x00b\nc\ud800" + "x" * 5000, name="n" * 500)
    gather(start)
    assert "a b c" in Notice.objects.get().body


def test_old_notices_are_forgotten(world, start):
    raise_one(world.xinyi, start, "1")
    gather(start)
    raise_one(world.xinyi, start, "2")
    gather(start + KEPT + MINUTE)
    assert len(told()) == 1
    assert Alert.objects.count() == 1


OPS = st.lists(
    st.one_of(
        st.tuples(st.just("raise"), st.integers(0, 1), st.integers(0, 5)),
        st.tuples(st.just("pass"), st.integers(1, 20), st.just(0)),
        st.tuples(st.just("gather"), st.integers(0, 2), st.just(0)),
    ),
    max_size=40,
)


@given(OPS)
@settings(
    max_examples=60, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
def test_whatever_the_order_each_event_is_in_one_notice_and_notices_keep_their_distance(
    world, start, ops
):
    for model in (Notice, Alert, Quiet):
        model.objects.all().delete()
    now, raised = start, set()
    for what, first, second in ops:
        if what == "raise":
            key = f"{first}:{second}"
            raise_one(world.xinyi, now, key, subject=f"account:{first}")
            raised.add(key)
        elif what == "pass":
            now += first * MINUTE
        else:
            # Workers whose clocks differ by a little.
            gather(now - first * timedelta(milliseconds=100))
    gather(now + 2 * WINDOW)
    assert set(Alert.objects.exclude(notice=None).values_list("key", flat=True)) == raised
    for subject in ("account:0", "account:1"):
        rows = Notice.objects.filter(subject=subject)
        times = list(rows.order_by("made_at").values_list("made_at", flat=True))
        assert all(later - sooner >= WINDOW for sooner, later in pairwise(times))
        assert sum(rows.values_list("count", flat=True)) == sum(
            key.startswith(subject[-1]) for key in raised
        )


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_gather_at_once_one_speaks(world, start, add_target):
    add_target(world.xinyi)
    for number in range(3):
        raise_one(world.xinyi, start, str(number))
    assert sum(at_once(*(partial(gather, start) for _ in range(3)))) == 1
    assert Notice.objects.get().count == 3
    assert Telling.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_second_worker_at_any_statement_of_the_first_tells_nothing_twice(
    world, start, add_target
):
    add_target(world.xinyi)
    for place in range(40):
        subject = f"account:{place}"
        raise_one(world.xinyi, start, f"{place}", subject=subject)
        with before_statement(place, partial(gather, start)) as begun:
            gather(start)
        if begun:
            outcome_of(begun[0])
        assert Notice.objects.filter(subject=subject).count() == 1
        if not begun:
            return
    raise AssertionError("so many statements are none")


@pytest.mark.django_db(transaction=True)
def test_the_same_event_raised_by_two_at_once_is_one(world, start):
    at_once(*(partial(raise_one, world.xinyi, start, "the same") for _ in range(3)))
    assert Alert.objects.count() == 1
