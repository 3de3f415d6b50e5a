"""A real MCP server for tests, made with the official SDK: over stdio, or over HTTP on a port.

    python tests/mcp_server.py                     stdio
    python tests/mcp_server.py http [--legacy]     streamable HTTP; the first line says where

With `--legacy` it speaks only the versions before 2026-07-28, in sessions.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from typing import Any

import uvicorn
from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from starlette.types import ASGIApp, Message, Receive, Scope, Send

server = MCPServer("parrot", version="1.2.3", log_level="ERROR")


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
def echo(text: str) -> str:
    """Say it again."""
    return text


@server.tool(annotations=ToolAnnotations(destructive_hint=True))
def wipe() -> str:
    """Delete everything."""
    return "gone"


@server.tool()
def weather(city: str) -> dict[str, Any]:
    """The weather in a city."""
    return {"city": city, "celsius": 21}


@server.tool()
def fail() -> str:
    """Fail."""
    raise ToolError("the shop is closed")


@server.tool()
def complain(chars: int) -> str:
    """Fail at length."""
    raise ToolError("no " * (chars // 3))


@server.tool()
async def hang() -> str:
    """Never answer."""
    await asyncio.sleep(3600)
    return "late"


@server.tool()
def crash() -> str:
    """End the whole server in the middle of a call."""
    print("the roof came down", file=sys.stderr, flush=True)
    os._exit(3)


@server.tool()
def huge(chars: int) -> str:
    """A long answer."""
    return "x" * chars


@server.tool()
def picture() -> Image:
    """A picture."""
    return Image(data=b"\x89PNG", format="png")


@server.tool()
def show_header(name: str, ctx: Context[Any]) -> str:
    """What a header of this request was."""
    return (ctx.headers or {}).get(name, "none")


@server.tool()
def show_environment() -> list[str]:
    """The names in the environment."""
    return sorted(os.environ)


@server.tool()
async def grow(ctx: Context[Any]) -> str:
    """Have one tool more."""

    def late() -> str:
        """Came late."""
        return "here I am"

    server.add_tool(late)
    await ctx.session.send_tool_list_changed()
    await ctx.notify_tools_changed()
    return "grown"


class Legacy:
    """An application that knows nothing of `server/discover`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        if json.loads(body).get("method") == "server/discover":
            await send({"type": "http.response.start", "status": 400, "headers": []})
            await send({"type": "http.response.body", "body": b"no"})
            return
        told = False

        async def again() -> Message:
            nonlocal told
            if told:
                return await receive()
            told = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, again, send)


def serve() -> None:
    app: ASGIApp = server.streamable_http_app(json_response="--json" in sys.argv)
    if "--legacy" in sys.argv:
        app = Legacy(app)
    port = next((int(one) for one in sys.argv if one.isdigit()), 0)
    listening = socket.create_server(("127.0.0.1", port))
    print(f"http://127.0.0.1:{listening.getsockname()[1]}/mcp", flush=True)
    config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    if "http" in sys.argv:
        serve()
    else:
        server.run()
