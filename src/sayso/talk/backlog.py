"""The clauses of a reply that are written and wait to be spoken.

An LLM writes faster than anybody speaks. Its text is taken as fast as it comes, because the client
shows it; what keeps an endless one in bounds is its length, not the count of its clauses.
"""

from __future__ import annotations

import asyncio
from typing import Final

CHARS_AHEAD: Final = 4_000
"""Characters written but not yet spoken before the LLM's stream is left waiting: four minutes."""

CHAR_S: Final = 0.04
"""A character takes at least so long to speak, in seconds: 25 a second is faster than any voice."""


class Backlog(asyncio.Queue[str | None]):
    """Takes clauses until they have `CHARS_AHEAD` characters; None is the end of the reply."""

    def __init__(self) -> None:
        super().__init__()
        self._chars = 0

    @property
    def lasts_s(self) -> float:
        """Seconds that what waits will take to speak, at the least."""
        return self._chars * CHAR_S

    def full(self) -> bool:
        """Whether the next clause has to wait for room."""
        return self._chars >= CHARS_AHEAD

    def _put(self, item: str | None) -> None:
        super()._put(item)
        self._chars += len(item or "")

    def _get(self) -> str | None:
        item = super()._get()
        self._chars -= len(item or "")
        return item
