"""Markdown: sections under their headings, without the marks."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from sayso.knowledge.formats import Source
from sayso.knowledge.formats.lettering import decode
from sayso.knowledge.formats.sections import Sections, spell_rows
from sayso.knowledge.passages import Page

_FRONT_MATTER = re.compile(r"\A\s*(---|\+\+\+)[ \t]*\n.{0,20000}?\n\1[ \t]*(?:\n|\Z)", re.DOTALL)
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+|$)(.*)")
_CLOSING_HASHES = re.compile(r"[ \t]+#+[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_RULE = re.compile(r" {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$")
_FENCE = re.compile(r"\s{0,12}(`{3,}|~{3,})")
_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?")
_QUOTE = re.compile(r"\s{0,3}>[ \t]?")
_TABLE_RULE = re.compile(r"\s*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_CELL_END = re.compile(r"(?<!\\)\|")
_LINK_TARGET = re.compile(r"\s*\[[^\]]{1,200}\]:\s*\S+")
_MARKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"!?\[([^\[\]]{0,1000})\]\([^()\s]{0,2000}(?:\s+[\"'][^\"']{0,500}[\"'])?\)"),
        r"\1",
    ),
    (re.compile(r"!?\[([^\[\]]{1,1000})\]\[[^\[\]]{0,200}\]"), r"\1"),
    (re.compile(r"<(https?://[^<>\s]{1,2000}|[^<>\s@]{1,100}@[^<>\s]{1,200})>"), r"\1"),
    (re.compile(r"</?[a-zA-Z][^<>]{0,1000}>"), ""),
    (
        re.compile(r"(?<![\w\\])(\*\*\*|\*\*|\*|___|__|_|~~)(?=\S)(.{1,1000}?)(?<=\S)\1(?!\w)"),
        r"\2",
    ),
    (re.compile(r"(?<!\\)(`+)([^`]{1,1000})\1"), r"\2"),
    (re.compile(r"\\([\\`*_{}\[\]()#+\-.!|<>~])"), r"\1"),
)
_MAX_LINE_CHARS = 20_000
"""Marks are left in a longer line, which nobody wrote by hand."""


def read_markdown(source: Source) -> Iterator[Page]:
    """The sections of a Markdown file."""
    return pages_of_markdown(decode(source.file.read()))


def pages_of_markdown(text: str) -> Iterator[Page]:
    """The sections of a text with Markdown in it, or without."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    text = _without_comments(_FRONT_MATTER.sub("", text, count=1))
    return _Markdown(text.expandtabs(4).split("\n")).pages()


def _without_comments(text: str) -> str:
    """The text without `<!-- -->`; one that never ends is text."""
    kept, at = [], 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start)) >= 0:
        kept.append(text[at:start])
        at = end + 3
    return "".join([*kept, text[at:]])


def unmark(text: str) -> str:
    """A line without emphasis, links, code marks and tags."""
    if len(text) <= _MAX_LINE_CHARS:
        for pattern, put in _MARKS:
            text = pattern.sub(put, text)
    return " ".join(html.unescape(text).split())


class _Markdown:
    """Walks through lines; a paragraph is gathered until something ends it."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._at = 0
        self._sections = Sections()
        self._paragraph: list[str] = []

    def pages(self) -> Iterator[Page]:
        while self._at < len(self._lines):
            line = self._lines[self._at]
            self._at += 1
            yield from self._take(line)
        self._close()
        yield from self._sections.end()

    def _take(self, line: str) -> Iterator[Page]:
        if fence := _FENCE.match(line):
            self._code(fence[1])
        elif heading := _HEADING.match(line):
            self._close()
            text = unmark(_CLOSING_HASHES.sub("", heading[2]))
            yield from self._sections.heading(len(heading[1]), text)
        elif self._paragraph and (under := _UNDERLINE.match(line)):
            text = unmark(" ".join(self._paragraph))
            self._paragraph = []
            yield from self._sections.heading(1 if under[1][0] == "=" else 2, text)
        elif self._begins_table(line):
            self._close()
            self._table(line)
        else:
            self._prose(line)

    def _prose(self, line: str) -> None:
        line = _QUOTE.sub("", line)
        if not line.strip() or _RULE.match(line) or _LINK_TARGET.match(line):
            self._close()
        elif item := _ITEM.match(line):
            self._close()
            self._paragraph = ["- " + line[item.end() :]]
        else:
            self._paragraph.append(line)

    def _close(self) -> None:
        """End the paragraph."""
        self._sections.line(unmark(" ".join(self._paragraph)))
        self._paragraph = []

    def _code(self, fence: str) -> None:
        self._close()
        while self._at < len(self._lines):
            line = self._lines[self._at]
            self._at += 1
            if line.strip().startswith(fence):
                break
            self._sections.line(line)

    def _begins_table(self, line: str) -> bool:
        after = self._lines[self._at] if self._at < len(self._lines) else ""
        return "|" in line and "|" in after and bool(_TABLE_RULE.match(after))

    def _table(self, header: str) -> None:
        rows = [_cells(header)]
        self._at += 1
        while self._at < len(self._lines) and "|" in self._lines[self._at]:
            rows.append(_cells(self._lines[self._at]))
            self._at += 1
        for row in spell_rows(rows, headed=True):
            self._sections.line(row)


def _cells(line: str) -> list[str]:
    line = line.strip().removeprefix("|")
    if line.endswith("|") and not line.endswith("\\|"):
        line = line[:-1]
    return [unmark(cell) for cell in _CELL_END.split(line)]
