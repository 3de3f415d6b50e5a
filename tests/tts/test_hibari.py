import asyncio
import importlib.util
import sys
import threading
import types
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from sayso.audio.formats import Samples
from sayso.engines import EngineConfig, load_engine
from sayso.errors import InstallationError, SpeechError
from sayso.models import MODELS_DIR
from sayso.tts import Tts
from sayso.tts.hibari import (
    MAX_TEXT_CHARS,
    RATE_HZ,
    SHAPES,
    HibariTts,
    Shape,
    Synthesizer,
    load_synthesizer,
    reshape,
    stretch,
)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def tts() -> AsyncIterator[Tts]:
    engine: Tts = load_engine("sayso.tts", "hibari", EngineConfig(models_dir=MODELS_DIR, workers=2))
    await engine.open()
    yield engine
    await engine.close()


async def say(tts: Tts, text: str, voice: str = "heart", speed: float = 1.0) -> list[Samples]:
    return [piece async for piece in tts.speak(text, voice=voice, speed=speed)]


def pitch_hz(sound: Samples) -> float:
    """The lower quartile of the loud parts' pitches, by autocorrelation, which hears some of them
    an octave too high."""
    found = []
    for at in range(0, len(sound) - 1_200, 1_200):
        frame = sound[at : at + 1_200] - sound[at : at + 1_200].mean()
        if np.abs(frame).max() < 0.1:
            continue
        match = np.correlate(frame, frame, "full")[1_199:]
        low, high = RATE_HZ // 350, RATE_HZ // 60
        found.append(RATE_HZ / (low + int(match[low:high].argmax())))
    return float(np.percentile(found, 25))


async def test_one_array_comes_for_each_sentence(tts: Tts) -> None:
    pieces = await say(tts, "Hello there. How are you?")
    assert len(pieces) == 2
    for piece in pieces:
        assert piece.dtype == np.float32
        assert piece.ndim == 1
        assert 0.3 < len(piece) / tts.sample_rate_hz < 3
        assert 0.05 < np.abs(piece).max() <= 1.0


@pytest.mark.parametrize("voice", SHAPES)
async def test_every_voice_speaks(tts: Tts, voice: str) -> None:
    (sound,) = await say(tts, "Good morning.", voice)
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() > 0.05


async def test_voices_differ_in_pitch(tts: Tts) -> None:
    heard = {
        voice: pitch_hz((await say(tts, "Good morning, how may I help you today?", voice))[0])
        for voice in ("bright", "heart", "deep", "baritone")
    }
    assert sorted(heard, key=lambda voice: -heard[voice]) == list(heard)
    assert heard["baritone"] < 140 < heard["heart"]


async def test_speed_is_honoured_within_its_limits(tts: Tts) -> None:
    text = "This is a sentence of some length."
    lengths = {s: len((await say(tts, text, speed=s))[0]) for s in (0.1, 0.5, 1.0, 1.5, 9.0)}
    assert lengths[0.5] > 1.5 * lengths[1.0]
    assert lengths[1.5] < 0.8 * lengths[1.0]
    assert lengths[0.1] == lengths[0.5]
    assert lengths[9.0] == lengths[1.5]


async def test_the_same_text_sounds_the_same(tts: Tts) -> None:
    first, again = await say(tts, "Twice the same."), await say(tts, "Twice the same.")
    assert np.array_equal(first[0], again[0])


@pytest.mark.parametrize("text", ["", "   ", "...", "你好"])
async def test_what_cannot_be_said_is_silent(tts: Tts, text: str) -> None:
    assert sum(map(len, await say(tts, text))) < RATE_HZ


async def test_a_voice_from_the_hub_is_refused(tts: Tts) -> None:
    with pytest.raises(SpeechError, match="no voice 'emma'; there are heart, bright"):
        await say(tts, "Hello.", "emma")


async def test_too_much_text_is_refused(tts: Tts) -> None:
    with pytest.raises(SpeechError, match="4000 characters"):
        await say(tts, "a" * (MAX_TEXT_CHARS + 1))


async def test_the_default_voice_comes_first(tts: Tts) -> None:
    assert [voice.id for voice in tts.voices] == list(SHAPES)
    assert tts.voices[0].id == "heart"
    assert {voice.gender for voice in tts.voices} == {"female", "male"}


async def test_voices_are_known_before_the_engine_is_open() -> None:
    engine = HibariTts(EngineConfig(models_dir=MODELS_DIR))
    assert engine.voices[0].id == "heart"
    with pytest.raises(SpeechError, match="not open"):
        await say(engine, "Hello.")


