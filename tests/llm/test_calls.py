from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.llm import ToolCall
from sayso.llm.arguments import MAX_ARGUMENTS_CHARS, ArgumentsError, read_arguments
from sayso.llm.calls import MAX_CALLS, MAX_ID_CHARS, MAX_NAME_CHARS, Calls

NAMES = ("look_up", "look", "book")


def read(*deltas: object, names: Sequence[str] = NAMES) -> list[ToolCall]:
    calls = Calls(names)
    for delta in deltas:
        calls.add(delta)
    assert len(calls) == len(calls.list())
    return calls.list()


def entry(name: object = None, arguments: object = None, **more: object) -> dict[str, object]:
    return {"function": {"name": name, "arguments": arguments}, **more}


DAY = '{"day": "Monday"}'
ONE = [ToolCall("c1", "look_up", DAY)]


def test_pieces_by_index() -> None:
    pieces = [[entry(None, char, index=0)] for char in DAY]
    assert read([entry("look_up", "", index=0, id="c1")], *pieces) == ONE


def test_half_an_emoji_is_left_out_and_halves_are_joined() -> None:
    halves = [entry("look_up\ud83d", '{"a": "\ud83d', index=0, id="c\ude00")]
    more = [entry(None, '\ude00 \ud83d"}', index=0)]
    assert read(halves, more) == [ToolCall("c", "look_up", '{"a": "\U0001f600 "}')]
    whole = [entry("book", {"a": "\ude00"})]
    assert read(whole) == [ToolCall("", "book", '{"a": ""}')]


