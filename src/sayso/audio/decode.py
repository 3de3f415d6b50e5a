"""A caller's sound, however it is encoded, to mono samples at 16 kHz.

    mulaw, linear16                  numpy, then the resampler
    opus, speex, amr, g729, flac     cut into frames (`framing`), then FFmpeg's codec
    media-container                  told apart by its first bytes: wav, flac and mp3 as above,
                                     the others in a thread of their own (`container`)

On the event loop a conversation costs 0.01-0.15 % of a core for plain sound, WAV and FLAC, and
0.3-0.5 % for Opus, AMR and mp3.

FFmpeg has decoders of its own for AMR, but those know no silence (comfort noise, lost frames).

Which format it is, only the first bytes decide, and only formats listed here are opened: left
to guess, FFmpeg also takes playlists, and would fetch what they name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Protocol, cast

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext as Codec

from sayso.audio import mulaw
from sayso.audio.container import MAX_DAMAGED_AT_START, ContainerDecoder
from sayso.audio.formats import EAR_RATE_HZ, InputAudio, InputEncoding, Samples, samples_of
from sayso.audio.framing import (
    G729,
    MAGIC_BYTES,
    Amr,
    Blocks,
    Flac,
    Framing,
    Mp3,
    Whole,
    container_of,
    file_of,
)
from sayso.audio.resample import SILENCE, FrameResampler, Resampler
from sayso.audio.wav import WavHeader, read_header
from sayso.errors import AudioError

SEAMLESS = frozenset({InputEncoding.MULAW, InputEncoding.LINEAR16})
"""Encodings of which several messages may be fed as one: they know no packets."""

MIN_INPUT_RATE_HZ = 8_000
MAX_INPUT_RATE_HZ = 48_000
MAX_SOUND_PER_MESSAGE_S = 120.0
"""Sound in one message; a few bytes can claim to be hours of silence."""
_LAYOUTS = ("", "mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")
"""FFmpeg's name for so many channels."""

Emit = Callable[[Samples], None]
OnError = Callable[[AudioError], None]


class Decoder(Protocol):
    """One conversation's ear: bytes in, samples out through `emit`."""

    @property
    def damaged(self) -> int:
        """Packets that could not be read and were skipped."""
        ...

    def feed(self, data: bytes) -> None:
        """Take one message's bytes; b"" is a keep-alive.

        Raises AudioError, written for the client's developer, when it cannot be read.
        """
        ...

    def close(self) -> None:
        """Stop: nothing is emitted any more."""
        ...


def open_decoder(
    audio: InputAudio,
    emit: Emit,
    *,
    loop: asyncio.AbstractEventLoop | None = None,
    on_error: OnError | None = None,
) -> Decoder:
    """Begin to listen to one caller.

    `emit` gets samples at `EAR_RATE_HZ`, on the event loop's thread: from within `feed`, or,
    for containers, soon after it. `on_error` hears there and then of an input that turned out
    unreadable between two calls of `feed`; errors that `feed` finds, it raises.

    Raises AudioError when the sample rate is missing or out of range.
    """
    if audio.encoding is InputEncoding.MEDIA_CONTAINER:
        return _Container(emit, loop or asyncio.get_running_loop(), on_error)
    if audio.encoding in SEAMLESS:
        return _Pcm(audio.encoding, _rate_hz(audio), emit)
    if audio.encoding in (InputEncoding.OPUS, InputEncoding.SPEEX):
        return _MaybeOgg(audio, emit, loop, on_error)
    return _packets(audio, emit)


def _rate_hz(audio: InputAudio) -> int:
    """The rate of headerless sound, which only its sender knows."""
    rate_hz = audio.sample_rate_hz
    if rate_hz is None:
        raise AudioError(f"{audio.encoding} input has no header: `inputSampleRate` must be given.")
    if not MIN_INPUT_RATE_HZ <= rate_hz <= MAX_INPUT_RATE_HZ:
        raise AudioError(
            f"`inputSampleRate` is {rate_hz:,} Hz; it can be from {MIN_INPUT_RATE_HZ:,} to "
            f"{MAX_INPUT_RATE_HZ:,} Hz."
        )
    return rate_hz


