"""Masks: how a secret of an `llm` field is shown, and what a mask that comes back stands for. Pure.

Keys, header values and query values are secrets unless they plainly are none: a value of nothing
but `{{variables}}`, or one under a name in `HARMLESS`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

MASK = "••••"
"""Stands for a stored secret in responses; no key and no header holds this character."""
MASKED_TAIL_CHARS = 4
SHORTEST_KEY_WITH_TAIL = 16
"""Of a shorter secret, four characters would be too much to show."""

HARMLESS = frozenset(
    (
        "accept",
        "accept-language",
        "anthropic-version",
        "api-version",
        "content-type",
        "deployment",
        "http-referer",
        "model",
        "openai-beta",
        "referer",
        "user-agent",
        "version",
        "x-title",
    )
)
"""Names of headers and query parameters whose values are shown, in lower case."""

Pair: TypeAlias = tuple[str, str]
"""A piece of a URL's query as it is written: up to its `=`, and the value. A bare piece, without
`=`, is all value: it may be a key."""
Slot: TypeAlias = tuple[str, int]
"""Where a value stands: under which name, and as the how manieth of that name."""

_VARIABLE = r"\{\{\s*[A-Za-z_][\w.-]*\s*\}\}"
_VARIABLES = re.compile(rf"(?:{_VARIABLE}|[\s/:,._-])*")


def mask_key(key: str) -> str:
    """`key` as it may be shown: its last four characters, of a short one none."""
    return MASK + (key[-MASKED_TAIL_CHARS:] if len(key) >= SHORTEST_KEY_WITH_TAIL else "")


def mask_text(text: str) -> str:
    """`text` as it may be shown: of one with `{{variables}}` those, and nothing of the rest."""
    variables = re.findall(_VARIABLE, text)
    return " ".join([MASK, *variables]) if variables else mask_key(text)


def is_mask(text: str) -> bool:
    """Whether `text` is a mask, or what is left of one; percent-encoded ones count."""
    return MASK[0] in unquote(text)


def is_mask_of(text: str, secret: str) -> bool:
    """Whether `text` is how `secret` is shown, whatever became of the blanks."""
    return _tighten(text) == _tighten(mask_text(secret))


def _tighten(text: str) -> str:
    return "".join(unquote(text).split())


def is_only_variables(value: str) -> bool:
    """Whether there is nothing in `value` but variables: then it is no secret."""
    return _VARIABLES.fullmatch(value) is not None


def mask_value(name: str, value: str) -> str:
    """The value of the header or parameter `name` as it may be shown."""
    harmless = name.lower() in HARMLESS or is_only_variables(value)
    return value if harmless else mask_text(value)


def mask_values(values: Mapping[str, str | None]) -> dict[str, str | None]:
    """Headers or parameters as they may be shown; null stays null."""
    return {
        name: None if value is None else mask_value(name, value) for name, value in values.items()
    }


def mask_url(url: str) -> str:
    """A base URL as it may be shown: host and path as they are, the query's values masked."""
    base, query = split_query(url)
    return join_query(base, [(name, mask_piece(name, value)) for name, value in read_query(query)])


def mask_piece(name: str, value: str) -> str:
    """The value of a piece of a URL's query as it may be shown, without blanks."""
    # Some servers part a query at `;` too: what is behind it has a name of its own.
    plain = unquote(name).removesuffix("=")
    shown = mask_text(value) if ";" in value else mask_value(plain, value)
    return "".join(shown.split()) if is_mask(shown) else shown  # a URL has no blanks


def split_query(url: str) -> tuple[str, str]:
    """A URL without its query, and the query."""
    base, _, query = url.partition("?")
    return base, query


def read_query(query: str) -> list[Pair]:
    """The pieces of a query, exactly as they are written."""
    return [_read_piece(piece) for piece in query.split("&")] if query else []


def _read_piece(piece: str) -> Pair:
    name, equals, value = piece.partition("=")
    # A bare key may end in `=`, as base64 does, and then only looks like a name.
    padded = not value.strip("=") and (value or len(name) >= SHORTEST_KEY_WITH_TAIL)
    if not equals or padded or is_mask(name):
        return "", piece
    return name + equals, value


def join_query(base: str, pairs: Iterable[Pair]) -> str:
    """The URL that `split_query` and `read_query` took apart."""
    query = "&".join(name + value for name, value in pairs)
    return f"{base}?{query}" if query else base


def number(pairs: Iterable[Pair]) -> dict[Slot, str]:
    """The values of a query by their slots."""
    seen: Counter[str] = Counter()
    found: dict[Slot, str] = {}
    for name, value in pairs:
        plain = unquote(name)
        found[plain, seen[plain]] = value
        seen[plain] += 1
    return found


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a valid http(s) URL: who is reached."""
    parts = urlsplit(url)
    return (
        parts.scheme,
        (parts.hostname or "").rstrip("."),
        parts.port if parts.port is not None else {"http": 80, "https": 443}[parts.scheme],
    )
