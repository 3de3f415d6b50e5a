import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import speech
from pauses import is_sentence, trim
from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.engines import EngineConfig, load_engine
from sayso.eot import Eot
from sayso.eot.smart_turn import INPUT_SAMPLES, MAX_WAITING_PER_WORKER, SmartTurn, fit, judge_turn
from sayso.errors import InstallationError, SpeechError
from sayso.models import MODELS_DIR

SILENCE = np.zeros(EAR_RATE_HZ, np.float32)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def eot() -> AsyncIterator[Eot]:
    engine: Eot = load_engine("sayso.eot", "smart-turn", EngineConfig(MODELS_DIR))
    await engine.open()
    yield engine
    await engine.close()


def ended(sound: Samples) -> Samples:
    """With 0.2 s of silence after the last loud moment."""
    return np.pad(trim(sound), (0, EAR_RATE_HZ // 5))


@pytest.mark.skipif(not speech.prompts(), reason="no recordings installed")
@pytest.mark.speech
async def test_whole_prompts_sound_done(eot: Eot) -> None:
    """Measured on 100 of them: 96 % above a half, three quarters above 0.94."""
    whole = [p for p in speech.prompts() if is_sentence(p.text) and 2 <= p.seconds <= 8][:30]
    done = [await eot.judge(ended(p.samples)) for p in whole]
    assert np.mean([verdict is not None and verdict > 0.5 for verdict in done]) >= 0.9


@pytest.mark.skipif(not speech.prompts(), reason="no recordings installed")
@pytest.mark.speech
async def test_half_a_sentence_does_not(eot: Eot) -> None:
    """Bare cuts are what it is weakest at: about half of them sound open."""
    long = [p for p in speech.prompts() if is_sentence(p.text) and 4 <= p.seconds <= 8][:30]
    halves = [trim(p.samples)[: int(0.35 * len(trim(p.samples)))] for p in long]
    done = [await eot.judge(ended(half)) for half in halves]
    assert np.mean([verdict is not None and verdict < 0.5 for verdict in done]) >= 0.4


async def test_a_verdict_is_a_probability(eot: Eot) -> None:
    for sound in (SILENCE, SILENCE[:0], np.full(20 * EAR_RATE_HZ, 0.1, np.float32)):
        verdict = await eot.judge(sound)
        assert verdict is not None
        assert 0 <= verdict <= 1


def test_the_last_eight_seconds_count() -> None:
    short = fit(np.ones(100, np.float32))
    assert (len(short), short.sum(), short[-1]) == (INPUT_SAMPLES, 100, 1)
    long = fit(np.arange(INPUT_SAMPLES + 5, dtype=np.float32))
    assert (len(long), long[0]) == (INPUT_SAMPLES, 5)


async def test_a_closed_judge_says_so() -> None:
    engine = SmartTurn(EngineConfig(MODELS_DIR))
    with pytest.raises(SpeechError, match="not open"):
        await engine.judge(SILENCE)
    await engine.close()


async def test_a_missing_model_is_a_sentence(tmp_path: Path) -> None:
    engine = SmartTurn(EngineConfig(tmp_path))
    with pytest.raises(InstallationError, match="end of turn model"):
        await engine.open()
    await engine.close()


def test_a_failure_inside_is_a_speech_error() -> None:
    with pytest.raises(SpeechError, match="the end-of-turn judge failed"):
        judge_turn(None, SILENCE)


class Held:
    """A model that thinks until it is let go."""

    def __init__(self) -> None:
        self.go, self.began = threading.Event(), threading.Event()
        self.runs = 0

    def run(self, _: None, feed: dict[str, Any]) -> list[Any]:
        assert feed["input_features"].shape == (1, 80, 800)
        self.runs += 1
        self.began.set()
        self.go.wait(10)
        return [np.array([[0.5]], np.float32)]


async def held(timeout_s: float = 10.0) -> tuple[SmartTurn, Held]:
    engine, model = SmartTurn(EngineConfig(MODELS_DIR, timeout_s=timeout_s)), Held()
    await engine.open()
    engine._session = model
    return engine, model


async def test_a_judgement_that_takes_too_long_is_an_error() -> None:
    engine, model = await held(timeout_s=0.02)
    with pytest.raises(SpeechError, match=r"no judgement came within 0\.02 s") as caught:
        await engine.judge(SILENCE)
    assert caught.value.hint is not None
    assert "SAYSO_EOT=rules" in caught.value.hint
    model.go.set()
    await engine.close()


async def test_when_too_many_wait_the_next_is_not_begun() -> None:
    engine, model = await held()
    waiting = [
        asyncio.create_task(engine.judge(SILENCE)) for _ in range(1 + MAX_WAITING_PER_WORKER)
    ]
    await asyncio.sleep(0)
    assert await engine.judge(SILENCE) is None
    model.go.set()
    assert await asyncio.gather(*waiting) == [0.5] * len(waiting)
    assert await engine.judge(SILENCE) == 0.5, "there is room again"
    await engine.close()


async def test_one_nobody_waits_for_any_more_is_not_begun() -> None:
    engine, model = await held()
    first, second = (asyncio.create_task(engine.judge(SILENCE)) for _ in range(2))
    await asyncio.to_thread(model.began.wait, 10)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    model.go.set()
    assert await first == 0.5
    await engine.judge(SILENCE)
    assert model.runs == 2
    await engine.close()
