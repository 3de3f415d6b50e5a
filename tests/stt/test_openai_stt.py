import asyncio
import io
import wave
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from sayso.errors import InstallationError, SpeechError
from sayso.stt import Stt
from sayso.stt.openai import MAX_REPLY_BYTES, OpenAiStt, to_wav
from speech_server import KEY, Answer, always, asking, make_config

SOUND = np.linspace(-1, 1, 16_000, dtype=np.float32)


@asynccontextmanager
async def serving(answer: Answer, timeout_s: float = 5.0, **options: str) -> AsyncGenerator[Stt]:
    async with asking("sayso.stt", answer, timeout_s, **options) as stt:
        yield stt


async def test_the_sound_is_uploaded_and_the_text_returned() -> None:
    seen: dict[str, Any] = {}

    async def answer(request: web.Request) -> web.Response:
        seen.update(await request.post())
        seen["wav"] = seen["file"].file.read()
        seen["authorization"] = request.headers["Authorization"]
        return web.json_response({"text": " Bonjour. "})

    async with serving(answer, model="large") as stt:
        assert await stt.transcribe(SOUND, "French") == "Bonjour."
    assert seen["authorization"] == f"Bearer {KEY}"
    assert seen["model"] == "large"
    assert seen["language"] == "fr"
    assert seen["response_format"] == "json"
    with wave.open(io.BytesIO(seen["wav"])) as sound:
        assert (sound.getframerate(), sound.getsampwidth(), sound.getnchannels()) == (16_000, 2, 1)
        assert sound.getnframes() == len(SOUND)


async def test_of_an_unknown_language_the_server_is_told_nothing() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"text": ",".join(sorted(await request.post()))})

    async with serving(answer) as stt:
        assert "language" not in await stt.transcribe(SOUND, "klingon")


async def test_no_sound_is_not_sent() -> None:
    async with serving(always(status=500)) as stt:
        assert await stt.transcribe(SOUND[:0], "english") == ""


@pytest.mark.parametrize(
    ("response", "complaint"),
    [
        (
            {"status": 401, "text": f"bad key {KEY}!\n"},
            r"answered 401 \(text/plain\): bad key \.\.\.!$",
        ),
        ({"status": 500}, "answered 500"),
        (
            {"status": 302, "headers": {"Location": "/elsewhere"}},
            "answered 302, a redirect to /elsewhere",
        ),
        ({"text": "<html>"}, 'without a "text": <html>'),
        ({"text": "{}"}, 'without a "text"'),
        ({"text": '{"text": 1}'}, 'without a "text"'),
        ({"text": "[1]"}, 'without a "text"'),
        ({"body": b"x" * (MAX_REPLY_BYTES + 1)}, "more than 1048576 bytes"),
    ],
)
async def test_a_bad_answer_is_a_sentence(response: dict[str, Any], complaint: str) -> None:
    async with serving(always(**response)) as stt:
        with pytest.raises(SpeechError, match=complaint) as caught:
            await stt.transcribe(SOUND, "english")
    assert KEY not in str(caught.value)


async def test_a_server_that_does_not_answer_is_a_sentence() -> None:
    gate = asyncio.Event()

    async def wait(request: web.Request) -> web.Response:
        await gate.wait()
        return web.Response()

    async with serving(wait, timeout_s=0.05) as stt:
        with pytest.raises(SpeechError, match=r"took longer than 0\.05 s"):
            await stt.transcribe(SOUND, "english")
        gate.set()


async def test_a_server_that_is_not_there_is_a_sentence() -> None:
    stt = OpenAiStt(make_config({"url": "http://127.0.0.1:1/v1"}))
    with pytest.raises(SpeechError, match="the speech-to-text engine is not open"):
        await stt.transcribe(SOUND, "english")
    await stt.open()
    with pytest.raises(SpeechError, match=r"the speech-to-text server at .* cannot be reached"):
        await stt.transcribe(SOUND, "english")
    await stt.close()
    await stt.close()


async def test_a_private_server_is_not_called_where_the_operator_says_so() -> None:
    stt = OpenAiStt(make_config({"url": "http://localhost:1/v1"}, private=False))
    await stt.open()
    with pytest.raises(SpeechError, match="SAYSO_OUTBOUND_PRIVATE"):
        await stt.transcribe(SOUND, "english")
    await stt.close()
    with pytest.raises(InstallationError, match="SAYSO_OUTBOUND_PRIVATE"):
        await OpenAiStt(make_config({"url": "http://127.0.0.1:1/v1"}, private=False)).open()


def test_an_engine_without_a_server_is_refused() -> None:
    with pytest.raises(InstallationError, match="speech-to-text engine `openai` needs the option"):
        OpenAiStt(make_config({}))


def test_sound_is_clipped_not_wrapped() -> None:
    with wave.open(io.BytesIO(to_wav(np.array([2.0, -2.0], np.float32)))) as sound:
        assert np.frombuffer(sound.readframes(2), "<i2").tolist() == [32_767, -32_767]
