"""Does the probes of a check while nobody talks: a caller waits for no check.

A server with one slot answers a conversation only after the probe it is busy with. So a probe
waits until it is quiet, and one under way is abandoned when a conversation begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

Quiet: TypeAlias = Callable[[], bool]
"""Whether nobody would be disturbed at this moment."""

PATIENCE_S = 600.0
"""How long all probes of one check wait for quiet, in seconds; then the check stays quick."""
POLL_S = 0.2
"""How often to look whether it is quiet, in seconds."""
MAX_ABANDONED = 10
"""So many probes of one check are abandoned at most; then the check stays quick."""


class Aside:
    """How much patience one check has left.

    Attributes:
        gave_up: there was not enough quiet.
    """

    def __init__(
        self, quiet: Quiet, *, patience_s: float = PATIENCE_S, poll_s: float = POLL_S
    ) -> None:
        """Look every `poll_s` seconds whether it is `quiet`, and wait for `patience_s` in all."""
        self._quiet = quiet
        self._patience_s = patience_s
        self._poll_s = poll_s
        self._abandoned = 0
        self.gave_up = False

    async def wait(self) -> None:
        """Until it is quiet, or patience is at its end."""
        now_s = asyncio.get_running_loop().time
        while not (self.gave_up or self._quiet()):
            began_s = now_s()
            await asyncio.sleep(self._poll_s)
            self._patience_s -= now_s() - began_s
            self.gave_up = self._patience_s <= 0

    async def attempt(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Do `work`; False if it was abandoned because somebody began to talk."""
        task = asyncio.ensure_future(work())
        try:
            while not task.done():
                await asyncio.wait([task], timeout=self._poll_s)
                if not task.done() and not self._quiet():
                    self._abandoned += 1
                    self.gave_up = self._abandoned >= MAX_ABANDONED
                    return False
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait([task])
        task.result()
        return True
