"""Paragraphs under their headings, and rows under their columns, as pages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sayso.knowledge.passages import BETWEEN, Page

MAX_HEADING_CHARS = 200


class Sections:
    """Takes headings and paragraphs in reading order; each stretch between headings is a page.

    `root` is the title of the whole, above all headings.
    """

    def __init__(self, root: str = "") -> None:
        self.root = root
        self._path: list[tuple[int, str]] = []
        self._lines: list[str] = []

    def heading(self, level: int, text: str) -> Iterator[Page]:
        """Begin a section; gives the page of the one before."""
        text = " ".join(text.split())
        if not text:
            return
        yield from self._page(below=level)
        while self._path and self._path[-1][0] >= level:
            self._path.pop()
        self._path.append((level, text))

    def line(self, text: str) -> None:
        """Add a paragraph, a list item or a row."""
        if text := text.strip():
            self._lines.append(text)

    def end(self) -> Iterator[Page]:
        """The last page."""
        yield from self._page(below=0)

    def _page(self, below: int) -> Iterator[Page]:
        """What was gathered; a heading with nothing under it is text, or it would be lost."""
        path = [text for _level, text in self._path]
        if not self._lines and path and self._path[-1][0] >= below:
            self._lines.append(path.pop())
        if self._lines:
            above = [self.root] if self.root and self.root not in path else []
            title = BETWEEN.join(text[:MAX_HEADING_CHARS] for text in [*above, *path])
            yield Page("\n".join(self._lines), title=title)
        self._lines = []


def spell_row(header: Sequence[str], cells: Sequence[str]) -> str:
    """A row that can be understood alone: "Column: value; Column: value".

    Cells without a column stand by themselves, empty ones are left out.
    """
    names = [*header, *[""] * (len(cells) - len(header))]
    said = [
        f"{name}: {cell}" if name else cell
        for name, cell in zip(names, map(_plain, cells), strict=False)
        if cell
    ]
    return "; ".join(said)


def spell_rows(rows: Sequence[Sequence[str]], *, headed: bool) -> list[str]:
    """The rows of a table; when `headed`, the first names the columns, unless it cannot.

    Two columns without a header are names and values.
    """
    pairs = bool(rows) and all(len(row) == 2 for row in rows)
    headed = headed or (pairs and _is_headed(rows))
    header = [_plain(cell) for cell in rows[0]] if rows and headed else []
    if len(rows) > 1 and can_head(header):
        return [said for row in rows[1:] if (said := spell_row(header, row))]
    if pairs:
        return [": ".join(cells) for row in rows if (cells := [*filter(None, map(_plain, row))])]
    return [said for row in rows if (said := spell_row((), row))]


_COLUMN = re.compile(
    r"(?:price|cost|fee|rate|amount|total|time|begins?|starts?|ends?|opens?|closes?|from|to|until|hours?|"
    r"minutes|duration|departs?|departures?|arrives?|arrivals?|date|day|year|age|seats|capacity|places|size|"
    r"weight|length|height|width|depth|quantity|number|phone|telephone|extension|room|floor|page)s?"
    r"(?: \([^)]*\)| in [a-z€$£]+)?",
    re.IGNORECASE,
)
"""What names a column of figures; nothing else is sure to: "Monday: closed" is no header."""


def _is_headed(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first of rows of two columns names them, though nobody marked it.

    The others have figures in their second column, and it has the name of such a column.
    """
    first, *others = rows
    named = _COLUMN.fullmatch(_plain(first[1])) and not any(map(_has_figures, first))
    return bool(named) and len(others) > 1 and all(_has_figures(row[1]) for row in others)


def _has_figures(cell: str) -> bool:
    return any(map(str.isdigit, cell))


def can_head(header: Sequence[str]) -> bool:
    """Whether a row can name columns: at least two names, all different, none a number."""
    names = [name for name in header if name]
    return len(names) > 1 and len(set(names)) == len(names) and not any(map(_is_number, names))


def _is_number(cell: str) -> bool:
    return cell.strip("-+%$€£ ").replace(".", "").replace(",", "").isdigit()


def _plain(cell: str) -> str:
    return " ".join(cell.split())
