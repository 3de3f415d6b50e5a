"""A server that tolerates what a test lets it: fields, roles, lengths, callers at once."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from aiohttp import web

from sayso.llm.fake import cut_pieces, running_app

SMOKE = "The smoke test has passed."
TOLD = re.compile(r'^{"name": "(\w+)"', re.MULTILINE)
"""How functions are told of in words."""


@dataclass
class Picky:
    """What the server does not tolerate, and what it saw.

    Attributes:
        refuses: fields it answers 400 to; the text says nothing about which.
        roles: roles it knows.
        alternating: roles must alternate.
        max_chars: of all messages.
        slots: answers at the same time.
        queues: the next caller waits for a slot; else is answered 429.
        deaf: goes on when the caller hangs up, and keeps the slot.
        closes: closes the connection after each answer.
        holds_back: sends all words at once, at the end.
        swallows_headers: sends even the status only then, as some proxies do.
        first_s, token_s: before the first word, and between words.
        mangles: spoils letters beyond ASCII.
        calls: when it calls the function it is offered: when it is "asked" to; the "second" time;
            when it "must"; when it was "told" of it in words; or "never".
        choices: kinds of `tool_choice` that it takes.
        empty: says nothing where functions are offered.
        rambles: repeats so often what it says where functions are offered.
        says: answers this to everything.
        status: of a refusal.
        refuse_s: before a refusal.
    """

    refuses: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset({"system", "user", "assistant"})
    alternating: bool = False
    max_chars: int = 1_000_000
    slots: int = 100
    queues: bool = False
    deaf: bool = False
    closes: bool = False
    holds_back: bool = False
    swallows_headers: bool = False
    first_s: float = 0.0
    token_s: float = 0.0
    mangles: bool = False
    calls: Literal["asked", "second", "must", "told", "never"] = "asked"
    choices: tuple[type, ...] = (str, dict)
    empty: bool = False
    rambles: int = 1
    says: str | None = None
    status: int = 400
    refuse_s: float = 0.0
    bodies: list[Mapping[str, Any]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    busy: int = 0
    most: int = 0

    def refusal(self, body: Mapping[str, Any]) -> str | None:
        """Why `body` is refused; never which field it is."""
        roles = [message["role"] for message in body["messages"]]
        if self.refuses & body.keys():
            return "bad request"
        if "tool_choice" in body and not isinstance(body["tool_choice"], self.choices):
            return "bad request"
        if not self.roles.issuperset(roles):
            return "bad request"
        turns = [role for role in roles if role != "system"]
        if self.alternating and any(a == b for a, b in pairwise(turns)):
            return "bad request"
        if sum(len(message["content"]) for message in body["messages"]) > self.max_chars:
            return "this model's maximum context length is 2048 tokens"
        return None

    def delta(self, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The call that `body` is answered with, if it is."""
        asked = body["messages"][-1]["content"]
        name = next((tool["function"]["name"] for tool in body.get("tools", ())), None)
        if name is None or name not in asked:
            return None
        when = {
            "asked": True,
            "second": asked.startswith("Use"),
            "must": "tool_choice" in body,
        }
        function = {"name": name, "arguments": '{"day": "Monday"}'}
        call = {"index": 0, "id": "call_1", "type": "function", "function": function}
        return {"tool_calls": [call]} if when.get(self.calls) else None

    def reply(self, body: Mapping[str, Any]) -> str:
        """What is said to `body`."""
        if self.says is not None:
            return self.says
        asked = body["messages"][-1]["content"]
        if self.empty and "tools" in body:
            return ""
        if self.calls == "told" and "<tool_call>" in body["messages"][0]["content"]:
            name = TOLD.findall(body["messages"][0]["content"])[-1]
            return f'<tool_call>{{"name": "{name}", "arguments": {{}}}}</tool_call>'
        reply = SMOKE if SMOKE in asked else asked
        reply *= self.rambles if "tools" in body else 1
        return reply.encode().decode("latin-1") if self.mangles else reply


@asynccontextmanager
async def running(picky: Picky) -> AsyncIterator[str]:
    """Run it; gives its base URL."""
    gate = asyncio.Semaphore(picky.slots)

    async def answer(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        picky.bodies.append(body)
        picky.headers.append(dict(request.headers))
        if (reason := picky.refusal(body)) is not None:
            await asyncio.sleep(picky.refuse_s)
            return web.json_response({"error": {"message": reason}}, status=picky.status)
        if gate.locked() and not picky.queues:
            return web.json_response({"error": {"message": "no slot"}}, status=429)
        await gate.acquire()
        picky.busy += 1
        picky.most = max(picky.most, picky.busy)
        work = asyncio.ensure_future(_speak(picky, request, _deltas(picky, body)))
        try:
            return await asyncio.shield(work)
        finally:
            if picky.deaf:
                await asyncio.wait({work})
            work.cancel()
            picky.busy -= 1
            gate.release()

    app = web.Application()
    app.router.add_post("/v1/chat/completions", answer)
    async with running_app(app, handler_cancellation=not picky.deaf) as url:
        yield f"{url}/v1"


def _deltas(picky: Picky, body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if (call := picky.delta(body)) is not None:
        return [call]
    return [{"content": piece} for piece in cut_pieces(picky.reply(body))]


async def _speak(
    picky: Picky, request: web.Request, deltas: Sequence[Mapping[str, Any]]
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    if picky.closes:
        response.force_close()
    if not picky.swallows_headers:
        await response.prepare(request)
    await asyncio.sleep(picky.first_s)
    held = b""
    for n, delta in enumerate(deltas):
        if n:
            await asyncio.sleep(picky.token_s)
        event = {"choices": [{"index": 0, "delta": delta}]}
        held += f"data: {json.dumps(event)}\n\n".encode()
        if not picky.holds_back:
            held = await _send(picky, response, held)
    if picky.swallows_headers:
        await response.prepare(request)
    await _send(picky, response, held + b"data: [DONE]\n\n")
    await response.write_eof()
    return response


async def _send(picky: Picky, response: web.StreamResponse, data: bytes) -> bytes:
    try:
        await response.write(data)
    except ConnectionResetError:
        if not picky.deaf:
            raise
    return b""
