"""How a voice sounds, before an agent has it: a short text spoken, as a WAV file.

One preview is made at a time, by the engine's own workers: conversations go first, and whoever
presses the button ten times has one sentence made.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Annotated, Any, Final, NamedTuple

import numpy as np
from fastapi import APIRouter, Depends, Response
from pydantic import Field, model_validator

from sayso.accounts.access import Access
from sayso.accounts.schema import Account
from sayso.audio.formats import Samples, pcm16_of
from sayso.audio.wav import write_header
from sayso.bodies import EXTENSION, Body, refuse_unstorable
from sayso.config import Settings
from sayso.errors import BadRequestError, ConflictError, SpeechError
from sayso.tts import Tts
from sayso.tts.sentences import Sentences
from sayso.tts.spoken import speakable
from sayso.tts.voices import choose_voice

MAX_PREVIEW_CHARS: Final = 250
MAX_VOICE_CHARS: Final = 2048
MAX_KEPT_BYTES: Final = 16_777_216
"""Previews that are kept, the last used ones: about five minutes of sound."""
SAMPLE: Final = "Hello! This is how I sound when I talk with you."

_EXTENSION: dict[str, Any] = dict(EXTENSION)
_SOUND: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}},
        "description": "16-bit mono sound.",
    }
}


class NewPreview(Body):
    """The body of `POST /api/v1/voices/preview`."""

    voice: Annotated[str, Field(min_length=1, max_length=MAX_VOICE_CHARS)] = Field(
        description="As an agent's `voice`: an unknown one is spoken by a local voice."
    )
    text: Annotated[str, Field(max_length=MAX_PREVIEW_CHARS)] | None = Field(
        default=None, description="What is said; null for a sentence of ours."
    )
    speed: Annotated[float, Field(ge=0.5, le=1.5)] = 1.0

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, body: object) -> object:
        return refuse_unstorable(body)


class Asked(NamedTuple):
    """What makes one preview another."""

    voice: str
    text: str
    speed: float


class Previews:
    """Makes previews with the engine of conversations, and keeps the last ones."""

    def __init__(self, tts: Tts) -> None:
        """Speak with `tts`, which is open before the first request comes."""
        self._tts = tts
        self._turn = asyncio.Lock()
        self._kept: OrderedDict[Asked, bytes] = OrderedDict()
        self._kept_bytes = 0

    async def make(self, voice: str, text: str, speed: float) -> bytes:
        """`text` in a voice, as a WAV file.

        Raises:
            BadRequestError: there is nothing in it to say.
            ConflictError: the engine cannot speak it now.
        """
        asked = Asked(choose_voice(voice, self._tts.voices).id, text, speed)
        async with self._turn:
            made = self._kept.get(asked)
            if made is None:
                made = await self._speak(asked)
                self._keep(asked, made)
            self._kept.move_to_end(asked)
        return made

    async def _speak(self, asked: Asked) -> bytes:
        clauses = [said for clause in cut(asked.text) if (said := speakable(clause))]
        if not clauses:
            raise BadRequestError("there is nothing in this text to say", field="text")
        pieces: list[Samples] = []
        try:
            for clause in clauses:
                async for piece in self._tts.speak(clause, voice=asked.voice, speed=asked.speed):
                    pieces.append(piece)  # noqa: PERF401 - an iterator that may end in an error
        except SpeechError as error:
            raise ConflictError(
                f"the voice could not speak: {error.message}", hint=error.hint
            ) from error
        return await asyncio.to_thread(write_wav, pieces, self._tts.sample_rate_hz)

    def _keep(self, asked: Asked, made: bytes) -> None:
        self._kept[asked] = made
        self._kept_bytes += len(made)
        while self._kept_bytes > MAX_KEPT_BYTES and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= len(oldest)


def cut(text: str) -> list[str]:
    """`text` in clauses, as a reply is cut."""
    sentences = Sentences()
    return [*sentences.feed(text), *sentences.finish()]


def write_wav(pieces: list[Samples], rate_hz: int) -> bytes:
    """A whole WAV file; its header says how long it is, for Safari plays no other."""
    sound = pcm16_of(np.concatenate(pieces)).astype("<i2").tobytes() if pieces else b""
    return write_header(rate_hz, len(sound)) + sound


def preview_routes(previews: Previews, access: Access, settings: Settings) -> APIRouter:
    """The route below `/api/v1/voices` that lets a voice be heard."""
    router = APIRouter(tags=["voices"])
    listener = access.account("preview voice", settings.preview_voice_per_min)

    @router.post(
        "/voices/preview",
        summary="Hear a voice",
        response_class=Response,
        responses=_SOUND,
        openapi_extra=_EXTENSION,
    )
    async def preview_voice(body: NewPreview, _: Account = Depends(listener)) -> Response:
        """A short text in a voice, as a WAV file."""
        sound = await previews.make(body.voice, body.text or SAMPLE, body.speed)
        return Response(sound, media_type="audio/wav")

    return router
