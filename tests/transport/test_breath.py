"""A real socket, a real uvicorn, and an application that leaves the socket alone for a breath."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import uvicorn

from sayso.transport.breath import EXTENSION, BreathingWebSocket

LONG_S = 3600.0


class Counting(BreathingWebSocket):
    """Counts how often its socket was read."""

    readings = 0

    def data_received(self, data: bytes) -> None:
        type(self).readings += 1
        super().data_received(data)


class Application:
    """Accepts one client, and hands its end of the line to the test."""

    def __init__(self) -> None:
        self.open: asyncio.Future[tuple[dict[str, Any], Any]] = asyncio.Future()
        self.over = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        self.open.set_result((scope, receive))
        await self.over.wait()


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Any, Any, aiohttp.ClientWebSocketResponse]]:
    """`breathe` and `receive` of the server, and the client."""
    application = Application()
    config = uvicorn.Config(
        application, port=0, ws=Counting, lifespan="off", log_config=None, ws_ping_interval=None
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    async with aiohttp.ClientSession() as session:
        client = await session.ws_connect(f"ws://127.0.0.1:{port}/")
        scope, receive = await application.open
        Counting.readings = 0
        try:
            yield scope["extensions"][EXTENSION], receive, client
        finally:
            await client.close()
            application.over.set()
            await server.shutdown()


async def texts(receive: Any, count: int) -> list[str]:  # noqa: ANN401
    return [(await receive())["text"] for _ in range(count)]


async def test_without_a_breath_messages_come_as_ever() -> None:
    async with connected() as (_, receive, client):
        for number in range(50):
            await client.send_str(str(number))
        assert await texts(receive, 50) == [str(number) for number in range(50)]


async def test_what_comes_during_a_breath_is_read_in_one_go() -> None:
    async with connected() as (breathe, receive, client):
        breathe(0.2)
        await client.send_str("first")
        assert await texts(receive, 1) == ["first"]
        readings = Counting.readings
        for number in range(20):
            await client.send_str(str(number))
        assert await texts(receive, 20) == [str(number) for number in range(20)]
        assert Counting.readings == readings + 1


async def test_a_breath_is_cut_short_when_it_is_taken_back() -> None:
    async with connected() as (breathe, receive, client):
        breathe(LONG_S)
        await client.send_str("first")
        await texts(receive, 1)
        await client.send_str("second")
        waiting = asyncio.create_task(texts(receive, 1))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        breathe(0.0)
        assert await waiting == ["second"]
        await client.send_str("third")
        assert await texts(receive, 1) == ["third"]


async def test_a_client_that_leaves_in_a_breath_is_missed_after_it() -> None:
    async with connected() as (breathe, receive, client):
        breathe(0.05)
        await client.send_str("first")
        await texts(receive, 1)
        leaving = asyncio.create_task(client.close())
        message = await receive()
        await leaving
        assert message["type"] == "websocket.disconnect"