class _Pcm:
    """Samples as they are: µ-law, or 16 bits little-endian."""

    damaged = 0

    def __init__(self, encoding: InputEncoding, rate_hz: int, emit: Emit) -> None:
        self._read = mulaw.decode if encoding is InputEncoding.MULAW else _linear16
        self._sample_bytes = 1 if encoding is InputEncoding.MULAW else 2
        self._rest = b""
        self._resampler = Resampler(rate_hz, EAR_RATE_HZ)
        self._emit = emit
        self._closed = False

    def feed(self, data: bytes) -> None:
        data = self._rest + data
        whole = len(data) - len(data) % self._sample_bytes
        self._rest = data[whole:]
        samples = self._resampler.feed(self._read(data[:whole]))
        if len(samples) and not self._closed:
            self._emit(samples)

    def close(self) -> None:
        self._closed = True


def _linear16(data: bytes) -> Samples:
    return samples_of(np.frombuffer(data, dtype="<i2"))


class _Packets:
    """Codec frames, one after the other, each decoded on the spot.

    The codec is made when the first frame has come: by then a FLAC stream has told about itself.
    """

    def __init__(self, name: str, framing: Framing, codec: Callable[[], Codec], emit: Emit) -> None:
        self._name = name
        self._framing = framing
        self._make_codec = codec
        self._codec: Codec | None = None
        self._resampler = FrameResampler(EAR_RATE_HZ)
        self._emit = emit
        self._unreadable = 0
        self._heard = False
        self._closed = False

    @property
    def damaged(self) -> int:
        return self._unreadable + self._framing.damaged

    def feed(self, data: bytes) -> None:
        if not data or self._closed:
            return
        samples = self._sound(data)
        if not self._heard and self.damaged >= MAX_DAMAGED_AT_START:
            raise AudioError(
                f"The sound cannot be read as {self._name}: its first {self.damaged} packets "
                "are damaged.",
                hint="Check `inputEncoding` and `inputSampleRate`.",
            )
        if len(samples):
            self._emit(samples)

    def close(self) -> None:
        self._closed = True

    def _sound(self, data: bytes) -> Samples:
        parts, sound_s = [SILENCE], 0.0
        for packet in self._framing.feed(data):
            for frame in self._decode(packet):
                self._heard = True
                sound_s += frame.samples / frame.sample_rate
                if sound_s > MAX_SOUND_PER_MESSAGE_S:
                    raise AudioError(
                        f"One message holds over {MAX_SOUND_PER_MESSAGE_S:.0f} s of sound.",
                        hint="Send sound at the pace it is spoken.",
                    )
                parts.append(self._resampler.feed(frame))
        return np.concatenate(parts)

    def _decode(self, packet: bytes) -> list[av.AudioFrame]:
        if self._codec is None:
            self._codec = self._make_codec()
        try:
            return self._codec.decode(av.Packet(packet))
        except av.FFmpegError:
            self._unreadable += 1
            return []


def _codec(name: str, rate_hz: int, channels: int = 1, stream_info: bytes = b"") -> Codec:
    try:
        codec = cast("Codec", av.CodecContext.create(name, "r"))
    except ValueError as error:
        raise AudioError(
            f"This server's FFmpeg cannot read {name}.",
            hint="Send mulaw, linear16, opus, flac or a media-container.",
        ) from error
    codec.sample_rate = rate_hz
    codec.layout = _LAYOUTS[channels]
    codec.options = {"err_detect": "crccheck+explode"}  # or damaged FLAC is a burst of noise
    if stream_info:
        codec.extradata = stream_info
    return codec


def _packets(audio: InputAudio, emit: Emit) -> _Packets:
    """The decoder of one headerless codec."""
    name = audio.encoding.value
    framing: Framing
    match audio.encoding:
        case InputEncoding.OPUS:
            framing, codec = Whole(), partial(_codec, "libopus", 48_000)
        case InputEncoding.SPEEX:
            framing, codec = Whole(), partial(_codec, "speex", _rate_hz(audio))
        case InputEncoding.AMR_NB:
            framing, codec = Amr(wide=False), partial(_codec, "libopencore_amrnb", 8_000)
        case InputEncoding.AMR_WB:
            framing, codec = Amr(wide=True), partial(_codec, "libopencore_amrwb", 16_000)
        case InputEncoding.G729:
            framing, codec = G729(), partial(_codec, "g729", 8_000)
        case _:
            return _flac(audio.sample_rate_hz or EAR_RATE_HZ, emit)
    return _Packets(name, framing, codec, emit)


