"""Joins and splits the tracks of recordings in a child, so that calls do not notice.

In a thread of the server it would: FFmpeg lets go of the interpreter's lock, what feeds it does
not. When forty callers on one core had hung up, the next forty heard replies 20 to 60 ms late (p95)
while that was encoded. The child has the lowest priority, and ends after a while without work.
"""

from __future__ import annotations

import select
import subprocess
import threading
from pathlib import Path
from typing import Final, Literal

import msgspec

from sayso.errors import AudioError
from sayso.interpreter import make_command, make_environment

CHILD: Final = "sayso.audio.pairing"
IDLE_S: Final = 60.0
"""A child without work for so long is ended: it holds 50 MB."""

LONGEST_S: Final = 3600.0
"""What takes longer is given up; four hours of sound take ten seconds of an idle core."""

TRIES: Final = 2
"""A child that broke off may have been killed for another one's memory: a new one tries again."""


class Order(msgspec.Struct, frozen=True):
    """What a child is asked: one line of JSON, answered by an `Outcome`."""

    work: Literal["join", "split"]
    file: str
    left: str
    left_hz: int
    right: str
    right_hz: int


class Outcome(msgspec.Struct, frozen=True):
    """What became of an order: `trouble` is "" if it was done."""

    trouble: Literal["", "audio", "system"] = ""
    why: str = ""


class Apart:
    """The child, whenever there is something to do; blocking, for one thread at a time.

    Args:
        idle_s: it is ended when it had nothing to do for so long, in seconds.
        longest_s: it is ended when one order takes longer, in seconds.
    """

    def __init__(self, idle_s: float = IDLE_S, longest_s: float = LONGEST_S) -> None:
        self._idle_s, self._longest_s = idle_s, longest_s
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._retirement: threading.Timer | None = None

    @property
    def pid(self) -> int | None:
        """The child's, while there is one."""
        return None if self._child is None else self._child.pid

    def join(self, left: Path, left_hz: int, right: Path, right_hz: int, to: Path) -> None:
        """Write two raw tracks into a FLAC file; see `pair.join`.

        Raises:
            AudioError: it cannot be encoded, or the child breaks off.
            OSError: a track cannot be read, the file cannot be written, or no child started.
        """
        self._ask(Order("join", str(to), str(left), left_hz, str(right), right_hz))

    def split(self, source: Path, left: Path, left_hz: int, right: Path, right_hz: int) -> None:
        """Write the channels of such a file into two raw tracks; see `pair.split`.

        Raises as `join` does.
        """
        self._ask(Order("split", str(source), str(left), left_hz, str(right), right_hz))

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._end()

    def _ask(self, order: Order) -> None:
        with self._lock:
            self._call_off_retirement()
            outcome = next((done for _ in range(TRIES) if (done := self._try(order))), None)
            self._plan_retirement()
        if outcome is None:
            raise AudioError("the recording cannot be encoded: what does it breaks off")
        if outcome.trouble == "system":
            raise OSError(outcome.why)
        if outcome.trouble:
            raise AudioError(outcome.why)

    def _try(self, order: Order) -> Outcome | None:
        """What became of it; None if the child broke off, or took too long."""
        child = self._child = self._child or _start()
        assert child.stdin is not None and child.stdout is not None  # noqa: S101, PT018 - asked for
        try:
            child.stdin.write(msgspec.json.encode(order) + b"\n")
            ready, _, _ = select.select([child.stdout], [], [], self._longest_s)
            line = child.stdout.readline() if ready else b""
        except BrokenPipeError:
            line = b""
        if line.endswith(b"\n"):
            return msgspec.json.decode(line, type=Outcome)
        self._end()
        return None

    def _end(self) -> None:
        self._call_off_retirement()
        child, self._child = self._child, None
        if child is not None:
            child.kill()  # it only ever writes to files that are not in their place yet
            child.communicate()

    def _plan_retirement(self) -> None:
        self._retirement = threading.Timer(self._idle_s, self._retire)
        self._retirement.daemon = True
        self._retirement.start()

    def _call_off_retirement(self) -> None:
        if self._retirement is not None:
            self._retirement.cancel()
            self._retirement = None

    def _retire(self) -> None:
        with self._lock:
            if threading.current_thread() is self._retirement:  # else it was called off just now
                self._end()


def _start() -> subprocess.Popen[bytes]:
    """A child that a Ctrl+C at our terminal does not reach, and that ends when we do."""
    return subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
        make_command(CHILD),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        cwd="/",
        env=make_environment(),
        start_new_session=True,
    )
