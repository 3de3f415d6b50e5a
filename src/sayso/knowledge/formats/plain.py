"""Plain text: one page, or as many as form feeds make."""

from __future__ import annotations

from collections.abc import Iterator

from sayso.knowledge.formats import Source
from sayso.knowledge.formats.lettering import decode
from sayso.knowledge.formats.wrapped import unwrap
from sayso.knowledge.passages import Page


def read_plain(source: Source) -> Iterator[Page]:
    """The pages of a text file."""
    return pages_of_plain(decode(source.file.read()))


def pages_of_plain(text: str) -> Iterator[Page]:
    """The pages of a text; they have numbers when it tells where they end."""
    parts = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").split("\f")
    for number, part in enumerate(parts, start=1):
        if lines := unwrap(part.split("\n")):
            yield Page("\n".join(lines), number if len(parts) > 1 else None)