def _flac(rate_hz: int, emit: Emit) -> _Packets:
    """FLAC; its frames nearly always tell their own rate, `rate_hz` is for those that do not."""
    framing = Flac()

    def codec() -> Codec:
        return _codec("flac", rate_hz, stream_info=framing.stream_info)

    return _Packets("flac", framing, codec, emit)


class _Wav:
    """A WAV file: its header, then plain samples."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._head = b""
        self._sound: _Packets | None = None

    @property
    def damaged(self) -> int:
        return self._sound.damaged if self._sound else 0

    def feed(self, data: bytes) -> None:
        if self._sound is not None:
            self._sound.feed(data)
            return
        self._head += data
        header = read_header(self._head)
        if header is not None:
            self._sound = _Packets("wav", *_wav_parts(header), self._emit)
            self._sound.feed(self._head[header.data_at :])

    def close(self) -> None:
        if self._sound is not None:
            self._sound.close()


def _wav_parts(header: WavHeader) -> tuple[Framing, Callable[[], Codec]]:
    codec = partial(_codec, header.codec, header.sample_rate_hz, header.channels)
    return Blocks(header.block_bytes, header.data_bytes), codec


class _Container:
    """Files and streams that tell what they are; recorders may begin a new one in any message."""

    def __init__(
        self, emit: Emit, loop: asyncio.AbstractEventLoop, on_error: OnError | None
    ) -> None:
        self._emit = emit
        self._threaded = ContainerDecoder(emit, loop=loop, on_error=on_error)
        self._head = b""
        self._now: Decoder | None = None
        self._damaged_before = 0
        self._closed = False

    @property
    def damaged(self) -> int:
        return self._damaged_before + (self._now.damaged if self._now else 0)

    def feed(self, data: bytes) -> None:
        if not data or self._closed:
            return
        if self._now is None:
            data = self._head + data
            self._head = data
            if len(data) < MAGIC_BYTES:
                return
        kind = container_of(data) if self._now is None else file_of(data)
        if kind is not None:
            self._begin(kind)
        self._head = b""
        if self._now is None:
            raise _unknown_container(data)
        self._now.feed(data)

    def close(self) -> None:
        self._closed = True
        self._threaded.close()
        if self._now is not None:
            self._now.close()

    def _begin(self, kind: str) -> None:
        if self._now is not None and self._now is not self._threaded:
            self._damaged_before += self._now.damaged
        if kind == "wav":
            self._now = _Wav(self._emit)
        elif kind == "flac":
            self._now = _flac(EAR_RATE_HZ, self._emit)
        elif kind == "mp3":
            self._now = _Packets("mp3", Mp3(), partial(_codec, "mp3float", 44_100), self._emit)
        else:
            self._threaded.begin(kind)
            self._now = self._threaded


def _unknown_container(head: bytes) -> AudioError:
    return AudioError(
        "The sound is in no container we read (webm, mkv, ogg, mp4, m4a, mp3, flac, wav, aiff, "
        f"aac): it begins with {head[:MAGIC_BYTES].hex(' ')}.",
        hint="Send a recording from its first byte, or name a headerless `inputEncoding`.",
    )


class _MaybeOgg:
    """Opus or Speex packets, one a message; or the same in Ogg, which the first bytes tell."""

    def __init__(
        self,
        audio: InputAudio,
        emit: Emit,
        loop: asyncio.AbstractEventLoop | None,
        on_error: OnError | None,
    ) -> None:
        self._audio = audio
        self._emit = emit
        self._loop = loop
        self._on_error = on_error
        self._now: Decoder | None = None
        self._closed = False

    @property
    def damaged(self) -> int:
        return self._now.damaged if self._now else 0

    def feed(self, data: bytes) -> None:
        if not data or self._closed:
            return
        if self._now is None:
            self._now = self._choose(data)
        self._now.feed(data)

    def close(self) -> None:
        self._closed = True
        if self._now is not None:
            self._now.close()

    def _choose(self, data: bytes) -> Decoder:
        if data.startswith(b"OggS"):
            loop = self._loop or asyncio.get_running_loop()
            return _Container(self._emit, loop, self._on_error)
        return _packets(self._audio, self._emit)
