"""What reading a document gives, what is searched, and what a search finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of a document, in the order of reading.

    Attributes:
        text: its plain text.
        number: of the page it is on, from 1; None where the format has no pages.
        title: the heading it stands below.
        url: where it was found, for web pages.
    """

    text: str
    number: int | None = None
    title: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of text short enough to be embedded and quoted, and where it is from."""

    id: str
    text: str
    source_id: str
    source_name: str
    page: int | None
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Found:
    """A passage and how well it fits what was asked, from 0 to 1."""

    passage: Passage
    score: float
