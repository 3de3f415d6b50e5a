from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.audio.framing import (
    G729,
    MAX_FLAC_FRAME_BYTES,
    Amr,
    Blocks,
    Flac,
    Framing,
    Mp3,
    Whole,
    container_of,
    file_of,
)
from sounds import cut, packets, recorded, voice

RATE_HZ = 16_000


def feed(framing: Framing, *messages: bytes) -> list[bytes]:
    return [frame for message in messages for frame in framing.feed(message)]


@pytest.fixture(scope="module")
def flac_stream() -> bytes:
    return b"".join(recorded("flac", "flac", voice(3.0, RATE_HZ), RATE_HZ))


@pytest.fixture(scope="module")
def flac_frames(flac_stream: bytes) -> list[bytes]:
    return feed(Flac(), flac_stream)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\x1a\x45\xdf\xa3" + bytes(8), "matroska"),
        (b"OggS" + bytes(8), "ogg"),
        (b"fLaC" + bytes(8), "flac"),
        (b"RIFF\0\0\0\0WAVE", "wav"),
        (b"RF64\0\0\0\0WAVE", "wav"),
        (b"FORM\0\0\0\0AIFF", "aiff"),
        (b"FORM\0\0\0\0AIFC", "aiff"),
        (b"\0\0\0\x20ftypisom", "mov"),
        (b"\0\0\0\x20moof\0\0\0\0", None),
        (b"\0\0\0\x20styp\0\0\0\0", "mov"),
        (b"ID3\x04" + bytes(8), "mp3"),
        (b"\xff\xfb\x90\xc4" + bytes(8), "mp3"),
        (b"\xff\xe3\x88\xc4" + bytes(8), "mp3"),
        (b"\xff\xf1\x50\x80" + bytes(8), "aac"),
        (b"\xff\xeb" + bytes(10), None),
        (b"\xff\xe3" + bytes(10), None),
        (b"\xff" * 12, None),
        (b"RIFF\0\0\0\0AVI ", None),
        (b"FORM\0\0\0\0ILBM", None),
        (b"#EXTM3U\nhttp://", None),
        (bytes(12), None),
        (b"\xff", None),
        (b"", None),
    ],
)
def test_containers_by_their_first_bytes(head: bytes, name: str | None) -> None:
    assert container_of(head) == name


def test_pages_and_frames_do_not_begin_a_file() -> None:
    for head in (b"OggS", b"ID3\x04", b"\xff\xfb\x90\xc4", b"\0\0\0\x20mdat"):
        assert file_of(head.ljust(12, b"\0")) is None


def test_a_message_is_a_packet() -> None:
    assert feed(Whole(), b"one", b"two") == [b"one", b"two"]


@given(st.binary(max_size=200), st.integers(1, 8), st.integers(1, 50))
def test_blocks_are_whole(data: bytes, block_bytes: int, message_bytes: int) -> None:
    whole = b"".join(feed(Blocks(block_bytes, None), *cut(data, message_bytes)))
    assert whole == data[: len(data) - len(data) % block_bytes]


def test_blocks_end_where_they_said() -> None:
    blocks = Blocks(2, 5)
    assert feed(blocks, b"abc", b"defLIST") == [b"ab", b"cd"]
    assert feed(blocks, b"more") == []


def test_amr_frames_by_their_type() -> None:
    nb = [bytes([0x3C]) + bytes(31), bytes([0x04]) + bytes(12), bytes([0x7C])]
    assert feed(Amr(wide=False), b"#!AMR\n" + b"".join(nb)) == nb
    wb = [bytes([0x44]) + bytes(60), bytes([0x4C]) + bytes(5), bytes([0x74])]
    assert feed(Amr(wide=True), b"#!AMR-WB\n" + b"".join(wb)) == wb


def test_amr_frames_cut_anywhere() -> None:
    frames = [bytes([0x3C]) + bytes([n]) * 31 for n in range(5)]
    assert feed(Amr(wide=False), *cut(b"".join(frames), 7)) == frames


def test_amr_gives_up_a_message_at_a_reserved_type() -> None:
    amr = Amr(wide=False)
    frame = bytes([0x3C]) + bytes(31)
    assert feed(amr, frame + b"\x4c junk", frame) == [frame, frame]
    assert amr.damaged == 1


def test_g729_frames_and_noise() -> None:
    g729 = G729()
    assert [len(frame) for frame in feed(g729, bytes(20), bytes(12), bytes(2))] == [10, 10, 10]
    assert g729.damaged == 0
    assert feed(g729, bytes(7)) == []
    assert g729.damaged == 1


@pytest.fixture(scope="module", params=[8_000, 16_000, 24_000, 44_100, 48_000])
def mp3_frames(request: pytest.FixtureRequest) -> list[bytes]:
    """Of MPEG-2.5, 2 and 1, as the encoder made them."""
    rate_hz = request.param
    return packets("libmp3lame", voice(1.0, rate_hz), rate_hz, "s16p")


def test_mp3_frames_by_their_headers(mp3_frames: list[bytes]) -> None:
    mp3 = Mp3()
    assert feed(mp3, b"".join(mp3_frames)) == mp3_frames
    assert mp3.damaged == 0


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_mp3_frames_cut_anywhere(mp3_frames: list[bytes], size: int) -> None:
    assert feed(Mp3(), *cut(b"".join(mp3_frames), size)) == mp3_frames


