"""Whoever connects while a server closes is told so, and no socket is left behind."""

from __future__ import annotations

import asyncio
import gc
import socket
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web

from sayso.llm.fake.site import running_app

CALLERS = 5


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, object]]:
    return "asyncio", {"use_uvloop": request.param}


@pytest.mark.parametrize("turns", range(7))
async def test_who_connects_while_it_closes_is_not_left_waiting(turns: int) -> None:
    """`turns` of the loop after they knock, the server closes: they are never between two doors."""
    loop = asyncio.get_running_loop()
    callers = [socket.socket() for _ in range(CALLERS)]
    async with running_app(web.Application()) as url:
        await asyncio.sleep(0)
        for caller in callers:
            caller.connect(("127.0.0.1", urlsplit(url).port))
            caller.setblocking(False)
        for _ in range(turns):
            await asyncio.sleep(0)
    for caller in callers:
        try:
            async with asyncio.timeout(5.0):
                assert await loop.sock_recv(caller, 1) == b""
        except ConnectionResetError:
            pass
        caller.close()
    gc.collect()  # what was dropped open warns now, and warnings are errors


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
async def test_it_listens_where_it_says(host: str, shown: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="here")

    app = web.Application()
    app.router.add_get("/", answer)
    async with running_app(app, host) as url, aiohttp.ClientSession() as session:
        assert url.startswith(f"http://{shown}:")
        async with session.get(url) as response:
            assert await response.text() == "here"
        port = urlsplit(url).port
        assert port
        with pytest.raises(OSError, match="address already in use"):
            async with running_app(app, host, port):
                pass


@pytest.mark.parametrize("cancels", [True, False])
async def test_an_answer_nobody_waits_for_may_be_given_up(cancels: bool) -> None:
    begun, given_up, over = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        begun.set()
        try:
            await over.wait()
        except asyncio.CancelledError:
            given_up.set()
            raise
        return web.Response()

    app = web.Application()
    app.router.add_get("/", answer)
    async with running_app(app, handler_cancellation=cancels) as url:
        async with aiohttp.ClientSession() as session:
            asking = asyncio.create_task(session.get(url))
            await begun.wait()
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        if cancels:
            await given_up.wait()
        over.set()
    assert given_up.is_set() == cancels
