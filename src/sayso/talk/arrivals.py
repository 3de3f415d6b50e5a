"""Waits for the tools of an agent that are on their way when it is to answer: a bounded moment.

Servers of tools are connected to when the conversation opens. While a greeting plays they come;
where there is none, the first answer would be asked for without them.
"""

from __future__ import annotations

import asyncio
from typing import Final

from sayso.functions import Arrival
from sayso.talk.record import Stopwatch

MAX_ARRIVAL_S: Final = 2.0
"""Longest that the answers of one conversation wait for tools, all together, in seconds."""


class Arrivals:
    """The tools that are on their way in one conversation.

    Args:
        arrive: returns once none is; None where none ever is.
    """

    def __init__(self, arrive: Arrival | None) -> None:
        self._arrive = arrive
        self._until_s: float | None = None

    @property
    def possible(self) -> bool:
        """Whether a tool may be on its way."""
        return self._arrive is not None

    async def wait(self, watch: Stopwatch) -> None:
        """Wait for them, from the first answer on until the time is up; the `watch` keeps it."""
        if self._arrive is None:
            return
        if self._until_s is None:
            self._until_s = asyncio.get_running_loop().time() + MAX_ARRIVAL_S
        try:
            async with asyncio.timeout_at(self._until_s):
                await self._arrive()
        except TimeoutError:
            watch.note("tools", "late")
