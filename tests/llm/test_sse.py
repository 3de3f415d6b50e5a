from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.errors import LlmError
from sayso.llm.sse import Event, SseParser
from slow_sse import read_slowly


def parse(*pieces: bytes) -> list[Event]:
    parser = SseParser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events + parser.finish()


def data(*pieces: bytes) -> list[str]:
    return [event.data for event in parse(*pieces)]


def test_one_event_a_blank_line() -> None:
    assert data(b"data: one\n\ndata: two\n\n") == ["one", "two"]


def test_the_space_after_the_colon_is_optional_and_only_one_is_dropped() -> None:
    assert data(b"data:a\n\n", b"data: b\n\n", b"data:  c\n\n") == ["a", "b", " c"]


def test_lines_of_one_event_are_joined() -> None:
    assert data(b"data: a\ndata: b\ndata\ndata: c\n\n") == ["a\nb\n\nc"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_line_end_counts(end: bytes) -> None:
    assert data(b"data: a" + end + end + b"data: b" + end + end) == ["a", "b"]


def test_crlf_may_be_cut_in_the_middle() -> None:
    assert data(b"data: a\r", b"\n\r", b"\ndata: b\r", b"\n\r\n") == ["a", "b"]


def test_a_cr_at_the_end_of_a_piece_ends_the_line_at_once() -> None:
    parser = SseParser()
    assert parser.feed(b"data: a\r\r") == [Event("a")]
    assert parser.feed(b"") == []
    assert parser.feed(b"\n") == []
    assert parser.feed(b"data: b\n\n") == [Event("b")]


def test_a_character_may_be_cut_in_the_middle() -> None:
    assert data(b"data: Gr\xc3", b"\xbc\xc3\x9fe\n", b"\n") == ["Grüße"]


def test_bytes_that_are_not_utf8_are_replaced() -> None:
    assert data(b"data: \xff\n\n") == ["�"]


def test_a_byte_order_mark_is_skipped_once() -> None:
    assert data(b"\xef\xbb", b"\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n") == ["a"]


def test_comments_ids_and_retries_make_no_event() -> None:
    stream = b": ping\n\nid: 1\n\nretry: 3000\n\n:\n\ndatabase: x\n\ndata: a\nid: 2\nretry: 1\n\n"
    assert data(stream) == ["a"]


def test_the_name_of_an_event_is_kept_and_forgotten() -> None:
    stream = b"event: error\ndata: a\n\nevent:x\n\ndata: b\n\n"
    assert parse(stream) == [Event("a", "error"), Event("b")]


def test_empty_data_makes_no_event() -> None:
    assert data(b"data:\n\ndata\n\n") == []


def test_a_last_event_without_a_blank_line_counts() -> None:
    assert data(b"data: a\n\ndata: b\n") == ["a", "b"]
    assert data(b"data: a\n\ndata: b") == ["a", "b"]


def test_a_bare_done_is_an_event() -> None:
    assert data(b"data: a\n\n[DONE]\n\n") == ["a", "[DONE]"]
    assert data(b"data: a\n[DONE]") == ["a", "[DONE]"]


def test_a_bare_object_is_an_event() -> None:
    assert data(b'{"error": "x"}\n', b"data: b\n\n") == ['{"error": "x"}', "b"]


def test_other_bare_lines_are_no_events() -> None:
    assert data(b"{\n", b'"error": 1\n', b"[1]\n", b"hello\n\n") == []


def test_whole_objects_need_no_blank_line_between_them() -> None:
    stream = b'data: {"a": 1}\ndata: {"b": 2}\ndata: [DONE]\n'
    assert data(stream) == ['{"a": 1}', '{"b": 2}', "[DONE]"]


def test_an_object_over_several_lines_stays_one_event() -> None:
    assert data(b'data: {\ndata: "a": 1\ndata: }\n\n') == ['{\n"a": 1\n}']


def test_a_line_without_end_is_bounded() -> None:
    parser = SseParser(max_event_bytes=100)
    parser.feed(b"data: ")
    with pytest.raises(LlmError) as refused:
        list(map(parser.feed, [b"x" * 10] * 11))
    assert refused.value.finding == "stream.too_long"


def test_an_event_without_end_is_bounded() -> None:
    parser = SseParser(max_event_bytes=100)
    with pytest.raises(LlmError, match="longer than 100 bytes"):
        list(map(parser.feed, [b"data: " + b"x" * 10 + b"\n"] * 11))


def test_many_events_are_not_bounded_together() -> None:
    parser = SseParser(max_event_bytes=100)
    for _ in range(100):
        assert parser.feed(b"data: " + b"x" * 50 + b"\n\n") == [Event("x" * 50)]


# Against the slow reference ------------------------------------------------------------------

TOKENS = [
    b"data",
    b":",
    b" ",
    b"\n",
    b"\n\n",
    b"\r",
    b"\r\n",
    b"data: ",
    b"event: e",
    b"id: 1",
    b"retry",
    b"[DONE]",
    b"data: [DONE]",
    b"{",
    b"}",
    b'{"a": 1}',
    b"x",
    b"\xc3\xbc",
    b"\xf0\x9f\x91\x8b",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\x00",
]
streams = st.lists(st.sampled_from(TOKENS) | st.binary(max_size=3), max_size=40).map(b"".join)


@st.composite
def cut_streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    stream = draw(streams)
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    ends = [0, *cuts, len(stream)]
    return stream, [stream[a:b] for a, b in itertools.pairwise(ends)]


@given(cut_streams())
def test_any_cut_gives_the_events_of_the_reference(cut: tuple[bytes, list[bytes]]) -> None:
    stream, pieces = cut
    assert parse(*pieces) == read_slowly(stream)


@given(streams)
def test_byte_by_byte_is_the_same(stream: bytes) -> None:
    assert parse(*(bytes((byte,)) for byte in stream)) == parse(stream)
