import asyncio
import io
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from sayso.engines import EngineConfig, load_engine
from sayso.errors import InstallationError, SpeechError
from sayso.models import MODELS_DIR
from sayso.stt import Stt
from sayso.stt.openai import MAX_REPLY_BYTES, OpenAiStt, read_url, shorten, to_wav

SOUND = np.linspace(-1, 1, 16_000, dtype=np.float32)
KEY = "sk-very-secret"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(answer: Answer, timeout_s: float = 5.0, **options: str) -> AsyncIterator[Stt]:
    """A server that answers so, on a real socket, and an engine that asks it."""
    app = web.Application()
    app.router.add_post("/v1/audio/transcriptions", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    options = {"url": f"http://127.0.0.1:{port}/v1/", "api_key": KEY} | options
    config = EngineConfig(models_dir=MODELS_DIR, timeout_s=timeout_s, options=options)
    stt: Stt = load_engine("sayso.stt", "openai", config)
    await stt.open()
    try:
        yield stt
    finally:
        await stt.close()
        await runner.cleanup()


def always(**response: Any) -> Answer:  # noqa: ANN401 - web.Response's own arguments
    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(**response)

    return answer


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
        ({"status": 401, "text": f"bad key {KEY}!\n"}, r"answered 401: bad key \.\.\.!$"),
        ({"status": 500}, "answered 500: nothing"),
        ({"status": 302, "headers": {"Location": "/elsewhere"}}, "answered 302"),
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
        with pytest.raises(SpeechError, match=r"did not answer within 0\.05 s"):
            await stt.transcribe(SOUND, "english")
        gate.set()


async def test_a_server_that_is_not_there_is_a_sentence() -> None:
    options = {"url": "http://127.0.0.1:1/v1"}
    stt = OpenAiStt(EngineConfig(models_dir=MODELS_DIR, options=options))
    with pytest.raises(SpeechError, match="not open"):
        await stt.transcribe(SOUND, "english")
    await stt.open()
    with pytest.raises(SpeechError, match="cannot be reached"):
        await stt.transcribe(SOUND, "english")
    await stt.close()
    await stt.close()


def test_the_url_is_completed_or_asked_for() -> None:
    def url(**options: str) -> str:
        return read_url(EngineConfig(models_dir=MODELS_DIR, options=options))

    assert url(url="http://a/v1") == "http://a/v1/audio/transcriptions"
    assert url(url="https://a/v1/audio/transcriptions/") == "https://a/v1/audio/transcriptions"
    for bad in ({}, {"url": "a.com"}):
        with pytest.raises(InstallationError, match="needs the option `url`"):
            url(**bad)


def test_sound_is_clipped_not_wrapped() -> None:
    with wave.open(io.BytesIO(to_wav(np.array([2.0, -2.0], np.float32)))) as sound:
        assert np.frombuffer(sound.readframes(2), "<i2").tolist() == [32_767, -32_767]


def test_a_complaint_is_short_and_keeps_no_secret() -> None:
    assert shorten(b"a\n b " + b"x" * 999, secret="") == "a b " + "x" * 296
    assert shorten(b"key k1!", secret="k1") == "key ...!"
