"""The socket's line, over ASGI messages made by hand: what uvicorn would send and take."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from sayso.errors import TalkError
from sayso.transport.line import (
    CallerStarted,
    CallerText,
    Fault,
    Left,
    Played,
    PlayedOut,
    ReplyBegan,
    ReplySound,
    Text,
)
from sayso.transport.playai import Setup
from sayso.transport.websocket import (
    MAX_QUEUED_MESSAGES,
    MAX_QUEUED_SOUNDS,
    WebSocketLine,
    close,
    receive_setup,
)


class Wire:
    """The client's end of an ASGI websocket."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[Message] = asyncio.Queue()
        self.sent: list[Message] = []
        self.broken = False
        self.open = asyncio.Event()
        self.open.set()

    async def socket(self) -> WebSocket:
        socket = WebSocket({"type": "websocket", "headers": []}, self.incoming.get, self._send)
        self.incoming.put_nowait({"type": "websocket.connect"})
        await socket.accept()
        return socket

    async def _send(self, message: Message) -> None:
        await self.open.wait()
        if self.broken:
            raise OSError("broken pipe")
        self.sent.append(message)

    def text(self, message: object) -> None:
        self.incoming.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(m["text"]) for m in self.sent if m["type"] == "websocket.send"]


@asynccontextmanager
async def lined(setup: Setup | None = None) -> AsyncIterator[tuple[Wire, WebSocketLine]]:
    wire = Wire()
    line = WebSocketLine(await wire.socket(), setup or Setup())
    pump = asyncio.create_task(line.pump())
    try:
        yield wire, line
    finally:
        pump.cancel()
        await asyncio.gather(pump, return_exceptions=True)


async def test_messages_come_as_values_and_unknown_ones_not_at_all() -> None:
    async with lined() as (wire, line):
        wire.text({"type": "mediaLog", "payload": {}})
        wire.text({"type": "bufferEmpty"})
        assert await line.receive() == PlayedOut()
        wire.incoming.put_nowait(
            {"type": "websocket.receive", "bytes": b'{"type":"textIn","data":"Hi"}'}
        )
        assert await line.receive() == Text("Hi")


async def test_what_was_played_names_its_reply() -> None:
    async with lined() as (wire, line):
        for number in (1, 4):
            line.post(ReplyBegan(number))
        wire.text({"type": "played", "stream": 1, "seconds": 0.5})  # too late
        wire.text({"type": "bufferEmpty"})
        assert await line.receive() == PlayedOut()
        wire.text({"type": "played", "stream": 2, "seconds": 0.5})
        assert await line.receive() == Played(4, 0.5)
        wire.text({"type": "bufferEmpty"})  # of which reply?
        wire.text({"type": "textIn", "data": "Hi"})
        assert await line.receive() == Text("Hi")


@pytest.mark.parametrize(("code", "cleanly"), [(1000, True), (1005, True), (1006, False)])
async def test_the_close_code_tells_a_hang_up_from_a_loss(code: int, cleanly: bool) -> None:
    async with lined() as (wire, line):
        closed = {"type": "websocket.disconnect", "code": code, "reason": ""}
        wire.incoming.put_nowait(closed)
        assert await line.receive() == Left(cleanly)


async def test_a_line_that_breaks_without_a_close_is_lost() -> None:
    """Uvicorn says 1005 then, as of a close without a code, but gives no reason."""
    async with lined() as (wire, line):
        wire.incoming.put_nowait({"type": "websocket.disconnect", "code": 1005})
        assert await line.receive() == Left(cleanly=False)


async def test_what_is_posted_is_sent_in_order() -> None:
    async with lined() as (wire, line):
        line.post(CallerStarted())
        await line.send(ReplySound(1, b"x"))
        line.post(CallerText("Hi"))
        await line.drain()
    kinds = [message["type"] for message in wire.messages]
    assert kinds == ["voiceActivityStart", "audioStream", "onUserTranscript"]


async def test_stale_sound_is_dropped_by_its_number() -> None:
    async with lined() as (wire, line):
        await line.send(ReplySound(1, b"old"))
        line.hush(1)
        await line.send(ReplySound(1, b"older"))
        await line.send(ReplySound(2, b"new"))
        await line.drain()
    assert len(wire.messages) == 1


async def test_sound_waits_for_a_slow_client() -> None:
    async with lined() as (wire, line):
        wire.open.clear()
        sends = [asyncio.create_task(line.send(ReplySound(1, b"x"))) for _ in range(20)]
        for _ in range(10):
            await asyncio.sleep(0)
        assert sum(send.done() for send in sends) <= MAX_QUEUED_SOUNDS + 1
        wire.open.set()
        await asyncio.gather(*sends)
        await line.drain()
    assert len(wire.messages) == 20


async def test_a_client_that_reads_nothing_is_given_up() -> None:
    async with lined() as (wire, line):
        wire.open.clear()
        await asyncio.sleep(0)  # the pump waits for its first message
        for _ in range(MAX_QUEUED_MESSAGES):
            line.post(CallerStarted())
        with pytest.raises(TalkError, match="unread"):
            line.post(CallerStarted())
        line.post(CallerStarted())  # says it once


async def test_a_client_that_left_while_we_spoke_is_no_error() -> None:
    async with lined() as (wire, line):
        wire.broken = True
        line.post(CallerStarted())
        await line.drain()
        await line.send(ReplySound(1, b"x"))
        await line.drain()
    assert not wire.messages


async def test_a_client_that_dies_of_any_error_is_spared_the_mild_ones() -> None:
    async with lined(Setup(should_send_language=True)) as (wire, line):
        line.post(Fault(4500, "the agent's LLM could not answer"))
        line.post(Fault(4500, "internal server error", fatal=True))
        await line.drain()
    assert [message["isFatal"] for message in wire.messages] == [True]


async def test_other_clients_are_told_every_error() -> None:
    async with lined() as (wire, line):
        line.post(Fault(4500, "the agent's LLM could not answer"))
        await line.drain()
    assert wire.messages[0]["message"] == "the agent's LLM could not answer"


async def test_a_setup_that_never_comes_is_a_disconnect() -> None:
    wire = Wire()
    socket = await wire.socket()
    wire.incoming.put_nowait({"type": "websocket.disconnect", "code": 1001})
    with pytest.raises(WebSocketDisconnect) as gone:
        await receive_setup(socket)
    assert gone.value.code == 1001


async def test_closing_cuts_a_long_reason_and_may_come_twice() -> None:
    wire = Wire()
    socket = await wire.socket()
    await close(socket, 4400, "é" * 200)
    await close(socket, 4400)
    closes = [message for message in wire.sent if message["type"] == "websocket.close"]
    assert len(closes) == 1
    assert closes[0]["code"] == 4400
    assert len(closes[0]["reason"].encode()) <= 123
