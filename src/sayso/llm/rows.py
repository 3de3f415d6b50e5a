"""Makes the row of a table something that can be said. Pure.

Dish: Margherita; Price: 9 euros; Vegan: no   ─►   Margherita: price 9 euros, not vegan.
"""

from __future__ import annotations

import re
from typing import Final

MAX_CELLS: Final = 8
"""Cells of a row that are said; nobody listens to more."""

_CELL = re.compile(r"^(?P<name>[^:;]{1,60}): *(?P<value>.*)$")
_NUMBERING = re.compile(r"^(?:id|no\.?|nr\.?|number|#|sku|code|key|row)$", re.IGNORECASE)
_YES = frozenset(("yes", "true", "x", "✓"))
_NO = frozenset(("no", "false", "✗"))
_NOTHING = frozenset(("", "-", "–", "n/a", "none", "null"))


def speak_row(line: str) -> str | None:
    """`line` as a sentence, if it is "Column: value; Column: value"; else None."""
    cells = [_CELL.match(cell.strip()) for cell in line.strip(" .;").split("; ")]
    if len(cells) < 2 or not all(cells):
        return None
    pairs = [(cell["name"].strip(), cell["value"].strip()) for cell in cells if cell]
    filled = [pair for pair in pairs if pair[1].casefold() not in _NOTHING]
    if not filled:
        return None
    subject = next((pair for pair in filled if _names(*pair)), filled[0])
    rest = [_say(*pair) for pair in filled if pair is not subject][: MAX_CELLS - 1]
    return f"{subject[1]}: {', '.join(rest)}." if rest else f"{subject[1]}."


def _names(column: str, value: str) -> bool:
    """Whether this cell says what the row is about."""
    is_answer = value.casefold() in _YES | _NO
    return any(map(str.isalpha, value)) and not is_answer and not _NUMBERING.match(column)


def _say(column: str, value: str) -> str:
    name = column if column.isupper() else column[:1].lower() + column[1:]
    if value.casefold() in _YES:
        return name
    if value.casefold() in _NO:
        return f"not {name}"
    return f"{name} {value}"
