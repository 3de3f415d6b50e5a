"""Serves the built console: one page for all its addresses.

`npm run build` writes it into `static/console`. Where that was not done, the pages say so.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from sayso.console.files import FRESH, STATIC

CONSOLE: Final = STATIC / "console"

ADDRESSES: Final = (
    "/",
    "/sign-in",
    "/sign-up",
    "/account",
    "/developers",
    "/api/keys",
    "/my-agents",
    "/my-agents/{path:path}",
    "/functions",
    "/conversations",
    "/conversations/{path:path}",
    "/analytics",
    "/shared/{token}",
)
"""Where the console has a page. What stands there is decided by `console/src/app.tsx`."""

HEADERS: Final = FRESH | {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "media-src 'self' blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
}
NOT_BUILT: Final = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Sayso</title></head>
<body>
<h1>The console is not built</h1>
<p>This Sayso runs from its source, and the console's pages were not made yet. In the checkout, run
<code>make console</code>, then reload this page. The API works: <a href="/docs">/docs</a>.</p>
</body>
</html>
"""


async def show_console(_: Request) -> Response:
    """The console's one page."""
    page = CONSOLE / "index.html"
    if not page.is_file():
        return HTMLResponse(NOT_BUILT, 503, headers=HEADERS)
    return HTMLResponse(page.read_text("utf-8"), headers=HEADERS)


def console_routes() -> list[BaseRoute]:
    """Every address of the console."""
    return [Route(address, show_console) for address in ADDRESSES]
