from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.functions.arguments import (
    MAX_ARGUMENTS_CHARS,
    ArgumentsError,
    read_arguments,
)
from sayso.functions.definition import Function, Kind, Parameter
from sayso.functions.values import MAX_TEXT_CHARS

DAY = Parameter("day", description="which day the caller wants.")
GUESTS = Parameter("guests", Kind.NUMBER)
OUTSIDE = Parameter("outside", Kind.BOOLEAN)
SIZE = Parameter("size", Kind.ENUM, choices=("Small", "Large", "x-large"))
NOTE = Parameter("note", required=False)


def function(*parameters: Parameter) -> Function:
    return Function("f", "Book", "Books.", "https://a.example/", parameters=parameters)


def read(parameter: Parameter, value: object) -> object:
    return read_arguments(function(parameter), json.dumps({parameter.name: value}))[parameter.name]


def refused(text: str, *parameters: Parameter) -> ArgumentsError:
    with pytest.raises(ArgumentsError) as caught:
        read_arguments(function(*parameters), text)
    return caught.value


@pytest.mark.parametrize(
    ("parameter", "value", "meant"),
    [
        (GUESTS, 4, 4),
        (GUESTS, "5", 5),
        (GUESTS, " -2 ", -2),
        (GUESTS, "2.5", 2.5),
        (GUESTS, 3.0, 3),
        (GUESTS, "1e3", 1000),
        (GUESTS, 1e18, 1e18),
        (OUTSIDE, True, True),
        (OUTSIDE, "Yes", True),
        (OUTSIDE, "off", False),
        (OUTSIDE, 0, False),
        (OUTSIDE, 1.0, True),
        (DAY, "Friday", "Friday"),
        (DAY, 5, "5"),
        (DAY, 5.50, "5.5"),
        (DAY, True, "true"),
        (DAY, "a\0b", "ab"),
        (DAY, "half \ud83d", "half ?"),
        (SIZE, "Large", "Large"),
        (SIZE, " large ", "Large"),
        (SIZE, "X-LARGE", "x-large"),
    ],
)
def test_what_can_only_mean_one_thing_is_taken(
    parameter: Parameter, value: object, meant: object
) -> None:
    found = read(parameter, value)
    assert found == meant
    assert type(found) is type(meant)


@pytest.mark.parametrize(
    ("parameter", "value", "why"),
    [
        (GUESTS, "five", '"guests" must be a number, in digits.'),
        (GUESTS, "1,000", "in digits"),
        (GUESTS, "٥x", "in digits"),
        (GUESTS, "9" * 41, "in digits"),
        (GUESTS, True, "must be a number"),
        (GUESTS, float("inf"), "finite"),
        (GUESTS, "1e999", "finite"),
        (OUTSIDE, "maybe", '"outside" must be true or false.'),
        (OUTSIDE, 2, "true or false"),
        (DAY, ["Friday"], '"day" must be a single value.'),
        (DAY, float("nan"), "finite"),
        (DAY, 10**50, "too many digits"),
        (DAY, "x" * (MAX_TEXT_CHARS + 1), "at most 8000 characters"),
        (SIZE, "huge", '"size" must be one of "Small", "Large", "x-large".'),
    ],
)
def test_what_means_nothing_is_said(parameter: Parameter, value: object, why: str) -> None:
    error = refused(json.dumps({parameter.name: value}), parameter)
    assert why in error.text
    assert error.code == "arguments.bad"
    assert error.text.startswith("Nothing was called. ")
    assert error.text.endswith("Ask the caller if you do not know, then call this again.")


def test_an_enum_of_words_alike_wants_the_exact_one() -> None:
    either = Parameter("code", Kind.ENUM, choices=("a", "A"))
    assert read(either, "A") == "A"
    assert "must be one of" in refused('{"code": " a "}', either).text


def test_what_is_missing_is_to_be_asked_for() -> None:
    error = refused('{"day": null, "size": " "}', DAY, SIZE, NOTE)
    assert error.code == "arguments.missing"
    assert error.text == (
        'Nothing was called. Still missing: "day" (which day the caller wants); "size" (one of '
        '"Small", "Large", "x-large"). Ask the caller for it, then call this again.'
    )


def test_wrong_and_missing_are_said_together() -> None:
    error = refused('{"guests": "few"}', GUESTS, Parameter("day"))
    assert error.text == (
        'Nothing was called. "guests" must be a number, in digits. Still missing: "day". Ask the '
        "caller for it, then call this again."
    )


def test_what_is_optional_is_left_away() -> None:
    assert read_arguments(function(NOTE), "{}") == {}
    assert read_arguments(function(NOTE), "") == {}
    assert "must be" in refused('{"note": {}}', NOTE).text


def test_names_are_found_however_they_are_written() -> None:
    order = Parameter("orderId")
    for name in ("orderId", "order_id", "OrderID", "order-id"):
        assert read_arguments(function(order), json.dumps({name: "7"})) == {"orderId": "7"}
    odd = Parameter("Größe (cm)", Kind.NUMBER)
    assert read_arguments(function(odd), '{"Größe (cm)": 3}') == {"Groe_cm": 3}
    assert read_arguments(function(odd), '{"Groe_cm": 3, "else": 1}') == {"Groe_cm": 3}


def test_fixed_values_are_not_the_llms() -> None:
    key = Parameter("key", static="secret")
    assert read_arguments(function(key, DAY), '{"key": "mine", "day": "Friday"}') == {
        "day": "Friday"
    }


def test_json_in_a_string_is_read() -> None:
    assert read_arguments(function(DAY), json.dumps('{"day": "Friday"}')) == {"day": "Friday"}


@pytest.mark.parametrize("text", ["[]", "3", "{", "day=Friday", '"x"', "[" * 20_000, "9" * 9000])
def test_what_is_no_object_is_refused(text: str) -> None:
    assert "not a JSON object" in refused(text, DAY).text


def test_too_much_is_refused() -> None:
    text = json.dumps({"day": "x" * MAX_ARGUMENTS_CHARS})
    assert "too long" in refused(text, DAY).text


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
ALL = function(DAY, GUESTS, OUTSIDE, SIZE, NOTE)


@given(st.fixed_dictionaries(dict.fromkeys(ALL.argument_names, JSON)) | JSON)
def test_whatever_comes_is_read_or_refused(sent: object) -> None:
    try:
        found = read_arguments(ALL, json.dumps(sent))
    except ArgumentsError as error:
        text, code = error.text, error.code
    else:
        text, code = "", ""
    if text:
        assert text.startswith("Nothing was called")
        assert code in {"arguments.bad", "arguments.missing"}
        return
    assert {"day", "guests", "outside", "size"} <= set(found) <= set(ALL.argument_names)
    assert isinstance(found["outside"], bool)
    assert isinstance(found["guests"], int | float)
    assert not isinstance(found["guests"], bool)
    assert found["size"] in SIZE.choices


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ArgumentsError):
        read_arguments(ALL, text)
