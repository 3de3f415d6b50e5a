"""Names as every LLM takes them: `^[a-zA-Z0-9_-]{1,64}$`, and no two alike. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

MAX_TOOL_NAME_CHARS: Final = 64
_UNFIT = re.compile(r"[^a-zA-Z0-9_-]+")


def make_names(wanted: Sequence[str], fallback: str) -> list[str]:
    """A valid name for each of `wanted`, as like it as can be, in the same order.

    Two names that differ only in case are alike: LLMs mix them up. `fallback` stands for one of
    which nothing is left.
    """
    taken: set[str] = set()
    return [_take(_fit(one) or fallback, taken) for one in wanted]


def _fit(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return _UNFIT.sub("_", plain).strip("_-")[:MAX_TOOL_NAME_CHARS]


def _take(name: str, taken: set[str]) -> str:
    unique, n = name, 1
    while unique.lower() in taken:
        n += 1
        end = f"_{n}"
        unique = name[: MAX_TOOL_NAME_CHARS - len(end)] + end
    taken.add(unique.lower())
    return unique
