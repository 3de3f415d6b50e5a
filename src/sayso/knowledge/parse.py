"""The child that reads one document, `python -m sayso.knowledge.parse`: started by `read.py`.

The document is its standard input, its arguments are the kind, a name for sentences, and the limits
as JSON. What it prints are lines of JSON, in this order:

    {"begun": true}
    {"done": 3, "of": 200, "note": ""}      any number; `of` is null where it is not known
    {"number": 7, "title": "", "text": ""}  a page; the text of a long one goes on in
    {"more": ""}                            any number of these
    {"failed": "damaged", "why": "", "hint": null}  or
    {"ended": 200}                          how many pages there were
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import BinaryIO

from sayso.errors import ReadCode, ReadError
from sayso.knowledge.bounds import MIB, ReadLimits
from sayso.knowledge.formats import Reader, Source
from sayso.knowledge.kinds import Kind
from sayso.knowledge.passages import Page

LINE_CHARS = 16_384
"""Longest text in one line; the parent reads line by line."""
TELL_EVERY = 20
"""Progress is told for the first pages, and then for every so many."""
OUT_OF_MEMORY = 77
NOT_INSTALLED = 78
"""Exit codes that the parent knows."""
_NICENESS = 10
_OPEN_FILES = 64
_READERS: Mapping[Kind, tuple[str, str]] = {
    Kind.PDF: ("pdf", "read_pdf"),
    Kind.DOCX: ("docx", "read_docx"),
    Kind.HTML: ("webpage", "read_webpage"),
    Kind.MARKDOWN: ("markdown", "read_markdown"),
    Kind.TEXT: ("plain", "read_plain"),
    Kind.CSV: ("tabular", "read_tabular"),
}


def main(arguments: list[str]) -> None:
    """Read standard input as `kind`, for `name`, within `limits`."""
    kind, name, told = arguments
    limits = ReadLimits(**json.loads(told))
    confine(limits)
    _say(sys.stdout.buffer, {"begun": True})
    try:
        reader = load_reader(Kind(kind))
        count = print_pages(reader, sys.stdin.buffer, name, limits, sys.stdout.buffer)
        _say(sys.stdout.buffer, {"ended": count})
    except ReadError as error:
        _fail(error)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)  # there may be none left to say so
    except ImportError:
        os._exit(NOT_INSTALLED)
    except Exception as error:  # noqa: BLE001 - whatever a document made its reader do
        _fail(Source(sys.stdin.buffer, name, limits).damaged(f"{type(error).__name__} at its text"))


def confine(limits: ReadLimits) -> None:
    """Take away what reading needs none of: time, memory, files, children, a place in front."""
    os.nice(_NICENESS)
    _limit(resource.RLIMIT_CPU, limits.cpu_s, grace=1)  # or SIGKILL comes before SIGXCPU
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    _limit(resource.RLIMIT_NPROC, 0)
    if sys.platform == "linux":  # macOS takes it and does not keep it
        _limit(resource.RLIMIT_AS, limits.memory_mib * MIB)


def _limit(which: int, most: int, grace: int = 0) -> None:
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard - grace)
    resource.setrlimit(which, (most, most + grace))


def load_reader(kind: Kind) -> Reader:
    """The reader of a kind; only that one is imported."""
    module, function = _READERS[kind]
    reader: Reader = getattr(import_module(f"sayso.knowledge.formats.{module}"), function)
    return reader


def print_pages(
    reader: Reader, file: BinaryIO, name: str, limits: ReadLimits, out: BinaryIO
) -> int:
    """Print each page; how many there were.

    Raises:
        ReadError: what the reader says, `too_long`, or `no_text` when there was none.
    """
    source = Source(file, name, limits, _tell(out))
    count = chars = 0
    for page in reader(source):
        if not any(map(str.isalnum, page.text)):
            continue
        count += 1
        chars += len(page.text)
        if chars > limits.max_chars:
            raise source.too_long(f"it has more than {limits.max_chars:,} characters")
        if count > limits.max_pieces:
            raise source.too_long(f"it has more than {limits.max_pieces:,} sections or rows")
        for line in lines_of(page):
            _say(out, line)
    if not count:
        raise ReadError(f"{name} has no text in it.", code=ReadCode.NO_TEXT)
    return count


def lines_of(page: Page) -> Iterator[dict[str, object]]:
    """A page as lines to print."""
    text = page.text[:LINE_CHARS]
    yield {"number": page.number, "title": page.title, "text": text}
    for at in range(LINE_CHARS, len(page.text), LINE_CHARS):
        yield {"more": page.text[at : at + LINE_CHARS]}


def _tell(out: BinaryIO) -> Callable[[int, int | None, str], None]:
    def told(done: int, of: int | None, note: str) -> None:
        if note or done in (1, of) or done % TELL_EVERY == 0:
            _say(out, {"done": done, "of": of, "note": note})

    return told


def _say(out: BinaryIO, line: Mapping[str, object]) -> None:
    # Documents have halves of characters in them, which UTF-8 has no bytes for.
    out.write(json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
    out.flush()


def _fail(error: ReadError) -> None:
    line = {"failed": error.code, "why": error.message, "hint": error.hint}
    _say(sys.stdout.buffer, line)


if __name__ == "__main__":
    main(sys.argv[1:])
