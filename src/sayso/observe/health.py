"""Whether this server lives, and whether it takes calls."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


def health_routes(inside: Callable[[], int], most: int) -> list[Route]:
    """`/health/live` answers while the process runs; `/health/ready` while there is room.

    Args:
        inside: conversations under way.
        most: how many there may be.
    """

    async def live(_: Request) -> JSONResponse:
        return JSONResponse({"status": "live"})

    async def ready(_: Request) -> JSONResponse:
        now = inside()
        room = now < most
        body = {"status": "ready" if room else "full", "conversations": now, "limit": most}
        return JSONResponse(body, 200 if room else 503)

    return [Route("/health/live", live), Route("/health/ready", ready)]
