"""The page for a browser whose address leads nowhere; programs are told in JSON."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Nothing here · Sayso</title>
<style>
:root {
  color-scheme: light dark;
  background: light-dark(#f6f5f1, #131512); color: light-dark(#1c1d1a, #eeede7);
  font: 0.9375rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
body { max-width: 32rem; margin: 15vh auto; padding: 0 1rem; }
.sayso { display: flex; align-items: center; gap: 0.5rem; font-size: 1.0625rem; font-weight: 620; }
h1 { margin: 1.5rem 0 0.5rem; font-size: 1.375rem; font-weight: 620; letter-spacing: -0.01em; }
p { margin: 0 0 1rem; }
a { color: light-dark(#0b6e5f, #5ecbb3); text-underline-offset: 0.15em; }
a:focus-visible { outline: 2px solid light-dark(#1f5fd0, #8fb8ff); outline-offset: 2px; }
</style>
</head>
<body>
<p class="sayso"><img src="/static/icon.svg" alt="" width="22" height="22">Sayso</p>
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
