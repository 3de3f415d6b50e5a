"""How callers and a server write to each other: PlayAI's messages, or bare sound.

Sayso and the floor speak PlayAI's protocol. The peers get what is lightest for them: 16-bit sound
as binary messages both ways, and two messages of text, `init` and `onAgentInterrupted`.
"""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass

import aiohttp
import msgspec

OUT_RATE_HZ = 24_000
SETUP = {
    "type": "setup",
    "inputEncoding": "linear16",
    "inputSampleRate": 16_000,
    "outputFormat": "raw",
    "outputSampleRate": OUT_RATE_HZ,
    "customGreeting": "",
}


class Message(msgspec.Struct):
    """What a caller reads of a server's message."""

    type: str
    data: bytes = b""


_decode = msgspec.json.Decoder(Message).decode


@dataclass(frozen=True, slots=True)
class Wire:
    """One way of writing.

    Attributes:
        sample_bytes: size of a sample of the server's sound.
        hello: what a caller sends first, if anything.
        played: what it sends when a reply has played, if anything.
        tells_end: whether the server says that a reply was sent whole (`audioStreamEnd`).
        binary: whether sound is sent bare.
    """

    sample_bytes: int
    hello: str | None
    played: str | None
    tells_end: bool
    binary: bool

    def write(self, frame: str) -> str | bytes:
        """A frame of a saying (an `audioIn` message) as it is sent."""
        return b64decode(_decode_sound(frame)) if self.binary else frame

    def read(self, message: aiohttp.WSMessage) -> Message:
        """What the server sent."""
        if message.type is aiohttp.WSMsgType.BINARY:
            return Message("audioStream", message.data)
        return _decode(message.data)

    def seconds(self, sound: bytes) -> float:
        """How long the server's `sound` takes to play."""
        return len(sound) / self.sample_bytes / OUT_RATE_HZ


def _decode_sound(frame: str) -> str:
    sound: str = msgspec.json.decode(frame)["data"]
    return sound


PLAYAI = Wire(4, msgspec.json.encode(SETUP).decode(), '{"type":"bufferEmpty"}', True, False)
BARE = Wire(2, None, None, False, True)
