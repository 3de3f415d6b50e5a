"""An exchange with an LLM as it is stored: secrets masked, bounded, deflated. Pure."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
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

MAX_PATTERNS: Final = 256
"""Names of secret arguments that are remembered as what finds them."""

_STRING: Final = re.compile(r'("(?:[^"\\]|\\.)*+")(\s*:)?')
"""A string of JSON, and whether it is the name of a value."""
_KEYED: Final = ("key", "secret", "password", "authorization", "credential", "access_token")


def pack(seen: Exchanged) -> dict[str, Any]:
    """The columns of an exchange (`ExchangeRow`) but for whose it is, and when."""
    secrets = (*seen.secrets, *_list_hidden(seen))
    request = _plain(_mask_json(_hide(seen.request, seen.hidden), seen.hidden, secrets))
    cut = request.encode()[:MAX_REQUEST_BYTES].decode("utf-8", "ignore")
    content = _plain(_mask(conceal(seen.response, seen.hidden), secrets))
    calls = [
        {
            "name": _plain(call.name),
            "arguments": _plain(
                _mask(_hide_arguments(call.arguments, seen.hidden.get(call.name, ())), seen.secrets)
            )[:MAX_ARGUMENTS_CHARS],
        }
        for call in seen.calls[:MAX_CALLS]
    ]
    answer = {"content": content[:MAX_RESPONSE_CHARS], "calls": calls}
    return {
        "llm": _plain(_mask(seen.llm, seen.secrets)),
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


def _mask_json(body: str, hidden: Mapping[str, tuple[str, ...]], secrets: tuple[str, ...]) -> str:
    """JSON with its texts masked, all else as it is written: a secret may read `true`, or `10`."""

    def mask(found: re.Match[str]) -> str:
        if found[2]:
            return found[0]  # it is a name
        text = json.loads(found[1], strict=False)
        masked = _mask(conceal(text, hidden), secrets)
        return found[0] if masked == text else json.dumps(masked, ensure_ascii=False)

    return _STRING.sub(mask, body) if hidden or secrets else body


def _mask(text: str, secrets: tuple[str, ...]) -> str:
    """`text` with every one of `secrets` blacked out, also as JSON writes it."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= LEAST_SECRET_CHARS:
            text = text.replace(secret, MASK)
            for written in {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}:
                text = text.replace(written, MASK)
    return text


def _plain(text: str) -> str:
    """`text` as a database and JSON take it: Postgres no NUL, neither of them half an emoji."""
    text = text.replace("\0", "")
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _list_hidden(seen: Exchanged) -> Iterator[str]:
    """The values of secret arguments in its calls: an LLM may have written them in words."""
    for call in seen.calls:
        if names := seen.hidden.get(call.name):
            try:
                values = json.loads(call.arguments)
            except (ValueError, RecursionError):
                continue
            found = [values.get(name) for name in names] if isinstance(values, dict) else []
            yield from (str(one) for one in found if type(one) in (str, int, float))


def conceal(text: str, hidden: Mapping[str, tuple[str, ...]]) -> str:
    """`text` without the secret arguments of calls that are written in it, as LLMs write them."""
    for function, names in hidden.items():
        if function in text:
            for name in names:
                text = _written(name).sub(_conceal_one, text)
    return text


def _conceal_one(found: re.Match[str]) -> str:
    quote = found["quote"] or ("" if found["tag"] else '"')
    return f"{found['before']}{quote}{MASK}{quote}"


@lru_cache(MAX_PATTERNS)
def _written(name: str) -> re.Pattern[str]:
    """An argument as JSON, Python and the tags of Qwen and GLM write it, also without its end."""
    name = re.escape(name)
    quoted = r"(?P<quote>\\{0,7}[\"'])(?:(?!(?P=quote))(?:\\.|[^\\]))*(?:(?P=quote)|\\?\Z)"
    tag = rf"<parameter={name}>|<arg_key>\s*{name}\s*</arg_key>\s*<arg_value>"
    return re.compile(
        rf"(?P<before>\\{{0,7}}[\"']{name}\\{{0,7}}[\"']\s*:\s*|(?<![\w.-]){name}\s*=\s*(?=[\"'\\])|(?P<tag>{tag}))"
        rf"(?(tag).*?(?=</parameter>|</arg_value>|<parameter=|\Z)|(?:{quoted}|[\w.+-]+))",
        re.DOTALL,
    )


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
