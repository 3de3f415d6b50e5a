"""How an answer is read: one timer, and a breath where the words can be spared."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import chain, repeat

import pytest

from sayso.errors import LlmError
from sayso.llm import Endpoint, Message
from sayso.llm.client import LlmClient
from sayso.llm.deadlines import Deadlines
from sayso.llm.exchange import BREATH_S, SPARE_S

HELLO = [Message("user", "Hello, you!")]


def event(word: str) -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": {"content": word}}]}).encode() + b"\n\n"


class Hand:
    """A server whose words a test writes by hand, on one connection."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.writer: asyncio.StreamWriter | None = None
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split()[0]))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        self.writer = writer
        self.asked.set()
        await reader.read()
        writer.close()

    async def say(self, *words: str) -> None:
        await self.asked.wait()
        assert self.writer is not None
        for word in words:
            self.writer.write(event(word))
            await self.writer.drain()

    async def end(self) -> None:
        assert self.writer is not None
        self.writer.write(b"data: [DONE]\n\n")
        await self.writer.drain()


@asynccontextmanager
async def by_hand() -> AsyncIterator[Hand]:
    hand = Hand()
    server = await asyncio.start_server(hand.answer, "127.0.0.1", 0)
    async with server:
        hand.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield hand


async def test_words_wanted_at_once_come_one_by_one(client: LlmClient) -> None:
    async with by_hand() as hand:
        pieces = client.ask(Endpoint(hand.url), HELLO).pieces()
        reading = asyncio.ensure_future(anext(pieces))
        await hand.say("One")
        assert await reading == "One"
        await hand.say(" two")
        assert await anext(pieces) == " two"
        await hand.end()
        assert [piece async for piece in pieces] == []


async def test_words_that_can_be_spared_come_together(client: LlmClient) -> None:
    async with by_hand() as hand:
        spared = chain([0.0], repeat(SPARE_S + 1))
        pieces = client.ask(Endpoint(hand.url), HELLO, spare=lambda: next(spared)).pieces()
        reading = asyncio.ensure_future(anext(pieces))
        await hand.say("One")
        assert await reading == "One"
        reading = asyncio.ensure_future(anext(pieces))
        for word in (" two", " three", " four"):
            await asyncio.sleep(0)
            await hand.say(word)
        assert await reading == " two three four"
        await hand.end()
        assert [piece async for piece in pieces] == []


async def test_a_breath_can_be_cut_short(client: LlmClient) -> None:
    async with by_hand() as hand:
        pieces = client.ask(Endpoint(hand.url), HELLO, spare=lambda: SPARE_S + 1).pieces()
        reading = asyncio.ensure_future(anext(pieces))
        await hand.say("One")
        assert await reading == "One"
        reading = asyncio.ensure_future(anext(pieces))
        await asyncio.sleep(BREATH_S / 2)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading


async def test_a_listener_who_was_busy_for_longer_than_the_deadline_loses_nothing() -> None:
    """The voice may hold the stream back for seconds; what came meanwhile came in time."""
    client = LlmClient(Deadlines(between_tokens_s=0.1))
    await client.open()
    async with by_hand() as hand:
        pieces = client.ask(Endpoint(hand.url), HELLO).pieces()
        reading = asyncio.ensure_future(anext(pieces))
        await hand.say("One")
        await reading
        await hand.say(" two")
        await asyncio.sleep(0.3)
        assert await anext(pieces) == " two"
        with pytest.raises(LlmError) as stalled:
            await anext(pieces)
    await client.close()
    assert stalled.value.finding == "stream.stalled"


async def test_the_next_limit_may_be_nearer_than_the_first() -> None:
    """The timer was set for a patient first word; a silence after it is noticed in time."""
    client = LlmClient(Deadlines(first_token_s=30.0, between_tokens_s=0.1))
    await client.open()
    async with by_hand() as hand:
        pieces = client.ask(Endpoint(hand.url), HELLO).pieces()
        reading = asyncio.ensure_future(anext(pieces))
        await hand.say("One")
        await reading
        async with asyncio.timeout(5):
            with pytest.raises(LlmError) as stalled:
                await anext(pieces)
    await client.close()
    assert stalled.value.finding == "stream.stalled"
