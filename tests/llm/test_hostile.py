"""Answers made to do harm: nesting, numbers, halves of characters, floods.

Held throughout: nothing is raised, there are words or a failure, what is kept is bounded, and
time grows with the answer, not with its square.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
import tracemalloc

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.llm.fake import QUIRKS, FakeConfig, running_fake
from sayso.llm.findings import MAX_EVIDENCE_CHARS, Scene
from sayso.llm.reader import MAX_REPLY_CHARS, ReplyReader, is_about_model
from sayso.llm.scrub import MAX_OPEN_CHARS, Scrub

SCENE = Scene("http://fake/chat/completions", ("sk-12345678",))
MEGABYTE = 1_000_000
CPU_S = 2.0
"""Of the processor, not of the clock; what took the square of its length took twenty."""


def nest(depth: int, begin: str = "[", end: str = "]") -> str:
    return begin * depth + end * depth


VALUES = [
    *(nest(depth) for depth in (100, 900, 990, 1100, 20_000)),
    *('{"a":' * depth + "1" + "}" * depth for depth in (100, 990, 20_000)),
    *("9" * digits for digits in (20, 400, 4300, 4301, 100_000)),
    *("1e400", "-1e999999999", "NaN", "-Infinity", "01", "'x'", "null", "true", "{}", "[]"),
    *('"\\ud800"', '"\\udc00"', '"\\ud83d\\ude00"', '"\\u0000"', '"\x00"', '""'),
    *("[null]", "[[]]", '{"message":null}', '[{"text":"\\ud800"}]', '"' + "\\ud83d" * 20_000 + '"'),
]
PLACES = [
    *("%s", "[%s]", '{"choices":%s}', '{"choices":[%s]}', '{"choices":[{"delta":%s}]}'),
    '{"choices":[{"index":%s,"delta":{"content":"x"}}]}',
    '{"choices":[{"delta":{"content":%s}}]}',
    '{"choices":[{"delta":{"content":[%s]}}]}',
    '{"choices":[{"delta":{"content":[{"type":%s,"text":"x"}]}}]}',
    '{"choices":[{"delta":{"refusal":%s}}]}',
    '{"choices":[{"delta":{"reasoning":%s}}]}',
    '{"choices":[{"delta":{"tool_calls":%s}}]}',
    '{"choices":[{"delta":{"content":"x"},"finish_reason":%s}]}',
    '{"choices":[{"message":%s}]}',
    '{"choices":[{"message":{"content":%s}}]}',
    '{"choices":[{"text":%s}]}',
    '{"choices":[],"error":%s}',
    *('{"error":%s}', '{"error":{"message":%s}}', '{"error":{"code":%s}}', '[{"error":%s}]'),
    *('{"object":"error","message":%s}', '{"type":"error","x":%s}', '{"object":%s}'),
    *('{"message":%s}', '{"message":{"thinking":%s}}', '{"response":%s}', '{"done":%s}'),
]


def read(*pieces: bytes, inside: bool = False) -> tuple[str, ReplyReader]:
    """Read an answer, and see to it that it ended as every answer must."""
    reader = ReplyReader(SCENE, inside=inside)
    text = "".join([*map(reader.feed, pieces), reader.finish()])
    text.encode()
    assert len(text) <= MAX_REPLY_CHARS
    assert text.strip() or reader.failure, "nothing to say, and nothing said about it"
    found = [*reader.warnings.values(), *([reader.failure] if reader.failure else [])]
    for finding in found:
        finding.message.encode()
        assert len(finding.evidence) <= MAX_EVIDENCE_CHARS
    return text, reader


def event(content: str) -> bytes:
    return b"data: %s\n\n" % json.dumps({"choices": [{"delta": {"content": content}}]}).encode()


# Shapes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
def test_any_value_in_any_place(place: str) -> None:
    for value in VALUES:
        body = (place % value).encode()
        read(b"data: " + body + b"\n\n")
        read(b"event: error\ndata: " + body + b"\n\n")
        read(body)
        read(body + b"\n" + body + b"\n")


async def _record() -> dict[str, bytes]:
    """What each quirk answers, as far as it does within a moment."""
    bodies: dict[str, bytes] = {}
    asked = {"messages": [{"role": "user", "content": "Grün ist 👋."}]}
    limit = aiohttp.ClientTimeout(total=0.5)

    async def record(session: aiohttp.ClientSession, url: str, name: str) -> None:
        path = f"{url}/quirk/{name}/chat/completions"
        body = b""
        try:
            async with session.post(path, json=asked, timeout=limit) as answer:
                async for piece in answer.content.iter_any():
                    body += piece
                    if len(body) > 20_000:
                        break
        except (aiohttp.ClientError, TimeoutError):
            pass  # as far as it came
        if body:
            bodies[name] = body[:20_000]

    async with (
        running_fake(FakeConfig(first_token_s=0, token_s=0)) as url,
        aiohttp.ClientSession() as session,
    ):
        await asyncio.gather(*(record(session, url, name) for name in QUIRKS))
    return dict(sorted(bodies.items()))


CORPUS = asyncio.run(_record())
POISON = (b"\x00", b"\xff\xfe", b"\r", b"\n\n", b"\xed\xa0\x80", b"[DONE]", b"data:", b"<think>")


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Lines of two answers, lost, doubled, reordered, poisoned, and bits of them flipped."""
    names = st.sampled_from(sorted(CORPUS))
    lines = (CORPUS[draw(names)] + CORPUS[draw(names)]).splitlines(keepends=True)
    places = st.integers(0, len(lines) - 1)
    for _ in range(draw(st.integers(0, 4))):
        here, there = draw(places), draw(places)
        lines[here], lines[there] = lines[there], lines[here]
    for _ in range(draw(st.integers(0, 3))):
        lines[draw(places)] *= draw(st.integers(0, 3))
    stream = bytearray(b"".join(lines) or b"\n")
    at = st.integers(0, 1 << 20)
    for _ in range(draw(st.integers(0, 4))):
        stream[draw(at) % len(stream)] ^= 1 << draw(st.integers(0, 7))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(at) % len(stream)
        value = st.sampled_from([value.encode() for value in VALUES if len(value) < 5000])
        stream[place:place] = draw(st.sampled_from(POISON) | value)
    return bytes(stream[draw(at) % len(stream) :] if draw(st.booleans()) else stream)


