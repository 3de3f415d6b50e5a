"""Joins lines that were broken to fit a page into the paragraphs they were."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_ITEM = re.compile(r"\s*(?:[-*+•‣▪◦·–—]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])\s")
_HYPHEN = re.compile(r"[^\W\d_][-\u00ad\u2010]$")
_NARROW = 40
"""Shorter lines are lines for a reason: verses, addresses, cells of a table."""
_FULL = 0.75
"""How much of the widest line a line fills that was broken for want of room."""


def unwrap(lines: Sequence[str]) -> list[str]:
    """The paragraphs of `lines`; an empty line ends one."""
    widths = sorted(len(line.rstrip()) for line in lines)
    wide = widths[int(0.95 * len(widths))] if widths else 0
    joined: list[list[str]] = []
    before = ""
    for line in lines:
        if before and line.strip() and _goes_on(before, line, wide):
            joined[-1].append(line)
        elif line.strip():
            joined.append([line])
        before = line
    return [_join(parts) for parts in joined]


def _goes_on(before: str, line: str, wide: int) -> bool:
    """Whether `line` goes on where `before` was broken."""
    if _ITEM.match(line):
        return False
    if line.lstrip()[:1].islower() and (len(before) > _NARROW // 2 or _HYPHEN.search(before)):
        return True
    return wide >= _NARROW and len(before.rstrip()) >= _FULL * wide


def _join(parts: Iterable[str]) -> str:
    pieces: list[str] = []
    for part in parts:
        text = part.strip()
        if pieces and _HYPHEN.search(pieces[-1]) and text[:1].islower():
            pieces[-1] = pieces[-1][:-1]
        elif pieces:
            pieces.append(" ")
        pieces.append(text)
    return "".join(pieces)
