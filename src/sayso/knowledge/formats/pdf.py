"""PDF: page by page, with page numbers and the headings of its outline."""

from __future__ import annotations

import logging
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sayso.errors import ReadCode, ReadError
from sayso.knowledge.formats import Source
from sayso.knowledge.formats.sections import MAX_HEADING_CHARS
from sayso.knowledge.formats.wrapped import unwrap
from sayso.knowledge.passages import BETWEEN, Page

if TYPE_CHECKING:
    from pypdf import PdfReader

MAX_NOTES = 20
"""Pages that could not be read and are named one by one; the rest are counted."""
_MAX_OUTLINE = 5_000
_MAX_UNPACKED_MB = 75
"""What pypdf unpacks one stream to; then it raises LimitReachedError."""
_EDGE_LINES = 2
"""Lines at the top and bottom of a page that may be said on every page."""
_MIN_PAGES_OF_A_HEAD = 4
_REPEATED = 0.5
"""Share of pages on which a line is a running head."""
_UNREADABLE = re.compile(r"[\ufffd\ue000-\uf8ff\x00-\x08\x0e-\x1f]|/g\d+|\(cid:\d+\)")
_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "\u00ad": "-"}
)
_CLAIM = re.compile(rb"/Count\s+(\d{1,12})\b")
_DIGITS = re.compile(r"\d+")
_CLOSED = re.compile(r"[.!?:;。！？…][\"'”’»)\]]*$")


def read_pdf(source: Source) -> Iterator[Page]:
    """The pages of a PDF that have text.

    Raises:
        ReadError: `encrypted`, `damaged`, `no_text` (a scan) or `too_long`.
    """
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it mends on the way is no news
    reader = _open(source)
    count = _count(source, reader)
    texts = _texts(source, reader, count)
    _check_legible(source, texts, reader)
    titles = _titles(reader, count)
    lines = _carry(_without_heads([text.split("\n") for text in texts]))
    for number, page in enumerate(lines, start=1):
        if any(line.strip() for line in page):
            yield Page("\n".join(page), number, titles[number - 1])


def _open(source: Source) -> PdfReader:
    from pypdf import PdfReader, errors  # noqa: PLC0415 - 140 ms that only PDFs pay

    try:
        reader = PdfReader(source.file)
        is_open = not reader.is_encrypted or reader.decrypt("")  # many need no password to read
    except (errors.FileNotDecryptedError, errors.WrongPasswordError, errors.DependencyError):
        raise source.locked() from None
    except MemoryError:
        raise
    except Exception as error:  # pypdf raises whatever a damaged file makes it raise
        raise source.damaged("it is cut off, or no PDF") from error
    if not is_open:
        raise source.locked()
    return reader


def _count(source: Source, reader: PdfReader) -> int:
    most = source.limits.max_pages
    if (claimed := _claim(source, reader)) > most:
        raise source.too_long(
            f"it says that it has {claimed:,} pages, and at most {most:,} are read",
            "Split it; if it has fewer pages than it says, print it to a new PDF.",
        )
    try:
        count = len(reader.pages)
    except MemoryError:
        raise
    except Exception as error:
        raise source.damaged("its list of pages cannot be read") from error
    if not count:
        raise source.damaged("it has no pages")
    if count > most:
        raise source.too_long(f"it has {count:,} pages, and at most {most:,} are read")
    return count


def _claim(source: Source, reader: PdfReader) -> int:
    """How many pages it says it has, which costs nothing to ask; 0 where it does not say."""
    try:
        count: Any = reader.root_object["/Pages"]["/Count"]  # type: ignore[index]
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - a list too long for pypdf may still say how long it is
        count = _spelt_claim(source, reader)
    return count if isinstance(count, int) else 0


def _spelt_claim(source: Source, reader: PdfReader) -> int:
    """The same, out of the bytes of the list of pages."""
    try:
        place: Any = reader.root_object.raw_get("/Pages")
        source.file.seek(reader.xref[place.generation][place.idnum])
    except Exception:  # noqa: BLE001 - then counting says what is wrong
        return 0
    found = _CLAIM.search(source.file.read().partition(b"endobj")[0])
    return int(found[1]) if found else 0


def _texts(source: Source, reader: PdfReader, count: int) -> list[str]:
    """The text of each page; one that cannot be read is named, and empty."""
    from pypdf import errors  # noqa: PLC0415 - as above

    texts: list[str] = []
    chars = bad = swollen = 0
    for number in range(1, count + 1):
        note = ""
        try:
            text = reader.pages[number - 1].extract_text().translate(_LIGATURES)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - one bad page is no reason to lose the others
            text, bad = "", bad + 1
            swollen += isinstance(error, errors.LimitReachedError)
            note = f"Page {number} of {source.name} cannot be read and is left out."
        source.told(number, count, note if bad <= MAX_NOTES else "")
        texts.append(text)
        chars += len(text)
        if chars > source.limits.max_chars:
            raise source.too_long(f"it has more than {source.limits.max_chars:,} characters")
    if bad == count and swollen:
        raise source.swollen(
            f"what is drawn on its pages unpacks to more than {_MAX_UNPACKED_MB} MB",
            ReadCode.DAMAGED,
        )
    if bad == count:
        raise source.damaged("none of its pages can be read")
    if bad > MAX_NOTES:
        source.told(count, count, f"{bad} pages of {source.name} are left out.")
    return texts