@settings(max_examples=400)
@given(mutated(), st.lists(st.integers(0, 30_000), max_size=6), st.booleans())
def test_a_mutated_answer_is_read_the_same_however_it_is_cut(
    stream: bytes, places: list[int], inside: bool
) -> None:
    ends = [0, *sorted(min(place, len(stream)) for place in places), len(stream)]
    whole, one = read(stream, inside=inside)
    pieces, other = read(*(stream[a:b] for a, b in itertools.pairwise(ends)), inside=inside)
    assert pieces == whole
    assert (other.failure and other.failure.code) == (one.failure and one.failure.code)
    assert list(other.warnings) == list(one.warnings)


def test_the_corpus_is_whole() -> None:
    assert len(CORPUS) > 80


# Floods ---------------------------------------------------------------------------------------

UNITS = [
    *("<", "`", "[", "f ", "f.", "ha", "\ud83d", "functions.a", "<think></think>", "</think>"),
    *("<|", "<|a", "<s>", "[INST]", "<|im_start|>", "<|im_start|> ", "<tool_call></tool_call>"),
]


@pytest.mark.parametrize("unit", UNITS)
def test_an_event_of_a_million_characters_takes_no_time(unit: str) -> None:
    flood = event(unit * (MEGABYTE // len(json.dumps(unit).strip('"'))))
    began_s = time.process_time()
    assert read(flood)[1].failure
    assert time.process_time() - began_s < CPU_S


@pytest.mark.parametrize(
    ("begin", "unit"),
    [
        ("<|im_start|>", " "), ("<|im_start|>user<", "|"), ("<|", "x"), ("functions.", "x"),
        ("<think>", "<"), ("<tool_call>", "<"), ("[TOOL_CALLS]", "x"), ("", "<"), ("", "["),
        ("<\uff5c", "x"), ("<|start_header_id|>assistant", " "),
    ],
)  # fmt: skip
def test_what_is_held_back_does_not_grow(begin: str, unit: str) -> None:
    sieve = Scrub()
    sieve.feed(begin)
    for _ in range(2000):
        sieve.feed(unit)
        assert len(sieve._held) <= MAX_OPEN_CHARS


def test_what_is_spoken_ends_at_its_limit() -> None:
    words = "word " * (MAX_REPLY_CHARS // 5 - 1)
    for last in ("word word word", words, words + words):
        text, reader = read(event(words), event(last))
        assert len(text) == MAX_REPLY_CHARS
        assert reader.failure
        assert reader.failure.code == "stream.too_long"


def test_an_error_before_the_end_is_not_replaced_by_a_later_one() -> None:
    words = "word " * (MAX_REPLY_CHARS // 5 - 1)
    _, reader = read(event(words), event(words + words), b'data: {"error": "no memory"}\n\n')
    assert reader.failure
    assert reader.failure.code == "stream.error_object"


def test_an_error_of_a_megabyte_is_quoted_in_no_time() -> None:
    began_s = time.process_time()
    long = ("model " * (MEGABYTE // 6)).encode()
    text, reader = read(b'data: {"error": "%s sk-12345678"}\n\n' % long)
    assert (text, time.process_time() - began_s < CPU_S) == ("", True)
    assert reader.failure
    assert not is_about_model("model " * (MEGABYTE // 6) + "not found")


def test_blanks_before_an_error_do_not_show_half_a_secret() -> None:
    for blanks in range(4080, 4100):
        _, reader = read(b'data: {"error": "%ssk-12345678"}\n\n' % (b" " * blanks))
        assert reader.failure
        assert "sk-" not in reader.failure.message


def test_an_answer_byte_by_byte_takes_no_more_memory_than_it_has() -> None:
    reader = ReplyReader(SCENE)
    tracemalloc.start()
    try:
        for piece in itertools.repeat(b"x" * 1000, 3000):
            reader.feed(b"data: " + piece)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert reader.failure
    assert most < 4 * MEGABYTE
