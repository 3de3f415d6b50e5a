"""The sockets of one session, and when the last of them is closed.

aiohttp forgets a connection as soon as it is given up, while its transport may go on for long:
TLS says goodbye and waits for the answer, and what was not sent yet waits for a server that does
not read. A session that is closed has nothing to say any more, so its sockets are shut down; then
every transport ends within a turn or two of the loop.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from weakref import WeakSet


class Sockets:
    """Opens sockets and knows which of them are open."""

    def __init__(self) -> None:
        self._open: WeakSet[Socket] = WeakSet()
        self._all_closed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._open)

    def open(self, family: int, kind: int, protocol: int) -> socket.socket:
        """Make a socket; the same arguments as `socket.socket`."""
        one = Socket(family, kind, protocol, self._forget)
        self._open.add(one)
        return one

    def shut_down(self) -> None:
        """End all connections in both directions; whoever holds a socket notices, and closes it."""
        for one in list(self._open):
            with suppress(OSError):  # not connected, or not any more
                one.shutdown(socket.SHUT_RDWR)

    async def wait_closed(self) -> None:
        """Wait until none is open."""
        while self._open:
            self._all_closed.clear()
            await self._all_closed.wait()

    def _forget(self, one: Socket) -> None:
        self._open.discard(one)
        if not self._open:
            self._all_closed.set()


class Socket(socket.socket):
    """A socket that tells when it is closed, or detached: uvloop closes the number itself."""

    def __init__(
        self, family: int, kind: int, protocol: int, gone: Callable[[Socket], None]
    ) -> None:
        super().__init__(family, kind, protocol)
        self._gone = gone

    def close(self) -> None:
        """Close, and tell."""
        super().close()
        self._gone(self)

    def detach(self) -> int:
        """Detach, and tell."""
        number = super().detach()
        self._gone(self)
        return number
