from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

import speech
from sayso.audio.formats import EAR_RATE_HZ
from sayso.engines import EngineConfig, load_engine
from sayso.errors import InstallationError, SpeechError
from sayso.models import MODELS_DIR
from sayso.vad import WINDOW_SAMPLES, Vad
from sayso.vad.gate import Gate, SpeechStarted, SpeechStopped
from sayso.vad.silero import Silero, SileroStream

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
    probabilities = vad.stream().feed(np.zeros(EAR_RATE_HZ, np.float32))
    assert len(probabilities) == EAR_RATE_HZ // WINDOW_SAMPLES
    assert max(probabilities) < 0.1


async def test_the_answer_does_not_depend_on_how_sound_is_cut(vad: Vad) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 5_000).astype(np.float32)
    whole = vad.stream().feed(sound)
    stream = vad.stream()
    pieces = [p for at in range(0, 5_000, 160) for p in stream.feed(sound[at : at + 160])]
    assert pieces == whole


async def test_callers_do_not_hear_each_other(vad: Vad) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 4_096).astype(np.float32)
    alone = vad.stream().feed(sound)
    one, other = vad.stream(), vad.stream()
    mixed = []
    for at in range(0, 4_096, 512):
        mixed += one.feed(sound[at : at + 512])
        other.feed(-sound[at : at + 512] * 3)
    assert mixed == alone


@needs_speech
@pytest.mark.speech
async def test_speech_is_found_where_it_is(vad: Vad) -> None:
    silence = np.zeros(EAR_RATE_HZ, np.float32)
    for recording in speech.sentences()[:10]:
        gate, stream = Gate(), vad.stream()
        sound = np.concatenate([silence, recording.samples, silence])
        events = [e for p in stream.feed(sound) if (e := gate.step(p))]
        assert isinstance(events[0], SpeechStarted)
        assert isinstance(events[-1], SpeechStopped)
        assert 0.9 <= events[0].at_s <= 1.5
        assert abs(events[-1].at_s - 1.0 - recording.seconds) < 0.6


async def test_a_closed_detector_says_so() -> None:
    with pytest.raises(SpeechError, match="not open"):
        Silero(EngineConfig(models_dir=MODELS_DIR)).stream()


async def test_a_missing_model_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InstallationError, match="voice activity detection"):
        await Silero(EngineConfig(models_dir=tmp_path)).open()


def test_a_failing_model_is_a_speech_error() -> None:
    class Broken:
        def run(self, *_: object) -> None:
            raise RuntimeError("out of memory")

    with pytest.raises(SpeechError, match="detector failed: out of memory"):
        SileroStream(Broken()).feed(np.zeros(512, np.float32))
