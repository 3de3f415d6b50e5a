"""The arguments of a call: from whatever an LLM wrote to an object, or to a sentence. Pure.

Small models write `{city: Graz}`, servers double the encoding, send `null` for nothing, or the
whole text again behind its pieces. What can be read without guessing is read; of the rest the
LLM is told what is wrong, so that it can call again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

MAX_ARGUMENTS_CHARS = 16_000
"""Longest arguments of one call; what is longer is damaged."""
MAX_QUOTED_CHARS = 200
"""How much of damaged arguments is quoted to the LLM."""


class ArgumentsError(ValueError):
    """Arguments that are no JSON object; the text tells the LLM what to do."""


def read_arguments(text: str) -> dict[str, Any]:
    """The arguments in `text`; none where there is nothing.

    Raises:
        ArgumentsError: they are damaged.
    """
    value = _parse(text)
    if value is None:
        shown = text.strip()[:MAX_QUOTED_CHARS]
        raise ArgumentsError(
            f"The arguments were not a JSON object, so nothing was done: {shown!r}. "
            "Call again with arguments that are one JSON object."
        )
    return value


def tidy(text: str) -> str:
    """`text` as servers take it back: a JSON object as it stands, and `{}` for what is none."""
    value = _parse(text)
    if value is None:
        return "{}"
    stripped = text.strip()
    return stripped if stripped.startswith("{") else dump(value)


def dump(value: object) -> str:
    """`value` as JSON; "" where it cannot be written."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return ""


def join(pieces: Sequence[str]) -> str:
    """The arguments that came in `pieces`, also where pieces repeat what came before them.

    Pieces are taken to follow each other; only where that gives no object, the last one may be
    the whole of it.
    """
    text = "".join(pieces)
    if len(pieces) < 2 or _parse(text) is not None:
        return text
    last, before = pieces[-1], "".join(pieces[:-1])
    repeats = last.lstrip().startswith(pieces[0].strip() or "{") or last.strip() == before.strip()
    return last if repeats and _parse(last) is not None else text


def canonical(text: str) -> str:
    """The same text for the same arguments, however they are spaced and ordered."""
    value = _parse(text)
    return text.strip() if value is None else json.dumps(value, sort_keys=True)


def redact(arguments: Mapping[str, object], secret: Sequence[str]) -> dict[str, object]:
    """`arguments` as records may show them: the values of `secret` ones are dots."""
    return {name: "…" if name in secret else value for name, value in arguments.items()}


def _parse(text: str, *, again: bool = True) -> dict[str, Any] | None:
    stripped = text.strip()
    if stripped in ("", "null", '""', "None"):
        return {}
    if len(text) > MAX_ARGUMENTS_CHARS:
        return None
    try:
        value: object = json.loads(stripped, strict=False)  # takes line breaks inside of texts
        if isinstance(value, str) and again:
            return _parse(value, again=False)
        json.dumps(value, ensure_ascii=False).encode()  # half an emoji is no text
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
