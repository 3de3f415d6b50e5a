"""Writes the sound of conversations to disk while they last, from one thread for all of them.

The loop only appends to a queue: a microsecond a piece. Twice a second the thread empties it, and
writes what is of one track in one go. The queue is bounded: where the disk does not keep up, the
recording that finds it full is given up, and the conversation goes on.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Final, Literal, TypeAlias

import numpy as np
import structlog

from sayso.audio.formats import Samples, pcm16_of

MAX_WAITING_BYTES: Final = 64 * 1024 * 1024
"""Sound that may wait for the disk: about 16 s of 60 conversations."""
PAUSE_S: Final = 0.5
"""How often the queue is emptied, in seconds."""

Side: TypeAlias = Literal["left", "right"]
_log = structlog.get_logger("sayso.recordings")


@dataclass(frozen=True, slots=True)
class Tracks:
    """The files of one recording under way."""

    left: Path
    right: Path

    def of(self, side: Side) -> Path:
        """The file of one side."""
        return self.left if side == "left" else self.right


@dataclass(slots=True, eq=False)
class Tape:
    """One recording under way; given up once `lost`, complete once `over`."""

    tracks: Tracks
    spool: Spool
    lost: bool = False
    over: bool = False

    def put(self, side: Side, at: int, samples: Samples) -> None:
        """Sound that begins at sample `at`."""
        if not (self.lost or self.over):
            self.spool.put(self, side, at, samples)

    def cut(self, side: Side, at: int) -> None:
        """The track ends at sample `at`."""
        if not (self.lost or self.over):
            self.spool.cut(self, side, at)


@dataclass(frozen=True, slots=True)
class _Piece:
    tape: Tape
    side: Side
    at: int
    samples: Samples | None


_Work: TypeAlias = _Piece | Callable[[], None]


class Spool:
    """The one writer of recordings under way.

    Args:
        on_lost: is told, in the writer's thread or on the loop, of a recording that is given up.
        max_waiting_bytes: sound that may wait.
    """

    def __init__(
        self, on_lost: Callable[[Tape], None], *, max_waiting_bytes: int = MAX_WAITING_BYTES
    ) -> None:
        self._on_lost = on_lost
        self._max_waiting_bytes = max_waiting_bytes
        self._queue: deque[_Work] = deque()
        self._put_bytes = 0  # only the loop writes it
        self._done_bytes = 0  # only the thread writes it
        self._files: dict[Path, IO[bytes]] = {}
        self._some = threading.Event()
        self._over = False
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="recordings", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Write what waits, close all files, and end the thread."""
        self._over = True
        self._some.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def begin(self, tracks: Tracks, prepare: Callable[[], None] | None = None) -> Tape:
        """A new recording, or one that goes on; `prepare` is called first, by the thread."""
        tape = Tape(tracks, self)
        self.prepare(tape, prepare)
        return tape

    def prepare(self, tape: Tape, prepare: Callable[[], None] | None = None) -> None:
        """Make the thread ready for a tape, before anything is put on it."""

        def make_ready() -> None:
            try:
                tape.tracks.left.parent.mkdir(0o700, parents=True, exist_ok=True)
                if prepare is not None:
                    prepare()
            except Exception as error:  # noqa: BLE001 - whatever it is, nobody's call ends of it
                self._lose(tape, str(error))

        self._queue.append(make_ready)

    def put(self, tape: Tape, side: Side, at: int, samples: Samples) -> None:
        """Sound of a track, at its end or behind it."""
        if self._put_bytes - self._done_bytes + samples.nbytes > self._max_waiting_bytes:
            self._lose(tape, "the disk is too slow")
            return
        self._put_bytes += samples.nbytes
        self._queue.append(_Piece(tape, side, at, samples))

    def cut(self, tape: Tape, side: Side, at: int) -> None:
        """A track ends at sample `at`."""
        self._queue.append(_Piece(tape, side, at, None))

    async def settle(self, tracks: Tracks) -> None:
        """Return once all that was put so far is in the files of `tracks`, and these are closed.

        Raises OSError.
        """
        settled: Future[None] = Future()

        def finish() -> None:
            awaited = settled.set_running_or_notify_cancel()  # who asked may have left since
            try:
                for path in (tracks.left, tracks.right):
                    self._close(path)
            except OSError as error:
                if awaited:
                    settled.set_exception(error)
            else:
                if awaited:
                    settled.set_result(None)

        self._queue.append(finish)
        self._some.set()
        await asyncio.wrap_future(settled)

    # In the thread -------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._over:
            self._some.wait(PAUSE_S)
            self._some.clear()
            self.drain()
        self.finish()

    def finish(self) -> None:
        """Do all that waits, and close all files."""
        self.drain()
        for path in tuple(self._files):
            self._close(path)

    def drain(self) -> None:
        """Do all that waits, in order; neighbours of one track are written at once."""
        runs: dict[tuple[int, Side], list[_Piece]] = {}
        while self._queue:
            work = self._queue.popleft()
            if isinstance(work, _Piece) and work.samples is not None:
                runs.setdefault((id(work.tape), work.side), []).append(work)
                continue
            self._write_runs(runs)
            if isinstance(work, _Piece):
                self._do(work.tape, partial(self._truncate, work))
            else:
                _attempt(work)
        self._write_runs(runs)

    def _write_runs(self, runs: dict[tuple[int, Side], list[_Piece]]) -> None:
        for pieces in runs.values():
            self._do(pieces[0].tape, partial(self._write, pieces))
            done = (one.samples for one in pieces if one.samples is not None)
            self._done_bytes += sum(samples.nbytes for samples in done)
        runs.clear()

    def _do(self, tape: Tape, work: Callable[[], None]) -> None:
        if tape.lost:
            return
        try:
            work()
        except Exception as error:  # noqa: BLE001 - one recording fails, and not the thread
            self._lose(tape, (isinstance(error, OSError) and error.strerror) or str(error))

    def _write(self, pieces: Iterable[_Piece]) -> None:
        behind: list[Samples] = []
        begins = ends = -1
        for piece in pieces:
            if piece.samples is None:
                continue
            if piece.at != ends:
                self._put_down(piece, begins, behind)
                begins, behind = piece.at, []
            behind.append(piece.samples)
            ends = piece.at + len(piece.samples)
            last = piece
        self._put_down(last, begins, behind)

    def _put_down(self, piece: _Piece, at: int, pieces: list[Samples]) -> None:
        if not pieces:
            return
        file = self._file(piece.tape.tracks.of(piece.side))
        file.seek(2 * at)  # what is between the old end and this is silence, and takes no space
        file.write(pcm16_of(np.concatenate(pieces)).astype("<i2").tobytes())

    def _truncate(self, piece: _Piece) -> None:
        file = self._file(piece.tape.tracks.of(piece.side))
        file.truncate(2 * piece.at)

    def _file(self, path: Path) -> IO[bytes]:
        if path not in self._files:
            path.touch(mode=0o600)
            self._files[path] = path.open("r+b", buffering=0)
        return self._files[path]

    def _close(self, path: Path) -> None:
        if (file := self._files.pop(path, None)) is not None:
            file.close()

    def _lose(self, tape: Tape, reason: str) -> None:
        if not tape.lost:
            tape.lost = True
            _log.error("recording_given_up", file=tape.tracks.left.name, reason=reason)
            self._on_lost(tape)


def _attempt(work: Callable[[], None]) -> None:
    """Nothing may end the one thread: every recording would wait for it for ever."""
    try:
        work()
    except Exception:  # noqa: BLE001 - whatever it is, it is logged
        _log.exception("recording_work_failed")