def _check_legible(source: Source, texts: Sequence[str], reader: PdfReader) -> None:
    """Refuse scans, and fonts that do not say which letters they draw."""
    chars = sum(len(text.strip()) for text in texts)
    if not chars:
        what = (
            "its pages are pictures, as from a scanner" if _has_pictures(reader) else "it is blank"
        )
        raise _textless(source, what)
    if sum(len(_UNREADABLE.findall(text)) for text in texts) > chars / 5:
        raise _textless(source, "its fonts do not say which letters they draw")
    if bare := sum(not text.strip() for text in texts):
        what = (
            "has no text; it may be a picture"
            if bare == 1
            else "have no text; they may be pictures"
        )
        note = f"{bare} of {len(texts)} pages of {source.name} {what}."
        source.told(len(texts), len(texts), note)


def _textless(source: Source, what: str) -> ReadError:
    return ReadError(
        f"{source.name} has no text in it: {what}.",
        code=ReadCode.NO_TEXT,
        hint="Run it through text recognition (OCR) first, or upload the document it was made of.",
    )


def _has_pictures(reader: PdfReader) -> bool:
    try:
        objects: Any = reader.pages[0]["/Resources"]["/XObject"]  # type: ignore[index]
        return any(objects[name].get("/Subtype") == "/Image" for name in objects)
    except Exception:  # noqa: BLE001 - only a word in a sentence hangs on it
        return False


def _titles(reader: PdfReader, count: int) -> list[str]:
    """For each page, the outline's entries it stands under; none where the outline is damaged."""
    entries: list[tuple[int, str]] = []
    try:
        _gather(reader, reader.outline, (), entries)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - a title is a convenience
        entries = []
    entries.sort(key=lambda entry: entry[0])
    starts = [page for page, _ in entries]
    return [_title_of(entries, starts, page) for page in range(count)]


def _title_of(entries: Sequence[tuple[int, str]], starts: Sequence[int], page: int) -> str:
    """The entry a page stands under: the first of those that begin on it, or the last before."""
    at = bisect_right(starts, page) - 1
    if at < 0:
        return ""
    while at > 0 and starts[at - 1] == page:
        at -= 1
    return entries[at][1]


def _gather(
    reader: PdfReader,
    items: Sequence[Any],
    path: tuple[str, ...],
    entries: list[tuple[int, str]],
) -> None:
    title: tuple[str, ...] = path
    for item in items:
        if len(entries) >= _MAX_OUTLINE or len(path) > 5:
            return
        if isinstance(item, list):
            _gather(reader, item, title, entries)
            continue
        title = (*path, " ".join(str(item.title).split())[:MAX_HEADING_CHARS])
        page = reader.get_destination_page_number(item)
        if page is not None and page >= 0:
            entries.append((page, BETWEEN.join(title)))


def _without_heads(pages: list[list[str]]) -> list[list[str]]:
    """The lines of each page, without those that many pages begin or end with."""
    pages = [[line for line in page if line.strip()] for page in pages]
    if len(pages) < _MIN_PAGES_OF_A_HEAD:
        return pages
    seen = Counter(sign for page in pages for sign in {*map(_sign, _edges(page))})
    running = {sign for sign, times in seen.items() if times >= _REPEATED * len(pages)}
    return [_strip(page, running) for page in pages]


def _edges(page: list[str]) -> list[str]:
    return page if len(page) <= 2 * _EDGE_LINES else page[:_EDGE_LINES] + page[-_EDGE_LINES:]


def _sign(line: str) -> str:
    """A line without its page number."""
    return _DIGITS.sub("#", " ".join(line.split()))


def _strip(page: list[str], running: set[str]) -> list[str]:
    kept = page
    for _ in range(_EDGE_LINES):
        kept = kept[1:] if kept and _sign(kept[0]) in running else kept
        kept = kept[:-1] if kept and _sign(kept[-1]) in running else kept
    return kept or page  # a page of nothing else is text


def _carry(pages: list[list[str]]) -> list[list[str]]:
    """Paragraphs of each page; a sentence that goes on overleaf is ended on its first page."""
    paragraphs = [unwrap(page) for page in pages]
    for here, there in pairwise(paragraphs):
        if here and there and there[0][:1].islower() and not _CLOSED.search(here[-1]):
            rest, there[0] = _first_sentence(there[0])
            here[-1] = _sew(here[-1], rest)
    return paragraphs


_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]]*\s+")
_MAX_CARRIED_CHARS = 400


def _first_sentence(text: str) -> tuple[str, str]:
    found = _SENTENCE_END.search(text, 0, _MAX_CARRIED_CHARS)
    if found:
        return text[: found.end()].rstrip(), text[found.end() :]
    return (text, "") if len(text) <= _MAX_CARRIED_CHARS else ("", text)


def _sew(head: str, rest: str) -> str:
    if not rest:
        return head
    return head[:-1] + rest if re.search(r"[^\W\d_]-$", head) else f"{head} {rest}"
