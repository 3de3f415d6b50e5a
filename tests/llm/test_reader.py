from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.llm.findings import Scene
from sayso.llm.reader import MAX_REPLY_CHARS, Form, ReplyReader, is_about_model, is_about_path

SCENE = Scene("http://llm.test/chat/completions", ("sk-12345678",))


def event(content: object = None, **fields: object) -> bytes:
    delta = {"content": content} if content is not None else {}
    body = {"choices": [{"index": 0, "delta": delta, **fields}]}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def read(*pieces: bytes) -> tuple[str, ReplyReader]:
    reader = ReplyReader(SCENE, model="gpt")
    text = "".join(reader.feed(piece) for piece in pieces)
    return text + reader.finish(), reader


def fail(*pieces: bytes) -> str:
    reader = read(*pieces)[1]
    assert reader.failure is not None
    return reader.failure.code


def warn(*pieces: bytes) -> list[str]:
    reader = read(*pieces)[1]
    assert reader.failure is None
    return list(reader.warnings)


def test_an_event_stream() -> None:
    text, reader = read(event("Hi"), event(" there"), DONE)
    assert text == "Hi there"
    assert (reader.form, reader.failure, reader.warnings) == (Form.SSE, None, {})
    assert reader.done
    assert reader.complete
    assert reader.spoken


def test_words_come_with_their_bytes() -> None:
    reader = ReplyReader(SCENE)
    assert reader.feed(event("Hi")[:-3]) == ""
    assert reader.feed(event("Hi")[-3:] + event(" you")) == "Hi you"


def test_a_finish_reason_is_an_end_and_what_follows_is_still_read() -> None:
    text, reader = read(event("Hi", finish_reason="stop"), event("!"))
    assert (text, reader.finish_reason, reader.complete, reader.done) == (
        "Hi!",
        "stop",
        True,
        False,
    )


def test_nothing_is_read_after_done() -> None:
    reader = ReplyReader(SCENE)
    assert reader.feed(event("Hi") + DONE + event("!")) == "Hi"
    assert reader.feed(event("!")) == ""
    assert reader.finish() == ""


def test_a_stream_that_just_ends_is_noted() -> None:
    assert warn(event("Hi")) == ["stream.no_end"]


def test_blank_lines_and_a_mark_may_come_first() -> None:
    assert read(b"\xef\xbb", b"\xbf", b"\r\n \n", event("Hi"), DONE)[0] == "Hi"


@pytest.mark.parametrize("split", [False, True])
def test_a_json_completion(split: bool) -> None:
    body = json.dumps({"choices": [{"message": {"content": "All of it"}}]}, indent=1).encode()
    text, reader = read(*([bytes((b,)) for b in body] if split else [body]))
    assert (text, reader.form, reader.failure) == ("All of it", Form.JSON, None)
    assert list(reader.warnings) == ["body.json_not_sse"]


def test_lines_of_json_are_spoken_as_they_come() -> None:
    reader = ReplyReader(SCENE)
    lines = [b'{"message": {"content": "Hi"}}\n', b'{"message": {"content": " you"}}\n']
    assert [reader.feed(line) for line in lines] == ["Hi", " you"]
    assert reader.finish() == ""
    assert "body.json_not_sse" in reader.warnings


@pytest.mark.parametrize("page", [b"<!DOCTYPE html>", b"\n <html>", b"<?xml version='1.0'?>"])
def test_a_web_page(page: bytes) -> None:
    assert fail(page) == "http.html"
    assert read(page, b"x" * 2_000_000)[1].form is Form.HTML


@pytest.mark.parametrize("body", [b"Hello!", b"ok\n\n", b"{no json", b"{'a': 1}\n", b"[1, 2"])
def test_bodies_that_are_neither(body: bytes) -> None:
    assert fail(body) == "body.not_sse"


@pytest.mark.parametrize(
    "pieces", [(), (b"",), (b"\n\n",), (DONE,), (b": hi\n\n", DONE), (event(""), event(), DONE)]
)
def test_an_answer_without_words(pieces: tuple[bytes, ...]) -> None:
    if pieces and b"hi" in pieces[0]:
        pieces = pieces[1:]
    assert fail(*pieces) == "stream.empty"


def test_blanks_are_no_words() -> None:
    assert fail(event(" "), event("\n"), DONE) == "stream.empty"


