"""The header of a WAV file, read and written.

Read by us rather than by FFmpeg, which wants the first 64 KB of a WAV (2 s of speech) before
it lets any of it out; a short file that is not followed by more would never be heard at all.

Source: RIFF (Microsoft, 1991); WAVE_FORMAT_EXTENSIBLE (Microsoft, 2007).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from sayso.errors import AudioError

UNKNOWN_BYTES = 0xFFFFFFFF
"""The length of a file that is still being made; players then read to the end."""
MAX_HEADER_BYTES = 65_536
"""What may precede the sound: pictures and names of some recorders."""
MAX_CHANNELS = 8

_HEADER_BYTES = 44
_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_CODECS = {
    (_PCM, 8): "pcm_u8",
    (_PCM, 16): "pcm_s16le",
    (_PCM, 24): "pcm_s24le",
    (_PCM, 32): "pcm_s32le",
    (_FLOAT, 32): "pcm_f32le",
    (_FLOAT, 64): "pcm_f64le",
    (_ALAW, 8): "pcm_alaw",
    (_MULAW, 8): "pcm_mulaw",
}


@dataclass(frozen=True, slots=True)
class WavHeader:
    """What a WAV file says before its sound begins."""

    codec: str
    """FFmpeg's name of it, such as `pcm_s16le`."""
    sample_rate_hz: int
    channels: int
    block_bytes: int
    """One sample of every channel."""
    data_at: int
    """Where the sound begins, in bytes."""
    data_bytes: int | None
    """How much sound follows; None when the file does not know."""


def read_header(data: bytes) -> WavHeader | None:
    """The header at the start of `data`; None while it is not complete.

    Raises AudioError for a header without an end, and for codecs other than PCM, float,
    A-law and µ-law.
    """
    at, form = 12, b""
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        at += 8
        if name == b"data":
            return _header_of(form, at, size)
        if name == b"fmt ":
            form = data[at : at + size]
        at += size + (size & 1)
    if max(at, len(data)) > MAX_HEADER_BYTES:
        raise AudioError(f"The WAV file has no sound in its first {MAX_HEADER_BYTES:,} bytes.")
    return None


def _header_of(form: bytes, at: int, size: int) -> WavHeader:
    if len(form) < 16:
        raise AudioError("The WAV file does not say what its sound is: `fmt ` is missing.")
    tag, channels, rate_hz, _, block_bytes, bits = struct.unpack_from("<HHIIHH", form)
    if tag == _EXTENSIBLE and len(form) >= 26:
        (tag,) = struct.unpack_from("<H", form, 24)
    codec = _CODECS.get((tag, bits))
    if codec is None:
        raise AudioError(
            f"The WAV file holds a codec we do not read (format {tag}, {bits} bits).",
            hint="Send 16-bit PCM.",
        )
    if not 1 <= channels <= MAX_CHANNELS or block_bytes != channels * bits // 8:
        raise AudioError(f"The WAV file's header is damaged: {channels} channels.")
    if not 4_000 <= rate_hz <= 192_000:
        raise AudioError(f"The WAV file's sample rate, {rate_hz:,} Hz, is out of range.")
    known = 0 < size < 0x7FFFFF00
    return WavHeader(codec, rate_hz, channels, block_bytes, at, size if known else None)


def write_header(sample_rate_hz: int, sound_bytes: int | None = None) -> bytes:
    """The header of 16-bit mono sound, 44 bytes; None for a length nobody knows yet."""
    whole = UNKNOWN_BYTES if sound_bytes is None else _HEADER_BYTES - 8 + sound_bytes
    form = struct.pack("<HHIIHH", _PCM, 1, sample_rate_hz, sample_rate_hz * 2, 2, 16)
    riff = struct.pack("<4sI4s", b"RIFF", whole, b"WAVE")
    return (
        riff
        + struct.pack("<4sI", b"fmt ", len(form))
        + form
        + _data_chunk(UNKNOWN_BYTES if sound_bytes is None else sound_bytes)
    )


def _data_chunk(sound_bytes: int) -> bytes:
    return struct.pack("<4sI", b"data", sound_bytes)
