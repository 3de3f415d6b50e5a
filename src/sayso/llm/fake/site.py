"""An aiohttp application on a socket of this loop, closed without losing a connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

SHUTDOWN_S = 0.1
"""How long answers under way may still take when the server closes, in seconds."""


@asynccontextmanager
async def running_app(
    app: web.Application,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    handler_cancellation: bool = False,
) -> AsyncIterator[str]:
    """Run `app` on this loop; gives its URL. Port 0 takes a free one.

    Args:
        app: what answers.
        host: where to listen.
        port: where to listen.
        handler_cancellation: whether who hangs up ends the work on the answer.

    Raises:
        OSError: the port cannot be had.
    """
    runner = web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=SHUTDOWN_S,
        handler_cancellation=handler_cancellation,
    )
    await runner.setup()
    assert runner.server is not None  # noqa: S101 - it is made by `setup`
    try:
        server = await asyncio.get_running_loop().create_server(runner.server, host, port)
        actual: int = server.sockets[0].getsockname()[1]
        try:
            yield f"http://{f'[{host}]' if ':' in host else host}:{actual}"
        finally:
            await stop_listening(server)
    finally:
        await runner.cleanup()


async def stop_listening(server: asyncio.Server) -> None:
    """Close `server` once nobody stands in its door.

    asyncio takes two turns of the loop to accept a connection. One whose server is closed in
    between is dropped and stays open, so that its client waits for ever (python/cpython#109564):
    so nobody new is accepted, those who were are let in, and then the door is closed.
    """
    loop = asyncio.get_running_loop()
    for listening in server.sockets:
        loop.remove_reader(listening.fileno())
    await asyncio.sleep(0)
    server.close()
