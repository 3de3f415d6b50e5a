"""A small OpenAI-compatible server to try agents with, and to test ours against: `sayso fake-llm`.

It behaves as PlayAI's published fake LLM does, whose users must find everything as it was:

- `POST /chat/completions` streams, whatever `stream` says, and ignores the key;
- a request with exactly one message that contains `The smoke test has passed.` (with that capital
  letter) is answered with that sentence; everything else is echoed, or answered by a script;
- chunks spell `finishReason` in camel case and carry no role; text is cut before non-letters;
- every other path and method answers 200 with a web page (or 404, if asked for).

Beyond that, the model name `quirk:<name>` picks one of the misbehaviours seen in the wild; `QUIRKS`
lists them.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias

from aiohttp import web

SMOKE_SENTENCE = "The smoke test has passed."
"""What the check asks for; the capital letter matters (contract §3.3)."""
MAX_REQUEST_BYTES = 4_194_304
HANG_S = 3600.0
"""How long the hanging quirks hang, in seconds."""

_PAGE = "<!DOCTYPE html><html><body><h1>Fake LLM</h1><p>POST /chat/completions</p></body></html>"
_CUTS = re.compile(r"(?=[^A-Za-z])")
_SECRET_HEADERS = re.compile(r"auth|key|token|secret|cookie", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Received:
    """One request, as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, object]

    def describe(self) -> str:
        """The request in a few lines, with secret headers masked."""
        shown = {name: _mask(name, value) for name, value in self.headers.items()}
        lines = [f"{self.method} {self.path}", *(f"  {n}: {v}" for n, v in shown.items())]
        if self.body:
            lines.append(f"  {json.dumps(self.body, ensure_ascii=False)}")
        return "\n".join(lines)


def _mask(name: str, value: str) -> str:
    return f"…{value[-4:]}" if _SECRET_HEADERS.search(name) and len(value) > 8 else value


def _ignore(_: Received) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class FakeConfig:
    """How the fake behaves.

    Attributes:
        mode: `echo` repeats the last message; `scripted` says the lines of `script` in turn, one
            for each message the caller has sent, and begins again after the last.
        script: what to say when `scripted`.
        first_token_s: wait before the first piece, in seconds.
        token_s: wait between pieces, in seconds.
        jitter_s: up to so much is added to each wait, at random, in seconds.
        elsewhere: what other paths answer: a web page with status 200, or 404.
        prefix: path in front of `/chat/completions`, such as `/v1`.
        listen: is told each request.
        seed: makes the jitter repeatable.
    """

    mode: Literal["echo", "scripted"] = "echo"
    script: Sequence[str] = ()
    first_token_s: float = 0.1
    token_s: float = 0.1
    jitter_s: float = 0.0
    elsewhere: Literal["html", "not_found"] = "html"
    prefix: str = ""
    listen: Callable[[Received], None] = field(default=_ignore)
    seed: int = 0


def read_script(text: str) -> tuple[str, ...]:
    """A script from a file's text: a JSON list of strings, or one reply a line."""
    if text.lstrip().startswith("["):
        lines = json.loads(text)
        if not all(isinstance(line, str) for line in lines):
            raise ValueError("a script is a JSON list of strings, or one reply a line")
        return tuple(lines)
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def choose_reply(config: FakeConfig, messages: Sequence[Mapping[str, object]]) -> str:
    """What the fake says to `messages`."""
    contents = [str(message.get("content") or "") for message in messages]
    if len(contents) == 1 and SMOKE_SENTENCE in contents[0]:
        return SMOKE_SENTENCE
    if config.mode == "scripted" and config.script:
        turns = sum(1 for message in messages if message.get("role") == "user")
        return config.script[max(0, turns - 1) % len(config.script)]
    return contents[-1] if contents else ""


def cut_pieces(text: str) -> list[str]:
    """Text cut before each non-letter, as PlayAI's fake does it."""
    return [piece for piece in _CUTS.split(text) if piece]