SHAPES: dict[str, list[object]] = {
    "from one": [[entry("look_up", DAY, index=1, id="c1")]],
    "no index": [[entry("look_up", DAY, id="c1")]],
    "not in a list": [entry("look_up", DAY, id="c1")],
    "an object": [[entry("look_up", {"day": "Monday"}, id="c1")]],
    "parameters": [[{"id": "c1", "function": {"name": "look_up", "parameters": json.loads(DAY)}}]],
    "id inside": [[{"index": 0, "function": {"id": "c1", "name": "look_up", "arguments": DAY}}]],
    "flat": [[{"id": "c1", "name": "look_up", "arguments": DAY}]],
    "apart": [
        [{"index": 0, "id": "c1"}],
        [entry("look_up", index=0)],
        [entry(None, DAY, index=0)],
    ],
    "apart without an index": [[{"id": "c1"}], [entry("look_up")], [entry(None, DAY)]],
    "id last": [[entry("look_up", DAY, index=0)], [{"index": 0, "id": "c1"}]],
    "whole again": [[entry("look_up", DAY, index=0, id="c1")]] * 3,
    "pieces and then whole": [
        [entry("look_up", DAY[:5], index=0, id="c1")],
        [entry(None, DAY[5:], index=0)],
        [entry("look_up", DAY, index=0, id="c1")],
    ],
    "growing": [[entry("look_up", DAY[:n], index=0, id="c1")] for n in range(1, len(DAY) + 1)],
    "name again and again": [
        [entry("look_up", DAY[:5], index=0, id="c1")],
        [entry("look_up", DAY[5:], index=0, id="c1")],
    ],
    "name in pieces": [
        [entry("loo", index=0, id="c1")],
        [entry("k_up", index=0)],
        [entry(None, DAY, index=0)],
    ],
    "name growing": [
        [entry("look", index=0, id="c1")],
        [entry("look_up", DAY, index=0)],
    ],
    "rubbish between": [
        None,
        "x",
        [None, 3, entry("look_up", DAY, index=0, id="c1")],
        [],
        [{"index": 0, "function": None}],
        {"index": True, "function": "x"},
    ],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_one_call_in_many_shapes(shape: str) -> None:
    names = NAMES if shape != "name growing" else ("look_up",)
    (call,) = read(*SHAPES[shape], names=names)
    assert (call.id, call.name) == ("c1", "look_up")
    assert json.loads(call.arguments) == {"day": "Monday"}


TUESDAY = '{"day": "Tuesday"}'
TWO: dict[str, list[object]] = {
    "by index": [
        [entry("look_up", "", index=0, id="a")],
        [entry("look_up", "", index=1, id="b")],
        [entry(None, DAY, index=0)],
        [entry(None, TUESDAY, index=1)],
    ],
    "in one event": [[entry("look_up", DAY, id="a"), entry("look_up", TUESDAY, id="b")]],
    "without ids": [[entry("look_up", DAY)], [entry("look_up", TUESDAY)]],
    "without ids in one event": [[entry("look_up", DAY), entry("look_up", TUESDAY)]],
    "without ids in one event, twice": [[entry("look_up", DAY), entry("look_up", TUESDAY)]] * 2,
    "all of index 0": [
        [entry("look_up", DAY, index=0, id="a")],
        [entry("look_up", TUESDAY, index=0, id="b")],
    ],
    "all of index 0, without ids": [
        [entry("look_up", DAY, index=0)],
        [entry("look_up", TUESDAY, index=0)],
    ],
    "ids only at first": [
        [entry("look_up", DAY[:4], id="a")],
        [entry(None, DAY[4:])],
        [entry("look_up", TUESDAY[:4], id="b")],
        [entry(None, TUESDAY[4:])],
    ],
    "pieces by place": [
        [entry("look_up"), entry("look_up")],
        [entry(None, DAY), entry(None, TUESDAY)],
    ],
}


@pytest.mark.parametrize("shape", TWO)
def test_two_calls_in_many_shapes(shape: str) -> None:
    found = read(*TWO[shape])
    assert [(call.name, call.arguments) for call in found] == [
        ("look_up", DAY),
        ("look_up", TUESDAY),
    ]


def test_two_functions_without_arguments() -> None:
    assert [call.name for call in read([entry("look")], [entry("book")])] == ["look", "book"]
    assert [call.name for call in read([entry("look", index=0)], [entry("book", index=0)])] == [
        "look",
        "book",
    ]


@pytest.mark.parametrize("none", [None, "", {}, "null"])
def test_no_arguments(none: object) -> None:
    (call,) = read([entry("look", none, index=0, id="c")])
    assert read_arguments(call.arguments) == {}


def test_a_call_without_a_name_is_none() -> None:
    assert read([{"index": 0, "id": "c"}], [entry(None, DAY, index=0)]) == []
    assert read([entry(7, DAY)]) == []


def test_what_a_server_wants_back_is_kept() -> None:
    extra = {"google": {"thought_signature": "abc"}}
    (call,) = read([entry("look", DAY, index=0, extra_content=extra)])
    assert call.extra == {"extra_content": extra}


def test_everything_is_bounded() -> None:
    many = [[entry("look", "{}", index=n, id=f"c{n}")] for n in range(100)]
    assert len(read(*many)) == MAX_CALLS
    assert len(read([entry("look", DAY)] * 1000)) <= MAX_CALLS
    (call,) = read([entry("n" * 999, "", index=0, id="i" * 999)], names=())
    assert (len(call.name), len(call.id)) == (MAX_NAME_CHARS, MAX_ID_CHARS)
    (call,) = read(*[[entry("look", "x" * 5000, index=0, id="c")]] * 100)
    assert len(call.arguments) <= MAX_ARGUMENTS_CHARS + 1
    with pytest.raises(ArgumentsError):
        read_arguments(call.arguments)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(NAMES),
            st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=5), max_size=3),
        ),
        min_size=1,
        max_size=4,
    ),
    st.integers(1, 9),
    st.randoms(use_true_random=False),
)
def test_calls_that_are_numbered_may_be_mixed_in_any_way(
    wanted: list[tuple[str, dict[str, object]]], step: int, random: Random
) -> None:
    queues: list[list[dict[str, object]]] = []
    for n, (name, arguments) in enumerate(wanted):
        text = json.dumps(arguments)
        pieces = [text[at : at + step] for at in range(0, len(text), step)]
        queues.append(
            [entry(name, "", index=n, id=f"c{n}")]
            + [entry(None, piece, index=n) for piece in pieces]
        )
    deltas: list[object] = [[queue.pop(0)] for queue in queues]
    while any(queues):
        deltas.append([random.choice([queue for queue in queues if queue]).pop(0)])
    found = read(*deltas)
    assert [(call.name, json.loads(call.arguments)) for call in found] == wanted


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["index", "id", "name", "function", "arguments", "extra_content"]),
            inner,
        )
    ),
    max_leaves=12,
)


@given(st.lists(ANY, max_size=6))
def test_nothing_a_server_sends_is_a_failure(deltas: list[object]) -> None:
    for call in read(*deltas):
        assert call.name
        assert isinstance(call.arguments, str)
