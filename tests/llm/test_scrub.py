from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.llm.scrub import Scrub


def scrub(*pieces: str) -> str:
    sieve = Scrub()
    return "".join(sieve.feed(piece) for piece in pieces) + sieve.finish()


LEAKS = [
    ("Hello.<|im_end|>", "Hello."),
    ("Hello.<|im_end|>\n<|im_start|>user\nAnd then?", "Hello."),
    ("<|im_start|>assistant\nHello.", "\nHello."),
    ("<|im_start|>Hello.", "Hello."),
    ("<|im_start|>hello there", "hello there"),
    ("<|im_start|>hello", "hello"),
    ("<|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|>", "\n\nHello."),
    ("<start_of_turn>model\nHello.<end_of_turn>\n<start_of_turn>user", "\nHello."),
    ("<s>[INST] Hello.</s>", " Hello."),
    ("Hello.</s>", "Hello."),
    ("<bos>Hello.<eos>", "Hello."),
    ("Hello <|fim_middle|>there", "Hello there"),
    ('One moment. <tool_call>{"name": "find"}</tool_call>', "One moment. "),
    ("A <tool_call>{}</tool_call> B", "A  B"),
    ('<tool_call>{"never": "closed"', ""),
    ('<function=find>{"a": 1}</function>Done.', "Done."),
    ('Let me see. [TOOL_CALLS] [{"name": "find"}]', "Let me see. "),
    ("[TOOL_REQUEST]{}[END_TOOL_REQUEST]Done.", "Done."),
    ("<|python_tag|>find.call(1)", ""),
    ('Fine. functions.find:0 {"city": "Rome"}', "Fine. "),
    ('functions.find_it({"city": "Rome"})', ""),
    ("<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Hi.",
     "Hi."),
    ("<|channel|>final<|message|>Hi.<|return|>", "Hi."),
    ("Ja.<\uff5cend\u2581of\u2581sentence\uff5c>Nein.", "Ja."),
    ("A<\uff5ctool\u2581calls\u2581begin\uff5c>x<\uff5ctool\u2581calls\u2581end\uff5c>B", "AB"),
    ("Hello.<|im_e", "Hello."),
]  # fmt: skip

WORDS = [
    "",
    "Plain words.",
    "1 < 2 and [3] > 2",
    "a<b",
    "It has functions. Several functions.",
    "my_functions.find(1) and xfunctions.a:",
    "He said [laughs] and <b>left</b>",
    "If",
    "Of f",
    "functions.find",
    "<",
    "[INS",
    "<| not a mark |>",
    "<|" + "x" * 100 + "|>",
]


@pytest.mark.parametrize(("text", "spoken"), [*LEAKS, *((word, word) for word in WORDS)])
def test_wherever_it_is_cut(text: str, spoken: str) -> None:
    assert scrub(text) == spoken
    assert scrub(*text) == spoken
    for at in range(1, len(text)):
        assert scrub(text[:at], text[at:]) == spoken, (text[:at], text[at:])


@pytest.mark.parametrize(("text", "_"), LEAKS)
def test_calls_of_functions_are_told_from_templates(text: str, _: str) -> None:
    sieve = Scrub()
    sieve.feed(text)
    sieve.finish()
    about = ("tool", "function", "TOOL", "python", "\uff5ctool")
    assert sieve.called == any(word in text for word in about)


FRAGMENTS = st.lists(
    st.sampled_from(
        [text for text, _ in LEAKS]
        + [*WORDS, " ", "\n", "<", "[", "|", ">", "f", "functions.", "<|", "|>", "</", "x"]
    ),
    max_size=5,
).map("".join)


@given(FRAGMENTS, st.lists(st.integers(0, 200), max_size=6))
def test_the_cuts_change_nothing(text: str, cuts: list[int]) -> None:
    bounds = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[begin:end] for begin, end in itertools.pairwise(bounds)]
    assert scrub(*pieces) == scrub(text)


@given(st.text(alphabet="abf uncton.s,é", max_size=60), st.integers(0, 60))
def test_words_are_left_alone_and_soon_spoken(text: str, at: int) -> None:
    sieve = Scrub()
    first = sieve.feed(text[:at])
    assert len(text[:at]) - len(first) <= len("functions.") + 64
    assert first + sieve.feed(text[at:]) + sieve.finish() == text