class Answer:
    """One answer under way: waits, writes, and knows OpenAI's and PlayAI's shapes."""

    def __init__(self, request: web.Request, config: FakeConfig, reply: str, model: str) -> None:
        self.request = request
        self.reply = reply
        self.model = model
        self.pieces = cut_pieces(reply)
        self.response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        self._config = config
        self._random = random.Random(config.seed)  # noqa: S311 - jitter, not secrets
        self._waited = False

    async def open(self) -> None:
        """Send the headers."""
        await self.response.prepare(self.request)

    async def wait(self) -> None:
        """Wait as long as configured before the next piece."""
        config = self._config
        wait_s = config.token_s if self._waited else config.first_token_s
        self._waited = True
        wait_s += self._random.uniform(0.0, config.jitter_s)
        if wait_s > 0:
            await asyncio.sleep(wait_s)

    async def write(self, text: str | bytes) -> None:
        """Send bytes as they are."""
        await self.response.write(text.encode() if isinstance(text, str) else text)

    async def send(self, body: object, end: str = "\n\n") -> None:
        """Send one event."""
        await self.write(f"data: {json.dumps(body)}{end}")

    async def say(self, *, end: str = "\n\n") -> None:
        """Send all pieces, each after its wait."""
        for piece in self.pieces:
            await self.wait()
            await self.send(self.chunk({"content": piece}), end)

    async def finish(self, *, done: bool = True) -> web.StreamResponse:
        """Send the last chunk and `[DONE]`, and end the body."""
        if done:
            await self.send(self.chunk({}, "stop"))
            await self.write("data: [DONE]\n\n")
        await self.response.write_eof()
        return self.response

    def chunk(self, delta: object, finish: str | None = None) -> dict[str, object]:
        """A chunk in the dialect of PlayAI's fake."""
        return {
            "id": "chatcmpl-fake",
            "object": "chat.completion.chunk",
            "created": 1_700_000_000,
            "model": self.model,
            "choices": [{"index": 0, "delta": delta, "flogprobs": None, "finishReason": finish}],
        }

    def completion(self) -> dict[str, object]:
        """The whole answer as one JSON body."""
        message = {"role": "assistant", "content": self.reply}
        return {
            "id": "chatcmpl-fake",
            "object": "chat.completion",
            "model": self.model,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": len(self.pieces)},
        }


Quirk: TypeAlias = Callable[[Answer], Awaitable[web.StreamResponse]]


async def _plain(answer: Answer) -> web.StreamResponse:
    await answer.open()
    await answer.say()
    return await answer.finish()


async def _json(answer: Answer) -> web.StreamResponse:
    await answer.wait()
    return web.json_response(answer.completion())


async def _json_lines(answer: Answer) -> web.StreamResponse:
    answer.response.content_type = "application/x-ndjson"
    await answer.open()
    for piece in answer.pieces:
        await answer.wait()
        line = {"message": {"role": "assistant", "content": piece}, "done": False}
        await answer.write(json.dumps(line) + "\n")
    await answer.write('{"done": true}\n')
    return await answer.finish(done=False)


async def _html(_: Answer) -> web.StreamResponse:
    return web.Response(text=_PAGE, content_type="text/html")


def _refuse(status: int, message: str, code: str | None = None) -> Quirk:
    async def quirk(_: Answer) -> web.StreamResponse:
        error = {"message": message, "type": "invalid_request_error", "code": code}
        return web.json_response({"error": error}, status=status)

    return quirk


async def _redirect(_: Answer) -> web.StreamResponse:
    return web.Response(status=307, headers={"Location": "/v1/chat/completions"})


async def _json_error(_: Answer) -> web.StreamResponse:
    return web.json_response({"error": {"message": "the model is overloaded", "code": 503}})


async def _empty(answer: Answer) -> web.StreamResponse:
    await answer.open()
    return await answer.finish()


