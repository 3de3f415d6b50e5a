"""How far the reading of a source is: stored now and then, while it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from sayso.knowledge.passages import Page

MAX_NOTES = 10
TELL_S = 1.0
"""Progress of reading is stored no more often than this, in seconds."""


class Progress:
    """Stores how far reading is, now and then, while it goes on."""

    def __init__(
        self, store: Callable[[int, int], Awaitable[None]], notes: Iterable[str] = ()
    ) -> None:
        """`store` keeps how many pages are done, of how many; what it raises ends the reading.

        `notes` are those that were there before.
        """
        self._keep = store
        self._told = asyncio.Event()
        self._done = self._total = 0
        self.notes = list(notes)

    def tell(self, done: int, total: int, note: str) -> None:
        """So many pages are done."""
        self._done, self._total = done, total
        self.note(note)
        self._told.set()

    def note(self, note: str) -> None:
        """Something was left out, or is unexpected."""
        if note and note not in self.notes and len(self.notes) < MAX_NOTES:
            self.notes.append(note)

    async def watch(self, reading: Awaitable[list[Page]]) -> list[Page]:
        """Wait for `reading` and store its progress; ends it if it was overtaken."""
        task = asyncio.ensure_future(reading)
        telling = asyncio.create_task(self._store())
        try:
            await asyncio.wait([task, telling], return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                telling.result()  # it only ends by raising
            return task.result()
        finally:
            for one in (task, telling):
                one.cancel()
            await asyncio.wait([task, telling])
            if not telling.cancelled():
                telling.exception()  # reading is over: nobody needs to know any more

    async def _store(self) -> None:
        while True:
            await self._told.wait()
            self._told.clear()
            await self._keep(self._done, self._total)
            await asyncio.sleep(TELL_S)
