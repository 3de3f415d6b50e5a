"""Reads a document in a child of its own: whatever the document does, it does it there.

The child is short-lived, has no environment, no working folder and no child of its own, and is held
to time, memory and output. The parent only reads lines of JSON, and counts them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import BinaryIO, TypeAlias

import msgspec

from sayso.errors import InstallationError, ReadCode, ReadError, SaysoError
from sayso.interpreter import make_command, make_environment
from sayso.knowledge.bounds import ReadLimits
from sayso.knowledge.kinds import HEAD_BYTES, TAIL_BYTES, Judged, Kind, judge
from sayso.knowledge.parse import NOT_INSTALLED, OUT_OF_MEMORY
from sayso.knowledge.passages import Page

_LINE_BYTES = 262_144
"""More than the longest line the child prints, escapes included."""
_BYTES_PER_CHAR = 6
_BYTES_PER_PIECE = 2_048
_TITLE_CHARS = 2_000
_SENTENCE_CHARS = 600
_NAME_CHARS = 255


@dataclass(frozen=True, slots=True)
class Progress:
    """How far reading is: pages or rows `done`, `of` how many if that is known.

    `note` is a sentence about something left out, or "".
    """

    done: int
    of: int | None
    note: str = ""


Told: TypeAlias = Callable[[Progress], None]


class _Line(msgspec.Struct):
    """Any line of the child; see `parse.py`."""

    begun: bool = False
    done: int | None = None
    of: int | None = None
    note: str = ""
    text: str | None = None
    number: int | None = None
    title: str = ""
    more: str | None = None
    failed: ReadCode | None = None
    why: str = ""
    hint: str | None = None
    ended: int | None = None


_DECODER = msgspec.json.Decoder(_Line)


async def recognise(path: Path, name: str, limits: ReadLimits | None = None) -> Judged:
    """What kind of document `path` is, which its owner calls `name`.

    Raises:
        ReadError: `too_big`, `empty`, `encrypted` or `wrong_kind`.
    """
    return await asyncio.to_thread(_recognise, path, name, limits or ReadLimits())


async def read(
    path: Path,
    kind: Kind,
    limits: ReadLimits | None = None,
    *,
    name: str = "",
    told: Told | None = None,
) -> list[Page]:
    """The pages of a document, in reading order.

    `name` is what sentences call it, the name of the file unless given. `told` hears of progress,
    and of pages that were left out.

    Raises:
        ReadError: the document cannot be read; `code` and the sentence say why.
        InstallationError: the child cannot run here.
    """
    name = (name or path.name)[:_NAME_CHARS]
    limits = limits or ReadLimits()
    file = await asyncio.to_thread(_open, path, name, limits)
    with file:
        child = await _start(file, kind, name, limits)
    try:
        async with asyncio.timeout(limits.wall_s):
            return await _Gathering(name, limits, told or _ignore).gather(child)
    except TimeoutError:
        raise _too_slow(name, f"{limits.wall_s:g} s") from None
    finally:
        await _end(child)


def _ignore(_: Progress) -> None:
    """Nobody listens."""


def _recognise(path: Path, name: str, limits: ReadLimits) -> Judged:
    with _open(path, name, limits) as file:
        head = file.read(HEAD_BYTES)
        file.seek(max(file.tell(), os.fstat(file.fileno()).st_size - TAIL_BYTES))
        return judge(name, head, file.read(TAIL_BYTES))


def _open(path: Path, name: str, limits: ReadLimits) -> BinaryIO:
    file = path.open("rb")
    size = os.fstat(file.fileno()).st_size
    if 0 < size <= limits.max_bytes:
        return file
    file.close()
    if not size:
        raise ReadError(f"{name} is empty.", code=ReadCode.EMPTY)
    raise ReadError(
        f"{name} has {size / 1e6:,.1f} MB; at most {limits.max_bytes / 1e6:,.1f} MB are read.",
        code=ReadCode.TOO_BIG,
        hint="Split it, or leave out its pictures.",
    )


async def _start(file: BinaryIO, kind: Kind, name: str, limits: ReadLimits) -> Process:
    """The child, confined by itself before it reads."""
    command = make_command("sayso.knowledge.parse", kind.value, name, json.dumps(asdict(limits)))
    try:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=file,
            stdout=PIPE,
            stderr=DEVNULL,
            limit=_LINE_BYTES,
            cwd="/",
            env=make_environment(),
            start_new_session=True,
        )
    except OSError as error:
        raise _cannot_start(str(error)) from error


async def _end(child: Process) -> None:
    """Leave nothing of it running, whatever happened."""
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    if child.stdout is not None:
        await asyncio.shield(child.stdout.read())  # its end; else its pipe stays open
    await asyncio.shield(child.wait())


class _Gathering:
    """What the child has said so far, counted."""

    def __init__(self, name: str, limits: ReadLimits, told: Told) -> None:
        self._name = name
        self._limits = limits
        self._told = told
        self._bytes = limits.max_chars * _BYTES_PER_CHAR + limits.max_pieces * _BYTES_PER_PIECE
        self._chars = 0
        self._pages: list[Page] = []
        self._parts: list[str] = []
        self._begun = False

    async def gather(self, child: Process) -> list[Page]:
        """All pages; raises what the child says, or its end says."""
        while line := await self._next(child):
            self._begun = self._begun or line.begun
            if line.failed is not None:
                why = line.why[:_SENTENCE_CHARS]
                raise ReadError(why, code=line.failed, hint=line.hint)
            if line.ended is not None:
                self._finish_page()
                return self._pages
            self._take(line)
        raise self._explain(await child.wait())

    async def _next(self, child: Process) -> _Line | None:
        assert child.stdout is not None  # noqa: S101 - it was asked for
        try:
            data = await child.stdout.readline()
            self._bytes -= len(data)
            # A line without its end is what was under way when the child was killed.
            line = _DECODER.decode(data) if data.endswith(b"\n") else None
        except (ValueError, RecursionError, msgspec.MsgspecError) as error:
            raise self._damaged() from error
        if self._bytes < 0:
            raise self._damaged()
        return line

    def _take(self, line: _Line) -> None:
        if line.done is not None:
            self._told(Progress(line.done, line.of, line.note[:_SENTENCE_CHARS]))
        if line.text is not None:
            self._finish_page()
            self._add(line.text)
            self._pages.append(Page("", line.number, line.title[:_TITLE_CHARS]))
        if line.more is not None:
            self._add(line.more)

    def _add(self, text: str) -> None:
        self._chars += len(text)
        if self._chars > self._limits.max_chars or len(self._pages) > self._limits.max_pieces:
            raise self._damaged()
        self._parts.append(text)

    def _finish_page(self) -> None:
        if self._pages:
            self._pages[-1] = replace(self._pages[-1], text="".join(self._parts))
        self._parts = []

    def _explain(self, code: int) -> SaysoError:
        """What the child's end means, when it had no time to say so itself."""
        if not self._begun:
            return _cannot_start(f"it ended with {code}")
        if code == NOT_INSTALLED:
            return _cannot_start("a package is missing")
        if code == -signal.SIGXCPU:
            return _too_slow(self._name, f"{self._limits.cpu_s} s of CPU")
        if code in (OUT_OF_MEMORY, -signal.SIGKILL):
            return ReadError(
                f"{self._name} needs more than {self._limits.memory_mib} MiB of memory to be read.",
                code=ReadCode.TOO_MUCH_MEMORY,
                hint="Split it, leave out its pictures, or print it to a new PDF.",
            )
        return self._damaged()

    def _damaged(self) -> ReadError:
        return ReadError(
            f"{self._name} is damaged: its reader broke off.",
            code=ReadCode.DAMAGED,
            hint="Open it where it was made, save it anew, and upload it again.",
        )


def _too_slow(name: str, limit: str) -> ReadError:
    return ReadError(
        f"{name} takes longer than {limit} to be read.",
        code=ReadCode.TOO_SLOW,
        hint="Split it, or print it to a new PDF.",
    )


def _cannot_start(why: str) -> InstallationError:
    return InstallationError(
        f"documents cannot be read: their reader does not start ({why}).",
        hint="Install Sayso anew: `pip install --force-reinstall sayso`.",
    )
