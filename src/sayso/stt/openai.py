"""Any server with OpenAI's `POST {url}/audio/transcriptions`: other languages, larger models.

Choose it with `SAYSO_STT=openai`; `SAYSO_STT_OPTIONS` takes

    url       the server's base URL, such as `http://127.0.0.1:8000/v1` (required)
    api_key   sent as a bearer token (optional)
    model     the model's name (default `whisper-1`)

The sound is uploaded as a 16 kHz 16-bit WAV. Speaches, vLLM, LocalAI, faster-whisper-server and
whisper.cpp's server speak this, too.
"""

from __future__ import annotations

import asyncio
import io
import json
import wave

import aiohttp
import numpy as np

from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.engines import EngineConfig
from sayso.errors import InstallationError, SpeechError

MAX_REPLY_BYTES = 1 << 20
MAX_COMPLAINT_CHARS = 300
PATH = "/audio/transcriptions"

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
        self._config = config
        self._url = read_url(config)
        self._api_key = config.options.get("api_key", "")
        self._model = config.options.get("model", "whisper-1")
        self._http: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the connection pool; the server is first called with the first utterance."""
        headers = {"Authorization": f"Bearer {self._api_key}"} if self._api_key else {}
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._config.workers),
            timeout=aiohttp.ClientTimeout(total=self._config.timeout_s),
            headers=headers,
        )

    async def transcribe(self, samples: Samples, language: str) -> str:
        """Write down 16 kHz `samples`; "" when there are no words. Raises SpeechError."""
        if self._http is None:
            raise SpeechError("the speech-to-text engine is not open")
        if not len(samples):
            return ""
        try:
            async with self._http.post(
                self._url, data=self._form(samples, language), allow_redirects=False
            ) as response:
                body = await read_bounded(response)
                status = response.status
        except TimeoutError as error:
            raise SpeechError(
                f"the speech-to-text server at {self._url} did not answer within "
                f"{self._config.timeout_s:g} s"
            ) from error
        except aiohttp.ClientError as error:
            raise SpeechError(
                f"the speech-to-text server at {self._url} cannot be reached: {error}"
            ) from error
        if status != 200:
            raise SpeechError(
                f"the speech-to-text server at {self._url} answered {status}: "
                f"{shorten(body, secret=self._api_key)}"
            )
        return self._read_text(body)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._http is not None:
            await self._http.close()
            await asyncio.sleep(0)  # lets aiohttp's transports close
        self._http = None

    def _form(self, samples: Samples, language: str) -> aiohttp.FormData:
        form = aiohttp.FormData()
        form.add_field("file", to_wav(samples), filename="speech.wav", content_type="audio/wav")
        form.add_field("model", self._model)
        form.add_field("response_format", "json")
        form.add_field("temperature", "0")
        if code := LANGUAGE_CODES.get(language.lower()):
            form.add_field("language", code)
        return form

    def _read_text(self, body: bytes) -> str:
        try:
            text = json.loads(body)["text"]
        except (ValueError, KeyError, TypeError):
            text = None
        if not isinstance(text, str):
            raise SpeechError(
                f'the speech-to-text server at {self._url} answered without a "text": '
                f"{shorten(body, secret=self._api_key)}"
            )
        return text.strip()


def read_url(config: EngineConfig) -> str:
    """The option `url`, completed to the endpoint. Raises InstallationError without one."""
    url = config.options.get("url", "").rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise InstallationError(
            f"the speech-to-text engine `openai` needs the option `url`, not {url!r}",
            hint='Set SAYSO_STT_OPTIONS=\'{"url": "http://127.0.0.1:8000/v1"}\'.',
        )
    return url if url.endswith(PATH) else url + PATH


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


async def read_bounded(response: aiohttp.ClientResponse) -> bytes:
    """The body, as far as `MAX_REPLY_BYTES`. Raises SpeechError when it is longer."""
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > MAX_REPLY_BYTES:
            raise SpeechError(f"the speech-to-text server sent more than {MAX_REPLY_BYTES} bytes")
    return bytes(body)


def shorten(body: bytes, *, secret: str) -> str:
    """The beginning of a server's complaint, in one line, without our key in it."""
    text = " ".join(body.decode("utf-8", errors="replace").split())
    if secret:
        text = text.replace(secret, "...")
    return text[:MAX_COMPLAINT_CHARS] or "nothing"