async def _no_body(answer: Answer) -> web.StreamResponse:
    await answer.open()
    return await answer.finish(done=False)


async def _hang(answer: Answer) -> web.StreamResponse:
    await answer.open()
    await asyncio.sleep(HANG_S)
    return answer.response


async def _keep_alive(answer: Answer) -> web.StreamResponse:
    """Comments for ever, and no word."""
    await answer.open()
    while True:
        await answer.write(": keep-alive\n\n")
        await asyncio.sleep(0.01)


async def _stall(answer: Answer) -> web.StreamResponse:
    await answer.open()
    await answer.send(answer.chunk({"content": answer.pieces[0]}))
    await asyncio.sleep(HANG_S)
    return answer.response


async def _cut(answer: Answer) -> web.StreamResponse:
    await answer.open()
    await answer.send(answer.chunk({"content": answer.pieces[0]}))
    await answer.write('data: {"choices": [{"del')
    if answer.request.transport is not None:
        answer.request.transport.close()
    return answer.response


async def _cut_event(answer: Answer) -> web.StreamResponse:
    """Ends in the middle of an event, though the HTTP body ends as it should."""
    await answer.open()
    await answer.send(answer.chunk({"content": answer.pieces[0]}))
    await answer.write('data: {"choices": [{"del')
    return await answer.finish(done=False)


async def _reasoning(answer: Answer) -> web.StreamResponse:
    await answer.open()
    for name in ("reasoning_content", "reasoning"):
        await answer.send(answer.chunk({name: "The user wants a test. ", "content": None}))
    await answer.say()
    return await answer.finish()


async def _reasoning_only(answer: Answer) -> web.StreamResponse:
    await answer.open()
    await answer.send(answer.chunk({"reasoning_content": "Let me think about"}))
    return await answer.finish()


async def _think_inline(answer: Answer) -> web.StreamResponse:
    answer.pieces = ["<th", "ink>Hm. The us", "er wants</thi", "nk>\n\n", *answer.pieces]
    return await _plain(answer)


async def _cumulative(answer: Answer) -> web.StreamResponse:
    answer.pieces = ["".join(answer.pieces[: n + 1]) for n in range(len(answer.pieces))]
    return await _plain(answer)


async def _messages(answer: Answer) -> web.StreamResponse:
    """The whole message so far in each event, in place of a delta."""
    await answer.open()
    for n in range(len(answer.pieces)):
        await answer.wait()
        said = {"role": "assistant", "content": "".join(answer.pieces[: n + 1])}
        await answer.send({"choices": [{"index": 0, "message": said, "delta": {}}]})
    return await answer.finish()


async def _no_done(answer: Answer) -> web.StreamResponse:
    await answer.open()
    await answer.say()
    return await answer.finish(done=False)


async def _bare_done(answer: Answer) -> web.StreamResponse:
    await answer.open()
    await answer.say()
    await answer.write("[DONE]\n\n")
    return await answer.finish(done=False)


async def _hold_open(answer: Answer) -> web.StreamResponse:
    """Says `[DONE]`, and then keeps the connection."""
    await answer.open()
    await answer.say()
    await answer.write("data: [DONE]\n\n")
    await asyncio.sleep(HANG_S)
    return answer.response


async def _error_object(answer: Answer) -> web.StreamResponse:
    await answer.open()
    await answer.send(answer.chunk({"content": answer.pieces[0]}))
    await answer.send({"error": {"message": "out of memory", "type": "server_error"}})
    return await answer.finish(done=False)


async def _choices_empty(answer: Answer) -> web.StreamResponse:
    """Usage events with `choices: []` first and last, as Azure and `include_usage` have them."""
    await answer.open()
    await answer.send({"choices": [], "prompt_filter_results": []})
    await answer.send(answer.chunk({"role": "assistant", "content": None}))
    await answer.say()
    await answer.send({"choices": [], "usage": {"total_tokens": 9}})
    return await answer.finish()