class Slow(Synthesizer):
    """A model that speaks when it is told to."""

    def __init__(self) -> None:
        super().__init__(None, lambda *_: None)
        self.begun = threading.Event()
        self.go = threading.Event()
        self.said: list[str] = []

    def read(self, text: str) -> list[str]:
        return text.split()

    def say(self, phonemes: str, shape: Shape, speed: float) -> Samples:
        self.said.append(phonemes)
        self.begun.set()
        assert self.go.wait(5)
        return np.zeros(10, np.float32)


async def open_slow(timeout_s: float) -> tuple[HibariTts, Slow]:
    engine = HibariTts(EngineConfig(models_dir=MODELS_DIR, timeout_s=timeout_s))
    await engine.open()
    engine._model = slow = Slow()
    return engine, slow


async def test_sound_that_comes_too_late_is_an_error() -> None:
    engine, slow = await open_slow(0.02)
    with pytest.raises(SpeechError, match=r"no sound came within 0\.02 s") as caught:
        await say(engine, "one two")
    assert "SAYSO_TTS_WORKERS helps only where cores are idle" in str(caught.value.hint)
    slow.go.set()
    await engine.close()


async def test_a_cancelled_reply_stops_after_the_inference_under_way() -> None:
    engine, slow = await open_slow(5)
    speaking = asyncio.create_task(say(engine, "one two three"))
    await asyncio.to_thread(slow.begun.wait, 5)
    speaking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await speaking
    slow.go.set()
    await engine.close()
    assert slow.said == ["one"]


async def test_a_closed_iterator_stops_too() -> None:
    engine, slow = await open_slow(5)
    slow.go.set()
    sound = cast("AsyncGenerator[Samples, None]", engine.speak("one two", voice="heart"))
    await anext(sound)
    await sound.aclose()
    await engine.close()
    assert slow.said == ["one"]


async def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a download")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    load_synthesizer(MODELS_DIR)


async def test_a_missing_package_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hibari", None)
    with pytest.raises(InstallationError, match="hibari"):
        load_synthesizer(MODELS_DIR)


def test_a_broken_package_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = types.ModuleType("hibari")
    empty.__spec__ = importlib.util.find_spec("hibari")
    monkeypatch.setitem(sys.modules, "hibari", empty)
    with pytest.raises(InstallationError, match="cannot be loaded") as caught:
        load_synthesizer(MODELS_DIR)
    assert caught.value.hint == "Run `pip install hibari-tts==0.2.1`."


async def test_an_engine_never_opened_can_be_closed() -> None:
    await HibariTts(EngineConfig(models_dir=MODELS_DIR)).close()


class Broken:
    """A hibari that fails at everything."""

    sess = None

    def phonemize(self, text: str) -> list[str]:
        raise KeyError(text)

    def ids(self, phonemes: str) -> list[int]:
        return [0] * len(phonemes)


def test_a_failure_inside_is_a_speech_error() -> None:
    synthesizer = Synthesizer(Broken(), lambda *_: None)
    with pytest.raises(SpeechError, match="cannot read this text: 'hm'"):
        synthesizer.read("hm")
    with pytest.raises(SpeechError, match="model failed"):
        synthesizer.say("həlO", Shape(), 1.0)
    assert len(synthesizer.say("", Shape(), 1.0)) == 0


def outputs(bins: int = 8) -> list[Any]:
    ramp = np.repeat(np.arange(bins, dtype=np.float32)[:, None], 3, axis=1)
    return [ramp.copy() for _ in range(5)] + [np.full(3, 200, np.float32)]


def test_the_plain_shape_changes_nothing() -> None:
    before = outputs()
    for one, other in zip(reshape(before, Shape()), before, strict=True):
        assert one is other


def test_a_shape_scales_pitch_and_stretches_spectra() -> None:
    *spectra, pitch = reshape(outputs(), Shape(pitch=0.5, stretch=2.0))
    assert pitch.tolist() == [100, 100, 100]
    assert spectra[0][:, 0].tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]
    assert set(spectra[4][:, 0].tolist()) <= set(range(8)), "phases are moved, never mixed"


def test_a_shrunk_spectrum_repeats_its_last_bin() -> None:
    (ramp, *_) = outputs()
    assert stretch(ramp, 0.5)[:, 0].tolist() == [0, 2, 4, 6, 7, 7, 7, 7]
    assert stretch(ramp, 1.0).tolist() == ramp.tolist()


async def test_a_damaged_model_is_found_when_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(name: str, models_dir: Path) -> Path:
        raise InstallationError(f"{name} is damaged")

    monkeypatch.setattr("sayso.tts.hibari.locate", find)
    with pytest.raises(InstallationError, match=r"hibari\.onnx is damaged"):
        await HibariTts(EngineConfig(models_dir=tmp_path)).open()
