"""Which models a server offers, and which of them was meant. Pure.

A wrong name is the commonest mistake after a wrong path, and most servers list the right ones at
`/models`, in OpenAI's shape or one near it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from urllib.parse import urlsplit, urlunsplit

import msgspec

from sayso.llm.findings import Finding, quote

MAX_LIST_BYTES = 1_048_576
"""A longer list is not read; the longest seen, of four hundred models, has half as much."""
MAX_MODELS = 500
"""How many names of a list are looked at."""
MAX_NAME_CHARS = 80
"""A longer name is left out."""
MAX_SHOWN = 8
"""How many names a finding tells."""
MAX_CLOSE = 24
"""How many names are compared letter by letter."""


def models_url(url: str) -> str:
    """Where the server called at `url`, its chat completions, lists its models."""
    parts = urlsplit(url)
    path = parts.path.removesuffix("/chat/completions") + "/models"
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def read_models(body: bytes) -> tuple[str, ...]:
    """The names in a list of models; none if it is no such list."""
    try:
        document: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return ()
    listed = document
    if isinstance(document, dict):
        listed = document.get("data") or document.get("models")
    lines = listed[:MAX_MODELS] if isinstance(listed, list) else []
    names = (_name(line) for line in lines)
    return tuple(dict.fromkeys(name for name in names if name))


def _name(line: object) -> str:
    """The name in one line of a list; "" if there is none that can be shown."""
    if isinstance(line, dict):
        line = next((line[key] for key in ("id", "name", "model") if line.get(key)), None)
    fits = isinstance(line, str) and len(line) <= MAX_NAME_CHARS and line.isprintable()
    return str(line).strip() if fits else ""


def rank(names: Sequence[str], wanted: str) -> list[str]:
    """`names`, those most like `wanted` first; at most MAX_SHOWN."""
    matcher = SequenceMatcher(None, b=wanted[:MAX_NAME_CHARS].lower(), autojunk=False)

    def compare(name: str, *, quickly: bool) -> float:
        matcher.set_seq1(name.lower())
        return matcher.quick_ratio() if quickly else matcher.ratio()

    close = sorted(names, key=lambda name: -compare(name, quickly=True))[:MAX_CLOSE]
    return sorted(close, key=lambda name: -compare(name, quickly=False))[:MAX_SHOWN]


def tell_models(
    unknown: Finding, names: Sequence[str], wanted: str, secrets: tuple[str, ...] = ()
) -> Finding:
    """The finding that `wanted` is unknown, with what the server offers and the likeliest fix."""
    others = [name for name in names if name != wanted]
    if not others:
        return unknown
    nearest = [quote(name, secrets) for name in rank(others, wanted)]
    more = len(others) - len(nearest)
    told = ", ".join(nearest) + (f" and {more} more" if more else "")
    fix = f"Set llm.baseParams.model to {nearest[0]}, or to another one it offers."
    if len(others) < len(names):
        told += "; this model is on its list, too"
        fix = f"Check that this key may use the model and that it is loaded. {fix}"
    return replace(_add(unknown, f"It offers {told}."), fix=fix)


def tell_default(unknown: Finding) -> Finding:
    """The finding that a model is unknown which nobody had asked for by name."""
    why = "This default name was sent because llm.baseParams.model is not set."
    return _add(unknown, why)


def _add(finding: Finding, sentence: str) -> Finding:
    """`finding` that says one thing more; what it quotes may end without a full stop."""
    return replace(finding, message=f"{finding.message.removesuffix('.')}. {sentence}")
