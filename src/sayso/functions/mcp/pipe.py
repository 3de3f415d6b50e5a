"""The way of the MCP client to a server that is a process of ours: lines over its pipes.

The SDK's own transport keeps a line of any length, and looks through all of it at each piece; here
a line has a limit, and the last words of a process that fails are kept for the operator.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from mcp.client._transport import TransportStreams
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from sayso.functions.mcp.guard import MAX_ANSWER_BYTES, Trouble

MAX_LAST_WORDS_CHARS: Final = 2_000
"""Of what a process writes to its standard error, the end."""
GRACE_S: Final = 1.0
"""How long a process may take to end on its own, in seconds, and again after it was asked to."""
INHERITED: Final = ("HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "USER")
"""What a process is told of our environment: nothing of it is secret."""


class LastWords:
    """The end of what a process writes to its standard error."""

    def __init__(self) -> None:
        self.text = ""

    def add(self, piece: bytes) -> None:
        """It wrote more."""
        self.text = (self.text + piece.decode(errors="replace"))[-MAX_LAST_WORDS_CHARS:]


@asynccontextmanager
async def open_pipe(
    argv: Sequence[str], trouble: Trouble, last_words: LastWords, ended: Callable[[], None]
) -> AsyncGenerator[TransportStreams]:
    """Start a process and talk to it; it is ended, with all it started, when the way is left.

    `ended` is told when it says no more.

    Raises:
        OSError: it cannot be started.
    """
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=MAX_ANSWER_BYTES,
        env={name: os.environ[name] for name in INHERITED if name in os.environ},
        start_new_session=True,
    )
    to_client, from_server = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    to_server, from_client = anyio.create_memory_object_stream[SessionMessage](0)
    tasks = [
        asyncio.create_task(_read(process, to_client, trouble, ended)),
        asyncio.create_task(_write(process, from_client, to_client)),
        asyncio.create_task(_listen(process, last_words)),
    ]
    try:
        yield from_server, to_server
    finally:
        with anyio.CancelScope(shield=True):  # or the process would outlive us
            await _end(process)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        for stream in (to_client, from_server, to_server, from_client):
            stream.close()


async def _read(
    process: asyncio.subprocess.Process,
    to_client: ObjectSendStream[SessionMessage | Exception],
    trouble: Trouble,
    ended: Callable[[], None],
) -> None:
    """The server's lines as messages; the client sees the end when there are no more."""
    assert process.stdout is not None  # noqa: S101 it was asked for
    async with _draining(process.stdout), to_client, _telling(ended):
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            while True:
                try:
                    line = await process.stdout.readline()
                except ValueError:  # longer than the limit: what is behind it cannot be found
                    trouble.finding = "answer.large"
                    return
                if not line:
                    return
                if (message := _parse(line)) is not None:
                    await to_client.send(message)


@asynccontextmanager
async def _telling(ended: Callable[[], None]) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        ended()


@asynccontextmanager
async def _draining(stdout: asyncio.StreamReader) -> AsyncGenerator[None]:
    """Read on when nobody listens any more: a process that cannot write does not end."""
    yield
    while await stdout.read(65_536):
        pass


def _parse(line: bytes) -> SessionMessage | None:
    """One message; None for what is none, such as a greeting for people."""
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError:
        return None


async def _write(
    process: asyncio.subprocess.Process,
    from_client: ObjectReceiveStream[SessionMessage],
    to_client: ObjectSendStream[SessionMessage | Exception],
) -> None:
    assert process.stdin is not None  # noqa: S101 it was asked for
    try:
        async for sent in from_client:
            text = sent.message.model_dump_json(by_alias=True, exclude_unset=True)
            process.stdin.write(text.encode() + b"\n")
            await process.stdin.drain()
    except OSError:
        await to_client.aclose()  # it does not read any more: nobody shall wait for an answer


async def _listen(process: asyncio.subprocess.Process, last_words: LastWords) -> None:
    assert process.stderr is not None  # noqa: S101 it was asked for
    while piece := await process.stderr.read(4096):
        last_words.add(piece)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a process as the protocol has it: close its input, wait, ask, kill; with its children."""
    assert process.stdin is not None  # noqa: S101 it was asked for
    process.stdin.close()
    for how in (signal.SIGTERM, signal.SIGKILL):
        if await _is_over(process):
            break
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, how)
    else:
        await _is_over(process)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # what it started and left behind
    process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 pipes others may hold


async def _is_over(process: asyncio.subprocess.Process) -> bool:
    try:
        async with asyncio.timeout(GRACE_S):
            await process.wait()
    except TimeoutError:
        return False
    return True