def test_a_bare_done_at_the_start() -> None:
    assert fail(b"[", b"DONE]\n") == "stream.empty"
    assert fail(b"[DONE]") == "stream.empty"


def test_reasoning_is_not_spoken() -> None:
    thought = b'data: {"choices": [{"delta": {"reasoning": "hm"}}]}\n\n'
    assert fail(thought, DONE) == "stream.reasoning_only"
    assert fail(event("<think>hm"), DONE) == "stream.reasoning_only"
    assert read(thought, event("Yes"), DONE)[0] == "Yes"
    assert warn(thought, event("Yes"), DONE) == ["stream.reasoning"]
    assert warn(event("<think>x</think>Yes"), DONE) == ["stream.reasoning"]


def test_events_without_choices() -> None:
    assert fail(b'data: {"choices": null}\n\n', DONE) == "stream.no_choices"
    assert warn(b'data: {"id": 1}\n\n', event("Hi"), DONE) == []


def test_an_error_in_the_middle_keeps_what_was_said() -> None:
    error = b'data: {"error": {"message": "no memory for sk-12345678"}}\n\n'
    text, reader = read(event("Hi") + error + event("!"))
    assert text == "Hi"
    assert reader.failure is not None
    assert reader.failure.code == "stream.error_object"
    assert "no memory for [secret]" in reader.failure.message


def test_errors_by_the_events_name() -> None:
    assert fail(b"event: error\ndata: no memory\n\n") == "stream.error_object"
    assert fail(b'event: error\ndata: {"code": 5}\n\n') == "stream.error_object"


def test_a_json_error_with_status_200() -> None:
    assert fail(b'{"error": {"message": "overloaded"}}') == "stream.error_object"
    assert fail(b'[{"error": {"message": "overloaded"}}]') == "stream.error_object"
    assert fail(b'{"error": {"message": "The model `x` does not exist"}}') == "model.unknown"


def test_an_event_that_is_no_json_is_skipped() -> None:
    assert warn(b"data: ping\n\n", b"data: pong\n\n", event("Hi"), DONE) == ["stream.bad_json"]


def test_a_last_event_that_is_cut() -> None:
    assert fail(event("Hi"), b'data: {"choices": [{"de') == "stream.cut"
    assert warn(event("Hi", finish_reason="stop"), b'data: {"cho') == ["stream.bad_json"]


def test_cumulative_answers_are_said_once() -> None:
    text, reader = read(event("Well"), event("Well then"), event("Well then, hello"), DONE)
    assert (text, list(reader.warnings)) == ("Well then, hello", ["stream.cumulative"])
    whole = b'data: {"choices": [{"message": {"content": "Hi"}}]}\n\n'
    assert read(whole, whole.replace(b"Hi", b"Hi you"), DONE)[0] == "Hi you"
    assert warn(whole, whole, DONE) == ["stream.cumulative"]


def test_what_was_held_back_is_said_at_the_end() -> None:
    assert read(event("1 <"), DONE)[0] == "1 <"
    assert read(event("ha"), event("haha"), DONE)[0] == "hahaha"


def test_everything_is_bounded() -> None:
    assert fail(*[event("word " * 2000)] * 4) == "stream.too_long"
    assert fail(b"data: ", *[b"x" * 100_000] * 11) == "stream.too_long"
    assert fail(b"data: {\n" + b"data: x" * 160_000) == "stream.too_long"
    assert fail(b'{"a": "', *[b"x" * 100_000] * 11) == "stream.too_long"
    assert MAX_REPLY_CHARS < 4 * 10_000


def test_the_tail_of_an_event_is_bounded_at_the_end_too() -> None:
    assert fail(b"data: " + b"x" * 1_000_000 + b"\ndata: " + b"x" * 100_000) == "stream.too_long"


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("The model `gpt-9` does not exist or you do not have access to it.", True),
        ("model 'llama9' not found, try pulling it first", True),
        ('{"code": "model_not_found"}', True),
        ("Unknown model: x", True),
        ("Invalid model name", True),
        ("x is not a valid model ID", False),
        ("Not Found", False),
        ("'temperature' is not supported with this model.", False),
    ],
)
def test_errors_about_the_model(text: str, about: bool) -> None:
    assert is_about_model(text) is about


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("Unexpected endpoint or method. (POST /chat/completions)", True),
        ("Invalid URL (POST /chat/completions)", True),
        ("no such route", True),
        ("Endpoint not found", True),
        ("the model is overloaded", False),
        ("the endpoint is overloaded", False),
        ("image URL: not found", False),
    ],
)
def test_errors_about_the_path(text: str, about: bool) -> None:
    assert is_about_path(text) is about


