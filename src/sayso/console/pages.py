"""Serves the talk page. Nothing it loads comes from anywhere else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
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


class FreshFiles(StaticFiles):
    """Files that a browser checks with us each time; unchanged ones are answered with 304."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at `path` below the folder."""
        response = await super().get_response(path, scope)
        response.headers.update(FRESH)
        return response


async def _nobody_knows(_: str) -> str | None:
    return None


class TalkPage:
    """The page of one agent; its script reads the id from the address.

    `ask` tells what answers for an agent, as the API's `answeredBy` does: who calls one without a
    language model reads so before the first word.
    """

    def __init__(self, ask: Callable[[str], Awaitable[str | None]] = _nobody_knows) -> None:
        self._ask = ask

    async def show(self, request: Request) -> Response:
        """The page."""
        if await self._ask(request.path_params["agent_id"]) != EXTRACTIVE:
            return FileResponse(STATIC / "talk.html", headers=HEADERS | FRESH)
        page = (STATIC / "talk.html").read_text("utf-8").replace(LABEL, SHOWN_LABEL)
        return HTMLResponse(page, headers=HEADERS | FRESH)


async def show_docs(_: Request) -> Response:
    """Until there is a console, the root shows the API's documentation."""
    return RedirectResponse("/docs")


def page_routes(
    ask: Callable[[str], Awaitable[str | None]] = _nobody_knows,
) -> list[BaseRoute]:
    """`/agent/{agentId}` and the files it needs; `ask` tells what answers for an agent."""
    return [
        Route("/", show_docs),
        Route("/agent/{agent_id}", TalkPage(ask).show),
        Mount("/static", FreshFiles(directory=STATIC), name="static"),
    ]
