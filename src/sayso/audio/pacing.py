"""When the next piece of a reply may be sent, and how much of the reply has been played.

A client plays what it gets, in order: a piece begins when it arrives, or when the piece before
it ends, whichever is later. From the times of sending alone this gives the playhead, and the
playhead gives both answers. Sound sent too early cannot be called back from an interrupted
reply, and makes history claim words nobody heard; too late, and the voice stutters.

A client may report how much it has played. From then on its word tells what was heard; when the
next piece goes is still reckoned from the times of sending. A report is as old as its way here, and
waiting for it would take the way there and back, 200 ms of a quarter of a second, from what the
client holds against a stutter.

All times are seconds on one steady clock, handed in; a time before one already seen counts as
that one. Durations are seconds of sound.
"""

from __future__ import annotations

from math import inf
from typing import Final

MAX_LAG_S: Final = 2.0
"""How far a client's player may be behind the times of sending before it is taken to be broken."""


class Pacer:
    """The playhead of one reply at one client.

    A held reply is one we stopped sending while we doubt whether the caller interrupts: what
    was sent, at most about `ahead_s`, still plays out, then the client is silent. That silence
    is no part of the reply: playing goes on with the next piece.
    """

    def __init__(self, ahead_s: float) -> None:
        self._ahead_s = ahead_s
        self._sent_s = 0.0
        self._ends_at_s = -inf
        self._heard_at_s = -inf
        self._reported_s = 0.0
        self._now_s = -inf
        self._held = False

    @property
    def sent_s(self) -> float:
        """Seconds of this reply handed to the client so far."""
        return self._sent_s

    @property
    def ends_at_s(self) -> float:
        """When all that was sent will have been played."""
        return self._heard_at_s

    def send(self, duration_s: float, at_s: float) -> None:
        """A piece was handed to the client; also while held, for a piece already on its way."""
        self._ends_at_s = max(self._seen(at_s), self._ends_at_s) + duration_s
        self._heard_at_s = max(self._seen(at_s), self._heard_at_s) + duration_s
        self._sent_s += duration_s

    def wait_s(self, at_s: float, duration_s: float = 0.0) -> float:
        """Seconds until a next piece of `duration_s` may go; infinite while held.

        It may go once it leaves no more than `ahead_s` unplayed. A piece longer than that
        goes when the one before it ends.
        """
        if self._held:
            return inf
        unplayed_s = self._unplayed_s(at_s)
        return min(unplayed_s, max(0.0, unplayed_s + duration_s - self._ahead_s))

    def played_s(self, at_s: float) -> float:
        """Seconds of this reply the client has played: at most what was sent.

        It shrinks only when a report corrects it.
        """
        return max(0.0, self._sent_s - max(0.0, self._heard_at_s - self._seen(at_s)))

    def report(self, played_s: float, at_s: float) -> None:
        """The client says that it has played `played_s` seconds of this reply by now.

        It cannot have played more than was sent, nor take a report back.
        """
        self._reported_s = min(max(played_s, self._reported_s), self._sent_s)
        rest_s = self._sent_s - self._reported_s
        self._heard_at_s = min(self._seen(at_s) + rest_s, self._ends_at_s + MAX_LAG_S)

    def hold(self, at_s: float) -> None:
        """Stop sending; what was sent plays out."""
        self._seen(at_s)
        self._held = True

    def resume(self, at_s: float) -> None:
        """Send again; after a silence the next piece plays as it arrives."""
        self._seen(at_s)
        self._held = False

    def _unplayed_s(self, at_s: float) -> float:
        return max(0.0, self._ends_at_s - self._seen(at_s))

    def _seen(self, at_s: float) -> float:
        self._now_s = max(self._now_s, at_s)
        return self._now_s
