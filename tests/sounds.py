"""Sound to test with, made on the fly, and how alike two sounds are."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import cast

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream

from sayso.audio.formats import Samples
from sayso.audio.resample import FrameResampler, frame_of, resample
from sayso.errors import AudioError

PATIENCE_S = 5.0


def voice(seconds: float, rate_hz: int) -> Samples:
    """A voice of sorts: gliding harmonics below 3.4 kHz, in syllables."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    phase = 2 * np.pi * 140 * t - 40 / 0.6 * np.cos(2 * np.pi * 0.6 * t)
    harmonics = sum(np.sin(n * phase) / n for n in range(1, 19) if n * 180 < 3_400)
    syllables = 0.5 - 0.5 * np.cos(2 * np.pi * 3.3 * t)
    return np.asarray(0.3 * harmonics * syllables, dtype=np.float32)


def tone(frequency_hz: float, seconds: float, rate_hz: int) -> Samples:
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.asarray(0.5 * np.sin(2 * np.pi * frequency_hz * t), dtype=np.float32)


def pieces(samples: Samples, size: int) -> Iterator[Samples]:
    for at in range(0, len(samples), size):
        yield samples[at : at + size]


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def alike(ours: Samples, theirs: Samples) -> tuple[float, int]:
    """The correlation where the two fit best, and how many samples `ours` is late there."""
    size = 1 << (len(ours) + len(theirs)).bit_length()
    product = np.fft.rfft(ours, size) * np.conj(np.fft.rfft(theirs, size))
    fit = np.fft.irfft(product, size)
    late = int(np.argmax(fit))
    late -= size if late > size // 2 else 0
    begin, end = max(0, late), min(len(ours), late + len(theirs))
    a, b = ours[begin:end], theirs[begin - late : end - late]
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.dot(a, b)) / norm if norm else 0.0, late


def frames_of(samples: Samples, rate_hz: int, piece_s: float) -> Iterator[av.AudioFrame]:
    """Pieces with their place in time, as PyAV wants them."""
    at = 0
    for piece in pieces(samples, round(piece_s * rate_hz)):
        frame = frame_of(piece, rate_hz)
        frame.pts, frame.time_base = at, Fraction(1, rate_hz)
        at += len(piece)
        yield frame


class _Sink:
    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)


def recorded(
    muxer: str,
    codec: str,
    samples: Samples,
    rate_hz: int,
    *,
    slice_s: float = 0.02,
    layout: str = "mono",
    **options: str,
) -> list[bytes]:
    """A live recording as its slices: what had come out of the muxer every `slice_s`."""
    sink = _Sink()
    marks = [0]
    with av.open(sink, "w", format=muxer, options=options | {"flush_packets": "1"}) as container:
        stream = cast("AudioStream", container.add_stream(codec, rate_hz))
        stream.layout = layout
        for frame in frames_of(samples, rate_hz, slice_s):
            container.mux(stream.encode(frame))
            marks.append(len(sink.data))
        container.mux(stream.encode(None))
    marks.append(len(sink.data))
    return [bytes(sink.data[a:b]) for a, b in pairwise(marks)]


def saved(muxer: str, codec: str, samples: Samples, rate_hz: int) -> bytes:
    """The same as a file: the muxer can go back and write what it learns last."""
    file = io.BytesIO()
    with av.open(file, "w", format=muxer) as container:
        stream = cast("AudioStream", container.add_stream(codec, rate_hz))
        stream.layout = "mono"
        for frame in frames_of(samples, rate_hz, 0.02):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def packets(
    codec: str, samples: Samples, rate_hz: int, sample_format: str, bit_rate: int | None = None
) -> list[bytes]:
    """Bare codec packets."""
    context = cast("AudioCodecContext", av.CodecContext.create(codec, "w"))
    context.sample_rate = rate_hz
    context.layout = "mono"
    context.format = sample_format
    if bit_rate is not None:
        context.bit_rate = bit_rate
    found = [bytes(p) for x in pieces(samples, 480) for p in context.encode(frame_of(x, rate_hz))]
    return found + [bytes(p) for p in context.encode(None)]


def played(data: bytes, rate_hz: int, muxer: str | None = None) -> tuple[Samples, int]:
    """What a player makes of a file: its sound at `rate_hz`, and the file's own rate."""
    resampler = FrameResampler(rate_hz)
    with av.open(io.BytesIO(data), "r", format=muxer) as container:
        own_rate_hz = container.streams.audio[0].rate
        parts = [resampler.feed(frame) for frame in container.decode(audio=0)]
    return np.concatenate([*parts, resampler.finish()]), own_rate_hz


def at_rate(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    return samples if from_hz == to_hz else resample(samples, from_hz, to_hz)


class Listener:
    """Collects what a decoder emits, and its errors; waits for them without sleeping."""

    def __init__(self, rate_hz: int = 16_000) -> None:
        self._rate_hz = rate_hz
        self._parts: list[Samples] = []
        self._changed = asyncio.Event()
        self.errors: list[AudioError] = []

    def emit(self, samples: Samples) -> None:
        self._parts.append(samples)
        self._changed.set()

    def on_error(self, error: AudioError) -> None:
        self.errors.append(error)
        self._changed.set()

    @property
    def sound(self) -> Samples:
        return np.concatenate([np.zeros(0, dtype=np.float32), *self._parts])

    @property
    def seconds(self) -> float:
        return sum(map(len, self._parts)) / self._rate_hz

    async def until(self, seconds: float) -> None:
        """Wait until so much was heard, or an error came."""
        async with asyncio.timeout(PATIENCE_S):
            while self.seconds < seconds and not self.errors:
                self._changed.clear()
                await self._changed.wait()

    async def until_error(self) -> AudioError:
        await self.until(float("inf"))
        return self.errors[0]
