import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import pytest

import speech
from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.engines import EngineConfig, load_engine
from sayso.errors import InstallationError, SpeechError
from sayso.models import MODELS_DIR
from sayso.vad import WINDOW_SAMPLES, Vad
from sayso.vad.gate import Gate, SpeechStarted, SpeechStopped
from sayso.vad.network import STATE_SHAPE, Network
from sayso.vad.silero import CONTEXT_SAMPLES, MAX_BATCH, Batches, Silero, SileroStream

needs_speech = pytest.mark.skipif(not speech.prompts(), reason="no recordings installed")


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def vad() -> AsyncIterator[Vad]:
    engine: Vad = load_engine("sayso.vad", "silero", EngineConfig(models_dir=MODELS_DIR))
    await engine.open()
    yield engine
    await engine.close()


async def test_silence_is_no_speech(vad: Vad) -> None:
    probabilities = await vad.stream().judge(np.zeros(EAR_RATE_HZ, np.float32))
    assert len(probabilities) == EAR_RATE_HZ // WINDOW_SAMPLES
    assert max(probabilities) < 0.1


async def test_the_answer_does_not_depend_on_how_sound_is_cut(vad: Vad) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 5_000).astype(np.float32)
    whole = await vad.stream().judge(sound)
    stream = vad.stream()
    pieces = [p for at in range(0, 5_000, 160) for p in await stream.judge(sound[at : at + 160])]
    assert pieces == whole


async def test_callers_do_not_hear_each_other(vad: Vad) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 4_096).astype(np.float32)
    alone = await vad.stream().judge(sound)
    one, other = vad.stream(), vad.stream()
    mixed = []
    for at in range(0, 4_096, 512):
        mixed += await one.judge(sound[at : at + 512])
        await other.judge(-sound[at : at + 512] * 3)
    assert mixed == alone


@needs_speech
@pytest.mark.speech
async def test_speech_is_found_where_it_is(vad: Vad) -> None:
    silence = np.zeros(EAR_RATE_HZ, np.float32)
    for recording in speech.sentences()[:10]:
        gate, stream = Gate(), vad.stream()
        sound = np.concatenate([silence, recording.samples, silence])
        events = [e for p in await stream.judge(sound) if (e := gate.step(p))]
        assert isinstance(events[0], SpeechStarted)
        assert isinstance(events[-1], SpeechStopped)
        assert 0.9 <= events[0].at_s <= 1.5
        assert abs(events[-1].at_s - 1.0 - recording.seconds) < 0.6


@needs_speech
@pytest.mark.speech
async def test_speech_in_the_first_samples_of_a_telephone_line_is_noticed_soon(vad: Vad) -> None:
    for recording in speech.sentences()[:20]:
        loud = np.flatnonzero(np.abs(recording.samples) > 0.1)
        sound = speech.over_the_phone(recording.samples[loud[0] :])
        gate = Gate()
        for probability in await vad.stream().judge(sound):
            if gate.step(probability):
                break
        assert gate.now_s <= 0.3


async def test_a_closed_detector_says_so() -> None:
    with pytest.raises(SpeechError, match="not open"):
        Silero(EngineConfig(models_dir=MODELS_DIR)).stream()


async def test_a_missing_model_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InstallationError, match="voice activity detection"):
        await Silero(EngineConfig(models_dir=tmp_path)).open()


@dataclass
class Counting:
    """A network whose probability is the loudness of the window's first sample."""

    batches: list[int] = field(default_factory=list)
    fails: bool = False

    def judge(self, windows: Samples, states: Samples) -> tuple[Samples, Samples]:
        if self.fails:
            raise RuntimeError("out of memory")
        self.batches.append(len(windows))
        return windows[:, CONTEXT_SAMPLES], states + 1


def counting(network: Counting) -> Batches:
    return Batches(cast("Network", network), np.zeros(STATE_SHAPE, np.float32))


def windows(*values: float) -> Samples:
    return np.repeat(np.array(values, np.float32), WINDOW_SAMPLES)


async def test_windows_that_come_together_are_judged_together() -> None:
    network = Counting()
    batches = counting(network)
    streams = [SileroStream(batches) for _ in range(5)]
    found = await asyncio.gather(*(s.judge(windows(n / 8)) for n, s in enumerate(streams)))
    assert found == [[n / 8] for n in range(5)]
    assert network.batches == [5]


async def test_many_windows_of_one_caller_let_the_others_through() -> None:
    network = Counting()
    batches = counting(network)
    order: list[str] = []

    async def judge(name: str, *values: float) -> list[float]:
        found = await SileroStream(batches).judge(windows(*values))
        order.append(name)
        return found

    found = await asyncio.gather(judge("long", *[0.5] * 9), judge("short", 0.25))
    assert list(found) == [[0.5] * 9, [0.25]]
    assert order == ["short", "long"]
    assert network.batches == [2] + [1] * 8


async def test_a_batch_is_bounded() -> None:
    network = Counting()
    batches = counting(network)
    streams = [SileroStream(batches) for _ in range(MAX_BATCH + 3)]
    found = await asyncio.gather(*(s.judge(windows(0.5)) for s in streams))
    assert found == [[0.5]] * len(streams)
    assert network.batches == [MAX_BATCH, 3]


async def test_a_window_that_can_wait_goes_with_the_next_urgent_one() -> None:
    network = Counting()
    batches = counting(network)
    one, other = SileroStream(batches), SileroStream(batches)
    assert await one.judge(windows(0.5)) == [0.5]
    waiting = asyncio.create_task(one.judge(windows(0.25), urgent=False))
    await asyncio.sleep(0)
    assert await other.judge(windows(0.75)) == [0.75]
    assert await waiting == [0.25]
    assert network.batches == [1, 2]


async def test_a_window_that_can_wait_does_not_wait_for_ever() -> None:
    network = Counting()
    stream = SileroStream(counting(network))
    assert await stream.judge(windows(0.5), urgent=False) == [0.5]
    assert await stream.judge(windows(0.25), urgent=False) == [0.25]
    assert network.batches == [1, 1]


async def test_sound_that_fills_no_window_is_not_waited_for() -> None:
    network = Counting()
    stream = SileroStream(counting(network))
    assert await stream.judge(windows(0.5)[:511]) == []
    assert network.batches == []
    assert await stream.judge(windows(0.5)[:2]) == [0.5]
    assert await stream.judge(np.zeros(0, np.float32)) == []


async def test_a_caller_who_hangs_up_is_left_out() -> None:
    network = Counting()
    batches = counting(network)
    gone = asyncio.create_task(SileroStream(batches).judge(windows(0.5, 0.5)))
    stays = asyncio.create_task(SileroStream(batches).judge(windows(0.25, 0.25)))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == [0.25, 0.25]
    assert network.batches == [1, 1]
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_a_batch_nobody_waits_for_is_not_judged() -> None:
    network = Counting()
    batches = counting(network)
    gone = asyncio.create_task(SileroStream(batches).judge(windows(0.5)))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    assert await SileroStream(batches).judge(windows(0.25)) == [0.25]
    assert network.batches == [1]


async def test_each_caller_hears_of_a_failure_and_the_next_may_succeed() -> None:
    network = Counting(fails=True)
    batches = counting(network)
    calls = [SileroStream(batches).judge(windows(0.5)) for _ in range(2)]
    for failure in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(failure, SpeechError)
        assert failure.message == "the voice-activity detector failed: out of memory"
    network.fails = False
    assert await SileroStream(batches).judge(windows(0.5)) == [0.5]
