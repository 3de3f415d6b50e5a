"""Text is a page, or the pages it says it has."""

from __future__ import annotations

from papers import read_bytes
from sayso.knowledge.formats.plain import pages_of_plain, read_plain
from sayso.knowledge.passages import Page


def test_a_text_is_one_page() -> None:
    assert read_bytes(read_plain, b"One.\r\n\r\nTwo.\rThree.\0") == [Page("One.\nTwo.\nThree.")]


def test_form_feeds_number_pages() -> None:
    assert list(pages_of_plain("one\f\ftwo")) == [Page("one", 1), Page("two", 3)]


def test_nothing_is_no_page() -> None:
    assert list(pages_of_plain(" \n ")) == []
