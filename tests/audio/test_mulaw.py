from __future__ import annotations

import warnings

import av
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sayso.audio import mulaw
from sayso.audio.formats import pcm16_of, samples_of

EVERY_BYTE = bytes(range(256))
EVERY_VALUE = np.arange(-32_768, 32_768).astype(np.int16)


def test_bytes_of_the_standard() -> None:
    """G.711, table 2a: the ends and the starts of segments, scaled to 16 bits."""
    vectors = {
        0x80: 32_124,
        0x8F: 16_764,
        0x90: 15_996,
        0xA0: 7_932,
        0xB0: 3_900,
        0xC0: 1_884,
        0xD0: 876,
        0xE0: 372,
        0xF0: 120,
        0xFE: 8,
        0xFF: 0,
    }
    read = pcm16_of(mulaw.decode(bytes(vectors)))
    assert read.tolist() == list(vectors.values())
    assert mulaw.encode(samples_of(read)) == bytes(vectors)


def test_negative_values_mirror_positive_ones() -> None:
    values = mulaw.decode(EVERY_BYTE)
    assert np.array_equal(values[:128], -values[128:])


def test_reads_as_ffmpeg_does() -> None:
    codec = av.CodecContext.create("pcm_mulaw", "r")
    codec.sample_rate = 8_000
    codec.layout = "mono"
    (frame,) = codec.decode(av.Packet(EVERY_BYTE))
    assert np.array_equal(pcm16_of(mulaw.decode(EVERY_BYTE)), frame.to_ndarray()[0])


def test_writes_as_the_standard_library_did() -> None:
    """`audioop` takes 14 bits and rounds negative values down to them: compared where both fit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import audioop
        except ImportError:  # gone since Python 3.13
            return
    values = EVERY_VALUE[EVERY_VALUE % 4 == 0]
    assert mulaw.encode(samples_of(values)) == audioop.lin2ulaw(values.astype("<i2").tobytes(), 2)


def decision_values() -> list[int]:
    """G.711, table 2a, column 3, in 14 bits: 1, 3 ... 31, 35 ... 95, 103 ... 8159."""
    values: list[int] = []
    end = 1
    for segment in range(8):
        step = 2 << segment
        begin, end = end, 32 * ((2 << segment) - 1) - 1
        values += range(begin + step if segment else 1, end + 1, step)
    return values


def test_decides_where_the_standard_does() -> None:
    decisions = np.array(decision_values()) * 4
    assert decisions[[0, 1, 15, 16, 126, 127]].tolist() == [4, 12, 124, 140, 31_612, 32_636]
    value = EVERY_VALUE.astype(np.int32)
    index = np.minimum(np.searchsorted(decisions, np.abs(value), side="right"), 127)
    expected = np.invert((index | np.where(value < 0, 0x80, 0)).astype(np.uint8))
    assert mulaw.encode(samples_of(EVERY_VALUE)) == expected.tobytes()


@given(st.binary(max_size=400))
def test_any_bytes_survive_but_for_the_second_zero(data: bytes) -> None:
    assert mulaw.encode(mulaw.decode(data)) == data.replace(b"\x7f", b"\xff")


def test_too_loud_is_loudest() -> None:
    loud = np.array([-9.0, 9.0], dtype=np.float32)
    assert mulaw.encode(loud) == b"\x00\x80"
