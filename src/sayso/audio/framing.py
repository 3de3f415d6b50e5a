"""Where one codec frame ends and the next begins, for sound that comes without a container.

Pure: bytes in, frames out, what does not fit counted. Opus and Speex need nothing of this:
there a message is a packet.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

MAGIC_BYTES = 12
"""What it takes to tell every container from every other."""

_AMR_NB_BYTES = (12, 13, 15, 17, 19, 20, 26, 31, 5, None, None, None, None, None, None, 0)
"""Speech bytes after the header byte, by frame type (RFC 4867 §5.3, 3GPP TS 26.101)."""
_AMR_WB_BYTES = (17, 23, 32, 36, 40, 46, 50, 58, 60, 5, None, None, None, None, 0, 0)
"""The same for AMR-WB (3GPP TS 26.201)."""
_AMR_MAGICS = (b"#!AMR-WB\n", b"#!AMR\n")

_G729_FRAME_BYTES = 10
_G729_NOISE_BYTES = 2

_FLAC_MAGIC = b"fLaC"
MAX_FLAC_FRAME_BYTES = 1_048_576
"""Longest FLAC frame, and longest metadata before the first one (a picture, perhaps)."""
_FLAC_HEADER_BYTES = 16
"""The longest FLAC frame header."""
_STREAM_INFO_BYTES = 34


def container_of(head: bytes) -> str | None:
    """The container that begins here, by FFmpeg's name; None when it is none we read."""
    return file_of(head) or _stream_of(head)


def file_of(head: bytes) -> str | None:
    """The container that begins here, by a mark that stands nowhere else: a new file."""
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    if head.startswith(_FLAC_MAGIC):
        return "flac"
    if head[4:8] == b"ftyp":
        return "mov"
    kind = head[8:12]
    if head.startswith((b"RIFF", b"RF64")) and kind == b"WAVE":
        return "wav"
    return "aiff" if head.startswith(b"FORM") and kind in (b"AIFF", b"AIFC") else None


def _stream_of(head: bytes) -> str | None:
    """The same by marks that also stand inside a file: pages, boxes, frames."""
    if head.startswith(b"OggS"):
        return "ogg"
    if head[4:8] in (b"styp", b"moov", b"mdat", b"free", b"skip", b"wide"):
        return "mov"
    if head.startswith(b"ID3"):
        return "mp3"
    if head.startswith(b"\xff") and head[1:2] and head[1] & 0xF6 == 0xF0:
        return "aac"
    return "mp3" if mp3_frame_bytes(head) else None


class Framing(Protocol):
    """Cuts what arrives into frames; keeps what is not complete for the next message."""

    damaged: int
    """Pieces that fit no frame and were dropped."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take a message; get the frames that are complete."""
        ...


class Whole:
    """One message is one packet."""

    def __init__(self) -> None:
        self.damaged = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The message itself."""
        yield data


class Amr:
    """AMR in storage format: a byte with the frame's type, then its speech (RFC 4867 §5)."""

    def __init__(self, *, wide: bool) -> None:
        self.damaged = 0
        self._sizes = _AMR_WB_BYTES if wide else _AMR_NB_BYTES
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Whole frames, header byte included; a reserved type gives up the rest of the message."""
        data = self._rest + _without_magic(data)
        at = 0
        while at < len(data):
            size = self._sizes[data[at] >> 3 & 15]
            if size is None:
                self.damaged += 1
                at = len(data)
            elif at + 1 + size > len(data):
                break
            else:
                yield data[at : at + 1 + size]
                at += 1 + size
        self._rest = data[at:]


def _without_magic(data: bytes) -> bytes:
    for magic in _AMR_MAGICS:
        data = data.removeprefix(magic)
    return data


class G729:
    """G.729 as telephones send it: 10-byte frames, perhaps 2 bytes of noise last (RFC 3551)."""

    def __init__(self) -> None:
        self.damaged = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Whole frames of 10 ms; comfort noise is dropped, as silence is."""
        rest = len(data) % _G729_FRAME_BYTES
        if rest not in (0, _G729_NOISE_BYTES):
            self.damaged += 1
        for at in range(0, len(data) - rest, _G729_FRAME_BYTES):
            yield data[at : at + _G729_FRAME_BYTES]


