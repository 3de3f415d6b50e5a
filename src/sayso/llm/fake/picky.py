"""Servers that must be known first: what they refuse, and where their answer begins."""

from __future__ import annotations

import json
from itertools import pairwise

from aiohttp import web

from sayso.llm.fake.answer import Answer, call_function, cut_pieces
from sayso.llm.fake.quirk import Catalogue

PICKY = Catalogue()


def refuse(
    status: int, message: str, code: str | None = None, param: str | None = None
) -> web.Response:
    """An error in OpenAI's shape."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return web.json_response({"error": error}, status=status)


def _unsupported(name: str) -> web.Response:
    message = f"Unsupported parameter: '{name}' is not supported with this model."
    return refuse(400, message, "unsupported_parameter", name)


@PICKY.spoken("minimal", params={"temperature": 0.5, "top_p": 0.9})
async def _minimal(answer: Answer) -> web.StreamResponse:
    """Refuses every field but `model`, `messages` and `stream` with 422."""
    for name in answer.body:
        if name not in ("model", "messages", "stream"):
            found = {"type": "extra_forbidden", "loc": ["body", name]}
            message = "Extra inputs are not permitted"
            return web.json_response({"detail": [{**found, "msg": message}]}, status=422)
    return await answer.speak()


@PICKY.spoken("no_temperature", params={"temperature": 0.5})
async def _no_temperature(answer: Answer) -> web.StreamResponse:
    """Refuses `temperature`, as reasoning models do."""
    return _unsupported("temperature") if "temperature" in answer.body else await answer.speak()


@PICKY.spoken("max_completion_tokens", params={"maxTokens": 100})
async def _max_completion_tokens(answer: Answer) -> web.StreamResponse:
    """Refuses `max_tokens`, and wants `max_completion_tokens`."""
    if "max_tokens" in answer.body:
        message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
        message += "'max_completion_tokens' instead."
        return refuse(400, message, "unsupported_parameter", "max_tokens")
    return await answer.speak()


@PICKY.spoken("no_system")
async def _no_system(answer: Answer) -> web.StreamResponse:
    """Has a chat template without a system role."""
    if any(message.get("role") == "system" for message in answer.messages):
        return refuse(400, "System role not supported")
    return await answer.speak()


@PICKY.spoken("alternating")
async def _alternating(answer: Answer) -> web.StreamResponse:
    """Has a chat template that wants roles to alternate, beginning with the user."""
    roles = [str(m.get("role")) for m in answer.messages if m.get("role") != "system"]
    if roles[:1] != ["user"] or any(a == b for a, b in pairwise(roles)):
        message = "Conversation roles must alternate user/assistant/user/assistant/..."
        return refuse(400, message)
    return await answer.speak()


@PICKY.spoken("text_only")
async def _text_only(answer: Answer) -> web.StreamResponse:
    """Refuses content that is a list of parts, or empty."""
    if any(not message.get("content") for message in answer.messages):
        return refuse(400, "messages: content must not be empty")
    if any(not isinstance(message.get("content"), str) for message in answer.messages):
        return refuse(422, "Input should be a valid string")
    return await answer.speak()


async def _call_in_words(answer: Answer) -> web.StreamResponse:
    """Call a function it was told of in words, in those words; else speak."""
    calls = [
        json.dumps({"name": call.name, "arguments": call.arguments})
        for call in answer.calls(told=True)
    ]
    if calls:
        answer.pieces = cut_pieces("\n".join(f"<tool_call>{call}</tool_call>" for call in calls))
    return await answer.speak()


@PICKY.spoken("no_tools")
async def _no_tools(answer: Answer) -> web.StreamResponse:
    """Refuses `tools`, and calls functions that it is told of in words."""
    if "tools" in answer.body:
        return refuse(400, f"{answer.model} does not support tools")
    return await _call_in_words(answer)


@PICKY.spoken("ignores_tools")
async def _ignores_tools(answer: Answer) -> web.StreamResponse:
    """Ignores `tools`, and calls functions that it is told of in words."""
    return await _call_in_words(answer)


@PICKY.spoken("no_null_content")
async def _no_null_content(answer: Answer) -> web.StreamResponse:
    """Calls functions, and refuses messages whose content is null."""
    if any(message.get("content", "") is None for message in answer.messages):
        return refuse(400, "messages.1.content: Input should be a valid string, got null")
    if answer.calls():
        return await call_function(answer, answer.calls()[0])
    return await answer.speak()


@PICKY.spoken("think_unopened", params={"temperature": 0.5})
async def _think_unopened(answer: Answer) -> web.StreamResponse:
    """Begins inside its thoughts, because the template opens them: only `</think>` is sent."""
    answer.pieces = ["Hm. The user ", "wants a test.", "</th", "ink>\n\n", *answer.pieces]
    return await answer.speak()
