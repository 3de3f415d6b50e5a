"""Numbers as words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.tts.numerals import (
    LONGEST_DIGITS,
    say_cardinal,
    say_digits,
    say_number,
    say_ordinal,
    say_plain,
    say_year,
)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("0", "zero"),
        ("20", "twenty"),
        ("42", "forty-two"),
        ("101", "one hundred one"),
        ("1,200.50", "one thousand two hundred point five zero"),
        ("1000000", "one million"),
        ("007", "zero zero seven"),
        (".5", "zero point five"),
        ("9" * 16, " ".join(["nine"] * 16)),
    ],
)
def test_a_number_is_counted(written: str, said: str) -> None:
    assert say_number(written) == said


@pytest.mark.parametrize(
    ("digits", "said"),
    [
        ("1", "first"),
        ("2", "second"),
        ("5", "fifth"),
        ("8", "eighth"),
        ("12", "twelfth"),
        ("20", "twentieth"),
        ("21", "twenty-first"),
        ("101", "one hundred first"),
        ("112", "one hundred twelfth"),
        ("1000", "one thousandth"),
        ("21000", "twenty-one thousandth"),
    ],
)
def test_a_place_in_a_row(digits: str, said: str) -> None:
    assert say_ordinal(digits) == said


@pytest.mark.parametrize(
    ("digits", "said"),
    [
        ("1984", "nineteen eighty-four"),
        ("1900", "nineteen hundred"),
        ("1905", "nineteen oh five"),
        ("2000", "two thousand"),
        ("2005", "two thousand five"),
        ("2024", "twenty twenty-four"),
    ],
)
def test_a_year(digits: str, said: str) -> None:
    assert say_year(digits) == said == say_plain(digits)


def test_a_plain_number_outside_the_years_is_counted() -> None:
    assert say_plain("3000") == "three thousand"
    assert say_plain("1,984") == "one thousand nine hundred eighty-four"


@given(st.integers(0, 10**LONGEST_DIGITS - 1))
def test_different_numbers_are_said_differently(number: int) -> None:
    said = say_cardinal(str(number))
    assert said != say_cardinal(str(number + 1 if number < 10**14 else number - 1))
    assert not any(character.isdigit() for character in said)


@given(st.text("0123456789", min_size=1, max_size=40))
def test_digits_are_said_one_by_one(digits: str) -> None:
    assert len(say_digits(digits).split()) == len(digits)