class Blocks:
    """Plain samples: as many whole blocks (one sample of every channel) as there are."""

    def __init__(self, block_bytes: int, data_bytes: int | None) -> None:
        self.damaged = 0
        self._block_bytes = block_bytes
        self._left_bytes = data_bytes
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """One piece of sound; what follows the announced length is no sound."""
        if self._left_bytes is not None:
            data = data[: self._left_bytes]
            self._left_bytes -= len(data)
        data = self._rest + data
        whole = len(data) - len(data) % self._block_bytes
        self._rest = data[whole:]
        if whole:
            yield data[:whole]


_MP3_KBIT_S = (
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
)
"""Layer III by its index: of MPEG-2 and 2.5, and of MPEG-1."""
_MP3_RATES_HZ = (44_100, 48_000, 32_000)
_MP3_HEADER_BYTES = 4
_ID3_HEADER_BYTES = 10
_ID3V1_BYTES = 128


def mp3_frame_bytes(header: bytes | bytearray) -> int:
    """Length of the mp3 frame that begins so; 0 when none does (ISO 11172-3, 13818-3)."""
    if len(header) < _MP3_HEADER_BYTES or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version, rate = header[1] >> 3 & 3, header[2] >> 2 & 3
    kbit_s = _MP3_KBIT_S[version == 3][header[2] >> 4]
    if version == 1 or rate == 3 or not kbit_s:
        return 0
    rate_hz = _MP3_RATES_HZ[rate] >> {3: 0, 2: 1, 0: 2}[version]
    return (144_000 if version == 3 else 72_000) * kbit_s // rate_hz + (header[2] >> 1 & 1)


def _tag_bytes(data: bytes | bytearray) -> int:
    """Length of the ID3 tag that begins so; 0 when none does."""
    if data.startswith(b"TAG"):
        return _ID3V1_BYTES
    if not data.startswith(b"ID3") or len(data) < _ID3_HEADER_BYTES:
        return 0
    a, b, c, d = (byte & 0x7F for byte in data[6:_ID3_HEADER_BYTES])
    return _ID3_HEADER_BYTES + (a << 21 | b << 14 | c << 7 | d)


class Mp3:
    """mp3 frames, whose header tells their length; ID3 tags are passed over.

    FFmpeg reads mp3 by the kilobyte, an eighth of a second or more; here a frame is out with its
    last byte. Out of step, a header counts only if a frame's length after it another one stands.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self._pending = bytearray()
        self._skip_bytes = 0
        self._is_in_step = True

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Frames that are complete; wherever none begins counts once."""
        self._pending += data
        while self._skip():
            size = mp3_frame_bytes(self._pending)
            if not size or not self._is_confirmed(size):
                self._get_out_of_step()
            elif size > len(self._pending):
                return
            else:
                self._is_in_step = True
                yield bytes(self._pending[:size])
                self._skip_bytes = size

    def _skip(self) -> bool:
        """Pass over what is done with, and over tags; True while there is enough for a header."""
        while self._skip_bytes or (tag_bytes := _tag_bytes(self._pending)):
            self._skip_bytes = self._skip_bytes or tag_bytes
            skipped = min(self._skip_bytes, len(self._pending))
            del self._pending[:skipped]
            self._skip_bytes -= skipped
            if self._skip_bytes:
                return False
        enough = _ID3_HEADER_BYTES if self._pending.startswith(b"ID3") else _MP3_HEADER_BYTES
        return len(self._pending) >= enough

    def _is_confirmed(self, size: int) -> bool:
        after = self._pending[size : size + _ID3_HEADER_BYTES]
        if self._is_in_step or len(after) < _MP3_HEADER_BYTES:
            return True
        return bool(mp3_frame_bytes(after) or _tag_bytes(after))

    def _get_out_of_step(self) -> None:
        """Go on to the next byte a frame or a tag could begin with."""
        self.damaged += self._is_in_step
        self._is_in_step = False
        ahead = [at for mark in b"\xffIT" if (at := self._pending.find(mark, 1)) > 0]
        self._skip_bytes = min(ahead, default=len(self._pending))


def _crc_table(polynomial: int, bits: int) -> tuple[int, ...]:
    top, mask = 1 << bits - 1, (1 << bits) - 1
    table = []
    for byte in range(256):
        value = byte << bits - 8
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & top else value << 1) & mask
        table.append(value)
    return tuple(table)


_CRC8 = _crc_table(0x07, 8)
_CRC16 = _crc_table(0x8005, 16)


