"""Keeps the worker for small sources quick: one that turns out to be long gives way.

Bytes say little of how long a source takes: half a megabyte of PDF is a leaflet with a picture, or
two hundred pages of text. So it is measured again when its pages are known, when its text is, and,
whatever it is that takes long on this machine, by the clock once others wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence

from sayso.knowledge.passages import Page
from sayso.store.jobs import Crowded, OutgrownError

QUICK_PAGES = 30
"""A document of more pages is long: told by its first page, before the others are read."""
QUICK_CHARS = 32_768
"""More text is long: some fifty full passages, about a second of one core."""
QUICK_S = 10.0
"""After so long it is asked, and asked again, whether others wait, in seconds."""


class Pace:
    """Watches over one source; over none but those that the worker for small ones reads."""

    def __init__(self, crowded: Crowded | None) -> None:
        """`crowded` says whether others wait for that worker; None: it is another one."""
        self._crowded = crowded

    def see_pages(self, count: int) -> None:
        """It has so many, or 0 where that is not known yet. Raises OutgrownError."""
        if self._crowded is not None and count > QUICK_PAGES:
            raise OutgrownError

    def see_text(self, stretches: Sequence[Page]) -> None:
        """This is to be embedded. Raises OutgrownError."""
        if self._crowded is not None and sum(len(one.text) for one in stretches) > QUICK_CHARS:
            raise OutgrownError

    async def hold(self, work: Coroutine[None, None, None]) -> None:
        """Do `work`; end it when it takes long and others wait. Raises OutgrownError."""
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait([task], timeout=QUICK_S))[0]:
                if self._crowded is not None and await self._crowded():
                    raise OutgrownError
            task.result()
        finally:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # it has been raised, or nobody needs to know any more