async def _choices_null(answer: Answer) -> web.StreamResponse:
    await answer.open()
    await answer.send({"choices": None})
    return await answer.finish(done=False)


async def _crlf(answer: Answer) -> web.StreamResponse:
    await answer.open()
    await answer.say(end="\r\n\r\n")
    await answer.write("data: [DONE]\r\n\r\n")
    return await answer.finish(done=False)


async def _comments(answer: Answer) -> web.StreamResponse:
    """A byte-order mark, comments, `retry:`, `id:` and `event:` between the pieces."""
    await answer.open()
    await answer.write(b"\xef\xbb\xbf: hello\n\nretry: 3000\n\n")
    for n, piece in enumerate(answer.pieces):
        await answer.write(f": keep-alive\n\nid: {n}\n\nevent: message\n")
        await answer.send(answer.chunk({"content": piece}))
    return await answer.finish()


async def _no_space(answer: Answer) -> web.StreamResponse:
    await answer.open()
    for piece in answer.pieces:
        await answer.write(f"data:{json.dumps(answer.chunk({'content': piece}))}\n\n")
    await answer.write("data:[DONE]\n\n")
    return await answer.finish(done=False)


async def _split_utf8(answer: Answer) -> web.StreamResponse:
    """Every byte on its own, with characters of two to four bytes in the words."""
    await answer.open()
    body = {"choices": [{"delta": {"content": f"Grüße 👋 {answer.reply}"}}]}
    for byte in f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode():
        await answer.write(bytes((byte,)))
        await asyncio.sleep(0)
    return await answer.finish()


async def _split_emoji(answer: Answer) -> web.StreamResponse:
    """An emoji cut between its UTF-16 halves, as servers written in JavaScript do it."""
    answer.pieces = ["Hi ", "\ud83d", "\udc4b", " ", *answer.pieces]
    return await _plain(answer)


async def _slow_first(answer: Answer) -> web.StreamResponse:
    await answer.open()
    await asyncio.sleep(1.0)
    await answer.say()
    return await answer.finish()


async def _buffered(answer: Answer) -> web.StreamResponse:
    """All events at once, at the end, as a buffering proxy makes them."""
    await answer.open()
    events = [answer.chunk({"content": piece}) for piece in answer.pieces]
    for _ in events:
        await answer.wait()
    await answer.write("".join(f"data: {json.dumps(event)}\n\n" for event in events))
    return await answer.finish()


async def _long_line(answer: Answer) -> web.StreamResponse:
    """One event of 300 KB, beyond the limit of many line readers."""
    await answer.open()
    await answer.send({**answer.chunk({"content": answer.reply}), "padding": "x" * 300_000})
    return await answer.finish()


async def _endless_line(answer: Answer) -> web.StreamResponse:
    await answer.open()
    while True:
        await answer.write(b"data: " + b"x" * 65_536)


async def _bad_json(answer: Answer) -> web.StreamResponse:
    await answer.open()
    await answer.write("data: ping\n\n")
    await answer.say()
    return await answer.finish()


async def _text(answer: Answer) -> web.StreamResponse:
    return web.Response(text=answer.reply)


async def _different(answer: Answer) -> web.StreamResponse:
    answer.pieces = cut_pieces("Ahoy! I am a pirate and repeat nothing.")
    return await _plain(answer)


async def _parts(answer: Answer) -> web.StreamResponse:
    """Content as a list of parts."""
    await answer.open()
    for piece in answer.pieces:
        await answer.send(answer.chunk({"content": [{"type": "text", "text": piece}]}))
    return await answer.finish()


