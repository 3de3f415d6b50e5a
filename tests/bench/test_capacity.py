from __future__ import annotations

from collections.abc import Callable

import pytest

from capacity import Climb, Demand, Memory, climb, find_fault
from figures import Phase

GOOD_S, BAD_S = 0.53, 0.6
LADDER = (5, 10, 20, 40)


def phase(callers: int, wait_s: float = GOOD_S) -> Phase:
    return Phase(callers, (wait_s,) * callers)


async def try_out(wait_s: Callable[[int, int], float], runs: int = 3) -> Climb:
    """Climb with a server that makes callers wait so long at a load, for the n-th time."""
    tried: list[int] = []

    async def measure(callers: int) -> Phase:
        tried.append(callers)
        return phase(callers, wait_s(callers, tried.count(callers)))

    found = await climb(measure, LADDER, Demand(0.5, 50.0, runs))
    assert [one.callers for one in found.phases] == tried
    return found


@pytest.mark.parametrize(
    ("one", "fault"),
    [
        (phase(5), ""),
        (phase(5, BAD_S), "5 callers: p95 100 ms"),
        (Phase(5, (GOOD_S,), missing=1), "5 callers: 1 turns without a whole reply"),
        (Phase(5, (GOOD_S,), early=2), "5 callers: 2 replies before the end of speech"),
        (Phase(5, (BAD_S,), gaps=3), "5 callers: 3 gaps, p95 100 ms"),
        (Phase(5, (), missing=5), "5 callers: 5 turns without a whole reply"),
    ],
)
def test_a_load_is_held_without_any_fault(one: Phase, fault: str) -> None:
    assert find_fault(one, Demand(0.5, 50.0, 1)) == fault


def test_a_wait_within_the_limit_is_no_fault_at_a_server_that_may_take_longer() -> None:
    assert find_fault(phase(5, BAD_S), Demand(0.56, 50.0, 1)) == ""
    assert find_fault(phase(5, BAD_S), Demand(0.5, 250.0, 1)) == ""


async def test_the_ladder_is_climbed_until_it_breaks_and_the_step_below_proved() -> None:
    found = await try_out(lambda callers, _: BAD_S if callers > 10 else GOOD_S)
    assert [one.callers for one in found.phases] == [5, 10, 20, 10, 10]
    assert (found.held, found.broke) == (10, "20 callers: p95 100 ms")


async def test_a_step_that_was_held_once_by_luck_is_not_held() -> None:
    found = await try_out(
        lambda callers, time: BAD_S if callers > 10 or (callers == 10 and time > 1) else GOOD_S
    )
    assert found.held == 5
    assert found.broke == "10 callers: p95 100 ms"


async def test_a_ladder_that_ends_is_held_to_its_end() -> None:
    found = await try_out(lambda *_: GOOD_S, runs=1)
    assert found == Climb(50.0, 40, "", found.phases)
    assert len(found.phases) == len(LADDER)


async def test_nothing_may_be_held() -> None:
    found = await try_out(lambda *_: BAD_S)
    assert (found.held, len(found.phases)) == (0, 1)


async def test_a_second_climb_measures_only_what_the_first_did_not() -> None:
    tried: list[int] = []

    async def measure(callers: int) -> Phase:
        tried.append(callers)
        return phase(callers, BAD_S if callers > 5 else GOOD_S)

    memory = Memory(measure)
    strict = await climb(memory.begin(), LADDER, Demand(0.5, 50.0, 2))
    assert (strict.held, tried) == (5, [5, 10, 5])
    loose = await climb(memory.begin(), LADDER, Demand(0.5, 250.0, 2))
    assert (loose.held, tried) == (40, [5, 10, 5, 20, 40, 40])
