"""Stands between Playwright and the distribution's Firefox: answers what that Firefox cannot do.

    python firefox_bridge.py FIREFOX [ARGUMENT ...]

Playwright drives any Firefox by WebDriver BiDi, but tells every new tab its colour scheme, and
Firefox 153 knows no such command: without an answer, no tab opens. This program starts Firefox in
its own process group, and passes everything else on, both ways.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, web

UNKNOWN = frozenset({"emulation.setMediaFeaturesOverride"})
"""Commands that are answered here, as if they were done."""
LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")


async def bridge(command: list[str]) -> int:
    """Run Firefox until it ends; gives its exit code."""
    firefox = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    assert firefox.stderr is not None
    async for line in firefox.stderr:
        if found := LISTENING.search(line.decode(errors="replace")):
            await _listen(found[1])
        else:
            sys.stderr.buffer.write(line)
            sys.stderr.flush()
    return await firefox.wait()


async def _listen(firefox_url: str) -> None:
    async def connect(request: web.Request) -> web.WebSocketResponse:
        near = web.WebSocketResponse(max_msg_size=0, autoping=True)
        await near.prepare(request)
        async with (
            ClientSession() as session,
            session.ws_connect(f"{firefox_url}{request.path}", max_msg_size=0) as far,
        ):
            back = asyncio.create_task(_pass_back(far, near))
            await _pass_on(near, far)
            back.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await back
        return near

    app = web.Application()
    app.router.add_get("/{any:.*}", connect)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    sys.stderr.write(f"WebDriver BiDi listening on ws://127.0.0.1:{port}\n")
    sys.stderr.flush()


async def _pass_on(near: web.WebSocketResponse, far: ClientWebSocketResponse) -> None:
    async for message in near:
        if message.type is not WSMsgType.TEXT:
            continue
        asked = json.loads(message.data)
        if asked.get("method") in UNKNOWN:
            await near.send_json({"type": "success", "id": asked["id"], "result": {}})
        else:
            await far.send_str(message.data)


async def _pass_back(far: ClientWebSocketResponse, near: web.WebSocketResponse) -> None:
    async for message in far:
        if message.type is WSMsgType.TEXT:
            await near.send_str(message.data)
    await near.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(bridge(sys.argv[1:])))