def test_an_mp3_frame_is_out_with_its_last_byte(mp3_frames: list[bytes]) -> None:
    mp3 = Mp3()
    for frame in mp3_frames:
        assert feed(mp3, frame[:-1]) == []
        assert feed(mp3, frame[-1:]) == [frame]


@pytest.mark.parametrize("size", [3, 10_000])
def test_mp3_tags_are_passed_over(mp3_frames: list[bytes], size: int) -> None:
    mp3 = Mp3()
    tag = b"ID3\x04\0\0\0\0\x02\x10" + b"\xff\xfb\x90\x64" * 68
    file = tag + b"".join(mp3_frames) + b"TAG" + bytes(125)
    assert feed(mp3, *cut(file + file, size)) == mp3_frames * 2
    assert mp3.damaged == 0


def test_mp3_gets_back_into_step(mp3_frames: list[bytes]) -> None:
    mp3 = Mp3()
    spoilt = [*mp3_frames[:3], b"\xff\xfb\x90 III noise TT \xff", *mp3_frames[3:]]
    frames = feed(mp3, *cut(b"".join(spoilt), 50))
    assert frames[:3] == mp3_frames[:3]
    assert frames[-5:] == mp3_frames[-5:]
    assert mp3.damaged >= 1


def test_mp3_that_never_comes(mp3_frames: list[bytes]) -> None:
    mp3 = Mp3()
    assert feed(mp3, *[b"no sound at all"] * 100) == []
    assert mp3.damaged == 1


@given(st.lists(st.binary(max_size=400), max_size=30))
def test_mp3_keeps_no_more_than_a_frame(messages: list[bytes]) -> None:
    mp3 = Mp3()
    feed(mp3, *messages)
    assert len(mp3._pending) < 2_900


def test_flac_metadata_is_read_and_passed_over(flac_stream: bytes) -> None:
    flac = Flac()
    frames = feed(flac, flac_stream)
    assert flac.stream_info == flac_stream[8:42]
    assert b"".join(frames) == flac_stream[flac_stream.index(b"\xff\xf8") :]


@pytest.mark.parametrize("size", [100, 333, 1_000])
def test_flac_frames_cut_anywhere(flac_stream: bytes, flac_frames: list[bytes], size: int) -> None:
    assert feed(Flac(), *cut(flac_stream, size)) == flac_frames


def test_flac_survives_a_sum_that_is_right_by_chance(
    flac_stream: bytes, flac_frames: list[bytes]
) -> None:
    frames = feed(Flac(), *cut(flac_stream, 2))
    assert len(set(frames) & set(flac_frames)) >= len(flac_frames) - 4


def test_flac_frames_without_a_stream(flac_frames: list[bytes]) -> None:
    assert feed(Flac(), *flac_frames) == flac_frames


def test_a_flac_frame_is_out_with_its_last_byte(flac_frames: list[bytes]) -> None:
    flac = Flac()
    for frame in flac_frames:
        assert feed(flac, frame[:-1]) == []
        assert feed(flac, frame[-1:]) == [frame]


def test_a_second_flac_stream_begins_anew(flac_stream: bytes, flac_frames: list[bytes]) -> None:
    assert feed(Flac(), flac_stream[:-5], flac_stream) == flac_frames[:-1] + flac_frames


def test_flac_metadata_in_pieces(flac_stream: bytes, flac_frames: list[bytes]) -> None:
    assert feed(Flac(), *cut(flac_stream[:60], 1), flac_stream[60:]) == flac_frames


def test_what_is_lost_costs_no_more_than_its_frame(
    flac_stream: bytes, flac_frames: list[bytes]
) -> None:
    first = flac_stream.index(flac_frames[3])
    holed = flac_stream[: first + 20] + flac_stream[first + 60 :]
    frames = feed(Flac(), *cut(holed, 500))
    assert frames[:3] == flac_frames[:3]
    assert frames[4:] == flac_frames[4:]


def test_flac_finds_its_way_into_a_stream_it_joins_late(
    flac_stream: bytes, flac_frames: list[bytes]
) -> None:
    at = flac_stream.index(flac_frames[4]) - 9
    assert feed(Flac(), flac_stream[at:]) == flac_frames[4:]


def test_flac_does_not_gather_garbage_for_ever() -> None:
    flac = Flac()
    noise = random.Random(1).randbytes(MAX_FLAC_FRAME_BYTES // 8)
    for _ in range(20):
        assert feed(flac, noise) == []
    assert flac.damaged >= 2
    assert feed(flac, b"fLaC\0\xff\xff\xff" + noise * 9) == []
    assert flac.damaged >= 3


@pytest.mark.parametrize(
    "header",
    [
        b"\xff\xf8\x09\x08\x00\x00",  # reserved block size
        b"\xff\xf8\x1f\x08\x00\x00",  # invalid rate
        b"\xff\xf8\x19\xb8\x00\x00",  # reserved channels
        b"\xff\xf8\x19\x06\x00\x00",  # reserved depth
        b"\xff\xf8\x19\x09\x00\x00",  # reserved bit
        b"\xff\xf8\x19\x08\x80\x00",  # a number that cannot be
        b"\xff\xf8\x19\x08\x00\x01",  # wrong checksum
    ],
)
def test_a_header_that_is_none(header: bytes) -> None:
    assert feed(Flac(), header + bytes(30)) == []
