"""How long a conversation may take: with time that passes when it is asked to."""

from __future__ import annotations

import asyncio
from math import inf

import pytest

from sayso.clock import SystemClock
from sayso.talk.hourglass import Hourglass


async def run_out(longest_s: float, warning_s: float) -> list[str]:
    said: list[str] = []
    glass = Hourglass(longest_s, warning_s, SystemClock())
    await glass.run(lambda: said.append("near"), lambda: said.append("up"))
    assert glass.left_s <= 0.002  # timers fire up to a millisecond early
    return said


@pytest.mark.parametrize(
    ("longest_s", "warning_s", "said"),
    [
        (0.03, 0.01, ["near", "up"]),
        (0.03, 0.0, ["up"]),
        (0.03, 0.02, ["up"]),
        (0.0, 0.0, ["up"]),
    ],
)
async def test_who_has_time_for_it_is_warned(
    longest_s: float, warning_s: float, said: list[str]
) -> None:
    assert await run_out(longest_s, warning_s) == said


async def test_what_is_left_is_counted_from_the_beginning_on() -> None:
    glass = Hourglass(60.0, 0.0, SystemClock())
    assert glass.left_s == inf
    running = asyncio.create_task(glass.run(lambda: None, lambda: None))
    await asyncio.sleep(0)
    assert 59.0 < glass.left_s <= 60.0
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
