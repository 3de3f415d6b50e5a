"""Word documents: headings, paragraphs, lists and tables in reading order, out of a ZIP of XML.

Read by hand rather than by a library, because the two ways to harm whoever reads one are in the ZIP
and in the XML: each part is measured while it is unpacked, and a document type, without which there
are no entities, is refused. The XML is a stream of events: no tree is built.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias
from xml.parsers import expat

from sayso.errors import ReadCode
from sayso.knowledge.formats import Source
from sayso.knowledge.formats.sections import Sections, spell_rows
from sayso.knowledge.passages import Page

_WORD = (
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
)
_COMPATIBILITY = "http://schemas.openxmlformats.org/markup-compatibility/2006"
_CHUNK_BYTES = 65_536
_MAX_PARTS = 10_000
_SUSPECT_RATIO = 200
"""XML packs to a twentieth; DEFLATE cannot do better than 1 in 1,032, and only on one byte."""
_SUSPECT_BYTES = 4_194_304
_MAX_DEPTH = 1_000
_MAX_STYLES_ABOVE = 20
_MAIN = "/officeDocument"
_HEADING = re.compile(r"heading ([1-9])$", re.IGNORECASE)

Attributes: TypeAlias = Mapping[str, str]


def read_docx(source: Source) -> Iterator[Page]:
    """The sections of a Word document. It has no page numbers: pages are made when it is printed.

    Raises:
        ReadError: `encrypted`, `damaged` or `too_long`.
    """
    try:
        with zipfile.ZipFile(source.file) as archive:
            yield from _read(source, archive)
    except zipfile.BadZipFile:
        raise source.damaged("it is cut off, or no Word document") from None
    except (zlib.error, EOFError, NotImplementedError, ValueError, KeyError):
        raise source.damaged("it cannot be unpacked") from None
    except RecursionError:
        raise source.damaged() from None


def _read(source: Source, archive: zipfile.ZipFile) -> Iterator[Page]:
    if len(archive.namelist()) > _MAX_PARTS:
        raise source.too_long(f"it has more than {_MAX_PARTS:,} parts")
    main = _main_part(source, archive)
    folder = main.rpartition("/")[0]
    levels: Mapping[str, int] = {}
    if f"{folder}/styles.xml" in archive.namelist():
        styles = _Styles()
        _walk(source, archive, f"{folder}/styles.xml", styles)
        levels = styles.levels()
    body = _Body(levels)
    _walk(source, archive, main, body)
    yield from body.pages()


def _main_part(source: Source, archive: zipfile.ZipFile) -> str:
    """The part with the text; the package says where it is, hardly ever elsewhere than here."""
    names = archive.namelist()
    relations = _Relations()
    if "_rels/.rels" in names:
        _walk(source, archive, "_rels/.rels", relations)
    for name in (relations.main, "word/document.xml"):
        if name in names:
            return name
    raise source.damaged("it is no Word document")


def _walk(source: Source, archive: zipfile.ZipFile, name: str, into: _Part) -> None:
    """Feed a part to `into`, as events."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _MAX_DEPTH:
            raise source.damaged(f"{name} is nested more than {_MAX_DEPTH:,} deep")
        into.start(_local(tag), {_local(key): value for key, value in attributes.items()})

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        into.end(_local(tag))

    def doctype(*_declared: object) -> None:
        raise source.damaged(f"{name} declares a document type, which no Word document does")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = into.text
    parser.StartDoctypeDeclHandler = doctype
    try:
        for chunk in _unpack(source, archive, name):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise source.damaged(f"{name} is not XML from line {error.lineno} on") from None


