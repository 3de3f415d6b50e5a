"""Any server with OpenAI's `POST {url}/audio/speech`: other voices, other languages.

Choose it with `SAYSO_TTS=openai`; `SAYSO_TTS_OPTIONS` takes

    url              the server's base URL, such as `http://127.0.0.1:8880/v1` (required)
    api_key          sent as a bearer token (optional)
    model            the model's name (default `tts-1`)
    voices           the server's voices, comma-separated, the default first, each with a gender
                     if you like: `af_heart:female,am_adam:male` (default OpenAI's)
    sample_rate_hz   of the server's raw sound (default 24000, as OpenAI's)

The sound is asked for as raw 16-bit PCM and played as it comes; a server that sends WAV all the
same is understood. Where the server may be is said by `SAYSO_OUTBOUND_PRIVATE`.
"""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Sequence

import aiohttp
import numpy as np

from sayso.audio.formats import Samples
from sayso.engines import EngineConfig
from sayso.errors import InstallationError, SpeechError
from sayso.remote import Desk, SpeechServer
from sayso.tts import Voice

DESK = Desk(
    name="text-to-speech",
    path="/audio/speech",
    setting="SAYSO_TTS_OPTIONS",
    example="http://127.0.0.1:8880/v1",
)
DEFAULT_VOICES = (
    "alloy:neutral,nova:female,shimmer:female,coral:female,onyx:male,echo:male,ash:male"
)
MAX_CLAUSE_S = 300.0
"""Longest sound taken for one clause, in seconds."""

MAX_HEADER_BYTES = 4_096


class OpenAiTts:
    """The engine; see `sayso.tts.Tts`."""

    def __init__(self, config: EngineConfig) -> None:
        patience_s = config.timeout_s  # for the connection, and for each piece of sound
        timeout = aiohttp.ClientTimeout(total=None, connect=patience_s, sock_read=patience_s)
        self._server = SpeechServer(DESK, config, timeout)
        self._rate_hz = read_rate_hz(config)
        self._model = config.options.get("model", "tts-1")
        self._voices = read_voices(config.options.get("voices", DEFAULT_VOICES))

    @property
    def sample_rate_hz(self) -> int:
        """The rate of the server's sound, as the option says."""
        return self._rate_hz

    @property
    def voices(self) -> Sequence[Voice]:
        """The server's voices, as the option says."""
        return self._voices

    async def open(self) -> None:
        """Make the connection pool; the server is first called with the first clause."""
        await self._server.open()

    async def speak(self, text: str, *, voice: str, speed: float = 1.0) -> AsyncIterator[Samples]:
        """Speak one clause as the server sends it. Closing the iterator hangs up.

        Raises:
            SpeechError: the server cannot be reached, refuses, or falls silent.
        """
        wanted = {
            "model": self._model,
            "input": text,
            "voice": voice,
            "speed": speed,
            "response_format": "pcm",
        }
        sound, heard = SoundReader(self._rate_hz), False
        async with self._server.ask(json=wanted) as response:
            if response.content_type.startswith(("text/", "application/json")):
                raise await self._server.complain(response)
            async for piece in response.content.iter_any():
                if len(samples := sound.feed(piece)):
                    heard = True
                    yield samples
        if not heard:
            raise self._server.fail("sent no sound")

    async def close(self) -> None:
        """Let go of the connections."""
        await self._server.close()


class SoundReader:
    """Turns a stream of bytes, raw 16-bit PCM or a WAV file of it, into samples. Pure."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._held = b""
        self._begun = False
        self._left = int(MAX_CLAUSE_S * rate_hz)

    def feed(self, data: bytes) -> Samples:
        """Take more bytes; get the samples that are whole now. Raises SpeechError."""
        self._held += data
        if not self._begun and not self._skip_header():
            return np.zeros(0, np.float32)
        whole = len(self._held) // 2 * 2
        pcm, self._held = self._held[:whole], self._held[whole:]
        self._left -= whole // 2
        if self._left < 0:
            raise SpeechError(f"the server sent more than {MAX_CLAUSE_S:g} s of sound")
        return np.asarray(np.frombuffer(pcm, "<i2") / 32768, np.float32)

    def _skip_header(self) -> bool:
        """Whether the sound has begun: at once for raw PCM, after the `data` mark for WAV."""
        if len(self._held) < 4:
            return False
        if self._held[:4] == b"RIFF":
            at = self._held.find(b"data", 12)
            if at < 0 or len(self._held) < at + 8:
                if len(self._held) > MAX_HEADER_BYTES:
                    raise SpeechError("the server sent a WAV file without sound")
                return False
            self._check_format(self._held)
            self._held = self._held[at + 8 :]
        self._begun = True
        return True

    def _check_format(self, header: bytes) -> None:
        coding, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", header, 20)
        if (coding, channels, bits) != (1, 1, 16) or rate_hz != self._rate_hz:
            raise SpeechError(
                f"the server sent {channels}-channel {bits}-bit sound at {rate_hz} Hz; "
                f"mono 16-bit at {self._rate_hz} Hz was expected",
                hint="Set the option `sample_rate_hz` to the server's rate.",
            )


def read_rate_hz(config: EngineConfig) -> int:
    """The option `sample_rate_hz`, 8,000 to 48,000. Raises InstallationError."""
    text = config.options.get("sample_rate_hz", "24000")
    if not text.isdigit() or not 8_000 <= int(text) <= 48_000:
        raise InstallationError(f"the option `sample_rate_hz` is 8000 to 48000 Hz, not {text!r}")
    return int(text)


def read_voices(text: str) -> tuple[Voice, ...]:
    """The option `voices`: `id` or `id:gender`, comma-separated. Raises InstallationError."""
    voices = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, _, gender = entry.partition(":")
        voices.append(Voice(name, name, gender or "neutral", "any", f"The server's voice {name}."))
    if not voices:
        raise InstallationError("the option `voices` names at least one voice")
    return tuple(voices)
