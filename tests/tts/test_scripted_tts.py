import time

import numpy as np
import pytest

from sayso.audio.formats import Samples
from sayso.engines import EngineConfig, load_engine
from sayso.errors import InstallationError, SpeechError
from sayso.models import MODELS_DIR
from sayso.tts import Tts


def make(timeout_s: float = 15.0, **options: str) -> Tts:
    config = EngineConfig(models_dir=MODELS_DIR, timeout_s=timeout_s, options=options)
    engine: Tts = load_engine("sayso.tts", "scripted", config)
    return engine


async def say(tts: Tts, text: str, voice: str = "hum", speed: float = 1.0) -> list[Samples]:
    await tts.open()
    pieces = [piece async for piece in tts.speak(text, voice=voice, speed=speed)]
    await tts.close()
    return pieces


async def test_the_hum_is_as_long_as_the_text() -> None:
    tts = make(chars_per_s="10")
    pieces = await say(tts, "ten chars.")
    assert [len(piece) for piece in pieces] == [tts.sample_rate_hz // 4] * 4
    assert 0.09 < np.abs(np.concatenate(pieces)).max() <= 0.1


async def test_speed_makes_it_shorter() -> None:
    assert len(np.concatenate(await say(make(chars_per_s="10"), "x" * 20, speed=2.0))) == 24_000


async def test_each_voice_is_a_tone_of_its_own() -> None:
    tts = make()
    tones = {}
    for voice in tts.voices:
        sound = np.concatenate(await say(tts, "x" * 15, voice.id))
        tones[voice.id] = int(np.abs(np.fft.rfft(sound)).argmax())
    assert tones == {"hum": 220, "drone": 110}


async def test_silence_can_be_had() -> None:
    assert not np.concatenate(await say(make(silent="true"), "Hello")).any()


async def test_no_text_makes_no_sound() -> None:
    assert await say(make(), "  ") == []


async def test_the_delay_is_kept() -> None:
    begin = time.perf_counter()
    await say(make(delay_ms="30"), "Hello")
    assert time.perf_counter() - begin >= 0.03


async def test_a_delay_beyond_the_limit_is_an_error() -> None:
    with pytest.raises(SpeechError, match=r"no sound came within 0\.01 s"):
        await say(make(0.01, delay_ms="5000"), "Hello")


async def test_another_voice_is_refused() -> None:
    with pytest.raises(SpeechError, match="no voice 'heart'; there are hum, drone"):
        await say(make(), "Hello", "heart")


@pytest.mark.parametrize(
    "options", [{"delay_ms": "soon"}, {"delay_ms": "-1"}, {"chars_per_s": "0"}]
)
def test_options_out_of_range_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(InstallationError, match=f"the option `{next(iter(options))}`"):
        make(15.0, **options)
