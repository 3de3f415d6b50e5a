"""Serves the talk page. Nothing it loads comes from anywhere else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""What a page may load: our own files, and a talk socket of our own."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

FRESH = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
"""A browser asks before it uses a copy: file names stay the same when a server is updated."""


NamesAgent: TypeAlias = Callable[[str], Awaitable[str | None]]
"""An agent's name by its id, as anybody may know it; None where nobody may."""

NAMELESS = ("<title>Talk · Sayso</title>", "<h1>Talk to this agent</h1>")
NAMED = ("<title>{name} · Sayso</title>", "<h1>{name}</h1>")
"""What stands in `talk.html`, and what takes its place on the page of an agent with a name."""


class FreshFiles(StaticFiles):
    """Files that a browser checks with us each time; unchanged ones are answered with 304."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at `path` below the folder."""
        response = await super().get_response(path, scope)
        response.headers.update(FRESH)
        return response


class TalkPage:
    """The page of one agent; its script reads the id from the address."""

    def __init__(self, name_of: NamesAgent) -> None:
        self._name_of = name_of
        self._html = (STATIC / "talk.html").read_text("utf-8")

    async def show(self, request: Request) -> Response:
        """The page, with the agent's name on it if anybody may know that."""
        name = await self._name_of(request.path_params["agent_id"])
        html = self._html if name is None else self._with_name(escape(name))
        return HTMLResponse(html, headers=HEADERS | FRESH)

    def _with_name(self, name: str) -> str:
        html = self._html
        for nameless, named in zip(NAMELESS, NAMED, strict=True):
            html = html.replace(nameless, named.format(name=name))
        return html


async def show_docs(_: Request) -> Response:
    """Until there is a console, the root shows the API's documentation."""
    return RedirectResponse("/docs")


async def name_nobody(_: str) -> str | None:
    """No agent has a name that anybody may know."""
    return None


def page_routes(name_of: NamesAgent = name_nobody) -> list[BaseRoute]:
    """`/agent/{agentId}` and the files it needs; `name_of` says what an agent is called."""
    return [
        Route("/", show_docs),
        Route("/agent/{agent_id}", TalkPage(name_of).show),
        Mount("/static", FreshFiles(directory=STATIC), name="static"),
    ]
