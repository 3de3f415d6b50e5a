"""Serves the built console: one page for all its addresses.

`npm run build` writes it into `static/console`. Where that was not done, the pages say so.

The page names, besides the scripts that all pages need, the ones of the page at this address and
what they will ask the API first: a browser fetches all of that at once, instead of learning of each
from the one before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from sayso.accounts.access import COOKIE
from sayso.console.files import FRESH, STATIC

CONSOLE: Final = STATIC / "console"
FILES: Final = "/static/console/"
API: Final = "/api/v1"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the console.

    Attributes:
        script: what draws it, below `console/src`.
        asks: the paths of the API that it asks for first; a `{…}` stands for what the address has
            in its place.
    """

    script: str
    asks: tuple[str, ...] = ()


AGENTS: Final = f"{API}/agents?pageSize=500"
CONVERSATION: Final = f"{API}/conversations/{{id}}"
KEYS: Final = Page("pages/keys/developers.tsx", (f"{API}/api-keys",))
EDITOR: Final = Page("pages/editor/editor.tsx", (f"{API}/agents/{{id}}",))

ADDRESSES: Final[Mapping[str, Page]] = {
    "/": Page("pages/home/home.tsx", (AGENTS,)),
    "/sign-in": Page("session/sign-in.tsx"),
    "/sign-up": Page("session/sign-up.tsx"),
    "/account": Page("pages/account/account.tsx"),
    "/developers": KEYS,
    "/api/keys": KEYS,
    "/my-agents": Page("pages/agents/my-agents.tsx", (AGENTS,)),
    "/my-agents/{id}": EDITOR,
    "/my-agents/{id}/{tab}": EDITOR,
    "/my-agents/{path:path}": Page("pages/not-found.tsx"),
    "/functions": Page(
        "pages/functions/functions-page.tsx", (f"{API}/external-functions?pageSize=500",)
    ),
    "/conversations": Page("pages/conversations/list.tsx", (AGENTS,)),
    "/conversations/{id}": Page(
        "pages/conversations/conversation.tsx", (CONVERSATION, f"{CONVERSATION}/exchanges")
    ),
    "/conversations/{path:path}": Page("pages/not-found.tsx"),
    "/analytics": Page("pages/analytics/analytics.tsx", (AGENTS,)),
    "/shared/{token}": Page("pages/conversations/shared.tsx"),
}
"""Where the console has a page, and which: the same as `console/src/app.tsx` says."""

SIGNED_IN: Final = f"{API}/session"
"""What every page asks, once somebody is."""

PLAIN: Final = re.compile(r"[\w-]+")
"""What may take the place of a `{…}`; ids are nothing else."""

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
HEAD_ENDS: Final = "</head>"


def write_page(page: Page, ids: Mapping[str, str], *, signed_in: bool) -> str | None:
    """The console's one page, on its way to being `page`; None if it was not built."""
    index = CONSOLE / "index.html"
    if not index.is_file():
        return None
    html, scripts = _read_build(index, index.stat().st_mtime_ns)
    # It is asked for as modules are: with no cookie of another origin.
    links = [
        f'<link rel="modulepreload" crossorigin href="{FILES}{script}">'
        for script in scripts.get(f"src/{page.script}", ())
        if script not in html
    ]
    if signed_in and all(PLAIN.fullmatch(value) for value in ids.values()):
        asks = (SIGNED_IN, *(path.format(**ids) for path in page.asks))
        links += [f'<link rel="preload" as="fetch" crossorigin href="{path}">' for path in asks]
    return html.replace(HEAD_ENDS, "\n".join([*links, HEAD_ENDS]), 1)


@cache
def _read_build(index: Path, _changed_ns: int) -> tuple[str, Mapping[str, tuple[str, ...]]]:
    """The page, and of each script all that it needs, as the build wrote it down."""
    manifest = index.with_name("manifest.json")
    chunks = json.loads(manifest.read_text("utf-8")) if manifest.is_file() else {}
    scripts = {name: tuple(dict.fromkeys(_list_files(chunks, name, set()))) for name in chunks}
    return index.read_text("utf-8"), scripts


def _list_files(chunks: Mapping[str, Any], name: str, seen: set[str]) -> Iterator[str]:
    if name in seen:  # two may need each other
        return
    seen.add(name)
    yield chunks[name]["file"]
    for each in chunks[name].get("imports", ()):
        yield from _list_files(chunks, each, seen)


def console_routes() -> list[BaseRoute]:
    """Every address of the console."""
    return [_route(address, page) for address, page in ADDRESSES.items()]


def _route(address: str, page: Page) -> Route:
    async def show(request: Request) -> Response:
        # Whether the cookie still counts, the API says.
        html = write_page(page, request.path_params, signed_in=COOKIE in request.cookies)
        return HTMLResponse(html or NOT_BUILT, 200 if html else 503, headers=HEADERS)

    return Route(address, show)
