"""CSV: each row is a page that can be understood alone, with its row number."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence

from sayso.errors import ReadCode, ReadError
from sayso.knowledge.formats import Source
from sayso.knowledge.formats.lettering import decode
from sayso.knowledge.formats.sections import can_head, spell_row
from sayso.knowledge.passages import Page

MAX_LINE_CHARS = 1_000_000
"""A longer line is no row of a table."""
MAX_COLUMNS = 1_000
_DELIMITERS = (",", ";", "\t", "|")
_NOTHING = "\x1f"
"""Stands between the cells of a lone column: a character that is in no text."""
_SAMPLE_ROWS = 20
_SAMPLE_CHARS = 65_536
_TOLD_EVERY = 500


def read_tabular(source: Source) -> Iterator[Page]:
    """A page for each row below the header; the header is row 1, as in a spreadsheet."""
    text = decode(source.file.read()).replace("\0", "")
    _check_lines(source, text)
    text, delimiter = _delimiter(text)
    rows = enumerate(_rows(source, text, delimiter), start=1)
    header: Sequence[str] | None = None
    for number, row in rows:
        if number % _TOLD_EVERY == 0:
            source.told(number, None, "")
        cells = [" ".join(cell.split()) for cell in row]
        if not any(cells):
            continue
        if header is None:
            header = cells if can_head(cells) or _is_one_name(cells) else ()
            if header:
                continue
        yield Page(spell_row(header, cells), number)


def _is_one_name(cells: Sequence[str]) -> bool:
    """Whether a lone cell looks like the name of a lone column: a word or two."""
    return len(cells) == 1 and len(cells[0].split()) <= 2 and cells[0][-1] not in ".!?"


def _check_lines(source: Source, text: str) -> None:
    at = 0
    while at < len(text):
        end = text.find("\n", at, at + MAX_LINE_CHARS)
        if end < 0 and len(text) - at > MAX_LINE_CHARS:
            line = text.count("\n", 0, at) + 1
            raise source.damaged(
                f"line {line} is longer than {MAX_LINE_CHARS:,} characters; it is no table"
            )
        if end < 0:
            return
        at = end + 1


def _rows(source: Source, text: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(MAX_LINE_CHARS)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in rows:
            if len(row) > MAX_COLUMNS:
                raise source.too_long(f"row {rows.line_num} has more than {MAX_COLUMNS:,} columns")
            yield row
    except csv.Error as error:
        raise ReadError(
            f"{source.name} is damaged: line {rows.line_num} cannot be read as CSV ({error}).",
            code=ReadCode.DAMAGED,
            hint="Look for a quotation mark that is not closed.",
        ) from None


def _delimiter(text: str) -> tuple[str, str]:
    """The text without Excel's `sep=` line, and what stands between its cells."""
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.strip()) == len("sep=") + 1:
        return rest, first[4]
    sample = text[:_SAMPLE_CHARS]
    evenness, delimiter = max((_evenness(sample, mark), mark) for mark in _DELIMITERS)
    return text, delimiter if evenness else _NOTHING


def _evenness(sample: str, delimiter: str) -> float:
    """How much of a sample has the same number of columns, 0 to about 1; 0 if the first has one."""
    counts: Counter[int] = Counter()
    try:
        for row, _ in zip(
            csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter),
            range(_SAMPLE_ROWS),
            strict=False,
        ):
            if len(row) == 1 and not counts:
                return 0.0
            counts[len(row)] += bool(row)
    except csv.Error:
        return 0.0
    columns, times = max(counts.items(), key=lambda item: item[1], default=(0, 0))
    return times / _SAMPLE_ROWS + columns / 10_000 if times else 0.0
