from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.llm.fake.numerals import write_digits


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("Twenty five guests", "25 guests"),
        ("a table for four, at half past seven", "a table for 4, at half past 7"),
        ("Seventy-two", "72"),
        ("a hundred", "100"),
        ("one hundred and five", "105"),
        ("two hundred seventeen", "217"),
        ("three million two hundred thousand and one", "3200001"),
        ("two thousand and twenty six", "2026"),
        ("two point five", "2.5"),
        ("two and a half hours", "2.5 hours"),
        ("one zero zero one", "1001"),
        ("five oh five", "505"),
        ("nineteen eighty four", "1984"),
        ("two, three or four", "2, 3 or 4"),
        ("for one and for two", "for 1 and for 2"),
        ("one two and three", "12 and 3"),
    ],
)
def test_numbers_are_written_in_digits(spoken: str, written: str) -> None:
    assert write_digits(spoken) == written


@pytest.mark.parametrize(
    "text",
    [
        "the one on the left",
        "One moment, please",
        "no one phoned",
        "someone",
        "tent",
        "a thousandth",
    ],
)
def test_other_words_stay(text: str) -> None:
    assert write_digits(text) == text


UNITS = "zero one two three four five six seven eight nine".split()


@given(st.lists(st.integers(0, 9), min_size=2, max_size=12))
def test_digits_said_one_by_one_are_one_number(digits: list[int]) -> None:
    spoken = " ".join(UNITS[one] for one in digits)
    assert write_digits(f"It is {spoken}.") == f"It is {''.join(map(str, digits))}."


@given(st.text(alphabet="one twhundrdapivy-,", max_size=60))
def test_whatever_is_said_can_be_written(text: str) -> None:
    written = write_digits(text)
    assert write_digits(written) == written or any(char.isdigit() for char in written)
