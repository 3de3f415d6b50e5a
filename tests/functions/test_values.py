"""What an LLM wrote, as the value that is wanted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.functions.values import (
    MAX_TEXT_CHARS,
    Value,
    choose,
    list_choices,
    read_boolean,
    read_number,
    read_text,
    refuse_compound,
)

SINGLE = st.one_of(st.text(), st.integers(), st.floats(), st.booleans())


@pytest.mark.parametrize(
    ("raw", "number"), [("5", 5), (" -2.50 ", -2.5), ("1e3", 1000), (4.0, 4), (0.5, 0.5), (7, 7)]
)
def test_numbers(raw: Any, number: float) -> None:  # noqa: ANN401
    read = read_number(raw)
    assert read == number
    assert isinstance(read, type(number))


@pytest.mark.parametrize("raw", ["five", "", True, float("inf"), "1" * 41, "0x10"])
def test_what_is_no_number(raw: Any) -> None:  # noqa: ANN401
    with pytest.raises(ValueError, match="must be a"):
        read_number(raw)


def test_yes_and_no() -> None:
    yes: tuple[Value, ...] = ("Yes", True, "on", 1, "TRUE")
    no: tuple[Value, ...] = ("no", False, "Off", 0)
    assert all(read_boolean(one) for one in yes)
    assert not any(read_boolean(one) for one in no)
    with pytest.raises(ValueError, match="must be true or false"):
        read_boolean("perhaps")


def test_texts_can_be_sent() -> None:
    assert read_text("a\0b\ud800") == "ab?"
    assert read_text(2.50) == "2.5"
    with pytest.raises(ValueError, match="at most"):
        read_text("x" * (MAX_TEXT_CHARS + 1))
    with pytest.raises(ValueError, match="too many digits"):
        read_text(10**50)
    with pytest.raises(ValueError, match="finite"):
        read_text(float("nan"))


def test_a_choice_is_what_was_declared() -> None:
    assert choose(("small", "Large"), " LARGE") == "Large"
    assert choose((1, 2.5, "three"), "2.5") == 2.5
    assert choose(("a", "a"), "a") == "a"
    with pytest.raises(ValueError, match='must be one of "a", "A"'):
        choose(("a", "A"), " a")
    assert list_choices((1, "é", True)) == '1, "é", true'


@pytest.mark.parametrize("raw", [None, [], {}])
def test_one_value_is_wanted(raw: object) -> None:
    with pytest.raises(ValueError, match="single value"):
        refuse_compound(raw)


@given(SINGLE)
def test_whatever_comes_is_read_or_refused_in_words(raw: Any) -> None:  # noqa: ANN401
    for read in (read_number, read_boolean, read_text):
        said = ""
        try:
            str(read(refuse_compound(raw))).encode()
        except ValueError as error:
            said = str(error)
        assert not said or said.startswith(("must ", "has "))
