"""Serves the talk page. Nothing it loads comes from anywhere else."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
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


class FreshFiles(StaticFiles):
    """Files that a browser checks with us each time; unchanged ones are answered with 304."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at `path` below the folder."""
        response = await super().get_response(path, scope)
        response.headers.update(FRESH)
        return response


async def show_talk_page(_: Request) -> Response:
    """The page of one agent; its script reads the id from the address."""
    return FileResponse(STATIC / "talk.html", headers=HEADERS | FRESH)


async def show_docs(_: Request) -> Response:
    """Until there is a console, the root shows the API's documentation."""
    return RedirectResponse("/docs")


def page_routes() -> list[BaseRoute]:
    """`/agent/{agentId}` and the files it needs."""
    return [
        Route("/", show_docs),
        Route("/agent/{agent_id}", show_talk_page),
        Mount("/static", FreshFiles(directory=STATIC), name="static"),
    ]
