"""Which known name somebody meant who wrote another: `base_url` for `baseURL`. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

MAX_COMPARED_CHARS: Final = 100
"""Longer names are nobody's spelling of a field, and comparing them costs time."""
_CLOSE: Final = 0.7
"""How alike two names are, as difflib counts; below it a hint would mislead."""
_SHORTEST_START: Final = 5
"""So many characters of a name say which one is meant: `firstToken` is `firstTokenMs`."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The one of `known` that is spelled most like `name`; None when none is close.

    Case, underscores and hyphens count for nothing.
    """
    if len(name) > MAX_COMPARED_CHARS:
        return None
    by_letters = {_letters(one): one for one in known}
    sought = _letters(name)
    found = get_close_matches(sought, by_letters, n=1, cutoff=_CLOSE)
    if not found and len(sought) >= _SHORTEST_START:
        found = [one for one in sorted(by_letters) if one.startswith(sought)][:1]
    return by_letters[found[0]] if found else None


def _letters(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
