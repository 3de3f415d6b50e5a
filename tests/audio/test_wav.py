from __future__ import annotations

import struct

import pytest

from sayso.audio.wav import MAX_HEADER_BYTES, WavHeader, read_header, write_header
from sayso.errors import AudioError


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def form(
    tag: int = 1, channels: int = 1, rate_hz: int = 16_000, bits: int = 16, tail: bytes = b""
) -> bytes:
    block = channels * bits // 8
    body = struct.pack("<HHIIHH", tag, channels, rate_hz, rate_hz * block, block, bits)
    return chunk(b"fmt ", body + tail)


def wav(*chunks: bytes, size: int = 320) -> bytes:
    return b"RIFF\xff\xff\xff\xffWAVE" + b"".join(chunks) + b"data" + struct.pack("<I", size)


def test_our_own_header() -> None:
    header = write_header(24_000)
    assert len(header) == 44
    assert read_header(header) == WavHeader("pcm_s16le", 24_000, 1, 2, 44, None)


def test_a_header_comes_in_pieces() -> None:
    whole = wav(form())
    assert [read_header(whole[:n]) for n in range(len(whole))] == [None] * len(whole)
    assert read_header(whole + b"sound") == WavHeader("pcm_s16le", 16_000, 1, 2, 44, 320)


def test_other_chunks_are_passed_over() -> None:
    header = read_header(wav(chunk(b"LIST", b"odd"), form(), chunk(b"fact", b"1234")))
    assert header is not None
    assert header.data_at == 44 + 12 + 12


@pytest.mark.parametrize(
    ("tag", "bits", "codec"),
    [
        (1, 8, "pcm_u8"),
        (1, 24, "pcm_s24le"),
        (1, 32, "pcm_s32le"),
        (3, 32, "pcm_f32le"),
        (3, 64, "pcm_f64le"),
        (6, 8, "pcm_alaw"),
        (7, 8, "pcm_mulaw"),
    ],
)
def test_codecs(tag: int, bits: int, codec: str) -> None:
    header = read_header(wav(form(tag=tag, bits=bits, channels=2)))
    assert header is not None
    assert (header.codec, header.channels, header.block_bytes) == (codec, 2, bits // 4)


def test_an_extensible_header_says_it_later() -> None:
    tail = struct.pack("<HHIH", 22, 16, 4, 1) + b"\0" * 14
    header = read_header(wav(form(tag=0xFFFE, tail=tail)))
    assert header is not None
    assert header.codec == "pcm_s16le"


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_length_nobody_knows(size: int) -> None:
    header = read_header(wav(form(), size=size))
    assert header is not None
    assert header.data_bytes is None


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (wav(), "`fmt ` is missing"),
        (wav(chunk(b"fmt ", b"short")), "`fmt ` is missing"),
        (wav(form(tag=0x55)), "format 85, 16 bits"),
        (wav(form(tag=0xFFFE)), "format 65534"),
        (wav(form(channels=9)), "9 channels"),
        (wav(form(channels=0)), "0 channels"),
        (wav(form(rate_hz=1)), "1 Hz"),
        (wav(form()).replace(b"data", b"junk") + bytes(MAX_HEADER_BYTES), "no sound"),
        (wav(form()).replace(b"data\x40\x01\0\0", b"junk\xff\xff\xff\xff"), "no sound"),
    ],
)
def test_a_header_we_cannot_use_says_why(data: bytes, message: str) -> None:
    with pytest.raises(AudioError, match=message):
        read_header(data)
