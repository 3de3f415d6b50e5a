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

    Two columns without a header are names and values; one that may be a header nobody marked stays
    with the row below it: alone it says nothing.
    """
    header = [_plain(cell) for cell in rows[0]] if rows and headed else []
    if len(rows) > 1 and can_head(header):
        return [said for row in rows[1:] if (said := spell_row(header, row))]
    if rows and all(len(row) == 2 for row in rows):
        said = [": ".join(cells) for row in rows if (cells := [*filter(None, map(_plain, row))])]
        return ["; ".join(said[:2]), *said[2:]] if _may_be_headed(rows) else said
    return [said for row in rows if (said := spell_row((), row))]


_A_VALUE = re.compile(
    r"\b(?:closed|open|free|none|yes|no|never|always|request|appointment|unknown|included|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?|today|tomorrow)\b|^\W*$",
    re.IGNORECASE,
)
"""What stands in a row, and in no header: opening hours often begin with a day that is closed."""


def _may_be_headed(rows: Sequence[Sequence[str]]) -> bool:
    """Whether two columns hold figures in each row but the first, which has only words."""
    first, *others = rows
    words = not any(map(_has_figures, first)) and not any(map(_A_VALUE.search, map(_plain, first)))
    return words and len(others) > 1 and all(_has_figures(row[1]) for row in others)


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
