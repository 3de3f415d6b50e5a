"""The agent's sound to whatever the client asked for; one encoder for each utterance.

A fresh encoder is a fresh stream: headers come with the first bytes, and nothing of an
interrupted reply is left in the next. Measured from 24 kHz, in 100 ms pieces, of one AMD EPYC core:

    format       CPU for 100 ms      sound in before the first sound is out
    mulaw, wav   0.01-0.13 ms        none
    raw          0.04-0.24 ms        none
    flac         0.06-0.11 ms        27 ms (FFmpeg keeps a block: up to 60)
    ogg (Opus)   0.2-0.4 ms          20-40 ms
    mp3          0.25-1.1 ms         60 ms (80 at 16 kHz, 160 at 8 kHz)

FFmpeg's codecs are `heavy` as a whole: the first piece costs 1-5 ms, to set the codec up.

mp3 goes without its bit reservoir, which would hold back one frame more (20-60 ms), and leave a
stream cut off by an interruption with an end that cannot be decoded. LAME's quickest search
(level 7) takes a third of its default CPU and loses nothing on speech at 64 kb/s: 44.1 kHz,
log-spectral distance 0.5 dB against 0.7, 0.8 ms against 2.3. Opus without its speech half
(`lowdelay`) is 4 ms earlier and three times cheaper, at equal distance (1.1 dB).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer

from sayso.audio import mulaw
from sayso.audio.formats import OutputAudio, OutputFormat, Samples, pcm16_of
from sayso.audio.resample import Resampler, frame_of
from sayso.audio.wav import write_header
from sayso.errors import AudioError

MIN_OUTPUT_RATE_HZ = 8_000
MAX_OUTPUT_RATE_HZ = 48_000

MP3_RATES_HZ = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
"""All that mp3 has; another rate becomes the nearest of these, which players read from it."""
OPUS_RATES_HZ = (8_000, 12_000, 16_000, 24_000, 48_000)
"""All that Opus encodes from; players make 48 kHz of any of them."""


class Encoder(Protocol):
    """One utterance on its way to the client."""

    @property
    def heavy(self) -> bool:
        """Whether a piece can take over 0.5 ms of CPU: call it away from the event loop."""
        ...

    def encode(self, samples: Samples) -> bytes:
        """The next bytes; b"" while the codec still gathers sound."""
        ...

    def finish(self) -> bytes:
        """The last bytes, once; encode nothing after it."""
        ...


def check_output(audio: OutputAudio) -> None:
    """Raise AudioError for a sample rate outside 8,000 to 48,000 Hz."""
    if not MIN_OUTPUT_RATE_HZ <= audio.sample_rate_hz <= MAX_OUTPUT_RATE_HZ:
        raise AudioError(
            f"`outputSampleRate` is {audio.sample_rate_hz:,} Hz; it can be from "
            f"{MIN_OUTPUT_RATE_HZ:,} to {MAX_OUTPUT_RATE_HZ:,} Hz."
        )


def open_encoder(audio: OutputAudio, source_rate_hz: int) -> Encoder:
    """Begin one utterance of mono sound at `source_rate_hz`. Raises AudioError as `check_output`.

    Rates are kept exactly, but for mp3 (`MP3_RATES_HZ`) and ogg, whose Opus plays at 48 kHz.
    """
    check_output(audio)
    rate_hz = audio.sample_rate_hz
    match audio.format:
        case OutputFormat.MP3:
            rate_hz = nearest_mp3_rate_hz(rate_hz)
        case OutputFormat.OGG:
            rate_hz = opus_rate_hz(rate_hz)
    codec = _CODECS.get(audio.format)
    if codec is None:
        return _Plain(audio.format, source_rate_hz, rate_hz)
    return _Coded(codec, source_rate_hz, rate_hz)


def nearest_mp3_rate_hz(rate_hz: int) -> int:
    """The rate an mp3 has when `rate_hz` was asked for."""
    return min(MP3_RATES_HZ, key=lambda rate: abs(rate - rate_hz))


def opus_rate_hz(rate_hz: int) -> int:
    """The rate Opus encodes at so that nothing below `rate_hz` / 2 is lost."""
    return next(rate for rate in OPUS_RATES_HZ if rate >= rate_hz)


class _Plain:
    """Samples as they are: raw float32, wav, µ-law; all little-endian."""

    heavy: ClassVar[bool] = False

    def __init__(self, kind: OutputFormat, source_rate_hz: int, rate_hz: int) -> None:
        self._write = {
            OutputFormat.RAW: _float32,
            OutputFormat.WAV: _linear16,
            OutputFormat.MULAW: mulaw.encode,
        }[kind]
        self._header = write_header(rate_hz) if kind is OutputFormat.WAV else b""
        self._resampler = Resampler(source_rate_hz, rate_hz)

    def encode(self, samples: Samples) -> bytes:
        return self._with_header(self._write(self._resampler.feed(samples)))

    def finish(self) -> bytes:
        return self._with_header(self._write(self._resampler.finish()))

    def _with_header(self, data: bytes) -> bytes:
        header, self._header = self._header, b""
        return header + data


def _float32(samples: Samples) -> bytes:
    return np.clip(samples, -1.0, 1.0).astype("<f4").tobytes()


def _linear16(samples: Samples) -> bytes:
    return pcm16_of(samples).astype("<i2").tobytes()


@dataclass(frozen=True, slots=True)
class _Codec:
    """How one format is made by FFmpeg: the fewest samples kept back, the fewest bytes."""

    muxer: str
    muxer_options: dict[str, str]
    name: str
    options: dict[str, str]
    bit_rate: int | None


_CODECS = {
    OutputFormat.MP3: _Codec(
        "mp3",
        {"write_xing": "0", "id3v2_version": "0"},  # both would be silent before the sound
        "libmp3lame",
        {"reservoir": "0", "compression_level": "7"},
        64_000,
    ),
    OutputFormat.OGG: _Codec(
        "ogg",
        {"page_duration": "20000"},  # one packet a page: a page is sent only when it is full
        "libopus",
        {"application": "lowdelay", "frame_duration": "20", "compression_level": "5"},
        40_000,
    ),
    OutputFormat.FLAC: _Codec(
        "flac",
        {},
        "flac",
        {"compression_level": "2"},  # above it FFmpeg's blocks last 105 ms, up to it 27 ms
        None,
    ),
}


class _Outbox:
    """The file FFmpeg writes to: what it wrote since it was last emptied."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def write(self, data: bytes) -> int:
        self._bytes += data
        return len(data)

    def empty(self) -> bytes:
        data = bytes(self._bytes)
        self._bytes.clear()
        return data


