"""Hums, coughs and grunts pass for speech now and then; the agent goes on talking all the same.

The real detector and the real ears listen to sound made here; the turn core decides. Nothing in it
depends on how fast this machine is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest

from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.engines import EngineConfig
from sayso.models import MODELS_DIR
from sayso.stt.moonshine import Moonshine
from sayso.talk.endpointing import Policy
from sayso.talk.events import Command, Heard, Hold, Hush, Resume, SpeechStarted, SpeechStopped
from sayso.talk.state import Phase, Turn
from sayso.talk.turn import step

SPEAKING = Turn(Phase.SPEAKING, number=1, audible=True)
VOWELS_HZ = {
    "mm": (250, 1000),
    "uh": (640, 1190),
    "ah": (730, 1090),
    "er": (490, 1350),
    "oo": (300, 870),
}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def stt() -> AsyncIterator[Moonshine]:
    engine = Moonshine(EngineConfig(MODELS_DIR))
    await engine.open()
    yield engine
    await engine.close()


def resonate(sound: Samples, hz: float, width_hz: float) -> Samples:
    """What a cavity of the throat makes of it: one formant."""
    spectrum = np.fft.rfft(sound)
    at_hz = np.fft.rfftfreq(len(sound), 1 / EAR_RATE_HZ)
    shape = 1 / (1 + ((at_hz - hz) / width_hz) ** 2)
    return np.fft.irfft(spectrum * shape, len(sound)).astype(np.float32)


def hum(seconds: float, pitch_hz: float, vowel: str, level: float = 0.3) -> Samples:
    count = int(seconds * EAR_RATE_HZ)
    phase = np.cumsum(np.full(count, pitch_hz / EAR_RATE_HZ))
    pulses = np.diff(np.floor(phase), prepend=0.0).astype(np.float32)
    voice = np.sum([resonate(pulses, hz, 90) for hz in VOWELS_HZ[vowel]], axis=0)
    return shaped(voice, level)


def cough(seconds: float, level: float = 0.5) -> Samples:
    count = int(seconds * EAR_RATE_HZ)
    noise = np.random.default_rng(0).normal(0, 1, count).astype(np.float32)
    burst = resonate(noise, 900, 500) * np.exp(-np.linspace(0, 4, count, dtype=np.float32))
    return shaped(burst + 0.3 * hum(seconds, 130, "uh"), level)


def shaped(sound: Samples, level: float) -> Samples:
    edges = np.minimum(1, np.minimum(np.arange(len(sound)), np.arange(len(sound))[::-1]) / 480)
    return np.asarray(level * sound / np.abs(sound).max() * edges, np.float32)


async def over_a_reply(stt: Moonshine, noise: Samples) -> tuple[str, tuple[Command, ...]]:
    """What is written down for the noise, and what becomes of the reply it is made over."""
    spoken_s = len(noise) / EAR_RATE_HZ
    sound = np.pad(noise, (EAR_RATE_HZ * 3 // 10, EAR_RATE_HZ // 10))
    text = await stt.transcribe(sound, "english")
    turn, held = step(SPEAKING, SpeechStarted(3.1), Policy())
    turn, _ = step(turn, SpeechStopped(3.2 + spoken_s, 3.0 + spoken_s), Policy())
    turn, then = step(turn, Heard(3.3 + spoken_s, text, spoken_s), Policy())
    return text, (*held, *then)


@pytest.mark.parametrize("vowel", VOWELS_HZ)
@pytest.mark.parametrize("seconds", [0.1, 0.2, 0.3])
async def test_a_hum_holds_the_reply_and_lets_it_go_on(
    stt: Moonshine, vowel: str, seconds: float
) -> None:
    for pitch_hz in (110, 200):
        text, said = await over_a_reply(stt, hum(seconds, pitch_hz, vowel))
        assert said == (Hold(1), Resume(1)), text


@pytest.mark.parametrize("seconds", [0.1, 0.15, 0.2, 0.3])
async def test_so_does_a_cough(stt: Moonshine, seconds: float) -> None:
    text, said = await over_a_reply(stt, cough(seconds))
    assert said == (Hold(1), Resume(1)), text


async def test_a_word_of_that_length_does_not() -> None:
    turn, _ = step(SPEAKING, SpeechStarted(3.1), Policy())
    turn, _ = step(turn, SpeechStopped(3.5, 3.3), Policy())
    turn, said = step(turn, Heard(3.6, "Stop.", 0.3), Policy(speculates=False))
    assert said[0] == Hush(1)
