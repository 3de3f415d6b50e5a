from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.llm.chunks import Chunk, ChunkError, read_chunk, read_error


def read(body: object) -> Chunk:
    return read_chunk(json.dumps(body))


def choice(**fields: object) -> dict[str, object]:
    return {"choices": [{"index": 0, **fields}]}


def delta(**fields: object) -> dict[str, object]:
    return choice(delta=fields)


def test_text_of_a_delta() -> None:
    assert read(delta(content=" Hi")) == Chunk(" Hi")
    assert read(delta(role="assistant", content="Hi")) == Chunk("Hi")
    assert read({"choices": [{"delta": {"content": "Hi"}}]}) == Chunk("Hi")


def test_a_chunk_of_playais_fake() -> None:
    body = choice(delta={"content": " has"}, flogprobs=None, finishReason=None)
    assert read(body) == Chunk(" has")
    assert read(choice(delta={}, finishReason="stop")) == Chunk(finish="stop")


def test_why_an_answer_ended() -> None:
    assert read(choice(delta={}, finish_reason="length")) == Chunk(finish="length")
    assert read(choice(delta={"content": "."}, finish_reason="stop")) == Chunk(".", finish="stop")


@pytest.mark.parametrize("content", [None, "", [], {}, 5, True])
def test_content_without_words(content: object) -> None:
    assert read(delta(content=content)) == Chunk()


def test_content_in_parts() -> None:
    parts = [{"type": "text", "text": "a"}, {"text": "b"}, "c", {"type": "image"}, 7]
    assert read(delta(content=parts)) == Chunk("abc")
    assert read(delta(content=[{"type": "text", "text": 1}])) == Chunk()


def test_a_refusal_is_the_answer() -> None:
    assert read(delta(content=None, refusal="I can't.")) == Chunk("I can't.")
    assert read(delta(content="", refusal="No.")) == Chunk("No.")


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content", "thinking"])
def test_reasoning_is_not_text(field: str) -> None:
    assert read(delta(**{field: "hm", "content": None})) == Chunk(reasoning=True)
    assert read(delta(**{field: "hm", "content": "Yes"})) == Chunk("Yes")
    assert read(delta(**{field: None, "content": ""})) == Chunk()


@pytest.mark.parametrize(
    "fields", [{"tool_calls": [{"index": 0}]}, {"function_call": {"name": "f"}}]
)
def test_what_asks_for_a_function(fields: dict[str, object]) -> None:
    called = next(iter(fields.values()))
    assert read(delta(content=None, **fields)) == Chunk(calls=True, called=called)
    assert read(delta(content="One moment.", **fields)) == Chunk("One moment.", called=called)
    message = {"role": "assistant", "content": None, **fields}
    assert read(choice(message=message)) == Chunk(whole=True, calls=True, called=called)
    assert read({"message": message, "done": True}) == Chunk(
        calls=True, finish="stop", called=called
    )


@pytest.mark.parametrize("reason", ["tool_calls", "function_call"])
def test_an_end_that_waits_for_a_function(reason: str) -> None:
    assert read(choice(delta={}, finish_reason=reason)) == Chunk(calls=True, finish=reason)


@pytest.mark.parametrize("none", [None, [], {}])
def test_no_function_is_no_call(none: object) -> None:
    assert read(delta(content=None, tool_calls=none, function_call=none)) == Chunk()


def test_usage_events_say_nothing() -> None:
    assert read({"choices": [], "usage": {"total_tokens": 3}}) == Chunk()
    assert read({"choices": [], "error": None}) == Chunk()


def test_only_the_first_choice_counts() -> None:
    assert read({"choices": [{"index": 1, "delta": {"content": "no"}}]}) == Chunk()
    assert read({"choices": ["odd"]}) == Chunk()


def test_a_whole_message() -> None:
    body = choice(message={"role": "assistant", "content": "All"}, finish_reason="stop")
    assert read(body) == Chunk("All", whole=True, finish="stop")
    assert read(choice(delta={}, message={"content": "So far"})) == Chunk("So far", whole=True)
    both = choice(delta={"content": "new"}, message={"content": "All new"})
    assert read(both) == Chunk("new")


def test_legacy_text() -> None:
    assert read(choice(text="Hi")) == Chunk("Hi")
    assert read(choice(delta=None)) == Chunk()


def test_native_ollama_lines() -> None:
    assert read({"message": {"content": "Hi"}, "done": False}) == Chunk("Hi")
    assert read({"message": {"content": "", "thinking": "hm"}}) == Chunk(reasoning=True)
    assert read({"response": "Hi", "done": True}) == Chunk("Hi", finish="stop")


@pytest.mark.parametrize(
    ("choices", "odd"),
    [
        (None, "choices is null"),
        ({}, "choices is an object"),
        ("x", "choices is a string"),
        (3, "choices is a number"),
        (True, "choices is a boolean"),
    ],
)
def test_choices_that_are_no_list(choices: object, odd: str) -> None:
    assert read({"choices": choices}) == Chunk(odd=odd)


def test_events_that_are_no_completion() -> None:
    assert read({"id": 1}) == Chunk(odd="there is no choices field")
    assert read("hello") == Chunk(odd="the event is a string, not an object")
    assert read([]) == Chunk(odd="the event is a list, not an object")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"error": {"message": "no memory", "code": 1}}, "no memory"),
        ({"error": {"code": 1}}, '{"code": 1}'),
        ({"error": "no memory"}, "no memory"),
        ({"error": 7}, "7"),
        ({"object": "error", "message": "no memory"}, "no memory"),
        ({"type": "error", "detail": 1}, '{"type": "error", "detail": 1}'),
        ([{"error": {"message": "no memory"}}], "no memory"),
        ({"choices": [], "error": {"message": "no memory"}}, "no memory"),
        ({"choices": [{"delta": {"content": "x"}}], "error": "no memory"}, "no memory"),
    ],
)
def test_errors(body: object, error: str) -> None:
    assert read(body) == Chunk(error=error)


def test_an_error_too_deep_to_be_shown_is_still_one() -> None:
    """Found by search: reading takes a depth that writing does not."""
    for depth in (500, 900, 990, 5000):
        for body in ('{"error":%s}', '{"choices":[{"delta":{},"finish_reason":%s}]}'):
            try:
                chunk = read_chunk(body % ("[" * depth + "]" * depth))
            except ChunkError:
                continue
            assert chunk.error or chunk.finish
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert read_error({"error": deep}) == "a list too deep to be shown"


def test_a_reason_for_the_end_that_is_no_text() -> None:
    assert read(choice(delta={}, finish_reason={"type": "stop"})).finish == '{"type": "stop"}'
    assert read(choice(delta={}, finish_reason=1)).finish == "1"


def test_no_error() -> None:
    assert read_error({"error": None}) is None
    assert read_error({"choices": []}) is None
    assert read_error("text") is None


def test_lenient_json() -> None:
    assert read_chunk('{"choices": [{"delta": {"content": "a"}, "score": NaN}]}') == Chunk("a")
    assert read_chunk('{"choices": [{"delta": {"content": "\\ud83d"}}]}').text == "\ud83d"


@pytest.mark.parametrize("data", ["ping", "{", "", "[" * 100_000, "\ud83d", '{"a": ' * 5000])
def test_no_json(data: str) -> None:
    with pytest.raises(ChunkError):
        read_chunk(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "delta", "message", "content", "text", "error", "index", "type", "done"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(json_values)
def test_any_json_gives_a_chunk(body: object) -> None:
    assert isinstance(read(body).text, str)
