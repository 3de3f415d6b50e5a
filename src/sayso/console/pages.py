"""Serves the talk page and the page in the frame of an embed. All they load is our own."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from html import escape
from typing import Final, TypeAlias

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from sayso.accounts.access import COOKIE
from sayso.console.files import FRESH, WIDGET, file_routes

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""What a page may load: our own files, and a talk socket of our own."""

FRAMED_BY_ALL: Final = "*"
ORIGIN: Final = re.compile(r"https?://[\w.-]+(:\d+)?|https?://\[[\da-fA-F:]+\](:\d+)?")
"""What may stand in a policy as the origin of a website."""

EXTRACTIVE: Final = "built-in-extractive"
LABEL, SHOWN_LABEL = '<p class="mind" hidden>', '<p class="mind">'
"""The line of the page that says that there is no language model."""

HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

TellsVisitors: TypeAlias = Callable[[str], Awaitable[str | None]]
"""A fact about an agent by its id, as anybody may know it; None where nobody may."""

TellsOrigins: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]
"""The origins of the websites that may show an agent by its id; none for any."""

NAMELESS = ("<title>Talk · Sayso</title>", "<h1>Talk to this agent</h1>")
NAMED = ("<title>{name} · Sayso</title>", "<h1>{name}</h1>")
"""What stands in `talk.html`, and what takes its place on the page of an agent with a name."""

ROOT: Final = '<html lang="en"'

NOT_BUILT: Final = (
    "The talk page has not been built on this server. Run `make console` where Sayso was installed "
    "from, or install Sayso from a wheel. Everything else works.\n"
)


def read_page(name: str) -> str | None:
    """A page of the build; None if it was not built."""
    path = WIDGET / f"{name}.html"
    return path.read_text("utf-8") if path.is_file() else None


class TalkPages:
    """The pages of an agent; their scripts read its id from the address."""

    def __init__(
        self, name_of: TellsVisitors, mind_of: TellsVisitors, origins_of: TellsOrigins
    ) -> None:
        self._name_of = name_of
        self._mind_of = mind_of
        self._origins_of = origins_of

    async def show(self, request: Request) -> Response:
        """The talk page, with the agent's name on it if anybody may know that.

        Who calls an agent without a language model reads so before the first word. Where nobody
        may know anything, the script of a signed-in browser asks for a ticket.
        """
        html = read_page("talk")
        if html is None:
            return _not_built()
        agent_id = request.path_params["agent_id"]
        name = await self._name_of(agent_id)
        if name is not None:
            for nameless, named in zip(NAMELESS, NAMED, strict=True):
                html = html.replace(nameless, named.format(name=escape(name)))
        elif COOKIE in request.cookies:  # whether it still counts, the API says
            html = _mark(html, "visitor", "signed-in")
        if await self._mind_of(agent_id) == EXTRACTIVE:
            html = html.replace(LABEL, SHOWN_LABEL)
        return HTMLResponse(html, headers=HEADERS | FRESH)

    async def show_embed(self, request: Request) -> Response:
        """The page in an embed's frame; only the agent's websites may frame it, if it has any."""
        html = read_page("embed")
        if html is None:
            return _not_built()
        agent_id = request.path_params["agent_id"]
        if (name := await self._name_of(agent_id)) is not None:
            html = _mark(html, "agent", name)
        policy = framed_by(await self._origins_of(agent_id))
        return HTMLResponse(html, headers=HEADERS | FRESH | policy)

    async def show_preview(self, _: Request) -> Response:
        """An embed over the website of whoever looks at it."""
        html = read_page("preview")
        if html is None:
            return _not_built()
        policy = {"Content-Security-Policy": f"{POLICY}; frame-src 'self' http: https:"}
        return HTMLResponse(html, headers=HEADERS | FRESH | policy)


def framed_by(origins: Sequence[str]) -> dict[str, str]:
    """The policy of a page that websites of these origins may frame; of any, if there are none."""
    allowed = [origin for origin in origins if ORIGIN.fullmatch(origin)]
    ancestors = " ".join(["'self'", *allowed]) if origins else FRAMED_BY_ALL
    policy = POLICY.replace("frame-ancestors 'self'", f"frame-ancestors {ancestors}")
    return {"Content-Security-Policy": policy}


def _mark(html: str, key: str, value: str) -> str:
    """Tell the page's script something it cannot know."""
    return html.replace(ROOT, f'{ROOT} data-{key}="{escape(value)}"', 1)


def _not_built() -> Response:
    return PlainTextResponse(NOT_BUILT, status_code=503, headers=FRESH)


async def tell_nothing(_: str) -> str | None:
    """Nobody may know anything about an agent."""
    return None


async def tell_none(_: str) -> Sequence[str]:
    """Any website may show any agent."""
    return ()


def page_routes(
    name_of: TellsVisitors = tell_nothing,
    mind_of: TellsVisitors = tell_nothing,
    origins_of: TellsOrigins = tell_none,
) -> list[BaseRoute]:
    """`/agent/{agentId}`, `/embed/talk/{webEmbedId}`, and the files they need.

    `name_of` says what an agent is called, `mind_of` what answers for it, as `answeredBy` does,
    `origins_of` which websites may show it.
    """
    pages = TalkPages(name_of, mind_of, origins_of)
    return [
        Route("/agent/{agent_id}", pages.show),
        Route("/embed/talk/preview", pages.show_preview),
        Route("/embed/talk/{agent_id}", pages.show_embed),
        *file_routes(),
    ]
