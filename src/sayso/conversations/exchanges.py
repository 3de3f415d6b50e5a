"""An exchange with an LLM as it is stored: secrets masked, bounded, deflated. Pure."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any, Final

from sayso.llm import Exchanged

MAX_REQUEST_BYTES: Final = 256_000
"""Longest request that is kept whole; of a longer one, its beginning is."""
MAX_RESPONSE_CHARS: Final = 64_000
"""Most text of an answer that is kept."""
MAX_CALLS: Final = 50
"""Calls of one answer that are kept."""
MAX_ARGUMENTS_CHARS: Final = 16_000
"""Longest arguments of one call that are kept."""
LEAST_SECRET_CHARS: Final = 4
"""A shorter one is part of too many words to be masked."""
MASK: Final = "[secret]"

_KEYED: Final = ("key", "secret", "password", "authorization", "credential", "access_token")


def pack(seen: Exchanged) -> dict[str, Any]:
    """The columns of an exchange (`ExchangeRow`) but for whose it is, and when."""
    request = _mask(_hide(seen.request, seen.hidden), seen.secrets)
    cut = request.encode()[:MAX_REQUEST_BYTES].decode("utf-8", "ignore")
    content = _mask(seen.response, seen.secrets)
    calls = [
        {
            "name": call.name,
            "arguments": _mask(
                _hide_arguments(call.arguments, seen.hidden.get(call.name, ())), seen.secrets
            )[:MAX_ARGUMENTS_CHARS],
        }
        for call in seen.calls[:MAX_CALLS]
    ]
    answer = {"content": content[:MAX_RESPONSE_CHARS], "calls": calls}
    return {
        "llm": _mask(seen.llm, seen.secrets),
        "model": _plain(seen.model),
        "outcome": seen.outcome,
        "finding": seen.finding or None,
        "status": seen.status,
        "first_token_ms": seen.first_token_ms,
        "total_ms": seen.total_ms,
        "request_cut": len(cut) < len(request),
        "response_cut": len(content) >= MAX_RESPONSE_CHARS,
        "request": zlib.compress(cut.encode(), 1),
        "response": zlib.compress(json.dumps(answer).encode(), 1),
    }


def size_of(seen: Exchanged) -> int:
    """About how many bytes it takes while it waits to be stored."""
    return len(seen.request) + len(seen.response) + 1000


def _mask(text: str, secrets: tuple[str, ...]) -> str:
    """`text` with every one of `secrets` blacked out, also as JSON writes it."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= LEAST_SECRET_CHARS:
            text = text.replace(secret, MASK)
            for written in {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}:
                text = text.replace(written, MASK)
    return _plain(text)


def _plain(text: str) -> str:
    return text.replace("\0", "")  # Postgres takes no NUL


def _hide(request: bytes, hidden: Mapping[str, tuple[str, ...]]) -> str:
    """A request as text, without secret arguments of functions, and values named like keys."""
    body = json.loads(request)
    changed = False
    for name, value in body.items():
        if isinstance(value, str) and any(mark in name.lower() for mark in _KEYED):
            body[name], changed = MASK, True
    if hidden:
        for message in body.get("messages", ()):
            for call in message.get("tool_calls") or ():
                function = call.get("function", {})
                names = hidden.get(function.get("name", ""), ())
                function["arguments"] = _hide_arguments(function.get("arguments", ""), names)
                changed = changed or bool(names)
    return json.dumps(body, ensure_ascii=False) if changed else request.decode()


def _hide_arguments(arguments: Any, names: tuple[str, ...]) -> str:  # noqa: ANN401 - an LLM's own
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    if not names:
        return text
    try:
        values = json.loads(text)
    except ValueError:
        return MASK  # nobody knows which part of it is secret
    if not isinstance(values, dict):
        return MASK
    return json.dumps({k: MASK if k in names else v for k, v in values.items()})
