"""Somebody else's website, with a strict policy, that shows our element or an embed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from console.scripted_site import running_site

EVENTS = ("open", "connect", "transcript", "customevent", "ended", "error")

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1>A shop</h1></main>{body}</body></html>"""

POLICY = (
    "default-src 'none'; script-src {server}; connect-src {server} {socket}; frame-src {server}"
)
"""What a website has to allow: scripts and connections of the Sayso server."""


@contextmanager
def foreign_site(server: str, body: str) -> Iterator[str]:
    """Serve a page with `body` on an origin of its own; `{server}` in it is ours."""
    socket = server.replace("http", "ws", 1)
    headers = {"Content-Security-Policy": POLICY.format(server=server, socket=socket)}
    html = PAGE.format(body=body.replace("{server}", server))

    async def show(_: Request) -> Response:
        return HTMLResponse(html, headers=headers)

    with running_site(Starlette(routes=[Route("/", show)])) as url:
        yield url