def test_an_error_about_the_path_is_one_only_at_the_beginning() -> None:
    error = '{"error": "Unexpected endpoint or method. (POST /chat/completions)"}'
    assert fail(error.encode()) == "path.not_found"
    assert fail(event("Well. "), f"data: {error}\n\n".encode()) == "stream.error_object"


pieces = st.lists(
    st.sampled_from(
        [
            event("Hi"),
            event(" <think>"),
            event("</think>"),
            event("ü👋"),
            DONE[:7],
            DONE,
            b"\n\n",
            b"<",
            b"{",
            b'{"choices": [{"message": {"content": "x"}}]}',
            b'data: {"error": "x"}\n\n',
            b": c\n\n",
            b"[",
        ]
    )
    | st.binary(max_size=6),
    max_size=12,
)


@given(pieces, st.lists(st.integers(0, 400), max_size=8))
def test_any_cut_is_read_the_same(parts: list[bytes], where: list[int]) -> None:
    body = b"".join(parts)
    ends = [0, *sorted(min(place, len(body)) for place in where), len(body)]
    text, whole = read(body)
    same, cut = read(*(body[a:b] for a, b in itertools.pairwise(ends)))
    assert same == text
    assert (cut.failure and cut.failure.code) == (whole.failure and whole.failure.code)
    assert list(cut.warnings) == list(whole.warnings)
    assert bool(text.strip()) or whole.failure is not None


def test_an_answer_that_begins_inside_its_thoughts() -> None:
    text, reader = read(event("Hm.</think>"), event("Hi"), DONE)
    assert (text, reader.unopened) == ("Hm.Hi", True)
    knowing = ReplyReader(SCENE, inside=True)
    assert knowing.feed(event("Hm.</think>") + event("Hi")) == "Hi"


def test_of_a_whole_body_nothing_before_the_end_of_thoughts_is_spoken() -> None:
    body = {"choices": [{"message": {"content": "Hm.</think>\n\nHi <|im_end|>there"}}]}
    text, reader = read(json.dumps(body).encode())
    assert (text, reader.unopened) == ("Hi ", True)


def test_template_text_alone_is_an_empty_answer() -> None:
    assert fail(event("<|im_start|>assistant<|im_end|>"), DONE) == "stream.empty"
    assert fail(event("<|channel|>analysis<|message|>Hm."), DONE) == "stream.empty"


CALL = b'data: {"choices": [{"delta": {"tool_calls": [{"index": 0}]}}]}\n\n'


def test_an_answer_that_only_asks_for_a_function() -> None:
    assert fail(CALL, DONE) == "stream.tool_calls_only"
    assert fail(event(finish_reason="tool_calls"), DONE) == "stream.tool_calls_only"
    assert fail(event('<tool_call>{"name": "find"}</tool_call>'), DONE) == "stream.tool_calls_only"
    assert fail(event("functions.find(1)"), DONE) == "stream.tool_calls_only"
    thought = b'data: {"choices": [{"delta": {"reasoning": "hm"}}]}\n\n'
    assert fail(thought, CALL, DONE) == "stream.tool_calls_only"
    assert warn(event("One moment."), CALL, DONE) == []


# Functions -------------------------------------------------------------------------------------


def read_calls(*pieces: bytes) -> tuple[str, ReplyReader]:
    reader = ReplyReader(SCENE, model="gpt", tools=["look_up"])
    text = "".join(reader.feed(piece) for piece in pieces)
    return text + reader.finish(), reader


def call_event(finish: str | None = None, **fields: object) -> bytes:
    body = {"choices": [{"index": 0, "delta": fields, "finish_reason": finish}]}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


DAY = '{"day": "Monday"}'
ENTRY = {"index": 0, "id": "c1", "function": {"name": "look_up", "arguments": DAY}}
WRITTEN = '<tool_call>{"name": "look_up", "arguments": {"day": "Monday"}}</tool_call>'


