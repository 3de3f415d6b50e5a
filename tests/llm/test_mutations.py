"""Streams of the corpus, cut, cut short, reordered, doubled and damaged.

Held throughout: bytes are read the same however they are cut; the parser finds what the slow
reference finds; the words are what the server meant; and nothing is ever raised.
"""

from __future__ import annotations

import asyncio
import itertools
import re

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.llm.fake import QUIRKS, FakeConfig, running_fake
from sayso.llm.fake.framed import FRAMED
from sayso.llm.fake.odd import ODD
from sayso.llm.findings import Scene
from sayso.llm.reader import ReplyReader
from sayso.llm.sse import Event, SseParser
from slow_sse import read_slowly

WORDS = "Grün ist 👋."
SCENE = Scene("http://fake/chat/completions")
NOT_BY_BYTES = {"empty_once", "http_1_0", "long_line", "comments_first", "hold_open"}
"""Quirks of the connection, or too long to be cut at every byte."""
STREAMS = sorted({*FRAMED, *ODD} - NOT_BY_BYTES)


async def _record() -> dict[str, bytes]:
    """The body of each answer, as it goes over the wire."""
    bodies = {}
    async with (
        running_fake(FakeConfig(first_token_s=0, token_s=0)) as url,
        aiohttp.ClientSession() as session,
    ):
        asked = {"messages": [{"role": "user", "content": WORDS}]}
        for name in STREAMS:
            async with session.post(f"{url}/quirk/{name}/chat/completions", json=asked) as answer:
                bodies[name] = await answer.read()
    return bodies


CORPUS = asyncio.run(_record())
names = st.sampled_from(STREAMS)


def read(*pieces: bytes) -> tuple[str, ReplyReader]:
    reader = ReplyReader(SCENE)
    text = "".join([*map(reader.feed, pieces), reader.finish()])
    return text, reader


def summary(*pieces: bytes) -> tuple[str, str | None, list[str]]:
    """The words, the failure, what was overcome."""
    text, reader = read(*pieces)
    code = reader.failure.code if reader.failure else None
    return text, code, list(reader.warnings)


def parse(*pieces: bytes) -> list[Event]:
    parser = SseParser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events + parser.finish()


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    ends = [0, *sorted(min(place, len(stream)) for place in places), len(stream)]
    return [stream[a:b] for a, b in itertools.pairwise(ends)]


def meant(name: str) -> str:
    return QUIRKS[name].says.format(reply=WORDS)


def lines_of(stream: bytes) -> list[bytes]:
    """The stream's lines with their ends."""
    return re.findall(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", stream)


# Cut ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STREAMS)
def test_cut_at_every_byte_it_says_what_was_meant(name: str) -> None:
    stream = CORPUS[name]
    whole = summary(stream)
    assert whole[:2] == (meant(name), None)
    for place in range(1, len(stream)):
        assert summary(stream[:place], stream[place:]) == whole, place


@pytest.mark.parametrize("name", STREAMS)
def test_byte_by_byte_it_says_what_was_meant(name: str) -> None:
    stream = CORPUS[name]
    assert summary(*(bytes((byte,)) for byte in stream)) == summary(stream)


@pytest.mark.parametrize("name", STREAMS)
def test_the_parser_finds_what_the_reference_finds(name: str) -> None:
    assert parse(CORPUS[name]) == read_slowly(CORPUS[name])


# Cut short -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted({*STREAMS} - {"cumulative"}))
def test_cut_short_at_every_byte_it_says_a_beginning(name: str) -> None:
    """And never that all is well where words are missing.

    One event of a cumulative stream behind another may be "ha" after "ha": that one is left out.
    """
    stream, words = CORPUS[name], meant(name)
    for place in range(len(stream)):
        text, failure, warnings = summary(stream[:place])
        half_a_mark = re.sub(r"<[^>]*$|\[[^\]]*$", "", text)
        assert words.startswith(half_a_mark), place
        if not text.strip():
            assert failure is not None, place
        elif text != words:
            assert failure or warnings, place


# Comments and order ----------------------------------------------------------------------------

comments = st.sampled_from((b": ping", b":", b"id: 7", b"retry: 3000", b"x-unknown: y"))


@given(names, st.lists(st.tuples(st.integers(0, 200), comments), min_size=1, max_size=8))
def test_comments_anywhere_between_events_change_nothing(
    name: str, added: list[tuple[int, bytes]]
) -> None:
    stream = CORPUS[name]
    if read(stream)[1].form != "sse" or b"data:" not in stream:
        return  # JSON has no comments
    lines = lines_of(stream)
    for place, comment in added:
        lines.insert(place % (len(lines) + 1), comment + b"\n")
    text, failure, _ = summary(b"".join(lines))
    assert (text, failure) == (meant(name), None)


@given(names, st.randoms(use_true_random=False))
def test_any_order_of_lines_is_read_as_the_reference_reads_it(name: str, chance: object) -> None:
    lines = lines_of(CORPUS[name])
    chance.shuffle(lines)  # type: ignore[attr-defined]
    stream = b"".join(lines)
    assert parse(stream) == read_slowly(stream)
    read(stream)


# Doubled and damaged ---------------------------------------------------------------------------


@given(names, st.integers(0, 200))
def test_an_event_that_comes_twice_is_read_as_two(name: str, which: int) -> None:
    lines = lines_of(CORPUS[name])
    place = which % len(lines)
    doubled = b"".join([*lines[: place + 1], lines[place], *lines[place + 1 :]])
    assert parse(doubled) == read_slowly(doubled)
    text, failure, _ = summary(doubled)
    assert text.strip() or failure


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A stream of the corpus with a few bytes changed, lost or added."""
    stream = bytearray(CORPUS[draw(names)])
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(stream) - 1))
        length = draw(st.integers(0, 6))
        stream[place : place + length] = draw(st.binary(max_size=6))
        if not stream:
            stream += b"\n"
    return bytes(stream)


@settings(max_examples=400)
@given(damaged(), st.lists(st.integers(0, 3000), max_size=6))
def test_damage_is_read_the_same_however_it_is_cut(stream: bytes, places: list[int]) -> None:
    pieces = cut(stream, places)
    assert parse(*pieces) == read_slowly(stream)
    whole = summary(stream)
    assert summary(*pieces) == whole
    assert whole[0].strip() or whole[1], "nothing to say, and nothing said about it"


@settings(max_examples=300)
@given(names, names, st.integers(0, 3000), st.integers(0, 3000))
def test_halves_of_two_streams_raise_nothing(one: str, other: str, a: int, b: int) -> None:
    stream = CORPUS[one][:a] + CORPUS[other][b:]
    assert parse(stream) == read_slowly(stream)
    text, failure, _ = summary(stream)
    assert text.strip() or failure
