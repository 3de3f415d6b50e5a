"""The sound of conversations: written down while they last, encoded afterwards, kept for a while.

    under way  <id>.16000.left, <id>.24000.right   raw, by one thread (`spool.py`)
    afterwards <id>.flac                           by a job; or when somebody asks for it sooner

A conversation that goes on is unpacked again; its file is kept until there is a new one. What is in
the making has a name of its own, and takes its place at once.

All of them are in `recordings/<first two letters of the id>` of the data folder. After a crash,
what was written is encoded like any other; it lacks the last half second.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, cast

import structlog
from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.conversations.spool import Spool, Tape, Tracks
from sayso.errors import NotFoundError
from sayso.store.database import Database
from sayso.store.jobs import Job, Jobs
from sayso.store.tables import ConversationRow

KIND: Final = "recording"
"""Of its jobs."""
MEDIA_TYPE: Final = "audio/flac"
LEFT_HZ: Final = 16_000
"""Callers are heard at this rate."""
LONGEST_S: Final = 4 * 3600.0
"""What comes later than this after a conversation began is not recorded, in seconds."""

LATELY_S: Final = 3600.0
"""What is younger, in seconds, is not asked whose it is: its conversation may not be stored yet."""

_UNPACKING: Final = ".unpacking"
"""Ends the names of tracks that are not whole yet."""

# Statements of every conversation's end, made once.
_ROWS = cast("Table", ConversationRow.__table__)
_ROW = _ROWS.c
_ASKED = _ROW.id == bindparam("conversation")
_KNOWN = select(_ROW.id).where(_ASKED)
_MADE = (
    update(_ROWS)
    .where(_ASKED, _ROW.recording == "raw", _ROW.ended_at.is_not(None))
    .values(recording="ready")
    .returning(_ROW.id)
)

_log = structlog.get_logger("sayso.recordings")


class Codec(Protocol):
    """Makes one file of two tracks, and the other way round; blocking."""

    def join(self, left: Path, left_hz: int, right: Path, right_hz: int, to: Path, /) -> None:
        """Encode two raw tracks. Raises SaysoError, OSError."""
        ...

    def split(self, source: Path, left: Path, left_hz: int, right: Path, right_hz: int, /) -> None:
        """Decode them again. Raises SaysoError, OSError."""
        ...

    def close(self) -> None:
        """Let go of whatever it works with; nothing is under way."""
        ...


@dataclass(slots=True, eq=False)
class _Making:
    """A file in the making; `stale` once the conversation goes on."""

    conversation_id: str
    stale: bool = False


class Recordings:
    """The recordings of this installation.

    Args:
        folder: where they are.
        database: which conversations have one.
        jobs: takes the work of encoding.
        codec: does it.

    Attributes:
        tell_lost: is told, on the loop, of a conversation whose recording is given up.
    """

    def __init__(self, folder: Path, database: Database, jobs: Jobs, codec: Codec) -> None:
        self._folder = folder
        self._database = database
        self._jobs = jobs
        self._codec = codec
        self._spool = Spool(self._note_lost)
        self._live: dict[str, Tape] = {}
        self._makings: set[_Making] = set()
        self._tracks_lock = threading.Lock()
        """Held by the thread that puts tracks in place, or replaces them by their file."""
        self._encoder = ThreadPoolExecutor(1, thread_name_prefix="recordings")
        self._loop: asyncio.AbstractEventLoop | None = None
        self.tell_lost: Callable[[str], None] = _tell_nobody

    async def open(self) -> None:
        """Start to write."""
        self._loop = asyncio.get_running_loop()
        self._spool.open()

    async def close(self) -> None:
        """Write what waits."""
        await self._spool.close()
        self._encoder.shutdown(wait=True, cancel_futures=True)
        self._codec.close()

    # While a conversation lasts ------------------------------------------------------------------

    def begin(self, conversation_id: str, agent_rate_hz: int) -> Tape:
        """Record a conversation, or go on recording it; files are not touched here."""
        tracks = self._tracks(conversation_id, agent_rate_hz)
        tape = Tape(tracks, self._spool)
        if (earlier := self._live.get(conversation_id)) is not None:
            earlier.over = True  # two must not write to the same files
        self._live[conversation_id] = tape
        for making in self._makings:
            making.stale = making.stale or making.conversation_id == conversation_id
        # Only now: what the threads do from here on depends on what they find above.
        self._spool.prepare(tape, lambda: self._bring_back(conversation_id, tracks))
        return tape

    def end(self, conversation_id: str, tape: Tape) -> None:
        """Nothing more comes on `tape`; the conversation may go on with another one."""
        tape.over = True
        if self._live.get(conversation_id) is tape:
            del self._live[conversation_id]

    async def schedule(self, session: AsyncSession, conversation_id: str) -> None:
        """Have it encoded, once what `session` stores is stored."""
        await self._jobs.add(session, KIND, conversation_id, lane=KIND)

    def _note_lost(self, tape: Tape) -> None:
        """In the writer's thread, or on the loop."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._tell_lost, tape)

    def _tell_lost(self, tape: Tape) -> None:
        for conversation_id, live in self._live.items():
            if live is tape:
                self.tell_lost(conversation_id)

    def _bring_back(self, conversation_id: str, tracks: Tracks) -> None:
        """In the writer's thread: make a conversation that goes on what it was when it stopped."""
        whole = self._whole(conversation_id)
        with self._tracks_lock:
            self._finish_unpacking(conversation_id)
            if whole.exists() and not any(self._raw(conversation_id)):
                self._unpack(whole, tracks)

    def _unpack(self, whole: Path, tracks: Tracks) -> None:
        """Both tracks or none, whenever this process dies."""
        left, right = _unpacking(tracks.left), _unpacking(tracks.right)
        left.touch(mode=0o600)  # as long as it is there, neither is whole
        right.touch(mode=0o600)
        self._codec.split(whole, left, LEFT_HZ, right, _rate_of(tracks.right))
        left.replace(tracks.left)
        right.replace(tracks.right)

    def _finish_unpacking(self, conversation_id: str) -> None:
        """After a crash: the tracks were whole if one of them was in its place."""
        found = list(self._unpackings(conversation_id))
        if any(path.stem.endswith(".left") for path in found):
            for path in sorted(found, key=lambda path: path.stem.endswith(".left")):
                path.unlink(missing_ok=True)  # the left one last: it is what tells
        else:
            for path in found:
                path.replace(path.with_suffix(""))

    # Afterwards ----------------------------------------------------------------------------------

    async def find(self, row: ConversationRow) -> Path:
        """The file of a conversation's sound; encodes it if need be. Raises NotFoundError."""
        if row.ended_at is None:
            raise NotFoundError(
                "this conversation is under way", hint="It can be heard once it has ended."
            )
        if row.recording == "lost":
            raise NotFoundError(
                "the recording was given up: the disk was too slow or full",
                hint="The transcript is whole.",
            )
        if row.recording is None:
            raise NotFoundError(
                "this conversation has no recording",
                hint="`recordAudio` of the agent and SAYSO_RECORDINGS say whether there are any; "
                "they are kept for SAYSO_KEEP_RECORDINGS_DAYS.",
            )
        path = self._whole(row.id)
        if not await self.encode(row.id) and not await asyncio.to_thread(path.exists):
            raise NotFoundError("the recording is not on this server")
        return path

    async def perform(self, job: Job) -> None:
        """Encode what a job names; nothing is left of conversations that were deleted."""
        if job.key in self._live:
            return  # it goes on; its end makes another job
        made = await self.encode(job.key)
        about = {"conversation": job.key}
        async with self._database.write() as session:
            kept = await session.scalar(_MADE if made else _KNOWN, about)
            if kept is None and made:
                kept = await session.scalar(_KNOWN, about)
            await job.finish(session)
        if kept is None:
            await self.drop(job.key)

    async def give_up(self, job: Job) -> None:
        """It cannot be encoded: the conversation says so."""
        async with self._database.write() as session:
            row = ConversationRow
            await session.execute(
                update(row)
                .where(row.id == job.key, row.recording == "raw")
                .values(recording="lost")
            )
        await self.drop(job.key)

    async def encode(self, conversation_id: str) -> bool:
        """Make its file of what was written down; whether there is one here.

        Raises SaysoError, OSError.
        """
        while conversation_id not in self._live:
            making = _Making(conversation_id)
            self._makings.add(making)
            try:
                made = await self._make(making)
            finally:
                self._makings.discard(making)
            if not making.stale:
                return made
        return False

    async def _make(self, making: _Making) -> bool:
        await self._spool.settle(self._tracks(making.conversation_id, LEFT_HZ))
        for path in self._raw(making.conversation_id):
            await self._spool.settle(Tracks(path, path))
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._encoder, self._encode, making)

    async def drop(self, conversation_id: str) -> None:
        """Remove its sound, if there is any."""
        for path in self._raw(conversation_id):
            await self._spool.settle(Tracks(path, path))
        await asyncio.get_running_loop().run_in_executor(
            self._encoder, self._remove, conversation_id
        )

    async def list_old(self) -> list[str]:
        """The conversations whose sound is here, but for what has come lately."""
        return await asyncio.to_thread(self._list_old)

    def _list_old(self) -> list[str]:
        oldest = time.time() - LATELY_S
        found = {
            path.name.partition(".")[0]
            for path in self._folder.glob("*/*")
            if path.stat().st_mtime < oldest
        }
        return sorted(found - set(self._live))

    def _encode(self, made: _Making) -> bool:
        """In the encoder's thread."""
        conversation_id, whole = made.conversation_id, self._whole(made.conversation_id)
        with self._tracks_lock:
            self._finish_unpacking(conversation_id)
            raw = list(self._raw(conversation_id))
        if not raw:
            return whole.exists()
        left = self._path(conversation_id, f"{LEFT_HZ}.left")
        right = next((one for one in raw if one.suffix == ".right"), left.with_suffix(".right"))
        making = self._path(conversation_id, "making")
        try:
            self._codec.join(left, LEFT_HZ, right, _rate_of(right), making)
            making.chmod(0o600)
            with self._tracks_lock:
                if made.stale:
                    return False
                making.replace(whole)
                for path in raw:
                    path.unlink(missing_ok=True)
        finally:
            making.unlink(missing_ok=True)
        return True

    def _remove(self, conversation_id: str) -> None:
        with self._tracks_lock:
            for path in self._raw(conversation_id):
                path.unlink(missing_ok=True)
            for path in self._unpackings(conversation_id):
                path.unlink(missing_ok=True)
            self._whole(conversation_id).unlink(missing_ok=True)
            self._path(conversation_id, "making").unlink(missing_ok=True)

    # Files ---------------------------------------------------------------------------------------

    def _path(self, conversation_id: str, ending: str) -> Path:
        return self._folder / conversation_id[:2] / f"{conversation_id}.{ending}"

    def _whole(self, conversation_id: str) -> Path:
        return self._path(conversation_id, "flac")

    def _tracks(self, conversation_id: str, agent_rate_hz: int) -> Tracks:
        return Tracks(
            self._path(conversation_id, f"{LEFT_HZ}.left"),
            self._path(conversation_id, f"{agent_rate_hz}.right"),
        )

    def _raw(self, conversation_id: str) -> Iterator[Path]:
        folder = self._folder / conversation_id[:2]
        yield from folder.glob(f"{conversation_id}.*.left")
        yield from folder.glob(f"{conversation_id}.*.right")

    def _unpackings(self, conversation_id: str) -> Iterator[Path]:
        yield from (self._folder / conversation_id[:2]).glob(f"{conversation_id}.*{_UNPACKING}")


def _unpacking(track: Path) -> Path:
    return track.with_name(track.name + _UNPACKING)


def _rate_of(raw: Path) -> int:
    """The sample rate a raw track is named by, in Hz."""
    return int(raw.name.split(".")[-2])


def _tell_nobody(_: str) -> None:
    """Nobody keeps records."""
