"""Which kind of document a file is, by its bytes first and its name second.

The bytes decide wherever they can: people rename files, and servers mislabel them. The name only
tells kinds of plain text apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sayso.errors import ReadCode, ReadError

HEAD_BYTES = 65_536
TAIL_BYTES = 65_536
"""How much of either end is looked at; a ZIP lists its contents at its end."""

READABLE = "Sayso reads PDF, Word (.docx), web pages (.html), Markdown, plain text and CSV."


class Kind(StrEnum):
    """What can be read."""

    PDF = "pdf"
    DOCX = "docx"
    HTML = "html"
    MARKDOWN = "markdown"
    TEXT = "text"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Judged:
    """What a file is. `note` is a sentence when its name says otherwise."""

    kind: Kind
    note: str = ""


TITLES: Mapping[Kind, str] = {
    Kind.PDF: "a PDF",
    Kind.DOCX: "a Word document",
    Kind.HTML: "a web page",
    Kind.MARKDOWN: "Markdown",
    Kind.TEXT: "plain text",
    Kind.CSV: "a CSV table",
}
_BY_EXTENSION: Mapping[str, Kind] = {
    "pdf": Kind.PDF,
    "docx": Kind.DOCX,
    "docm": Kind.DOCX,
    "doc": Kind.DOCX,
    "html": Kind.HTML,
    "htm": Kind.HTML,
    "xhtml": Kind.HTML,
    "md": Kind.MARKDOWN,
    "markdown": Kind.MARKDOWN,
    "mdx": Kind.MARKDOWN,
    "csv": Kind.CSV,
    "tsv": Kind.CSV,
    "txt": Kind.TEXT,
    "text": Kind.TEXT,
}
_WRITTEN = {Kind.TEXT, Kind.MARKDOWN, Kind.CSV}
"""Kinds that look alike: there the name is believed."""

_REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"\xca\xfe\xba\xbe", "a program"),
    (b"\xcf\xfa\xed\xfe", "a program"),
    (b"\xce\xfa\xed\xfe", "a program"),
    (b"\0asm", "a program"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"II*\0", "a picture"),
    (b"MM\0*", "a picture"),
    (b"BM", "a picture"),
    (b"\0\0\1\0", "a picture"),
    (b"{\\rtf", "a rich-text file (.rtf)"),
    (b"%!PS", "a PostScript file"),
    (b"ID3", "a sound recording"),
    (b"OggS", "a sound recording"),
    (b"fLaC", "a sound recording"),
    (b"\x1aE\xdf\xa3", "a film"),
    (b"\x1f\x8b", "a packed archive"),
    (b"BZh", "a packed archive"),
    (b"\xfd7zXZ", "a packed archive"),
    (b"7z\xbc\xaf\x27\x1c", "a packed archive"),
    (b"Rar!", "a packed archive"),
    (b"SQLite format 3", "a database"),
)
_BY_BRAND: tuple[tuple[int, bytes, str], ...] = (
    (8, b"WEBP", "a picture"),
    (8, b"WAVE", "a sound recording"),
    (4, b"ftyphei", "a picture"),
    (4, b"ftypavif", "a picture"),
    (4, b"ftyp", "a film"),
)
_IN_ZIP: tuple[tuple[bytes, str], ...] = (
    (b"xl/workbook", "an Excel workbook; save it as CSV"),
    (b"ppt/presentation", "a PowerPoint presentation; save it as PDF"),
    (b"application/vnd.oasis.opendocument", "an OpenDocument file; save it as DOCX or PDF"),
    (b"application/epub+zip", "an e-book (.epub)"),
    (b"AndroidManifest.xml", "a program"),
    (b"META-INF/MANIFEST.MF", "a program"),
)
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # what Word, Excel and Outlook wrote until 2007
_IN_COMPOUND: tuple[tuple[str, str], ...] = (
    ("WordDocument", "an old Word document (.doc); save it as DOCX"),
    ("Workbook", "an old Excel workbook (.xls); save it as CSV"),
    ("PowerPoint Document", "an old PowerPoint presentation (.ppt); save it as PDF"),
)
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_COMMENTS = rb"(?:(?><!--.{0,2000}?-->)\s*+){0,5}+"  # atomic: each ends where it first can
_BEFORE = (
    rb"\s*(?:<\?xml[^>]{0,200}>\s*)?" + _COMMENTS + rb"(?:<!doctype\b[^\[>]{0,300}"
    rb"(?>\[.{0,60000}?\]\s*+(?=>))?>\s*)?" + _COMMENTS
)
"""What may stand before the first tag; a document type may have declarations in it."""
_PAGE = re.compile(
    rb"\s*(?:<\?xml[^>]{0,200}>\s*)?"
    + _COMMENTS
    + rb"<!doctype\s+html\b|"
    + _BEFORE
    + rb"<(?:html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_DRAWING = re.compile(_BEFORE + rb"<svg\b", re.IGNORECASE | re.DOTALL)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))
_MAX_CONTROLS = 0.01
"""Share of control characters above which bytes are no text."""


def judge(name: str, head: bytes, tail: bytes = b"") -> Judged:
    """What the file `name` is, from its first and last bytes (`HEAD_BYTES`, `TAIL_BYTES`).

    Raises:
        ReadError: `empty`, `encrypted` or `wrong_kind`, with a sentence that says what it is.
    """
    if not head.strip():
        raise ReadError(f"{name} is empty.", code=ReadCode.EMPTY)
    kind = _of_bytes(name, head, tail)
    claimed = _BY_EXTENSION.get(_extension(name))
    if kind is Kind.TEXT:
        kind = _of_writing(claimed)
    if claimed is None or claimed is kind:
        return Judged(kind)
    return Judged(kind, f"{name} is {TITLES[kind]}, not {TITLES[claimed]}; it is read as one.")


def _extension(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def _of_writing(claimed: Kind | None) -> Kind:
    """Which kind of plain text; a web page without its first tags is one by its name."""
    if claimed in _WRITTEN or claimed is Kind.HTML:
        return claimed
    return Kind.TEXT


def _of_bytes(name: str, head: bytes, tail: bytes) -> Kind:
    if b"%PDF-" in head[:1024]:
        return Kind.PDF
    if head.startswith(b"PK\3\4"):
        return _of_zip(name, head, tail)
    if head.startswith(_COMPOUND):
        raise _compound(name, head + tail)
    if head.startswith(b"PK\5\6"):
        raise _wrong(name, "an empty archive")
    _refuse_known(name, head)
    if _DRAWING.match(_without_bom(head)) or _extension(name) == "svg":
        raise _wrong(name, "a picture (.svg)")
    if _PAGE.match(_without_bom(head)):
        return Kind.HTML
    if not _is_text(head):
        raise _wrong(name, "neither text nor a document")
    return Kind.TEXT


def _refuse_known(name: str, head: bytes) -> None:
    for at, brand, what in _BY_BRAND:
        if head[at : at + len(brand)] == brand:
            raise _wrong(name, what)
    text = _is_text(head)
    for magic, what in _REFUSED:
        # "BM" and "MZ" begin sentences, too.
        if head.startswith(magic) and (len(magic) > 3 or not text):
            raise _wrong(name, what)


def _of_zip(name: str, head: bytes, tail: bytes) -> Kind:
    ends = head + tail
    if b"word/" in ends:
        return Kind.DOCX
    for sign, what in _IN_ZIP:
        if sign in ends:
            raise _wrong(name, what)
    if _BY_EXTENSION.get(_extension(name)) is Kind.DOCX:
        return Kind.DOCX  # whoever reads it says what is wrong with it
    raise _wrong(name, "a packed archive")


def _compound(name: str, ends: bytes) -> ReadError:
    if "EncryptedPackage".encode("utf-16-le") in ends:
        return ReadError(
            f"{name} is protected by a password.",
            code=ReadCode.ENCRYPTED,
            hint="Save a copy without a password and upload that.",
        )
    for sign, what in _IN_COMPOUND:
        if sign.encode("utf-16-le") in ends:
            return _wrong(name, what)
    return _wrong(name, "an old Office file (.doc, .xls, .ppt) or one with a password")


def _wrong(name: str, what: str) -> ReadError:
    return ReadError(
        f"{name} is {what}. {READABLE}",
        code=ReadCode.WRONG_KIND,
    )


def _without_bom(head: bytes) -> bytes:
    if head.startswith(_BOMS[1:]):
        return head[2:].replace(b"\0", b"")  # UTF-16: enough to see tags
    return head.removeprefix(_BOMS[0])


def _is_text(head: bytes) -> bool:
    """Whether bytes can be writing: UTF-16 by its mark or its zeros, else hardly any controls."""
    if head.startswith(_BOMS):
        return True
    even, odd = head[::2].count(0), head[1::2].count(0)
    half = max(1, len(head) // 2)
    if max(even, odd) > 0.4 * half and min(even, odd) < 0.05 * half:
        return True
    return len(head) - len(head.translate(None, _CONTROLS)) <= _MAX_CONTROLS * len(head)
