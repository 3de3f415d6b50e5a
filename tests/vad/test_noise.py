"""Sounds that are no speech do not open the gate."""

from collections.abc import Callable

import numpy as np
import pytest

from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.engines import EngineConfig
from sayso.models import MODELS_DIR
from sayso.vad.gate import Gate, SpeechStarted
from sayso.vad.silero import Silero

RNG = np.random.default_rng(0)


def click() -> Samples:
    return RNG.normal(0, 0.5, 160).astype(np.float32)


def tone() -> Samples:
    times_s = np.arange(EAR_RATE_HZ // 2) / EAR_RATE_HZ
    return (0.2 * np.sin(2 * np.pi * 440 * times_s)).astype(np.float32)


def rustle() -> Samples:
    return (RNG.normal(0, 0.1, 4_800) * np.hanning(4_800)).astype(np.float32)


def thud() -> Samples:
    return (RNG.normal(0, 0.2, 3_200) * np.exp(-np.arange(3_200) / 800)).astype(np.float32)


@pytest.mark.parametrize("make", [click, tone, rustle, thud])
async def test_the_gate_stays_shut(make: Callable[[], Samples]) -> None:
    vad = Silero(EngineConfig(models_dir=MODELS_DIR))
    await vad.open()
    sound = RNG.normal(0, 0.01, 10 * EAR_RATE_HZ).astype(np.float32)
    for at in range(4_000, len(sound) - EAR_RATE_HZ, EAR_RATE_HZ):
        one = make()
        sound[at : at + len(one)] += one
    gate = Gate()
    events = [gate.step(probability) for probability in await vad.stream().judge(sound)]
    assert not any(isinstance(event, SpeechStarted) for event in events)
    await vad.close()
