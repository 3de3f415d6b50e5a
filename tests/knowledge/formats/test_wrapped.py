"""Broken lines become paragraphs; lines that are lines for a reason stay."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.knowledge.formats.wrapped import unwrap

PROSE = """\
The river guide says that the boat leaves at nine from the old
pier, and that whoever is late has to wait until noon, since the
lock is opened twice a day only.

Bring water.""".split("\n")


def test_a_paragraph_is_sewn_together() -> None:
    assert unwrap(PROSE) == [" ".join(PROSE[:3]), "Bring water."]


def test_a_word_cut_in_two_is_one() -> None:
    assert unwrap(
        ["There is more infor-", "mation at the pier, as there always is in summer."]
    ) == ["There is more information at the pier, as there always is in summer."]


def test_a_hyphen_before_a_name_stays() -> None:
    assert unwrap(
        ["The boat goes from the old pier at Baden-", "Baden to the sea, and then it rests"]
    ) == ["The boat goes from the old pier at Baden- Baden to the sea, and then it rests"]


def test_lists_addresses_and_verses_stay() -> None:
    lines = ["Ann Lee", "12 River Road", "Oldtown"]
    assert unwrap(lines) == lines
    items = [f"{mark} an item that is quite long, as items of such lists are" for mark in "-•*"]
    assert unwrap(items) == items
    assert unwrap(["1. first of them", "2. second of them"]) == [
        "1. first of them",
        "2. second of them",
    ]


def test_nothing_is_nothing() -> None:
    assert unwrap([]) == unwrap(["", "  "]) == []


@settings(deadline=None)
@given(st.lists(st.text("ab .-\n1*", max_size=60), max_size=20))
def test_no_letter_is_lost(lines: list[str]) -> None:
    def letters(parts: list[str]) -> str:
        return "".join("".join(parts).split()).replace("-", "")

    assert letters(unwrap(lines)) == letters(lines)
