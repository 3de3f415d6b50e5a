"""Answers whose bytes lie oddly on the wire: other forms, other events. All can be spoken."""

from __future__ import annotations

import asyncio
import json

from aiohttp import web

from sayso.llm.fake.answer import Answer
from sayso.llm.fake.quirk import Catalogue

FRAMED = Catalogue()
HOLD_S = 3600.0
"""How long a connection is kept that nobody needs, in seconds."""
LONG_CHARS = 300_000
"""Beyond the limit of many line readers (aio-libs/aiohttp#4453)."""


def _event(body: object, *, name: str = "data: ") -> str:
    return f"{name}{json.dumps(body)}\n\n"


# Not a stream --------------------------------------------------------------------------------


@FRAMED.spoken("json")
async def _json(answer: Answer) -> web.StreamResponse:
    """Ignores `stream: true` and sends its whole answer as JSON."""
    await answer.wait()
    return web.json_response(answer.completion())


@FRAMED.spoken("json_lines")
async def _json_lines(answer: Answer) -> web.StreamResponse:
    """Speaks Ollama's native dialect: a JSON object a line."""
    answer.response.content_type = "application/x-ndjson"
    await answer.open()
    for piece in answer.pieces:
        await answer.wait()
        line = {"message": {"role": "assistant", "content": piece}, "done": False}
        await answer.write(json.dumps(line) + "\n")
    await answer.write('{"done": true}\n')
    return await answer.finish(done=False)


@FRAMED.spoken("buffered")
async def _buffered(answer: Answer) -> web.StreamResponse:
    """Sends all events at once, at the end, as a buffering proxy makes them."""
    await answer.open()
    events = [answer.chunk({"content": piece}) for piece in answer.pieces]
    for _ in events:
        await answer.wait()
    await answer.write("".join(_event(event) for event in events))
    return await answer.finish()


@FRAMED.spoken("compressed")
async def _compressed(answer: Answer) -> web.StreamResponse:
    """Compresses its stream with gzip, though nobody asked for it."""
    answer.response.enable_compression(web.ContentCoding.gzip)
    return await answer.speak()


@FRAMED.spoken("wrong_type")
async def _wrong_type(answer: Answer) -> web.StreamResponse:
    """Calls its event stream `text/html`."""
    answer.response.content_type = "text/html"
    return await answer.speak()


