from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.llm.arguments import (
    MAX_ARGUMENTS_CHARS,
    ArgumentsError,
    canonical,
    dump,
    join,
    read_arguments,
    redact,
    tidy,
)

OBJECTS = st.dictionaries(
    st.text(max_size=5),
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), st.lists),
    max_size=4,
)


@pytest.mark.parametrize("text", ["", " ", "null", "None", '""', "{}", '"{}"'])
def test_nothing_is_no_arguments(text: str) -> None:
    assert read_arguments(text) == {}
    assert tidy(text) == "{}"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ('"{\\"a\\": 1}"', {"a": 1}),
        ('{"a": "two\nlines"}', {"a": "two\nlines"}),
    ],
)
def test_what_can_be_read_without_guessing(text: str, value: object) -> None:
    assert read_arguments(text) == value
    assert json.loads(tidy(text), strict=False) == value


@pytest.mark.parametrize(
    "text",
    ["{city: Graz", "[1]", "7", '"text"', '"\\"{}\\""', '{"a": 1', "[" * 5000, '{"a": "\\ud800"}'],
)
def test_what_is_damaged_is_said_so_and_is_not_sent_back(text: str) -> None:
    with pytest.raises(ArgumentsError, match="nothing was done") as error:
        read_arguments(text)
    assert len(str(error.value)) < 1000
    assert tidy(text) == "{}"
    assert canonical(text) == text.strip()


def test_arguments_are_bounded() -> None:
    with pytest.raises(ArgumentsError):
        read_arguments(json.dumps({"a": "x" * MAX_ARGUMENTS_CHARS}))


@given(OBJECTS, st.data())
def test_pieces_are_joined_however_they_are_cut_and_repeated(
    value: dict[str, object], data: st.DataObject
) -> None:
    text = json.dumps(value)
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(text) - 1)), max_size=4)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert join(pieces) == text
    assert json.loads(join([*pieces, text])) == value
    assert json.loads(join([text[:at] for at in cuts] + [text])) == value


def test_a_damaged_text_is_not_replaced_by_its_end() -> None:
    assert join(['{"a": ', "x", "{}"]) == '{"a": x{}'
    assert join([]) == ""


def test_the_same_arguments_are_known_again() -> None:
    assert canonical('{"b":1,"a":2}') == canonical(' {"a": 2, "b": 1} ')
    assert canonical("null") == canonical("{}")


def test_secrets_are_not_shown() -> None:
    assert redact({"pin": 1234, "day": "Monday"}, ("pin", "x")) == {"pin": "…", "day": "Monday"}


def test_what_cannot_be_written() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert dump(deep) == ""
    assert dump({1: {2, 3}}) == ""
    assert dump({"a": "ü"}) == '{"a": "ü"}'


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ArgumentsError):
        assert isinstance(read_arguments(text), dict)
    assert isinstance(json.loads(tidy(text), strict=False), dict)
