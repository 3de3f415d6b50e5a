"""How long one conversation may take, by the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf

from sayso.clock import Clock


class Hourglass:
    """Runs out once.

    Args:
        longest_s: how long the conversation may take, in seconds.
        warning_s: how long before its end the caller is warned, in seconds; 0 for never.
        clock: tells the time.
    """

    def __init__(self, longest_s: float, warning_s: float, clock: Clock) -> None:
        self._longest_s = longest_s
        self._warning_s = warning_s
        self._clock = clock
        self._ends_s = inf

    @property
    def left_s(self) -> float:
        """Seconds left by now: less than planned at a warning that waited for a long reply."""
        return self._ends_s - self._clock.now_s()

    async def run(self, near: Callable[[], None], up: Callable[[], None]) -> None:
        """Begin now; say when the time is `near` its end, where there is time for it, and `up`."""
        self._ends_s = self._clock.now_s() + self._longest_s
        wait_s = self._longest_s
        if self._longest_s > 2 * self._warning_s > 0:
            await asyncio.sleep(self._longest_s - self._warning_s)
            wait_s = self._warning_s
            near()
        await asyncio.sleep(wait_s)
        up()