@pytest.mark.parametrize(
    "ending", [(DONE,), (call_event("stop"),), (call_event("tool_calls"),), ()]
)
def test_calls_of_offered_functions(ending: tuple[bytes, ...]) -> None:
    text, reader = read_calls(event("One moment. "), call_event(tool_calls=[ENTRY]), *ending)
    assert text == "One moment. "
    assert [(call.id, call.name, call.arguments) for call in reader.calls] == [
        ("c1", "look_up", DAY)
    ]
    assert reader.failure is None
    assert reader.calling == 1


def test_a_call_without_words_is_an_answer() -> None:
    _, reader = read_calls(call_event(tool_calls=[ENTRY]), DONE)
    assert (reader.failure, len(reader.calls)) == (None, 1)


def test_words_and_a_call_in_one_event() -> None:
    text, reader = read_calls(call_event(content="One moment.", tool_calls=[ENTRY]), DONE)
    assert (text, len(reader.calls)) == ("One moment.", 1)


def test_a_call_in_a_json_completion_and_in_ollamas_lines() -> None:
    message = {"role": "assistant", "content": None, "tool_calls": [ENTRY]}
    for body in ({"choices": [{"message": message}]}, {"message": message, "done": True}):
        _, reader = read_calls(json.dumps(body).encode() + b"\n")
        assert [call.name for call in reader.calls] == ["look_up"]


@pytest.mark.parametrize(
    "words",
    [
        WRITTEN,
        f"One moment. {WRITTEN} It is nine.",
        f"<think>Hm, {WRITTEN}</think>{WRITTEN}",
        f"```\n{WRITTEN}\n```",
        'One moment.\n```json\n{"name": "look_up", "arguments": {"day": "Monday"}}\n```\nNine.',
        '{"name": "look_up", "parameters": {"day": "Monday"}}',
        '[TOOL_CALLS][{"name": "look_up", "arguments": {"day": "Monday"}}]',
        '<function=look_up>{"day": "Monday"}</function>',
        f"{WRITTEN}<tool_response>nine</tool_response>",
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_calls_that_are_written_into_the_words(words: str, size: int) -> None:
    pieces = [words[at : at + size] for at in range(0, len(words), size)]
    text, reader = read_calls(*map(event, pieces), DONE)
    assert text.strip() in ("", "One moment.")
    assert [(call.name, json.loads(call.arguments)) for call in reader.calls] == [
        ("look_up", {"day": "Monday"})
    ]
    assert reader.failure is None


def test_calls_as_such_win_over_those_in_words() -> None:
    _, reader = read_calls(event(WRITTEN), call_event(tool_calls=[ENTRY]), DONE)
    assert [call.id for call in reader.calls] == ["c1"]


def test_a_call_that_is_cut_off_is_there_to_be_told_that_it_is_damaged() -> None:
    cut = {**ENTRY, "function": {"name": "look_up", "arguments": '{"day": "Mo'}}
    _, reader = read_calls(call_event("length", tool_calls=[cut]), DONE)
    assert reader.calls[0].arguments == '{"day": "Mo'
    _, reader = read_calls(event('<tool_call>{"name": "look_up", "arg'), DONE)
    assert len(reader.calls) == 1


def test_an_error_takes_the_calls_with_it() -> None:
    _, reader = read_calls(call_event(tool_calls=[ENTRY]), b'data: {"error": "oh"}\n\n')
    assert (reader.calls, reader.failure is None) == ([], False)


def test_a_call_of_nothing_is_still_a_finding() -> None:
    _, reader = read_calls(call_event("tool_calls"), DONE)
    assert reader.failure is not None
    assert reader.failure.code == "stream.tool_calls_only"
    assert fail(call_event(tool_calls=[ENTRY]), DONE) == "stream.tool_calls_only"
    assert read(event(WRITTEN), DONE)[1].calls == []


@given(
    st.lists(st.sampled_from([WRITTEN, "One. ", "<tool", "{", "```", "\n", DAY, "[TOOL_CALLS]"])),
    st.integers(1, 9),
)
def test_no_piece_of_the_syntax_is_ever_spoken(parts: list[str], size: int) -> None:
    words = "".join(parts)
    pieces = [words[at : at + size] for at in range(0, len(words), size)]
    text, reader = read_calls(*map(event, pieces), DONE)
    assert "<tool_call>" not in text
    assert "look_up" not in text
    assert all(call.name for call in reader.calls)
