"""How a voice sounds, before an agent has it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import numpy as np
import pytest

from rest_world import open_world
from sayso.api import previews
from sayso.api.previews import MAX_PREVIEW_CHARS, SAMPLE, Previews, cut, write_wav
from sayso.audio.formats import Samples
from sayso.audio.wav import read_header
from sayso.engines import EngineConfig
from sayso.errors import BadRequestError, ConflictError, SpeechError
from sayso.tts.scripted import RATE_HZ, ScriptedTts

URL = "/api/v1/voices/preview"


class Counting(ScriptedTts):
    """A hum that remembers what it was asked to say, or says why it cannot."""

    def __init__(self, error: SpeechError | None = None) -> None:
        super().__init__(EngineConfig(Path()))
        self.said: list[tuple[str, str, float]] = []
        self.at_once = 0
        self._error = error

    async def speak(self, text: str, *, voice: str, speed: float = 1.0) -> AsyncIterator[Samples]:
        self.said.append((text, voice, speed))
        self.at_once += 1
        assert self.at_once == 1, "one preview at a time"
        await asyncio.sleep(0)
        if self._error is not None:
            raise self._error
        async for piece in super().speak(text, voice=voice, speed=speed):
            yield piece
        self.at_once -= 1


async def post(client: httpx2.AsyncClient, **body: object) -> httpx2.Response:
    return await client.post(URL, json=body)


async def test_a_voice_is_heard(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world, world.client() as client:
        answer = await post(client, voice="hum", text="Hello there.", speed=1.2)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "audio/wav"
        header = read_header(answer.content)
        assert header is not None
        assert (header.sample_rate_hz, header.channels) == (RATE_HZ, 1)
        assert header.data_bytes == len(answer.content) - header.data_at > 0
        assert (await post(client, voice="whoever")).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"voice": "hum", "text": "x" * (MAX_PREVIEW_CHARS + 1)}, "text"),
        ({"voice": "hum", "text": "***"}, "text"),
        ({"voice": "hum", "text": "a\x00b"}, "text"),
        ({"voice": "hum", "speed": 3}, "speed"),
        ({"text": "Hello."}, "voice"),
    ],
)
async def test_what_cannot_be_said_is_refused(
    tmp_path: Path, body: dict[str, object], field: str
) -> None:
    async with open_world(tmp_path) as world, world.client() as client:
        answer = await client.post(URL, json=body)
        assert (answer.status_code, answer.json()["field"]) == (400, field)


async def test_nobody_hears_without_an_account_nor_too_often(tmp_path: Path) -> None:
    async with open_world(tmp_path, preview_voice_per_min=1) as world:
        async with world.client(key="") as stranger:
            assert (await post(stranger, voice="hum")).status_code == 401
        async with world.client() as client:
            assert (await post(client, voice="hum")).status_code == 200
            assert (await post(client, voice="hum")).status_code == 429


async def test_the_same_is_made_once_and_only_one_at_a_time() -> None:
    engine = Counting()
    made = Previews(engine)
    sounds = await asyncio.gather(
        *(made.make("hum", "Hello.", 1.0) for _ in range(3)), made.make("drone", "Hello.", 1.0)
    )
    assert len(set(sounds)) == 2
    assert engine.said == [("Hello.", "hum", 1.0), ("Hello.", "drone", 1.0)]


async def test_the_last_used_ones_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Counting()
    made = Previews(engine)
    one = len(await made.make("hum", "One.", 1.0))
    monkeypatch.setattr(previews, "MAX_KEPT_BYTES", 2 * one + 10)
    for text in ("Two.", "One.", "Six.", "One.", "Two."):
        await made.make("hum", text, 1.0)
    assert [text for text, _, _ in engine.said] == ["One.", "Two.", "Six.", "Two."]


async def test_an_engine_that_fails_says_why_and_is_asked_again() -> None:
    made = Previews(Counting(SpeechError("this machine is too busy", hint="Wait.")))
    with pytest.raises(ConflictError, match="too busy"):
        await made.make("hum", "Hello.", 1.0)
    with pytest.raises(BadRequestError):
        await made.make("hum", "…", 1.0)


def test_a_text_is_cut_as_a_reply_is() -> None:
    assert cut(SAMPLE) == ["Hello!", "This is how I sound when I talk with you."]
    assert cut("") == []


def test_a_file_says_how_long_it_is() -> None:
    made = write_wav([np.zeros(3, np.float32), np.ones(1, np.float32)], 8000)
    assert len(made) == 44 + 8
    assert int.from_bytes(made[4:8], "little") == len(made) - 8
    assert made[44:] == bytes(6) + b"\xff\x7f"
    assert len(write_wav([], 8000)) == 44
