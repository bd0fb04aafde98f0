"""The gate before the wire."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from schedules.dispatch.gate import Gate


@given(
    places=st.integers(1, 5),
    steps=st.lists(st.booleans(), min_size=1, max_size=40),
)
def test_never_more_are_within_than_it_has_places_and_all_get_in_turn_by_turn(places, steps):
    """`steps`: whether each one that comes is cancelled while it waits."""

    async def play():
        gate, within, most, entered = Gate(places), 0, 0, []

        async def visit(number):
            nonlocal within, most
            async with gate:
                within += 1
                most = max(most, within)
                entered.append(number)
                for _ in range(3):
                    await asyncio.sleep(0)
                within -= 1

        visits = [asyncio.create_task(visit(number)) for number in range(len(steps))]
        await asyncio.sleep(0)
        in_line = set(range(len(steps))) - set(entered)
        gone = {number for number in in_line if steps[number]}
        for number in gone:
            visits[number].cancel()
        await asyncio.gather(*visits, return_exceptions=True)
        return most, entered, gone

    most, entered, gone = asyncio.run(play())
    assert most == min(places, len(steps))
    assert entered == [number for number in range(len(steps)) if number not in gone]


def test_a_place_handed_to_somebody_who_is_cancelled_is_handed_on():
    async def play():
        gate, entered = Gate(1), []

        async def visit(name):
            async with gate:
                entered.append(name)

        await gate.__aenter__()
        second, third = (asyncio.create_task(visit(name)) for name in ("second", "third"))
        await asyncio.sleep(0)
        await gate.__aexit__(None, None, None)  # the second one's turn is set
        second.cancel()
        await asyncio.gather(second, third, return_exceptions=True)
        return entered

    assert asyncio.run(play()) == ["third"]
