"""Uvicorn's WebSocket, able to leave its socket alone for a breath.

A telephone line sends fifty messages a second, and reading each one as it comes costs more than
what is in it: two system calls, a turn of the loop, a task to wake. While nobody waits for the
caller's next word, the socket is left alone for a moment after each reading, and what came
meanwhile is read in one go. Uvicorn stops reading anyway once a message waits, so nothing piles up
here that would not have piled up there.

The conversation finds `breathe` in the scope, under `EXTENSION`; other servers do not have it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

EXTENSION: Final = "sayso.breathe"

Breathe: TypeAlias = Callable[[float], None]
"""Says for how many seconds the socket may be left alone after each reading; 0 for not at all."""


class BreathingWebSocket(WebSocketsSansIOProtocol):
    """One connection; see the module."""

    _breath_s = 0.0
    _next: asyncio.TimerHandle | None = None

    def handle_connect(self, event: Request) -> None:
        """The scope is made here; its task does not begin before the next turn of the loop."""
        super().handle_connect(event)
        if not self.handshake_complete:
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[EXTENSION] = self.breathe

    def breathe(self, seconds: float) -> None:
        """Set how long the socket is left alone from the next reading on; 0 reads on at once."""
        self._breath_s = seconds
        if not seconds and self._next is not None:
            self._next.cancel()
            self._read_on()

    async def receive(self) -> Any:  # noqa: ANN401 - as uvicorn's own
        """The next message; once none is left, the socket is read on after a breath."""
        message = await self.queue.get()
        if self.read_paused and self.queue.empty() and self._next is None:
            if self._breath_s:
                self._next = self.loop.call_later(self._breath_s, self._read_on)
            else:
                self._read_on()
        return message

    def _read_on(self) -> None:
        self._next = None
        if self.read_paused and not self.transport.is_closing():
            self.read_paused = False
            self.transport.resume_reading()
