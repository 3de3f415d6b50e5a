"""Web pages: what is written on them, without menus, scripts and cookie notices.

A footer is left out, too, where the page says which part of it is the main one: it is the same on
all pages of a site. Elsewhere it stays, for the address in it may be nowhere else.

Python's own parser is enough: it builds no tree that nesting could overflow, and knows no entities
that could be defined. Hidden text is kept: answers in a folded list of questions are hidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from itertools import groupby

from sayso.errors import ReadCode, ReadError
from sayso.knowledge.formats import Source
from sayso.knowledge.formats.lettering import decode
from sayso.knowledge.formats.sections import Sections, spell_rows
from sayso.knowledge.passages import Page

_SKIPPED = frozenset(
    "script style noscript template svg math iframe object canvas audio video nav aside button "
    "select option datalist dialog head".split()
)
_KEPT_IN_HEAD = "title"
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_MAIN = frozenset(("main", "article"))
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark q ruby rt rp "
    "s samp small span strong strike sub sup time tt u var wbr img input".split()
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_CLOSED_BY = {  # what a tag ends without its own end tag (HTML, 13.1.2.4)
    "li": {"li"},
    "dt": {"dt", "dd"},
    "dd": {"dt", "dd"},
    "tr": {"tr", "td", "th"},
    "td": {"td", "th"},
    "th": {"td", "th"},
    "option": {"option"},
}
_SCOPES = frozenset("ul ol dl table body html div section article main".split())
_NOTICE = re.compile(r"\b(?:cookie|consent|gdpr)", re.IGNORECASE)
_CHARSET = re.compile(rb"<meta[^>]{0,500}?charset\s*=\s*[\"']?\s*([\w-]{1,40})", re.IGNORECASE)
_DECLARATION = re.compile(r"<!(?!--)[^>]{0,1000}>")
_TYPE = re.compile(r"<!doctype\b", re.IGNORECASE)
_INTERNAL_TYPE = re.compile(
    r"<!doctype\b[^\[>]{0,1000}\[(?P<told>.{0,65536}?)\]\s*>", re.IGNORECASE | re.DOTALL
)
_ENTITY = re.compile(r"<!entity\s+(?P<name>[\w.:-]{1,100})\s", re.IGNORECASE)
_MAX_OPEN = 100_000
"""Tags open at once; deeper nesting is nobody's page."""
_LINKS_OF_A_MENU = 4
_WORDS_OF_A_LINK = 6


def read_webpage(source: Source) -> Iterator[Page]:
    """The sections of a web page; its title stands above them.

    Raises:
        ReadError: `no_text` when there is nothing but scripts, `damaged` when it is no page.
    """
    data = source.file.read()
    declared = _CHARSET.search(data[:4096])
    text = decode(data, declared[1].decode("ascii", "replace") if declared else "")
    page = _Webpage(source)
    try:
        page.feed(_without_declarations(text))
        page.close()
    except AssertionError as error:  # how html.parser says that it is lost
        raise source.damaged("its tags cannot be told apart") from error
    pages = list(page.pages())
    if not pages and page.scripts:
        raise ReadError(
            f"{source.name} has no text in it: the page is filled in by scripts.",
            code=ReadCode.NO_TEXT,
            hint="Save the page as PDF in a browser, and upload that.",
        )
    yield from pages


class _Line:
    """A stretch of text between two block tags."""

    __slots__ = ("in_footer", "in_main", "level", "linked", "parts")

    def __init__(self, level: int, *, in_main: bool, in_footer: bool) -> None:
        self.parts: list[str] = []
        self.linked = 0
        self.level = level  # of a heading; 0 for text
        self.in_main = in_main
        self.in_footer = in_footer

    @property
    def text(self) -> str:
        return " ".join("".join(self.parts).split())

    def is_link(self) -> bool:
        """Whether it may be an entry of a menu."""
        text = self.text
        return (
            not self.level
            and not self.in_main
            and self.linked >= 0.8 * len(text.replace(" ", ""))
            and len(text.split()) <= _WORDS_OF_A_LINK
        )


