"""The page for a browser whose address leads nowhere; programs are told in JSON."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Nothing here · Sayso</title>
<style>
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 32rem; margin: 15vh auto; padding: 0 1rem; }
</style>
</head>
<body>
<h1>There is nothing here</h1>
<p>This server has no page at this address. It may have moved, or the link is not complete.</p>
<p><a href="/">Go to the console</a>, or see <a href="/docs">what the API offers</a>.</p>
</body>
</html>
"""
_PROGRAMS: Final = ("/api/", "/builtin/")
"""Below these nobody looks for a page."""


def show_lost(request: Request) -> HTMLResponse | None:
    """The page, with 404, for who asks for one; None for a program."""
    asks = "text/html" in request.headers.get("accept", "")
    if not asks or request.method not in ("GET", "HEAD"):
        return None
    if request.url.path.startswith(_PROGRAMS):
        return None
    return HTMLResponse(PAGE, 404, headers=HEADERS)
