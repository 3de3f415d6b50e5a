import asyncio
import io
import wave
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from sayso.audio.formats import Samples
from sayso.errors import InstallationError, SpeechError
from sayso.tts import Tts
from sayso.tts.openai import (
    MAX_CLAUSE_S,
    OpenAiTts,
    SoundReader,
    read_rate_hz,
    read_voices,
)
from speech_server import KEY, Answer, always, asking, make_config

PCM = np.arange(-1_000, 1_000, dtype="<i2").tobytes()


def to_wav(pcm: bytes, rate_hz: int = 24_000, channels: int = 1) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(pcm)
    return file.getvalue()


@asynccontextmanager
async def serving(answer: Answer, timeout_s: float = 5.0, **options: str) -> AsyncGenerator[Tts]:
    async with asking("sayso.tts", answer, timeout_s, **options) as tts:
        yield tts


async def say(tts: Tts, text: str = "Hello.") -> list[Samples]:
    return [piece async for piece in tts.speak(text, voice="nova", speed=1.2)]


async def test_the_text_is_sent_and_the_sound_returned() -> None:
    seen: dict[str, Any] = {}

    async def answer(request: web.Request) -> web.Response:
        seen.update(await request.json())
        seen["authorization"] = request.headers["Authorization"]
        return web.Response(body=PCM, content_type="audio/pcm")

    async with serving(answer, model="kokoro") as tts:
        sound = np.concatenate(await say(tts))
    assert seen == {
        "model": "kokoro",
        "input": "Hello.",
        "voice": "nova",
        "speed": 1.2,
        "response_format": "pcm",
        "authorization": f"Bearer {KEY}",
    }
    assert sound.dtype == np.float32
    assert sound[0] == -1_000 / 32_768
    assert len(sound) == 2_000


async def test_sound_is_passed_on_as_it_comes() -> None:
    more = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(PCM)
        await more.wait()
        await response.write(b"?")
        return response

    async with serving(answer) as tts:
        sound = tts.speak("Hello.", voice="nova")
        first = await anext(sound)
        assert len(first) == 2_000
        more.set()
        assert [piece async for piece in sound] == [], "half a sample is none"


@pytest.mark.parametrize(
    ("response", "complaint"),
    [
        (
            {"status": 401, "text": f"bad key {KEY}!\n"},
            r"answered 401 \(text/plain\): bad key \.\.\.!$",
        ),
        ({"status": 500}, "answered 500"),
        ({"status": 307, "headers": {"Location": "/elsewhere"}}, "redirect to /elsewhere"),
        ({"text": "<html>", "content_type": "text/html"}, r"200 \(text/html\): <html>"),
        ({"text": "{}", "content_type": "application/json"}, r"200 \(application/json\): {}"),
        ({"text": "", "content_type": "text/plain"}, ": nothing"),
        ({"body": b"", "content_type": "audio/pcm"}, "sent no sound"),
    ],
)
async def test_a_bad_answer_is_a_sentence(response: dict[str, Any], complaint: str) -> None:
    async with serving(always(**response)) as tts:
        with pytest.raises(SpeechError, match=complaint) as caught:
            await say(tts)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("sent", [b"", PCM])
async def test_a_server_that_falls_silent_is_a_sentence(sent: bytes) -> None:
    done = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if sent:
            await response.prepare(request)
            await response.write(sent)
        await done.wait()
        return response

    async with serving(answer, timeout_s=0.05) as tts:
        with pytest.raises(SpeechError, match=r"took longer than 0\.05 s"):
            await say(tts)
        done.set()


async def test_a_server_that_is_not_there_is_a_sentence() -> None:
    tts = OpenAiTts(make_config({"url": "http://127.0.0.1:1/v1"}))
    with pytest.raises(SpeechError, match="the text-to-speech engine is not open"):
        await say(tts)
    await tts.open()
    with pytest.raises(SpeechError, match=r"the text-to-speech server at .* cannot be reached"):
        await say(tts)
    await tts.close()
    await tts.close()


async def test_a_private_server_is_not_called_where_the_operator_says_so() -> None:
    tts = OpenAiTts(make_config({"url": "http://localhost:1/v1"}, private=False))
    await tts.open()
    with pytest.raises(SpeechError, match="SAYSO_OUTBOUND_PRIVATE"):
        await say(tts)
    await tts.close()
    with pytest.raises(InstallationError, match="SAYSO_OUTBOUND_PRIVATE"):
        await OpenAiTts(make_config({"url": "http://127.0.0.1:1/v1"}, private=False)).open()


async def test_a_caller_who_interrupts_hangs_up() -> None:
    gone = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(PCM)
                await asyncio.sleep(0)
        except ConnectionError:
            gone.set()
        return response

    async with serving(answer) as tts:
        sound = tts.speak("Hello.", voice="nova")
        await anext(sound)
        await sound.aclose()  # type: ignore[attr-defined]
        await asyncio.wait_for(gone.wait(), 5.0)


def test_voices_and_rate_are_the_servers() -> None:
    tts = OpenAiTts(
        make_config({"url": "http://a", "voices": "bella:female, adam", "sample_rate_hz": "16000"})
    )
    assert [(voice.id, voice.gender) for voice in tts.voices] == [
        ("bella", "female"),
        ("adam", "neutral"),
    ]
    assert tts.sample_rate_hz == 16_000
    assert OpenAiTts(make_config({"url": "http://a"})).voices[0].id == "alloy"


def test_options_that_cannot_be_are_refused() -> None:
    with pytest.raises(InstallationError, match="text-to-speech engine `openai` needs the option"):
        OpenAiTts(make_config({}))
    for rate in ("fast", "100", "96000"):
        with pytest.raises(InstallationError, match="`sample_rate_hz` is 8000 to 48000 Hz"):
            read_rate_hz(make_config({"sample_rate_hz": rate}))
    with pytest.raises(InstallationError, match="at least one voice"):
        read_voices(" , ")


@pytest.mark.parametrize("sound", [PCM, to_wav(PCM)])
@pytest.mark.parametrize("step", [1, 3, 7, 100_000])
def test_samples_come_whole_however_the_bytes_are_cut(sound: bytes, step: int) -> None:
    reader = SoundReader(24_000)
    pieces = [reader.feed(sound[at : at + step]) for at in range(0, len(sound), step)]
    assert np.array_equal(np.concatenate(pieces) * 32_768, np.arange(-1_000, 1_000))


@pytest.mark.parametrize("other", [to_wav(PCM, rate_hz=22_050), to_wav(PCM, channels=2)])
def test_a_wav_of_another_kind_is_refused(other: bytes) -> None:
    with pytest.raises(SpeechError, match="mono 16-bit at 24000 Hz was expected") as caught:
        SoundReader(24_000).feed(other)
    assert caught.value.hint == "Set the option `sample_rate_hz` to the server's rate."


def test_a_wav_without_sound_is_refused() -> None:
    with pytest.raises(SpeechError, match="a WAV file without sound"):
        SoundReader(24_000).feed(b"RIFF" + b"x" * 5_000)


def test_endless_sound_is_refused() -> None:
    reader = SoundReader(8_000)
    second = bytes(16_000)
    for _ in range(int(MAX_CLAUSE_S)):
        reader.feed(second)
    with pytest.raises(SpeechError, match="more than 300 s of sound"):
        reader.feed(second)
