"""What an LLM wrote to the value that is wanted: `"5"` to a number, `"Yes"` to a boolean. Pure.

What can only mean one thing is taken. Of everything else a ValueError says what is wanted; its text
follows the name of the value in a sentence.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Final, TypeAlias, TypeVar

from sayso.variables import show

MAX_TEXT_CHARS: Final = 8_000
"""Longest text of one argument."""
MAX_NUMBER_CHARS: Final = 40
MAX_WHOLE: Final = 10**15
"""From here on a float is not written as a whole number: its digits are not exact."""

Value: TypeAlias = str | int | float | bool
Choice = TypeVar("Choice", bound=Value)

_TRUE = frozenset({"true", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "no", "n", "off", "0"})
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def refuse_compound(raw: object) -> Value:
    """`raw`, if it is one value. Raises ValueError."""
    if not isinstance(raw, str | int | float | bool):
        raise ValueError("must be a single value")  # noqa: TRY004 - all are told alike
    return raw


def read_number(raw: Value) -> int | float:
    """`raw` as a number; a whole one without a point. Raises ValueError."""
    if isinstance(raw, bool):
        raise ValueError("must be a number")  # noqa: TRY004
    if isinstance(raw, str):
        plain = raw.strip()
        if len(plain) > MAX_NUMBER_CHARS or not _NUMBER.fullmatch(plain):
            raise ValueError("must be a number, in digits")
        raw = int(plain) if plain.lstrip("+-").isdigit() else float(plain)
    if not math.isfinite(raw):
        raise ValueError("must be a finite number")
    return int(raw) if isinstance(raw, float) and _is_whole(raw) else raw


def _is_whole(number: float) -> bool:
    return number.is_integer() and abs(number) < MAX_WHOLE


def read_boolean(raw: Value) -> bool:
    """`raw` as yes or no. Raises ValueError."""
    word = read_text(raw).strip().casefold()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError("must be true or false")


def read_text(raw: Value) -> str:
    """`raw` as text that can be sent. Raises ValueError."""
    if isinstance(raw, float) and not math.isfinite(raw):
        raise ValueError("must be a finite number")
    if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) >= 10**MAX_NUMBER_CHARS:
        raise ValueError("has too many digits")
    text = raw if isinstance(raw, str) else show(raw)
    if len(text) > MAX_TEXT_CHARS:
        raise ValueError(f"must have at most {MAX_TEXT_CHARS} characters")
    # Half of a surrogate pair cannot be sent, and NUL is nobody's word.
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def choose(choices: Sequence[Choice], raw: Value) -> Choice:
    """The one of `choices` that `raw` means, whatever its case. Raises ValueError."""
    text = read_text(raw)
    exact = [one for one in choices if show(one) == text][:1]
    word = text.strip().casefold()
    found = exact or [one for one in choices if show(one).strip().casefold() == word]
    if len(found) != 1:
        raise ValueError(f"must be one of {list_choices(choices)}")
    return found[0]


def list_choices(choices: Sequence[Value]) -> str:
    """`choices`, for a sentence."""
    return ", ".join(json.dumps(one, ensure_ascii=False) for one in choices)
