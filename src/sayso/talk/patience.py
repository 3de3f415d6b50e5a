"""The caller waits while a function is called: after a while, they are asked to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

from sayso.clock import Clock
from sayso.llm import Piece, Spare
from sayso.talk.record import Stopwatch
from sayso.talk.reply import Aside

MAX_FILLERS: Final = 3
"""How often within one reply the caller is asked to wait."""


@dataclass(frozen=True, slots=True)
class Manners:
    """What the agent says of itself where the LLM leaves it to.

    Attributes:
        filler: how it asks the caller to wait.
        after_s: after how many seconds of waiting.
        goodbye: what it says before it hangs up; "" for nothing.
        connecting: what it says before it hands the caller on.
    """

    filler: str
    after_s: float
    goodbye: str = ""
    connecting: str = ""


class Patience:
    """Since when the caller waits within one reply, and how often they were asked to.

    Args:
        manners: how they are asked; their language may change from one time to the next.
        spare: how many seconds they can do without more words.
        clock: tells the time.
        watch: notes how often they were asked.
    """

    def __init__(
        self, manners: Callable[[], Manners], spare: Spare, clock: Clock, watch: Stopwatch
    ) -> None:
        self._manners = manners
        self._spare = spare
        self._clock = clock
        self._watch = watch
        self._since_s: float | None = None
        self._fillers = 0

    def begin(self) -> None:
        """From now on the caller waits."""
        self._since_s = self._clock.now_s()

    def end(self) -> None:
        """They have something to hear."""
        self._since_s = None

    async def outlast(self, awaited: Mapping[asyncio.Future[Any], str]) -> str:
        """Wait for what is `awaited`; the words to say when that takes too long, else "".

        Each may come with words of its own for that, or with "".
        """
        if self._since_s is None or self._fillers >= MAX_FILLERS:
            return ""
        # What is still being heard is no silence, and nothing is said over it.
        until_s = self._since_s + self._manners().after_s + max(0.0, self._spare())
        left_s = max(0.0, until_s - self._clock.now_s())
        _, waiting = await asyncio.wait(awaited, timeout=left_s)
        if not waiting:
            return ""
        self._since_s, self._fillers = None, self._fillers + 1
        self._watch.note("fillers", self._fillers)
        own = (words for one, words in awaited.items() if one in waiting and words)
        return Aside(next(own, self._manners().filler))

    async def hear(self, asking: AsyncGenerator[Piece, None]) -> AsyncGenerator[Piece, None]:
        """The pieces of an answer; a filler before them, if they take too long after a call."""
        async with aclosing(asking):
            if self._since_s is not None:
                first = asyncio.ensure_future(anext(asking, None))
                try:
                    if filler := await self.outlast({first: ""}):
                        yield filler
                    piece = await first
                finally:
                    first.cancel()
                    await asyncio.wait([first])
                self._since_s = None
                if piece is not None:
                    yield piece
            async for piece in asking:
                yield piece
