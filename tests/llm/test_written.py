from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.llm.arguments import read_arguments
from sayso.llm.calls import MAX_CALLS
from sayso.llm.written import MAX_WRITTEN_CHARS, UNREADABLE, Written, read_bare, read_written

CALL = '{"name": "look_up", "arguments": {"day": "Monday"}}'
NAMES = ("look_up", "book")

SYNTAXES = {
    "hermes": f"<tool_call>\n{CALL}\n",
    "parameters": '<|python_tag|>{"name": "look_up", "parameters": {"day": "Monday"}}',
    "openai": '{"type": "function", "function": {"name": "look_up", "arguments": "{\\"day\\": '
    '\\"Monday\\"}"}}',
    "function as a name": '{"function": "look_up", "args": {"day": "Monday"}}',
    "listed": f'{{"tool_calls": [{CALL}]}}',
    "mistral": f"[TOOL_CALLS] [{CALL}]",
    "mistral, new": '[TOOL_CALLS]look_up[ARGS]{"day": "Monday"}',
    "mistral, with an id": '[TOOL_CALLS]look_up[CALL_ID]abc123[ARGS]{"day": "Monday"}',
    "llama": '<function=look_up>{"day": "Monday"}</function>',
    "llama, open": '<function=look_up>{"day": "Monday"}',
    "qwen coder": "<tool_call>\n<function=look_up>\n<parameter=day>\nMonday\n</parameter>\n"
    "</function>",
    "glm": "<tool_call>look_up\n<arg_key>day</arg_key>\n<arg_value>Monday</arg_value>\n",
    "kimi": "<|tool_call_begin|>functions.look_up:0<|tool_call_argument_begin|>"
    '{"day": "Monday"}',
    "named": 'functions.look_up:0 {"day": "Monday"}',
    "in brackets": 'functions.look_up({"day": "Monday"})',
    "deepseek": "function<\uff5ctool\u2581sep\uff5c>look_up\n```json\n"
    '{"day": "Monday"}\n```',
    "deepseek, new": 'look_up<\uff5ctool\u2581sep\uff5c>{"day": "Monday"}',
    "python": '[look_up(day="Monday")]',
    "python, called": 'look_up.call(day="Monday")',
    "python, printed": 'print(default_api.look_up(day="Monday"))',
}  # fmt: skip


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_every_syntax_is_read(syntax: str) -> None:
    text = SYNTAXES[syntax]
    if syntax.endswith("printed"):
        text = text.removeprefix("print(").removesuffix(")")
    (call,) = read_written(text)
    assert (call.name, read_arguments(call.arguments)) == ("look_up", {"day": "Monday"})


def test_several_calls() -> None:
    other = '{"name": "book"}'
    for text in (f"{CALL}\n{other}", f"[{CALL}, {other}]", f"{CALL} and {other}"):
        assert [call.name for call in read_written(text)] == ["look_up", "book"]
    assert [call.name for call in read_written("[look_up(a=1), book()]")] == ["look_up", "book"]
    assert len(read_written(CALL * 100)) == MAX_CALLS
    assert len(read_written(f"[{','.join([CALL] * 100)}]")) == MAX_CALLS


def test_values_without_quotes_are_guessed() -> None:
    text = "<function=book><parameter=n>3</parameter><parameter=ok>true</parameter></function>"
    assert read_arguments(read_written(text)[0].arguments) == {"n": 3, "ok": True}
    (call,) = read_written("book(n=3, who=somebody, **rest)")
    assert read_arguments(call.arguments) == {"n": 3}


def test_a_damaged_call_is_one_all_the_same() -> None:
    (call,) = read_written('[TOOL_CALLS]look_up[ARGS]{"day": Mon')
    assert (call.name, call.arguments) == ("look_up", '{"day": Mon')
    for text in ("", "<tool_call>", "<tool_call>{oh", "<tool_call>3", "[" * 9999, "x=1", "'"):
        (call,) = read_written(text)
        assert call.name == UNREADABLE
        assert "text" in read_arguments(call.arguments)


@given(st.text("{}[]\"':,<>=/|()` \nabfunctions._\uff5c", max_size=60))
def test_any_text_is_some_call(text: str) -> None:
    for call in read_written(text):
        assert call.name


@pytest.mark.parametrize(
    "text",
    [CALL, f" [{CALL}] ", f"```json\n{CALL}\n```", f"```\n{CALL}", f"```tool_call {CALL}```"],
)
def test_bare_calls(text: str) -> None:
    assert [call.name for call in read_bare(text, NAMES)] == ["look_up"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello.",
        "{",
        "[1, 2]",
        '{"name": "Ann"}',
        '{"name": "look_up", "age": 3}',
        f"Here: {CALL}",
        CALL.replace("look_up", "other"),
        CALL + " " * MAX_WRITTEN_CHARS + "x",
    ],
)
def test_what_is_no_bare_call(text: str) -> None:
    assert read_bare(text, NAMES) == []


# The sieve ------------------------------------------------------------------------------------


def sift(*pieces: str) -> tuple[str, list[str]]:
    sieve = Written(NAMES)
    spoken = "".join(sieve.feed(piece) for piece in pieces) + sieve.finish()
    return spoken, [call.name for call in sieve.found]


STREAMS = [
    ("Plain words.", "Plain words.", 0),
    (CALL, "", 1),
    (f"  {CALL}", "  ", 1),
    (f"Let me see.\n{CALL}", "Let me see.\n", 1),
    (f"Let me see. {CALL}", f"Let me see. {CALL}", 0),
    (f"Sure: ```json\n{CALL}\n```\nIt is nine.", "Sure: ", 1),
    (f"```\n{CALL}", "", 1),
    (f"{CALL}\n{CALL}", "", 2),
    (f"{CALL}It is nine.", "", 1),
    ("[laughs] Hello.", "[laughs] Hello.", 0),
    ('{"name": "Ann"} is JSON.', '{"name": "Ann"} is JSON.', 0),
    ("Use `ls` or ``x``.", "Use `ls` or ``x``.", 0),
    ("```\ncode\n``` and more", "```\ncode\n``` and more", 0),
    ("`", "`", 0),
    ("{ never closed", "{ never closed", 0),
    ('{"name": "look_up", "arguments": {"day": "a \\" } b"}}', "", 1),
    ("\n\n[", "\n\n[", 0),
]


@pytest.mark.parametrize(("text", "spoken", "calls"), STREAMS)
def test_the_sieve(text: str, spoken: str, calls: int) -> None:
    assert sift(text) == (spoken, ["look_up"] * calls)


@given(st.sampled_from(STREAMS), st.lists(st.integers(0, 90), max_size=6))
def test_the_sieve_does_not_care_how_text_is_cut(
    stream: tuple[str, str, int], cuts: list[int]
) -> None:
    text, spoken, calls = stream
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[a:b] for a, b in itertools.pairwise(places)]
    assert sift(*pieces) == (spoken, ["look_up"] * calls)


def test_what_is_held_back_is_bounded() -> None:
    sieve = Written(NAMES)
    spoken = sieve.feed("{" + "x" * (MAX_WRITTEN_CHARS - 1))
    assert len(spoken) == MAX_WRITTEN_CHARS
    many = "\n".join([json.dumps({"name": "book"})] * 50)
    sieve = Written(NAMES)
    assert sieve.feed(many) == ""
    assert len(sieve.found) == MAX_CALLS
