"""What an agent knows, in the pieces that are searched and quoted. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of a document, in reading order: what reading it gives.

    Attributes:
        text: its paragraphs, with a blank line between them.
        number: the page of a document, or the row of a table; None where there are none.
        title: the headings it stands under, outermost first, with " › " between them.
        url: where it is, if it is a web page.
    """

    text: str
    number: int | None = None
    title: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """A few sentences that can be found, and where they are from."""

    id: str
    text: str
    source_id: str
    source_name: str
    page: int | None = None
    title: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A passage and how well it fits what was asked, from 0 to 1."""

    passage: Passage
    score: float


def text_to_embed(title: str, text: str) -> str:
    """What a passage's meaning is taken from: its text under its headings.

    Of 83 spoken questions about 77 passages, 0.90 are answered by the first three so, and 0.83
    without the headings (`bench/answers.py`).
    """
    return f"{title.replace(' › ', ', ')}: {text}" if title else text
