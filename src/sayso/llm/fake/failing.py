"""Answers with nothing to speak, or not enough: each ends in a finding."""

from __future__ import annotations

import asyncio
import json

from aiohttp import web

from sayso.llm.fake.answer import Answer
from sayso.llm.fake.picky import refuse
from sayso.llm.fake.quirk import Catalogue, Play

FAILING = Catalogue()
PAGE = "<!DOCTYPE html><html><body><h1>Fake LLM</h1><p>POST /chat/completions</p></body></html>"
HANG_S = 3600.0
"""How long the hanging quirks hang, in seconds."""
BEAT_S = 0.01
"""Between two signs of life, in seconds."""


def _key(answer: Answer) -> str:
    return answer.request.headers.get("Authorization", "").removeprefix("Bearer ")


# Refusals ------------------------------------------------------------------------------------

_REFUSALS = (
    ("400", 400, "http.status", "Unsupported parameter: temperature"),
    ("401", 401, "auth.refused", "Incorrect API key provided"),
    ("402", 402, "http.status", "Insufficient Balance"),
    ("403", 403, "auth.refused", "Forbidden"),
    ("404", 404, "path.not_found", "Not Found"),
    ("404_model", 404, "model.unknown", "model 'quirk' not found, try pulling it first"),
    ("405", 405, "path.not_found", "Method Not Allowed"),
    ("413", 413, "http.status", "Request Entity Too Large"),
    ("429", 429, "rate.limited", "Rate limit reached"),
    ("500", 500, "http.status", "Internal error"),
    ("503", 503, "http.status", "Loading model"),
)


def _refusal(status: int, message: str) -> Play:
    async def play(_: Answer) -> web.StreamResponse:
        return refuse(status, message)

    play.__doc__ = f'Answers {status}: "{message}".'
    return play


for _name, _status, _finding, _message in _REFUSALS:
    FAILING.fails(_name, _finding)(_refusal(_status, _message))


@FAILING.fails("401_quotes_key", "auth.refused")
async def _401_quotes_key(answer: Answer) -> web.StreamResponse:
    """Answers 401, and quotes the key it was sent."""
    return refuse(401, f"Incorrect API key provided: {_key(answer)}.")


@FAILING.fails("502_html", "http.status")
async def _502_html(_: Answer) -> web.StreamResponse:
    """Answers 502 with a proxy's web page."""
    return web.Response(status=502, text=PAGE, content_type="text/html")


@FAILING.fails("html", "http.html")
async def _html(_: Answer) -> web.StreamResponse:
    """Answers 200 with a web page."""
    return web.Response(text=PAGE, content_type="text/html")


@FAILING.fails("redirect", "redirect.refused")
async def _redirect(_: Answer) -> web.StreamResponse:
    """Redirects to `/v1/chat/completions`; a key never follows."""
    return web.Response(status=307, headers={"Location": "/v1/chat/completions"})


@FAILING.fails("redirect_away", "redirect.refused")
async def _redirect_away(_: Answer) -> web.StreamResponse:
    """Redirects to another host, which must not get the key."""
    return web.Response(status=302, headers={"Location": "http://169.254.169.254/latest/"})


@FAILING.fails("text", "body.not_sse")
async def _text(answer: Answer) -> web.StreamResponse:
    """Answers with its words as plain text."""
    return web.Response(text=answer.reply)


@FAILING.fails("no_response", "connect.closed")
async def _no_response(answer: Answer) -> web.StreamResponse:
    """Closes the connection without an answer."""
    return answer.break_off()


@FAILING.fails("not_http", "http.broken")
async def _not_http(answer: Answer) -> web.StreamResponse:
    """Answers in a protocol that is not HTTP."""
    if answer.request.transport is not None:
        answer.request.transport.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    return answer.break_off()


# Errors inside an answer ---------------------------------------------------------------------


@FAILING.fails("json_error", "stream.error_object")
async def _json_error(_: Answer) -> web.StreamResponse:
    """Answers 200 with an error as JSON."""
    return web.json_response({"error": {"message": "the model is overloaded", "code": 503}})


@FAILING.fails("json_no_path", "path.not_found")
async def _json_no_path(answer: Answer) -> web.StreamResponse:
    """Answers 200 with an error as JSON where it has no endpoint, as LM Studio does."""
    message = f"Unexpected endpoint or method. (POST {answer.request.path})"
    return web.json_response({"error": message})


@FAILING.fails("json_error_list", "stream.error_object")
async def _json_error_list(_: Answer) -> web.StreamResponse:
    """Answers 200 with an error in a list, as Gemini does."""
    return web.json_response([{"error": {"message": "API key expired", "code": 400}}])


