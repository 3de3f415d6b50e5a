"""One line at a time in a conversation: who comes back takes it over from the line they lost.

A caller may be back long before the line they lost is known to be dead. The earlier line is hung
up, and the later one waits, for a bounded time, until nothing more comes of it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Final, Protocol

import structlog

from sayso.errors import TalkCode, TalkError
from sayso.talk.events import EndedBy

TAKE_OVER_S: Final = 5.0
"""How long who comes back waits for the line they lost to be over, in seconds."""

log = structlog.get_logger("sayso.door")


class Guest(Protocol):
    """Holds a conversation."""

    def hang_up(self, by: EndedBy) -> None:
        """End it; safe at any time."""
        ...


class Seat:
    """One line's place in a conversation.

    Attributes:
        guest: who sits there, once they do.
        free: nothing more comes of this line.
        follows: another line had the conversation until now.
    """

    def __init__(self, *, follows: bool = False) -> None:
        self.guest: Guest | None = None
        self.free = asyncio.Event()
        self.follows = follows
        self._is_taken = False

    def leave(self) -> None:
        """Hang up, as a line that is lost; `free` tells when that is done."""
        self._is_taken = True
        if self.guest is not None:
            self.guest.hang_up(EndedBy.ERROR)

    def check(self) -> None:
        """Raises TalkError once another line has the conversation."""
        if self._is_taken:
            raise TalkError(
                "another connection goes on with this conversation", code=TalkCode.INVALID_MESSAGE
            )


class Seats:
    """Who sits in which conversation, by its id."""

    def __init__(self, *, take_over_s: float = TAKE_OVER_S) -> None:
        self._take_over_s = take_over_s
        self._taken: dict[str, Seat] = {}

    @contextlib.asynccontextmanager
    async def take(self, conversation_id: str) -> AsyncGenerator[Seat]:
        """Have a conversation to oneself. Raises TalkError: yet another line took it meanwhile."""
        before = self._taken.get(conversation_id)
        seat = self._taken[conversation_id] = Seat(follows=before is not None)
        try:
            if before is not None:
                before.leave()
                await self._wait_for(before)
            seat.check()
            yield seat
        finally:
            seat.free.set()
            if self._taken.get(conversation_id) is seat:
                del self._taken[conversation_id]

    async def _wait_for(self, seat: Seat) -> None:
        log.info("line_taken_over")
        try:
            async with asyncio.timeout(self._take_over_s):
                await seat.free.wait()
        except TimeoutError:
            log.warning("line_taken_over_before_its_end", waited_s=self._take_over_s)
