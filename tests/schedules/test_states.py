"""The table of moves: what it allows, and that nothing is without an exit."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules.models import Delivery
from schedules.states import (
    MOVES,
    OPEN_DELIVERY,
    DeliveryState,
    RunState,
    ScheduleState,
    move,
    run_state,
)

ROOT = Path(__file__).resolve().parents[2]
FINAL = {
    DeliveryState: {"skipped", "cancelled", "retracted"},
    RunState: {"sent", "skipped", "cancelled"},
    ScheduleState: {"cancelled"},
}


@pytest.mark.parametrize("kind", [ScheduleState, RunState, DeliveryState])
def test_every_state_is_in_the_table_and_only_the_final_ones_have_no_exit(kind):
    assert set(MOVES[kind]) == set(kind)
    assert {state.value for state, targets in MOVES[kind].items() if not targets} == FINAL[kind]


@pytest.mark.django_db
@pytest.mark.parametrize("source", DeliveryState)
@pytest.mark.parametrize("to", DeliveryState)
def test_a_delivery_moves_only_as_the_table_says(planned, source, to):
    planned()
    held = {"claim": "00000000-0000-4000-8000-000000000000"}
    Delivery.objects.update(state=source, claim=held["claim"] if source == "sending" else None)
    values = {"claim": held["claim"] if to == "sending" else None}
    moved = move(Delivery.objects.all(), to, **values)
    assert moved == (1 if to in MOVES[DeliveryState][source] else 0)
    assert Delivery.objects.get().state == (to if moved else source)


def test_the_letters_of_the_architecture_page_are_the_moves_of_the_table():
    page = (ROOT / "docs" / "architecture.md").read_text()
    drawn = set()
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > 3 and len(cells[1]) == 1 and "→" in cells[2]:
            sources, targets = (side.split(",") for side in cells[2].split("→"))
            drawn |= {(s.strip(), t.strip()) for s in sources for t in targets}
    table = {(s.value, t.value) for s, ts in MOVES[DeliveryState].items() for t in ts}
    assert drawn == table


counts = st.dictionaries(st.sampled_from([s.value for s in DeliveryState]), st.integers(1, 50))


@given(counts.filter(bool))
def test_a_run_is_open_exactly_while_a_delivery_is(states):
    is_open = any(state in states for state in OPEN_DELIVERY)
    assert (run_state(states) == RunState.SENDING) == is_open


@given(counts.filter(bool))
def test_a_run_is_sent_only_when_every_delivery_is(states):
    all_sent = set(states) <= {"sent", "confirmed", "retracted"}
    assert (run_state(states) == RunState.SENT) == all_sent


def test_a_state_is_written_only_in_states_py():
    """Elsewhere it is set only on rows that are not yet in the table. What became of an alert, or
    of what another system is told, lies below the machine; a person has the latter sent again."""
    writers = {path.relative_to(ROOT).as_posix() for path in sources() if updates_a_state(path)}
    below = {"channels/alerts/tell.py", "channels/webhooks/note.py"}
    assert writers == below | {"channels/actions/webhooks.py"}


def sources() -> list[Path]:
    apps = ("schedules", "channels", "orgs", "logs", "config")
    paths = [path for app in apps for path in (ROOT / app).rglob("*.py")]
    return [path for path in paths if "migrations" not in path.parts and path.name != "states.py"]


def updates_a_state(path: Path) -> bool:
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    updates = [call for call in calls if getattr(call.func, "attr", "") == "update"]
    return any(keyword.arg == "state" for call in updates for keyword in call.keywords)