def _crc8(data: bytes) -> int:
    value = 0
    for byte in data:
        value = _CRC8[value ^ byte]
    return value


def _crc16(data: bytes, value: int) -> int:
    table = _CRC16
    for byte in data:
        value = (value << 8 & 0xFFFF) ^ table[value >> 8 ^ byte]
    return value


def _number_bytes(first: int) -> int:
    """Length of the frame's number, coded like UTF-8; 0 when `first` cannot begin one."""
    ones = 8 - (~first & 0xFF).bit_length()
    return {0: 1, 1: 0, 8: 0}.get(ones, ones)


def _is_flac_header(data: bytes) -> bool:
    """Whether a FLAC frame begins here, to the last bit of its checksum (RFC 9639 §9.1)."""
    if len(data) < 6 or data[0] != 0xFF or data[1] & 0xFE != 0xF8:
        return False
    block, rate = data[2] >> 4, data[2] & 15
    channels, depth = data[3] >> 4, data[3] >> 1 & 7
    number = _number_bytes(data[4])
    if not block or rate == 15 or channels > 10 or depth == 3 or data[3] & 1 or not number:
        return False
    size = 4 + number + {6: 1, 7: 2}.get(block, 0) + {12: 1, 13: 2, 14: 2}.get(rate, 0)
    return size < len(data) and _crc8(data[:size]) == data[size]


def _flac_metadata_bytes(data: bytes | bytearray) -> int | None:
    """Length of `fLaC` and the metadata after it; None while its end has not come."""
    at, last = 4, False
    while not last:
        if at + 4 > len(data):
            return None
        last = bool(data[at] & 0x80)
        at += 4 + int.from_bytes(data[at + 1 : at + 4], "big")
    return at if at <= len(data) else None


class Flac:
    """FLAC frames, bare or as a stream beginning with `fLaC`.

    FFmpeg's parser trusts a frame once nine more have begun after it, a second or more of
    speech. A frame carries a checksum of its own, so the last one of a message is recognised at
    once (0.1 µs of CPU a byte). One cut in 65,536 falls where the sum is right by chance, and
    costs the frame it cuts.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self.stream_info = b""
        """The 34 bytes of STREAMINFO, once a stream has told them."""
        self._pending = bytearray()
        self._searched = 0
        self._checked = 0
        self._crc = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Frames that are complete; what is too long to be one is dropped and counted."""
        if data.startswith(_FLAC_MAGIC):
            self._take(len(self._pending))
        self._pending += data
        if self._is_past_metadata():
            yield from self._cut_at_headers()
            if self._ends_here():
                yield self._take(len(self._pending))
        if len(self._pending) > MAX_FLAC_FRAME_BYTES:
            self.damaged += 1
            self._take(len(self._pending))

    def _is_past_metadata(self) -> bool:
        if not self._pending.startswith(_FLAC_MAGIC):
            return True
        size = _flac_metadata_bytes(self._pending)
        if size is None:
            return False
        self.stream_info = bytes(self._pending[8 : 8 + _STREAM_INFO_BYTES])
        self._take(size)
        return True

    def _cut_at_headers(self) -> Iterator[bytes]:
        """Every frame that another one follows; what precedes the first header is dropped."""
        while (at := self._next_header()) is not None:
            begun = self._begins_here()
            piece = self._take(at)
            if piece and begun:
                yield piece
            self._searched = 1

    def _next_header(self) -> int | None:
        """Where the next header begins; the one at the start counts until it has been seen."""
        while (at := self._pending.find(0xFF, self._searched)) >= 0:
            self._searched = at
            header = bytes(self._pending[at : at + _FLAC_HEADER_BYTES])
            if _is_flac_header(header):
                return at
            if len(header) < _FLAC_HEADER_BYTES:
                return None
            self._searched = at + 1
        self._searched = len(self._pending)
        return None

    def _begins_here(self) -> bool:
        return _is_flac_header(bytes(self._pending[:_FLAC_HEADER_BYTES]))

    def _ends_here(self) -> bool:
        """Whether what is pending is one whole frame: its checksum makes the sum zero."""
        if not self._begins_here():
            return False
        self._crc = _crc16(bytes(self._pending[self._checked :]), self._crc)
        self._checked = len(self._pending)
        return self._crc == 0

    def _take(self, size: int) -> bytes:
        taken = bytes(self._pending[:size])
        del self._pending[:size]
        self._searched = self._checked = self._crc = 0
        return taken