def _unpack(source: Source, archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """A part's bytes, counted while they come: what the ZIP says of its size is not believed."""
    info = archive.getinfo(name)
    if info.flag_bits & 1:
        raise source.locked()
    packed, most, size = max(1, info.compress_size), source.limits.max_inflated_bytes, 0
    _check_size(source, info.file_size, packed, most)
    with archive.open(info) as part:
        while chunk := part.read(_CHUNK_BYTES):
            size += len(chunk)
            _check_size(source, size, packed, most)
            yield chunk


def _check_size(source: Source, size: int, packed: int, most: int) -> None:
    what = f"a part of {packed:,} bytes unpacks to more than"
    if size > most:
        what = f"{what} {most // 1_048_576} MiB"
        bomb = size > _SUSPECT_RATIO * packed
        raise source.swollen(what, ReadCode.TOO_LONG) if bomb else source.too_long(what)
    if size > _SUSPECT_BYTES and size > _SUSPECT_RATIO * packed:
        raise source.swollen(f"{what} {_SUSPECT_RATIO} times as much", ReadCode.DAMAGED)


def _local(name: str) -> str:
    """`p` for an element or attribute of WordprocessingML, `Fallback` for the one of compatibility.

    Others keep their namespace, so that nothing else is taken for them.
    """
    space, _, local = name.rpartition(" ")
    return local if not space or space in _WORD or space == _COMPATIBILITY else name


class _Part:
    """What the reader of one part is told."""

    def start(self, tag: str, attributes: Attributes) -> None:
        raise NotImplementedError

    def end(self, tag: str) -> None:
        """An element ends."""

    def text(self, text: str) -> None:
        """Text between two tags, or a piece of it."""


class _Relations(_Part):
    """Finds the main part."""

    def __init__(self) -> None:
        self.main = ""

    def start(self, tag: str, attributes: Attributes) -> None:
        if tag.endswith("Relationship") and attributes.get("Type", "").endswith(_MAIN):
            self.main = attributes.get("Target", "").lstrip("/")


class _Styles(_Part):
    """Finds which styles are headings: by name, by outline level, or by what they are based on."""

    def __init__(self) -> None:
        self._id = ""
        self._own: dict[str, int] = {}
        self._above: dict[str, str] = {}

    def start(self, tag: str, attributes: Attributes) -> None:
        value = attributes.get("val", "")
        if tag == "style":
            self._id = attributes.get("styleId", "")
        elif tag == "basedOn":
            self._above[self._id] = value
        elif tag == "outlineLvl" and (level := _outline(value)):
            self._own.setdefault(self._id, level)
        elif tag == "name" and (found := _HEADING.match(value)):
            self._own[self._id] = int(found[1])
        elif tag == "name" and value.lower() == "title":
            self._own[self._id] = 0

    def levels(self) -> Mapping[str, int]:
        """Levels by style: 0 is the document's title."""
        found = {name: self._level(name) for name in {*self._own, *self._above}}
        return {name: level for name, level in found.items() if level is not None}

    def _level(self, name: str) -> int | None:
        for _ in range(_MAX_STYLES_ABOVE):
            if name in self._own:
                return self._own[name]
            name = self._above.get(name, "")
        return None


def _outline(value: str) -> int | None:
    """A heading's level from an outline level, of which the tenth means text."""
    return int(value) + 1 if value.isdecimal() and int(value) < 9 else None


_SKIPPED = frozenset(("Fallback", "del", "moveFrom", "instrText", "pict"))
"""Said twice, deleted, moved away, or an instruction."""


class _Body(_Part):
    """Paragraphs and tables, in reading order."""

    def __init__(self, levels: Mapping[str, int]) -> None:
        self._levels = levels
        self._sections = Sections()
        self._pages: list[Page] = []
        self._skipping = 0
        self._in_text = False
        self._in_heads = False  # among the properties of a paragraph
        self._paragraphs: list[_Paragraph] = []
        self._tables: list[_Table] = []
        self._begin: Mapping[str, Callable[[Attributes], None]] = {
            "p": lambda _: self._paragraphs.append(_Paragraph()),
            "pStyle": self._style,
            "outlineLvl": self._outline,
            "numPr": self._item,
            "t": self._text,
            "tab": lambda _: self._put(" "),
            "br": lambda _: self._put("\n"),
            "cr": lambda _: self._put("\n"),
            "noBreakHyphen": lambda _: self._put("-"),
            "tbl": lambda _: self._tables.append(_Table()),
            "tr": lambda _: self._table(_Table.row),
            "tc": lambda _: self._table(_Table.cell),
            "tblHeader": lambda _: self._table(_Table.name_columns),
        }

    def pages(self) -> Iterator[Page]:
        yield from self._pages
        yield from self._sections.end()

    def start(self, tag: str, attributes: Attributes) -> None:
        if self._skipping or tag in _SKIPPED:
            self._skipping += 1
        elif tag == "pPr":
            self._in_heads = True
        elif begin := self._begin.get(tag):
            begin(attributes)

    def end(self, tag: str) -> None:
        if self._skipping:
            self._skipping -= 1
        elif tag == "t":
            self._in_text = False
        elif tag == "pPr":
            self._in_heads = False
        elif tag == "p" and self._paragraphs:
            self._end_paragraph(self._paragraphs.pop())
        elif tag == "tbl" and self._tables:
            self._end_table(self._tables.pop())

    def text(self, text: str) -> None:
        if self._in_text and not self._skipping:
            self._put(text)

    def _put(self, text: str) -> None:
        if self._paragraphs and not self._in_heads:
            self._paragraphs[-1].parts.append(text)

    def _text(self, _: Attributes) -> None:
        self._in_text = True

    def _style(self, attributes: Attributes) -> None:
        if self._paragraphs:
            self._paragraphs[-1].level = self._levels.get(attributes.get("val", ""))

    def _outline(self, attributes: Attributes) -> None:
        if self._paragraphs and (level := _outline(attributes.get("val", ""))):
            self._paragraphs[-1].level = level

    def _item(self, _: Attributes) -> None:
        if self._paragraphs:
            self._paragraphs[-1].is_item = True

    def _table(self, do: Callable[[_Table], None]) -> None:
        if self._tables:
            do(self._tables[-1])

    def _end_paragraph(self, done: _Paragraph) -> None:
        text = "".join(done.parts).strip()
        if self._tables:
            self._tables[-1].put(text)
        elif not text:
            return
        elif done.level is not None:
            self._pages.extend(self._sections.heading(done.level, text))
        else:
            for line in text.split("\n"):
                self._sections.line(f"- {line}" if done.is_item else line)

    def _end_table(self, done: _Table) -> None:
        if self._tables:
            self._tables[-1].put("\n".join(done.lines()))
            return
        for line in done.lines():
            self._sections.line(line)


class _Paragraph:
    """A paragraph under way."""

    __slots__ = ("is_item", "level", "parts")

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.level: int | None = None
        self.is_item = False


class _Table:
    """A table under way."""

    __slots__ = ("_named", "_rows")

    def __init__(self) -> None:
        self._rows: list[list[str]] = []
        self._named = False

    def row(self) -> None:
        self._rows.append([])

    def cell(self) -> None:
        if self._rows:
            self._rows[-1].append("")

    def name_columns(self) -> None:
        """The author said that this row is repeated on each page."""
        self._named = self._named or len(self._rows) == 1

    def put(self, text: str) -> None:
        if self._rows and self._rows[-1]:
            self._rows[-1][-1] += f" {text}"

    def lines(self) -> list[str]:
        """A line for each row; three columns and more have a header, as tables mostly do."""
        columns = max(map(len, self._rows), default=0)
        full = bool(self._rows) and all(cell.strip() for cell in self._rows[0])
        return spell_rows(self._rows, headed=self._named or (columns > 2 and full))