@FRAMED.spoken("http_1_0")
async def _http_1_0(answer: Answer) -> web.StreamResponse:
    """Answers in HTTP/1.0, whose body ends where the connection does."""
    transport = answer.request.transport
    if transport is not None:
        transport.write(b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for piece in answer.pieces:
            transport.write(_event(answer.chunk({"content": piece})).encode())
        transport.write(b"data: [DONE]\n\n")
    return answer.break_off()


# Events --------------------------------------------------------------------------------------


@FRAMED.spoken("no_space")
async def _no_space(answer: Answer) -> web.StreamResponse:
    """Writes `data:` without the space behind it."""
    await answer.open()
    for piece in answer.pieces:
        await answer.write(_event(answer.chunk({"content": piece}), name="data:"))
    await answer.write("data:[DONE]\n\n")
    return await answer.finish(done=False)


@FRAMED.spoken("crlf")
async def _crlf(answer: Answer) -> web.StreamResponse:
    """Ends its lines with CR and LF."""
    await answer.open()
    await answer.say(end="\r\n\r\n")
    await answer.write("data: [DONE]\r\n\r\n")
    return await answer.finish(done=False)


@FRAMED.spoken("cr")
async def _cr(answer: Answer) -> web.StreamResponse:
    """Ends its lines with CR alone."""
    await answer.open()
    await answer.say(end="\r\r")
    await answer.write("data: [DONE]\r\r")
    return await answer.finish(done=False)


@FRAMED.spoken("one_newline")
async def _one_newline(answer: Answer) -> web.StreamResponse:
    """Leaves no blank line between two events."""
    await answer.open()
    await answer.say(end="\n")
    await answer.write("data: [DONE]\n")
    return await answer.finish(done=False)


@FRAMED.spoken("pretty")
async def _pretty(answer: Answer) -> web.StreamResponse:
    """Indents its JSON, and so spreads an event over many `data:` lines."""
    await answer.open()
    for piece in answer.pieces:
        await answer.wait()
        text = json.dumps(answer.chunk({"content": piece}), indent=2)
        await answer.write("".join(f"data: {line}\n" for line in text.splitlines()) + "\n")
    return await answer.finish()


@FRAMED.spoken("comments")
async def _comments(answer: Answer) -> web.StreamResponse:
    """Sends a byte-order mark, comments, and events of `retry:` or `id:` alone."""
    await answer.open()
    await answer.write(b"\xef\xbb\xbf: hello\n\nretry: 3000\n\n")
    for n, piece in enumerate(answer.pieces):
        await answer.write(f": keep-alive\n\nid: {n}\n\nevent: message\n")
        await answer.send(answer.chunk({"content": piece}))
    return await answer.finish()


@FRAMED.spoken("comments_first")
async def _comments_first(answer: Answer) -> web.StreamResponse:
    """Sends comments for a while before its first word, as routers do while they wait."""
    await answer.open()
    for _ in range(10):
        await answer.write(": PROCESSING\n\n")
        await asyncio.sleep(0.01)
    await answer.say()
    return await answer.finish()


@FRAMED.spoken("named_events")
async def _named_events(answer: Answer) -> web.StreamResponse:
    """Names its events, and sends `event: ping` between them."""
    await answer.open()
    for piece in answer.pieces:
        await answer.wait()
        await answer.write('event: ping\ndata: {"type": "ping"}\n\nevent: completion\n')
        await answer.send(answer.chunk({"content": piece}))
    return await answer.finish()


@FRAMED.spoken("no_done")
async def _no_done(answer: Answer) -> web.StreamResponse:
    """Ends without `[DONE]` and without a finish reason."""
    await answer.open()
    await answer.say()
    return await answer.finish(done=False)


@FRAMED.spoken("bare_done")
async def _bare_done(answer: Answer) -> web.StreamResponse:
    """Writes `[DONE]` without `data:` in front."""
    await answer.open()
    await answer.say()
    await answer.write("[DONE]\n\n")
    return await answer.finish(done=False)


@FRAMED.spoken("hold_open")
async def _hold_open(answer: Answer) -> web.StreamResponse:
    """Says `[DONE]`, and then keeps the connection for an hour."""
    await answer.open()
    await answer.say()
    await answer.write("data: [DONE]\n\n")
    await asyncio.sleep(HOLD_S)
    return answer.response


@FRAMED.spoken("after_done")
async def _after_done(answer: Answer) -> web.StreamResponse:
    """Goes on after `[DONE]` with an event nobody should read."""
    await answer.open()
    await answer.say()
    await answer.write("data: [DONE]\n\n")
    await answer.send(answer.chunk({"content": " Not for your ears."}))
    return await answer.finish(done=False)


@FRAMED.spoken("bad_json")
async def _bad_json(answer: Answer) -> web.StreamResponse:
    """Begins with `data: ping`, which is not JSON."""
    await answer.open()
    await answer.write("data: ping\n\n")
    await answer.say()
    return await answer.finish()


@FRAMED.spoken("nan")
async def _nan(answer: Answer) -> web.StreamResponse:
    """Writes `NaN` into its JSON, as Python's `json` does."""
    await answer.open()
    for piece in answer.pieces:
        await answer.send({**answer.chunk({"content": piece}), "score": float("nan")})
    return await answer.finish()


@FRAMED.spoken("long_line")
async def _long_line(answer: Answer) -> web.StreamResponse:
    """Sends one event of 300 KB, beyond the limit of many line readers."""
    await answer.open()
    await answer.send({**answer.chunk({"content": answer.reply}), "padding": "x" * LONG_CHARS})
    return await answer.finish()


@FRAMED.spoken("split_utf8", says="Grüße 👋 {reply}")
async def _split_utf8(answer: Answer) -> web.StreamResponse:
    """Sends every byte on its own, with characters of two to four bytes in the words."""
    await answer.open()
    body = answer.chunk({"content": f"Grüße 👋 {answer.reply}"})
    for byte in f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode():
        await answer.write(bytes((byte,)))
        await asyncio.sleep(0)
    return await answer.finish()


@FRAMED.spoken("split_emoji", says="Hi 👋 {reply}")
async def _split_emoji(answer: Answer) -> web.StreamResponse:
    """Cuts an emoji between its UTF-16 halves, as servers written in JavaScript do it."""
    answer.pieces = ["Hi ", "\ud83d", "\udc4b", " ", *answer.pieces]
    return await answer.speak()
