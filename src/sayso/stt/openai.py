"""Any server with OpenAI's `POST {url}/audio/transcriptions`: other languages, larger models.

Choose it with `SAYSO_STT=openai`; `SAYSO_STT_OPTIONS` takes

    url       the server's base URL, such as `http://127.0.0.1:8000/v1` (required)
    api_key   sent as a bearer token (optional)
    model     the model's name (default `whisper-1`)

The sound is uploaded as a 16 kHz 16-bit WAV. Speaches, vLLM, LocalAI, faster-whisper-server and
whisper.cpp's server speak this, too. Where it may be is said by `SAYSO_OUTBOUND_PRIVATE`.
"""

from __future__ import annotations

import io
import json
import wave

import aiohttp
import numpy as np

from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.engines import EngineConfig
from sayso.remote import Desk, SpeechServer

MAX_REPLY_BYTES = 1 << 20
DESK = Desk(
    name="speech-to-text",
    path="/audio/transcriptions",
    setting="SAYSO_STT_OPTIONS",
    example="http://127.0.0.1:8000/v1",
)

LANGUAGE_CODES = {
    "afrikaans": "af",
    "arabic": "ar",
    "bengali": "bn",
    "bulgarian": "bg",
    "catalan": "ca",
    "chinese": "zh",
    "mandarin": "zh",
    "croatian": "hr",
    "czech": "cs",
    "danish": "da",
    "dutch": "nl",
    "english": "en",
    "finnish": "fi",
    "french": "fr",
    "galician": "gl",
    "german": "de",
    "greek": "el",
    "hebrew": "he",
    "hindi": "hi",
    "hungarian": "hu",
    "indonesian": "id",
    "italian": "it",
    "japanese": "ja",
    "korean": "ko",
    "malay": "ms",
    "polish": "pl",
    "portuguese": "pt",
    "romanian": "ro",
    "russian": "ru",
    "serbian": "sr",
    "spanish": "es",
    "swedish": "sv",
    "tagalog": "tl",
    "thai": "th",
    "turkish": "tr",
    "ukrainian": "uk",
    "urdu": "ur",
    "vietnamese": "vi",
    "xhosa": "xh",
}
"""ISO 639-1 codes of the contract's languages; of another one the server is told nothing."""


class OpenAiStt:
    """The engine; see `sayso.stt.Stt`."""

    def __init__(self, config: EngineConfig) -> None:
        timeout = aiohttp.ClientTimeout(total=config.timeout_s)
        self._server = SpeechServer(DESK, config, timeout)
        self._model = config.options.get("model", "whisper-1")

    async def open(self) -> None:
        """Make the connection pool; the server is first called with the first utterance."""
        await self._server.open()

    async def transcribe(self, samples: Samples, language: str) -> str:
        """Write down 16 kHz `samples`; "" when there are no words. Raises SpeechError."""
        if not len(samples):
            return ""
        async with self._server.ask(data=self._form(samples, language)) as response:
            body = await self._read(response)
        try:
            text = json.loads(body)["text"]
        except (ValueError, KeyError, TypeError):
            text = None
        if not isinstance(text, str):
            raise self._server.fail(f'answered without a "text": {self._server.quote(body)}')
        return text.strip()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._server.close()

    def _form(self, samples: Samples, language: str) -> aiohttp.FormData:
        form = aiohttp.FormData()
        form.add_field("file", to_wav(samples), filename="speech.wav", content_type="audio/wav")
        form.add_field("model", self._model)
        form.add_field("response_format", "json")
        form.add_field("temperature", "0")
        if code := LANGUAGE_CODES.get(language.lower()):
            form.add_field("language", code)
        return form

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """The body, as far as `MAX_REPLY_BYTES`. Raises SpeechError when it is longer."""
        body = bytearray()
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > MAX_REPLY_BYTES:
                raise self._server.fail(f"sent more than {MAX_REPLY_BYTES} bytes")
        return bytes(body)


def to_wav(samples: Samples) -> bytes:
    """16 kHz samples as a 16-bit WAV file."""
    pcm = (np.clip(samples, -1.0, 1.0) * 32767).astype("<i2").tobytes()
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(EAR_RATE_HZ)
        out.writeframes(pcm)
    return file.getvalue()
