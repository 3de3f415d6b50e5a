"""The socket itself: one sender with a bounded queue, back-pressure, close codes.

Sound that was handed to the socket cannot be taken back, so little is handed over at a time, and
a reply that was hushed is dropped here, by its number, in this one place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from sayso.audio.formats import InputAudio, OutputAudio
from sayso.errors import TalkCode, TalkError
from sayso.transport.breath import EXTENSION, Breathe
from sayso.transport.line import (
    Fault,
    Incoming,
    Left,
    Outgoing,
    Played,
    PlayedOut,
    ReplyBegan,
    ReplySound,
)
from sayso.transport.page import Declared
from sayso.transport.playai import Setup, frames, parse_message

MAX_QUEUED_MESSAGES: Final = 512
"""Messages waiting for a slow client before it is hung up on."""

MAX_QUEUED_SOUNDS: Final = 4
"""Pieces of sound waiting for a slow client before the reply waits for it."""

CLOSE_TIMEOUT_S: Final = 2.0
"""How long a closing socket may take to send what is left, in seconds."""

NO_CODE: Final = 1005
LOST: Final = 1006

CLEAN_CODES: Final = frozenset({1000, 1001, NO_CODE})
"""Close codes of a hang-up: clients close without a code, which reads as 1005."""


class WebSocketLine:
    """A `Line` over one accepted WebSocket that speaks PlayAI's messages.

    Client 0.2.x ends the call on any `error`, fatal or not (contract §4.5). It is recognised by
    `shouldSendLanguage`, and is spared the errors it need not die of.

    Who reports what was `played` is not asked to say `bufferEmpty`, too: that names no reply, and
    one on its way when a reply begins would count for that one.
    """

    def __init__(self, socket: WebSocket, setup: Setup) -> None:
        self._socket = socket
        self._setup = setup
        self._queue: asyncio.Queue[Outgoing] = asyncio.Queue()
        self._sounds = asyncio.Semaphore(MAX_QUEUED_SOUNDS)
        self._breathe: Breathe = socket.scope.get("extensions", {}).get(EXTENSION, _cannot_breathe)
        self._hushed = 0
        self._streams: list[int] = []
        self._declared: Declared | None = setup.declared if setup.events else None
        self._reports = False
        self._gone = False

    @property
    def hears(self) -> InputAudio:
        """The sound that comes in."""
        return self._setup.hears

    @property
    def speaks(self) -> OutputAudio:
        """The sound that goes out."""
        return self._setup.speaks

    @property
    def hands_on(self) -> bool:
        """Whether the client says that it can transfer."""
        return bool(self._setup.can_transfer)

    @property
    def details(self) -> bool:
        """Whether `setup` asked for them."""
        return bool(self._setup.details)

    async def receive(self) -> Incoming:
        """Wait for what the caller does next; first of all comes what `setup` declared.

        Raises TalkError for an unreadable message.
        """
        if self._declared is not None:
            declared, self._declared = self._declared, None
            return declared
        while True:
            try:
                frame = await _receive_frame(self._socket)
            except WebSocketDisconnect as gone:
                self._gone = True
                return Left(cleanly=gone.code in CLEAN_CODES)
            incoming = parse_message(frame, self._streams)
            self._reports |= isinstance(incoming, Played)
            if incoming is not None and not (self._reports and isinstance(incoming, PlayedOut)):
                return incoming

    def post(self, out: Outgoing) -> None:
        """Queue a message, in order. Raises TalkError when the client lets them pile up."""
        if self._gone or self._spared(out):
            return
        if self._queue.qsize() >= MAX_QUEUED_MESSAGES:
            self._gone = True
            raise TalkError(
                f"the client left {MAX_QUEUED_MESSAGES} messages unread", code=TalkCode.INTERNAL
            )
        if isinstance(out, ReplyBegan):
            self._streams.append(out.number)
        self._queue.put_nowait(out)

    async def send(self, sound: ReplySound) -> None:
        """Queue sound, in order; waits while the client takes it too slowly."""
        await self._sounds.acquire()
        self._queue.put_nowait(sound)

    def breathe(self, seconds: float) -> None:
        """Let the server leave the socket alone so long after each reading, if it can."""
        self._breathe(seconds)

    def hush(self, number: int) -> None:
        """Drop queued sound of replies up to `number`."""
        self._hushed = max(self._hushed, number)

    async def pump(self) -> None:
        """Send what is queued, for as long as the line lives."""
        while True:
            out = await self._queue.get()
            try:
                if isinstance(out, ReplySound):
                    self._sounds.release()
                if not self._gone and not self._is_stale(out):
                    await self._write(out)
            finally:
                self._queue.task_done()

    async def drain(self) -> None:
        """Wait until everything queued is sent, for a bounded time."""
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._queue.join()
        except TimeoutError:
            self._gone = True

    def _is_stale(self, out: Outgoing) -> bool:
        return isinstance(out, ReplySound) and out.number <= self._hushed

    def _spared(self, out: Outgoing) -> bool:
        return isinstance(out, Fault) and not out.fatal and bool(self._setup.should_send_language)

    async def _write(self, out: Outgoing) -> None:
        for frame in frames(out):
            try:
                await self._socket.send_text(frame.decode())
            except (WebSocketDisconnect, RuntimeError, OSError):
                # The client left while we spoke; `receive` tells the conversation.
                self._gone = True
                return


def _cannot_breathe(_: float) -> None:
    """The server reads as it likes."""


async def receive_setup(socket: WebSocket) -> str | bytes:
    """Wait for the first frame. Raises WebSocketDisconnect if none comes."""
    return await _receive_frame(socket)


async def _receive_frame(socket: WebSocket) -> str | bytes:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(_closed_with(message), message.get("reason"))
    text: str | None = message.get("text")
    data: bytes | None = message.get("bytes")
    return text if text is not None else data or b""


def _closed_with(message: Mapping[str, Any]) -> int:
    """What the client closed with; 1006 if it did not close, and the line is gone (RFC 6455 7.1.5).

    Uvicorn says 1005 of both, but gives a reason, if only "", of a close that came.
    """
    code: int = message.get("code", NO_CODE)
    return LOST if code == NO_CODE and "reason" not in message else code


async def close(socket: WebSocket, code: int, reason: str = "") -> None:
    """Close a socket that may already be closed; a reason is cut to the protocol's 123 bytes."""
    if socket.application_state is WebSocketState.DISCONNECTED:
        return
    fitting = reason.encode()[:123].decode(errors="ignore")
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await socket.close(code, fitting)
    except (WebSocketDisconnect, RuntimeError, OSError, TimeoutError):
        return