@FAILING.fails("error_first", "stream.error_object")
async def _error_first(answer: Answer) -> web.StreamResponse:
    """Begins its stream with an error whose text stands alone."""
    await answer.open()
    await answer.send({"error": "no slot available"})
    return await answer.finish(done=False)


@FAILING.fails("error_object", "stream.error_object", partly=True)
async def _error_object(answer: Answer) -> web.StreamResponse:
    """Sends an error object in the middle of its answer."""
    await answer.open()
    await answer.send(answer.chunk({"content": answer.pieces[0]}))
    await answer.send({"error": {"message": "out of memory", "type": "server_error"}})
    return await answer.finish(done=False)


@FAILING.fails("error_quotes_key", "stream.error_object", partly=True)
async def _error_quotes_key(answer: Answer) -> web.StreamResponse:
    """Sends an error in the middle of its answer that quotes the request's headers."""
    await answer.open()
    await answer.send(answer.chunk({"content": answer.pieces[0]}))
    headers = json.dumps(dict(answer.request.headers))
    await answer.send({"error": {"message": f"cannot handle {headers} {answer.request.path_qs}"}})
    return await answer.finish(done=False)


@FAILING.fails("error_event", "stream.error_object", partly=True)
async def _error_event(answer: Answer) -> web.StreamResponse:
    """Sends `event: error` in the middle of its answer."""
    await answer.open()
    await answer.send(answer.chunk({"content": answer.pieces[0]}))
    await answer.write("event: error\ndata: out of memory\n\n")
    return await answer.finish(done=False)


# Streams without words -----------------------------------------------------------------------


@FAILING.fails("empty", "stream.empty")
async def _empty(answer: Answer) -> web.StreamResponse:
    """Ends its stream properly, without a single word."""
    await answer.open()
    return await answer.finish()


@FAILING.fails("no_body", "stream.empty")
async def _no_body(answer: Answer) -> web.StreamResponse:
    """Ends its answer before the first byte of it."""
    await answer.open()
    return await answer.finish(done=False)


@FAILING.fails("empty_content", "stream.empty")
async def _empty_content(answer: Answer) -> web.StreamResponse:
    """Sends chunks whose content is empty."""
    answer.pieces = ["", "", ""]
    return await answer.speak()


@FAILING.fails("blanks", "stream.empty")
async def _blanks(answer: Answer) -> web.StreamResponse:
    """Says nothing but blanks and newlines."""
    answer.pieces = ["\n", " ", "\n\n"]
    return await answer.speak()


@FAILING.fails("json_empty", "stream.empty")
async def _json_empty(answer: Answer) -> web.StreamResponse:
    """Answers with JSON whose message has no content."""
    answer.reply = ""
    return web.json_response(answer.completion())


@FAILING.fails("content_filter", "stream.empty")
async def _content_filter(answer: Answer) -> web.StreamResponse:
    """Ends with `finish_reason: "content_filter"` in place of words."""
    await answer.open()
    await answer.send(answer.openai_chunk({}, "content_filter"))
    return await answer.finish(done=False)


@FAILING.fails("choices_null", "stream.no_choices")
async def _choices_null(answer: Answer) -> web.StreamResponse:
    """Sends `choices: null` and nothing else."""
    await answer.open()
    await answer.send({"choices": None})
    return await answer.finish(done=False)


@FAILING.fails("choices_object", "stream.no_choices")
async def _choices_object(answer: Answer) -> web.StreamResponse:
    """Sends `choices` as an object, not a list."""
    await answer.open()
    await answer.send({"choices": {"delta": {"content": answer.reply}}})
    return await answer.finish()


@FAILING.fails("choices_absent", "stream.no_choices")
async def _choices_absent(answer: Answer) -> web.StreamResponse:
    """Sends events of its own making, without `choices`."""
    await answer.open()
    for piece in answer.pieces:
        await answer.send({"token": {"text": piece}, "generated_text": None})
    return await answer.finish(done=False)


@FAILING.fails("reasoning_only", "stream.reasoning_only")
async def _reasoning_only(answer: Answer) -> web.StreamResponse:
    """Sends its reasoning, and no answer."""
    await answer.open()
    await answer.send(answer.chunk({"reasoning_content": "Let me think about"}))
    return await answer.finish()


@FAILING.fails("think_unclosed", "stream.reasoning_only")
async def _think_unclosed(answer: Answer) -> web.StreamResponse:
    """Opens a `<think>` block and never closes it."""
    answer.pieces = ["<think>", "Let me think about", " it"]
    return await answer.speak()