class _Coded:
    """A codec and its container; FFmpeg resamples, clips and cuts into the codec's frames.

    Both are made when the first sound comes, where the caller runs what is heavy: FLAC's codec
    alone takes 5 ms.
    """

    heavy: ClassVar[bool] = True

    def __init__(self, codec: _Codec, source_rate_hz: int, rate_hz: int) -> None:
        self._codec = codec
        self._source_rate_hz = source_rate_hz
        self._rate_hz = rate_hz
        self._outbox = _Outbox()
        self._opened: tuple[OutputContainer, AudioStream] | None = None

    def encode(self, samples: Samples) -> bytes:
        if len(samples):
            container, stream = self._open()
            container.mux(stream.encode(frame_of(samples, self._source_rate_hz)))
        return self._outbox.empty()

    def finish(self) -> bytes:
        if self._opened is not None:
            container, stream = self._opened
            container.mux(stream.encode(None))
            container.close()
        return self._outbox.empty()

    def _open(self) -> tuple[OutputContainer, AudioStream]:
        if self._opened is None:
            codec = self._codec
            options = codec.muxer_options | {"flush_packets": "1"}
            container = av.open(self._outbox, "w", format=codec.muxer, options=options)
            added = container.add_stream(codec.name, self._rate_hz, codec.options)
            stream = cast("AudioStream", added)
            stream.layout = "mono"
            if codec.bit_rate is not None:
                stream.bit_rate = codec.bit_rate
            self._opened = container, stream
        return self._opened
