"""An HTTP server for external functions: it tells what it was asked, or misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from sayso.llm.fake import running_app


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: str


@dataclass
class Endpoint:
    """A server, and what it was asked.

    Attributes:
        url: its base URL.
        asked: every request, in order.
        failing: how many requests it will drop before it answers.
        hanging: set once somebody waits for nothing.
        gave_up: set once somebody hung up on an endless answer.
    """

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    failing: int = 0
    hanging: asyncio.Event = field(default_factory=asyncio.Event)
    gave_up: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def last(self) -> Asked:
        return self.asked[-1]

    async def note(self, request: web.Request) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(
            Asked(
                request.method,
                request.raw_path.partition("?")[0],
                list(request.query.items()),
                headers,
                (await request.read()).decode(),
            )
        )

    # Good ones --------------------------------------------------------------------------

    async def echo(self, request: web.Request) -> web.Response:
        """Everything that was asked, as JSON."""
        await self.note(request)
        return web.json_response(vars(self.last))

    async def give(self, request: web.Request) -> web.Response:
        """What the query says: `status`, `kind`, `text`, or so many `bytes` of it."""
        await self.note(request)
        asked: Any = request.query
        text = asked.get("text", "x") * int(asked.get("times", "1"))
        headers = {"Content-Type": asked["kind"]} if "kind" in asked else {}
        return web.Response(
            body=text.encode(), status=int(asked.get("status", "200")), headers=headers
        )

    # Bad ones ---------------------------------------------------------------------------

    async def hang(self, request: web.Request) -> web.Response:
        """Never answer."""
        await self.note(request)
        self.hanging.set()
        await self._wait(request)
        return web.Response()

    async def drip(self, request: web.Request) -> web.StreamResponse:
        """A byte now and then, for ever."""
        await self.note(request)
        answer = web.StreamResponse()
        await answer.prepare(request)
        try:
            while True:
                await answer.write(b".")
                await asyncio.sleep(0.01)
        finally:
            self.gave_up.set()

    async def flood(self, request: web.Request) -> web.StreamResponse:
        """As much as is taken, for ever."""
        await self.note(request)
        answer = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await answer.prepare(request)
        try:
            while True:
                await answer.write(b"flood " * 10_000)
        finally:
            self.gave_up.set()

    async def drop(self, request: web.Request) -> web.Response:
        """Close without an answer, `failing` times."""
        await self.note(request)
        if self.failing > 0:
            self.failing -= 1
            assert request.transport is not None
            request.transport.abort()
        return web.Response(text="At last.")

    async def redirect(self, request: web.Request) -> web.Response:
        """A redirect to where the query says."""
        await self.note(request)
        return web.Response(status=302, headers={"Location": request.query["to"]})

    async def _wait(self, request: web.Request) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.gave_up.set()


@asynccontextmanager
async def running_endpoint() -> AsyncIterator[Endpoint]:
    endpoint = Endpoint()
    app = web.Application()
    for name in ("give", "hang", "drip", "flood", "drop", "redirect"):
        app.router.add_route("*", f"/{name}", getattr(endpoint, name))
    app.router.add_route("*", "/{tail:.*}", endpoint.echo)
    async with running_app(app, handler_cancellation=True) as endpoint.url:
        yield endpoint