# Time ----------------------------------------------------------------------------------------


@FAILING.fails("silent", "first_token.slow")
async def _silent(answer: Answer) -> web.StreamResponse:
    """Takes the request and never answers, not even with headers."""
    await asyncio.sleep(HANG_S)
    return answer.response


@FAILING.fails("hang", "first_token.slow")
async def _hang(answer: Answer) -> web.StreamResponse:
    """Sends its headers, and then nothing."""
    await answer.open()
    await asyncio.sleep(HANG_S)
    return answer.response


@FAILING.fails("keep_alive", "first_token.slow")
async def _keep_alive(answer: Answer) -> web.StreamResponse:
    """Sends comments for ever, and no word."""
    await answer.open()
    while True:
        await answer.write(": keep-alive\n\n")
        await asyncio.sleep(BEAT_S)


@FAILING.fails("reasoning_endless", "first_token.slow")
async def _reasoning_endless(answer: Answer) -> web.StreamResponse:
    """Thinks for ever; its thoughts keep the stream alive, but not the caller."""
    await answer.open()
    while True:
        await answer.send(answer.openai_chunk({"reasoning_content": "Or maybe not. "}))
        await asyncio.sleep(BEAT_S)


@FAILING.fails("blanks_endless", "first_token.slow")
async def _blanks_endless(answer: Answer) -> web.StreamResponse:
    """Sends newlines for ever, as models do that lost their way."""
    await answer.open()
    while True:
        await answer.send(answer.openai_chunk({"content": "\n"}))
        await asyncio.sleep(BEAT_S)


@FAILING.fails("drip", "first_token.slow")
async def _drip(answer: Answer) -> web.StreamResponse:
    """Sends one event that never ends, a byte at a time."""
    await answer.open()
    await answer.write('data: {"choices": [{"delta": {"content": "')
    while True:
        await answer.write("x")
        await asyncio.sleep(BEAT_S)


@FAILING.fails("endless_line", "stream.too_long")
async def _endless_line(answer: Answer) -> web.StreamResponse:
    """Sends one line that never ends, as fast as it can."""
    await answer.open()
    while True:
        await answer.write(b"data: " + b"x" * 65_536)


@FAILING.fails("stall", "stream.stalled", partly=True)
async def _stall(answer: Answer) -> web.StreamResponse:
    """Says its first word, and then falls silent."""
    await answer.open()
    await answer.send(answer.chunk({"content": answer.pieces[0]}))
    await asyncio.sleep(HANG_S)
    return answer.response


@FAILING.fails("stall_alive", "stream.stalled", partly=True)
async def _stall_alive(answer: Answer) -> web.StreamResponse:
    """Says its first word, and then sends comments for ever."""
    await answer.open()
    await answer.send(answer.chunk({"content": answer.pieces[0]}))
    while True:
        await answer.write(": keep-alive\n\n")
        await asyncio.sleep(BEAT_S)


# Broken off ----------------------------------------------------------------------------------


@FAILING.fails("cut", "stream.cut", partly=True)
async def _cut(answer: Answer) -> web.StreamResponse:
    """Closes the connection in the middle of an event."""
    await answer.open()
    await answer.send(answer.chunk({"content": answer.pieces[0]}))
    await answer.write('data: {"choices": [{"del')
    return answer.break_off()


@FAILING.fails("cut_event", "stream.cut", partly=True)
async def _cut_event(answer: Answer) -> web.StreamResponse:
    """Ends in the middle of an event, though the HTTP body ends as it should."""
    await answer.open()
    await answer.send(answer.chunk({"content": answer.pieces[0]}))
    await answer.write('data: {"choices": [{"del')
    return await answer.finish(done=False)


@FAILING.fails("cut_early", "stream.cut")
async def _cut_early(answer: Answer) -> web.StreamResponse:
    """Closes the connection before its first word."""
    await answer.open()
    await answer.send(answer.openai_chunk({"role": "assistant", "content": ""}))
    return answer.break_off()


@FAILING.fails("cut_character", "stream.cut", partly=True)
async def _cut_character(answer: Answer) -> web.StreamResponse:
    """Closes the connection in the middle of a character of two bytes."""
    await answer.open()
    await answer.send(answer.chunk({"content": answer.pieces[0]}))
    event = json.dumps({"choices": [{"delta": {"content": "ü"}}]}, ensure_ascii=False).encode()
    await answer.write(b"data: " + event[: event.index(b"\xc3") + 1])
    return answer.break_off()
