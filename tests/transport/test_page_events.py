"""What pages declare: read as the contract has it, and odd ones left out in a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.transport.page import (
    MAX_DEPTH,
    MAX_EVENTS,
    MAX_FIELDS,
    Field,
    Kind,
    PageEvent,
    read_events,
)

CHANGE = {
    "name": "change-text",
    "when": "the user asks to change\n the text",
    "data": {"text": {"type": "string", "description": "the new text"}},
}


def read_field(sent: object) -> Field:
    declared = read_events([{"name": "e", "data": {"f": sent}}])
    assert declared.problem == ""
    return declared.events[0].data["f"]


def test_the_contracts_example() -> None:
    declared = read_events([CHANGE])
    text = Field(Kind.STRING, "the new text")
    assert declared.events == (
        PageEvent("change-text", "the user asks to change the text", {"text": text}),
    )
    assert declared.problem == ""


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"type": "number"}, Field(Kind.NUMBER)),
        ({"type": "boolean", "required": False}, Field(Kind.BOOLEAN, required=False)),
        ({"type": "enum", "values": ["a", 2]}, Field(Kind.ENUM, choices=("a", 2))),
        (
            {"type": "const-string", "value": "x"},
            Field(Kind.CONST, required=False, value="x"),
        ),
        (
            {"type": "const-number", "value": "42"},
            Field(Kind.CONST, required=False, value=42),
        ),
        ({"type": "const-number", "value": -0.5}, Field(Kind.CONST, required=False, value=-0.5)),
        ({"type": "const-boolean", "value": "True"}, Field(Kind.CONST, required=False, value=True)),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}},
            Field(Kind.OBJECT, fields={"a": Field(Kind.STRING)}),
        ),
        (
            {"type": "array", "items": {"type": "number"}},
            Field(Kind.ARRAY, items=Field(Kind.NUMBER)),
        ),
    ],
)
def test_each_type_of_field(sent: object, read: Field) -> None:
    assert read_field(sent) == read


def nest(depth: int) -> dict[str, Any]:
    inner: dict[str, Any] = {"type": "string"}
    for _ in range(depth - 1):
        inner = {"type": "array", "items": inner}
    return {"name": "e", "data": {"f": inner}}


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (7, "events.0 must be an object with a name"),
        ({"when": "now"}, "events.0.name must be a text"),
        ({"name": " "}, "events.0.name must be a text"),
        ({"name": "x" * 251}, "events.0.name must be a text"),
        ({"name": "e", "when": 5}, "events.0.when must be a text"),
        ({"name": "e", "data": "text"}, "events.0.data must be an object"),
        ({"name": "e", "data": {"f": "string"}}, "events.0.data.f must be an object with a type"),
        ({"name": "e", "data": {"f": {}}}, "events.0.data.f.type is none of string, number"),
        ({"name": "e", "data": {"f": {"type": "enum", "values": []}}}, "f.values must be a list"),
        (
            {"name": "e", "data": {"f": {"type": "enum", "values": [{}]}}},
            "events.0.data.f.values must be a list",
        ),
        (
            {"name": "e", "data": {"f": {"type": "const-number", "value": "x"}}},
            "events.0.data.f.value does not fit its type",
        ),
        (
            {"name": "e", "data": {"f": {"type": "const-number", "value": "nan"}}},
            "events.0.data.f.value does not fit its type",
        ),
        (
            {"name": "e", "data": {"f": {"type": "const-boolean"}}},
            "events.0.data.f.value does not fit its type",
        ),
        (
            {"name": "e", "data": {"f": {"type": "object", "properties": []}}},
            "",
        ),
        (
            {"name": "e", "data": {"f": {"type": "object", "properties": "x"}}},
            "events.0.data.f.properties must be an object",
        ),
        (
            {"name": "e", "data": {"f": {"type": "array"}}},
            "events.0.data.f.items must be an object",
        ),
        (nest(MAX_DEPTH + 1), "is deeper than 4 levels"),
        (nest(MAX_DEPTH), ""),
        (
            {"name": "e", "data": {f"f{n}": {"type": "string"} for n in range(MAX_FIELDS + 1)}},
            "events.0.data has more than 50 fields",
        ),
        (
            {
                "name": "e",
                "data": {
                    f"f{n}": {"type": "array", "items": {"type": "string"}}
                    for n in range(MAX_FIELDS)
                },
            },
            "events.0.data has more than 50 fields",
        ),
    ],
)
def test_an_odd_one_is_left_out_and_said(sent: object, problem: str) -> None:
    declared = read_events([sent, CHANGE])
    names = [event.name for event in declared.events]
    assert names == (["change-text"] if problem else ["e", "change-text"])
    assert problem in declared.problem


def test_of_two_of_a_name_the_last_counts_and_there_is_an_end() -> None:
    again = {**CHANGE, "when": "later"}
    assert [event.when for event in read_events([CHANGE, again]).events] == ["later"]
    many = read_events([{"name": f"e{n}"} for n in range(MAX_EVENTS + 1)])
    assert len(many.events) == MAX_EVENTS
    assert many.problem.endswith("events has 65, and 64 are read")
    odd = read_events([1] * 9)
    assert odd.problem.endswith("; and 4 more")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(["enum", "array"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["name", "when", "data", "type", "values", "value", "items", "properties"]
            )
            | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@given(st.lists(JSON, max_size=5))
def test_whatever_is_declared_is_read_or_said(sent: list[object]) -> None:
    declared = read_events(sent)
    assert len(declared.events) <= len(sent)
    assert declared.events or declared.problem or not sent
