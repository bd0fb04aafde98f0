"""LINE: labels that are no reason not to send, and what is told of what was counted."""

import asyncio
from datetime import date
from uuid import UUID, uuid5

import pytest

from channels.adapters.base import Failure, SendError, Target, Text
from channels.adapters.counting import Statistics
from channels.adapters.line import LineAdapter
from channels.http import open_session
from tests.channels.adapters.cases import GROUP, line_adapter
from tests.fakes.line import LineFake
from tests.fakes.serving import serving

KEY = UUID("5f0c1a52-7a63-5f9e-9d6b-0f6f2f0c9a11")
PEOPLE = tuple(f"U{n:032x}" for n in range(60))
NOON = 1_767_236_400.0  # 12:00 of 2026-01-01 in Tokyo
FIRST = date(2026, 1, 1)


@pytest.fixture
def fake() -> LineFake:
    made = LineFake(now=lambda: made.at)
    made.at = NOON
    return made


def run(fake, work):
    """What `work` gives, or the SendError."""

    async def scenario():
        async with serving(fake) as url, open_session(guarded=False) as http:
            try:
                return await work(line_adapter(url, http))
            except SendError as error:
                return error

    return asyncio.run(scenario())


def labelled(label: str = "spring_7"):
    (part,) = LineAdapter(None).pack([Text("hello")], spaced=False)
    return LineAdapter.labelled(part.payload, label)


def sends(target: Target, payload=None):
    return lambda adapter: adapter.send(target, payload or labelled(), KEY)


@pytest.mark.parametrize("target", [Target(GROUP), Target("", members=PEOPLE)])
def test_a_labelled_message_carries_its_label_and_shows_the_same(fake, target):
    run(fake, sends(target))
    assert [(entry.unit, entry.key) for entry in fake.log] == [("spring_7", str(KEY))]
    adapter = LineAdapter(None)
    (part,) = adapter.pack([Text("hello")], spaced=False)
    assert adapter.preview(labelled()) == adapter.preview(part.payload)


@pytest.mark.parametrize("target", [Target(GROUP), Target("", members=PEOPLE)])
def test_refused_for_its_label_it_goes_without_once_however_often_it_is_tried(fake, target):
    fake.takes_units = False
    found = run(fake, sends(target))
    assert "customAggregationUnits" in found.answer["uncounted"]
    again = run(fake, sends(target))
    assert again.already
    (entry,) = fake.log
    assert (entry.unit, entry.key) == ("", str(uuid5(KEY, "without label")))


def test_refused_for_anything_else_it_does_not_go_without(fake):
    fake.left.add(GROUP)
    error = run(fake, sends(Target(GROUP)))
    assert error.failure == Failure.REFUSED
    assert fake.requests["/v2/bot/message/push"] == 1


def test_a_bad_id_in_a_labelled_batch_costs_only_itself(fake):
    fake.strangers.add(PEOPLE[7])
    run(fake, sends(Target("", members=PEOPLE)))
    got = [person for entry in fake.log for person in entry.to]
    assert sorted(got) == sorted(set(PEOPLE) - {PEOPLE[7]})
    assert {entry.unit for entry in fake.log} == {"spring_7"}


def test_lines_own_question_whether_it_is_fine_is_asked_without_the_label(fake):
    def validate(adapter):
        return adapter.validate(Target(GROUP), labelled())

    fake.takes_units = False
    assert run(fake, validate) is None


def test_how_many_labels_a_month_has_had(fake):
    async def work(adapter):
        await adapter.send(Target(GROUP), labelled(), KEY)
        return await adapter.labels_used()

    assert run(fake, work) == 1


@pytest.mark.parametrize(("people", "opened"), [(60, 30), (39, 20), (30, None)])
def test_what_people_did_is_told_where_they_are_not_few(fake, people, opened):
    async def work(adapter):
        await adapter.send(Target("", members=PEOPLE[:people]), labelled(), KEY)
        return await adapter.statistics("spring_7", FIRST, FIRST)

    assert run(fake, work) == Statistics(opened, None)


def test_a_day_is_told_when_it_is_counted(fake):
    def counted(adapter):
        return adapter.counted("multicast", FIRST)

    fake.counts.blocked = set(PEOPLE[:2])
    run(fake, sends(Target("", members=PEOPLE)))
    error = run(fake, counted)
    assert (error.failure, error.after) == (Failure.LATER, 3600)
    fake.at += 24 * 3600
    assert run(fake, counted) == 58
    fake.counts.out_of_service.add(FIRST)
    assert run(fake, counted).failure == Failure.REFUSED