QUIRKS: Mapping[str, Quirk] = MappingProxyType(
    {
        "401": _refuse(401, "Incorrect API key provided"),
        "403": _refuse(403, "Forbidden"),
        "404": _refuse(404, "Not Found"),
        "404_model": _refuse(404, "model 'quirk' not found, try pulling it first"),
        "400": _refuse(400, "Unsupported parameter: temperature"),
        "429": _refuse(429, "Rate limit reached"),
        "500": _refuse(500, "Internal error"),
        "bad_json": _bad_json,
        "bare_done": _bare_done,
        "buffered": _buffered,
        "choices_empty": _choices_empty,
        "choices_null": _choices_null,
        "comments": _comments,
        "crlf": _crlf,
        "cumulative": _cumulative,
        "cut": _cut,
        "cut_event": _cut_event,
        "different": _different,
        "empty": _empty,
        "endless_line": _endless_line,
        "error_object": _error_object,
        "hang": _hang,
        "hold_open": _hold_open,
        "html": _html,
        "json": _json,
        "json_error": _json_error,
        "json_lines": _json_lines,
        "keep_alive": _keep_alive,
        "long_line": _long_line,
        "messages": _messages,
        "no_body": _no_body,
        "no_done": _no_done,
        "no_space": _no_space,
        "parts": _parts,
        "reasoning": _reasoning,
        "reasoning_only": _reasoning_only,
        "redirect": _redirect,
        "slow_first": _slow_first,
        "split_emoji": _split_emoji,
        "split_utf8": _split_utf8,
        "stall": _stall,
        "text": _text,
        "think_inline": _think_inline,
    }
)
"""Misbehaviours by name; a request picks one with the model `quirk:<name>`."""


def create_fake_app(config: FakeConfig) -> web.Application:
    """Make the fake as an aiohttp application."""

    async def complete(request: web.Request) -> web.StreamResponse:
        body = await _read_json(request)
        config.listen(Received(request.method, request.path_qs, dict(request.headers), body))
        messages = body.get("messages")
        known = [m for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []
        model = str(body.get("model") or "fake")
        answer = Answer(request, config, choose_reply(config, known), model)
        try:
            return await _choose_quirk(model)(answer)
        except ConnectionResetError:
            return answer.response  # the caller hung up; nobody is left to answer

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        config.listen(Received(request.method, request.path_qs, dict(request.headers), {}))
        if config.elsewhere == "not_found":
            return web.Response(status=404, text="Not Found")
        return web.Response(text=_PAGE, content_type="text/html")

    app = web.Application(client_max_size=MAX_REQUEST_BYTES)
    app.router.add_post(f"{config.prefix}/chat/completions", complete)
    app.router.add_route("*", "/{path:.*}", elsewhere)
    return app


def _choose_quirk(model: str) -> Quirk:
    name = model.removeprefix("quirk:")
    if model == name:
        return _plain
    return QUIRKS.get(name) or _refuse(404, f"model {model} not found", "model_not_found")


async def _read_json(request: web.Request) -> dict[str, object]:
    try:
        body = await request.json()
    except ValueError:
        raise web.HTTPBadRequest(text='{"error": {"message": "the body is not JSON"}}') from None
    return body if isinstance(body, dict) else {}


@asynccontextmanager
async def running_fake(
    config: FakeConfig, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[str]:
    """Run the fake on this loop; gives its URL, without the prefix. Port 0 takes a free one."""
    runner = web.AppRunner(create_fake_app(config), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        actual: int = runner.addresses[0][1]
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{actual}"
    finally:
        await runner.cleanup()


def run_fake(config: FakeConfig, host: str = "127.0.0.1", port: int = 3000) -> None:
    """Run the fake until interrupted, as `sayso fake-llm` does."""

    async def serve() -> None:
        async with running_fake(config, host, port) as url:
            print(
                f"The fake LLM listens at {url}{config.prefix} (baseURL). Stop it with Ctrl-C.",
                flush=True,
            )
            await asyncio.Event().wait()

    try:
        asyncio.run(serve())
    except KeyboardInterrupt:
        print("Stopped.")
