"""What one event of a chat-completion stream says, as a typed value, whatever its dialect.

The shapes come from real servers: OpenAI's, PlayAI's fake LLM (camelCase `finishReason`, no
role), usage events with `choices: []`, whole messages in place of deltas (perplexity), native
Ollama lines, text in parts, errors in the middle of a stream with status 200.
"""

from __future__ import annotations

import json
from typing import Annotated

import msgspec


class Chunk(msgspec.Struct, frozen=True):
    """One event.

    Attributes:
        text: words to speak.
        whole: `text` is the answer so far, not what is new.
        reasoning: the event carries thoughts, which are never spoken.
        calls: the event asks for a function.
        finish: why the answer ended, if it did.
        error: what the server says went wrong, if it does.
        odd: what is strange about the shape, if there is nothing else in it.
        called: what it says of a function to call, as it came (`llm/calls.py`).
    """

    text: str = ""
    whole: bool = False
    reasoning: bool = False
    calls: bool = False
    finish: str | None = None
    error: str | None = None
    odd: str | None = None
    called: object = None


class ChunkError(ValueError):
    """The event is not JSON."""


_decode = msgspec.json.Decoder().decode
_REASONING = ("reasoning_content", "reasoning", "reasoning_details", "thinking")
_CALLS = ("tool_calls", "function_call")
"""The fields that ask for a function, and the reasons for an end that say the same."""


class _Delta(msgspec.Struct, gc=False):
    content: str
    tool_calls: None = None
    function_call: None = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Delta
    index: int | None = None
    finish_reason: None = None
    finishReason: None = None  # noqa: N815 - the name on the wire


class _Plain(msgspec.Struct, gc=False):
    choices: Annotated[list[_Choice], msgspec.Meta(min_length=1)]
    error: None = None


_decode_plain = msgspec.json.Decoder(_Plain).decode


def read_chunk(data: str) -> Chunk:
    """Read one event's data.

    Raises:
        ChunkError: it is not JSON.
    """
    try:
        choice = _decode_plain(data).choices[0]
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return _read_any(data)
    if choice.delta.content and not choice.index:
        return Chunk(choice.delta.content)
    return _read_any(data)


def _read_any(data: str) -> Chunk:
    """Read one event's data that is not the plain case: a word of the first choice."""
    body = _parse(data)
    if isinstance(body, list) and body:
        body = body[0]  # Gemini wraps its errors in a list
    if not isinstance(body, dict):
        return Chunk(odd=f"the event is {_kind(body)}, not an object")
    choices = body.get("choices")
    if isinstance(choices, list):
        if choices and (choice := _first(choices)) is not None and not body.get("error"):
            return _read_choice(choice)
        return Chunk(error=read_error(body))
    return _read_other(body, choices)


def read_error(body: object) -> str | None:
    """The error that a JSON body reports, as text; None when it reports none."""
    if not isinstance(body, dict):
        return None
    error = body.get("error")
    if isinstance(error, dict):
        return _text(error.get("message")) or _dump(error)
    if error:
        return _text(error) or _dump(error)
    if body.get("object") == "error" or body.get("type") == "error":
        return _text(body.get("message")) or _dump(body)
    return None


def _parse(data: str) -> object:
    try:
        body: object = _decode(data)
    except (msgspec.DecodeError, UnicodeEncodeError):
        # The slow way takes NaN and halves of an emoji, which some servers send.
        try:
            body = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise ChunkError(str(error)) from None
    except RecursionError as error:
        raise ChunkError(str(error)) from None
    return body


def _first(choices: list[object]) -> dict[str, object] | None:
    """The choice we asked for: the first one; others only come when `n` was raised."""
    choice = choices[0]
    if isinstance(choice, dict) and choice.get("index") in (0, None):
        return choice
    return None


def _read_choice(choice: dict[str, object]) -> Chunk:
    finish = choice.get("finish_reason") or choice.get("finishReason")
    delta = choice.get("delta")
    whole = False
    if not isinstance(delta, dict) or not delta:
        message = choice.get("message")
        if isinstance(message, dict):
            delta, whole = message, True
    if not isinstance(delta, dict):
        delta = {"content": choice.get("text")}
    return _read_delta(delta, finish, whole=whole)


def _read_delta(delta: dict[str, object], finish: object, *, whole: bool = False) -> Chunk:
    text = _said(delta)
    reasoning = not text and any(delta.get(name) for name in _REASONING)
    called = next((delta[name] for name in _CALLS if delta.get(name)), None)
    calls = finish in _CALLS or (not text and called is not None)
    if finish and not isinstance(finish, str):
        finish = _dump(finish)
    finish = str(finish) if finish else None
    return Chunk(text, whole, reasoning, calls, finish, called=called)


def _said(delta: dict[str, object]) -> str:
    content = delta.get("content")
    if type(content) is str:
        return content or _text(delta.get("refusal"))
    return _text(content) or _text(delta.get("refusal"))


def _text(value: object) -> str:
    """Text from a string, or from a list of `{"type": "text", "text": ...}` parts."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(_part(part) for part in value)
    return ""


def _part(part: object) -> str:
    if isinstance(part, dict) and part.get("type") in ("text", "output_text", None):
        text = part.get("text")
        return text if isinstance(text, str) else ""
    return part if isinstance(part, str) else ""


def _read_other(body: dict[str, object], choices: object) -> Chunk:
    """An event without a list of choices: an error, or a native Ollama line."""
    if (error := read_error(body)) is not None:
        return Chunk(error=error)
    finish = "stop" if body.get("done") is True else None
    message = body.get("message")
    if isinstance(message, dict):
        return _read_delta(message, finish)
    if isinstance(body.get("response"), str):
        return Chunk(_text(body["response"]), finish=finish)
    if "choices" not in body:
        return Chunk(odd="there is no choices field", finish=finish)
    return Chunk(odd=f"choices is {_kind(choices)}")


def _kind(value: object) -> str:
    if value is None:
        return "null"
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}
    return names.get(type(value), "a number")


def _dump(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:  # writing needs a deeper stack than reading did
        return f"{_kind(value)} too deep to be shown"
