"""Serves the talk page. Nothing it loads comes from anywhere else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""What a page may load: our own files, and a talk socket of our own."""

EXTRACTIVE = "built-in-extractive"
LABEL, SHOWN_LABEL = '<p class="mind" hidden>', '<p class="mind">'
"""The line of the page that says that there is no language model."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

FRESH = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
"""A browser asks before it uses a copy: file names stay the same when a server is updated."""


TellsVisitors: TypeAlias = Callable[[str], Awaitable[str | None]]
"""A fact about an agent by its id, as anybody may know it; None where nobody may."""

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

    def __init__(self, name_of: TellsVisitors, mind_of: TellsVisitors) -> None:
        self._name_of = name_of
        self._mind_of = mind_of
        self._html = (STATIC / "talk.html").read_text("utf-8")

    async def show(self, request: Request) -> Response:
        """The page, with the agent's name on it if anybody may know that.

        Who calls an agent without a language model reads so before the first word.
        """
        agent_id, html = request.path_params["agent_id"], self._html
        if (name := await self._name_of(agent_id)) is not None:
            for nameless, named in zip(NAMELESS, NAMED, strict=True):
                html = html.replace(nameless, named.format(name=escape(name)))
        if await self._mind_of(agent_id) == EXTRACTIVE:
            html = html.replace(LABEL, SHOWN_LABEL)
        return HTMLResponse(html, headers=HEADERS | FRESH)


async def tell_nothing(_: str) -> str | None:
    """Nobody may know anything about an agent."""
    return None


def page_routes(
    name_of: TellsVisitors = tell_nothing, mind_of: TellsVisitors = tell_nothing
) -> list[BaseRoute]:
    """`/agent/{agentId}` and the files it needs.

    `name_of` says what an agent is called, `mind_of` what answers for it, as `answeredBy` does.
    """
    return [
        Route("/agent/{agent_id}", TalkPage(name_of, mind_of).show),
        Mount("/static", FreshFiles(directory=STATIC), name="static"),
    ]