class _Webpage(HTMLParser):
    """Gathers lines; knows which tags are open, however badly they are closed."""

    def __init__(self, source: Source) -> None:
        super().__init__(convert_charrefs=True)
        self.scripts = 0
        self._source = source
        self._open: list[str] = []
        self._mains = 0  # how many of them hold the main text
        self._footers = 0  # how many of them are at the foot of the page
        self._skipping = 0  # how many tags were open where skipping began; 0 is not skipping
        self._titles: list[str] = []
        self._lines: list[_Line] = []
        self._now = _Line(0, in_main=False, in_footer=False)
        self._tables: list[_Table] = []

    def pages(self) -> Iterator[Page]:
        """The sections, without menus."""
        while self._tables:
            self._add(self._tables.pop())
        self._break()
        sections = Sections(" ".join(" ".join(self._titles).split()))
        for is_link, run in groupby(self._without_footer(), _Line.is_link):
            lines = list(run)
            if is_link and len(lines) >= _LINKS_OF_A_MENU:
                continue
            for line in lines:
                if line.level:
                    yield from sections.heading(line.level, line.text)
                else:
                    sections.line(line.text)
        yield from sections.end()

    def _without_footer(self) -> Sequence[_Line]:
        """The lines, but not those of the page's footer where others are the main ones."""
        if not any(line.in_main for line in self._lines):
            return self._lines
        return [line for line in self._lines if line.in_main or not line.in_footer]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        if tag in _VOID:
            self._void(tag)
            return
        self._imply_ends(tag)
        self._open.append(tag)
        self._mains += tag in _MAIN
        self._footers += tag == "footer"
        if len(self._open) > _MAX_OPEN:
            raise self._source.damaged(f"more than {_MAX_OPEN:,} tags are nested in each other")
        if not self._skipping and (tag in _SKIPPED or _is_notice(tag, attrs)):
            self._break()
            self._skipping = len(self._open)
        if not self._skipping and tag not in _INLINE:
            self._begin(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open[-1000:]:
            while self._open:
                closed = self._close()
                if closed == tag:
                    return

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == _KEPT_IN_HEAD and "svg" not in self._open:
            self._titles.append(data)
        elif self._skipping:
            return
        elif self._tables and self._tables[-1].cell is not None:
            self._tables[-1].cell.append(data)
        elif "pre" in self._open[-5:]:
            for at, line in enumerate(data.split("\n")):
                if at:
                    self._break()
                self._now.parts.append(line)
        else:
            self._now.parts.append(data)
            if "a" in self._open[-5:]:
                self._now.linked += len("".join(data.split()))

    def _close(self) -> str:
        """Close the tag opened last."""
        tag = self._open.pop()
        self._mains -= tag in _MAIN
        self._footers -= tag == "footer"
        self._end(tag)
        return tag

    def _void(self, tag: str) -> None:
        if self._skipping:
            return
        if self._tables and self._tables[-1].cell is not None:
            self._tables[-1].cell.append(" ")
        elif tag in ("br", "hr"):
            self._break()

    def _imply_ends(self, tag: str) -> None:
        """Close what `tag` closes by beginning, within the list or table it is in."""
        closes = _CLOSED_BY.get(tag, frozenset[str]())
        for depth, name in enumerate(reversed(self._open[-50:]) if closes else ()):
            if name in _SCOPES:
                return
            if name in closes and not self._closes_further(tag, depth):
                for _ in range(depth + 1):
                    self._close()
                return

    def _closes_further(self, tag: str, depth: int) -> bool:
        """Whether a new row closes the row around an open cell, too."""
        outer = self._open[-depth - 2 : -depth - 1]
        return tag == "tr" and outer == ["tr"]

    def _begin(self, tag: str) -> None:
        if tag == "table":
            self._begin_table()
        elif self._tables and tag in ("tr", "td", "th"):
            self._tables[-1].begin(tag)
        elif self._tables and self._tables[-1].cell is not None:
            self._tables[-1].cell.append(" ")
        else:
            self._break()
            self._now.level = _HEADINGS.get(tag, 0)
            if tag == "li":
                self._now.parts.append("- ")

    def _end(self, tag: str) -> None:
        if self._skipping:
            if len(self._open) < self._skipping:
                self._skipping = 0
        elif tag == "table" and self._tables:
            self._add(self._tables.pop())
        elif self._tables and tag in ("tr", "td", "th"):
            self._tables[-1].end()
        elif self._tables and self._tables[-1].cell is not None:
            self._tables[-1].cell.append(" " if tag not in _INLINE else "")
        elif tag not in _INLINE:
            self._break()

    def _begin_table(self) -> None:
        """A table in a table: the outer one is there for the layout."""
        self._break()
        if self._tables:
            outer = self._tables.pop()
            self._add(outer)
            self._tables.append(_Table(layout=True))
        self._tables.append(_Table())

    def _add(self, table: _Table) -> None:
        for text in table.lines():
            self._break()
            self._now.parts.append(text)
        self._break()

    def _break(self) -> None:
        if self._now.text.strip("- "):
            self._lines.append(self._now)
        self._now = _Line(0, in_main=self._mains > 0, in_footer=self._footers > 0)


class _Table:
    """Rows as they come; in a layout table there are no cells, only text."""

    def __init__(self, *, layout: bool = False) -> None:
        self.cell: list[str] | None = None
        self._layout = layout
        self._rows: list[list[str]] = []
        self._names: list[list[bool]] = []  # which cells are <th>

    def begin(self, tag: str) -> None:
        if self._layout:
            return
        if tag == "tr" or not self._rows:
            self._rows.append([])
            self._names.append([])
        if tag != "tr":
            self.end()
            self.cell = []
            self._names[-1].append(tag == "th")

    def end(self) -> None:
        if self.cell is not None:
            self._rows[-1].append("".join(self.cell))
            self.cell = None

    def lines(self) -> Sequence[str]:
        self.end()
        rows = [row for row in self._rows if row]
        names = [row for row in self._names if row]
        headed = bool(names) and all(names[0]) and len(rows) > 1
        return spell_rows(rows, headed=headed)


def _without_declarations(text: str) -> str:
    """`text` without declarations, those within a document type, and the entities made there.

    Browsers make nothing of them either, but show them as they stand.
    """
    made: set[str] = set()
    begins = _TYPE.search(text)
    if begins and (declared := _INTERNAL_TYPE.match(text, begins.start())):
        made = {found["name"] for found in _ENTITY.finditer(declared["told"])}
        text = text[: declared.start()] + text[declared.end() :]
    if made:
        text = re.sub(f"&(?:{'|'.join(map(re.escape, sorted(made)))});", "", text)
    return _DECLARATION.sub("", text)


def _is_notice(tag: str, attrs: Sequence[tuple[str, str | None]]) -> bool:
    """Whether it is a banner that asks for consent."""
    if tag not in ("div", "section", "form"):
        return False
    told = (value for name, value in attrs if name in ("id", "class") and value)
    return any(_NOTICE.search(value) for value in told)
