"""hibari: the bundled voice, English, 24 kHz; a 4 s sentence takes about 60 ms of one core.

The net predicts pitch and spectral envelopes for one speaker, and a waveform is made from them.
Other timbres come for free by changing those before the waveform is made: pitch is scaled, and
the envelopes' frequency axis is stretched, as a longer or shorter throat would do. The voices
hibari would download from a hub are not offered.

No thread count has to be set: hibari's numpy work is FFTs and element-wise functions, which
are single-threaded; the multi-threaded part of numpy (BLAS) is not used on this path.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from sayso.audio.formats import Samples
from sayso.engines import EngineConfig
from sayso.errors import LESS_WORK, InstallationError, SpeechError
from sayso.models import locate
from sayso.tts import Voice

RATE_HZ = 24_000
MAX_TEXT_CHARS = 4_000
"""Longest text spoken at once; a reply is cut into clauses long before."""

SLOWEST, FASTEST = 0.5, 1.5

Spectrum = npt.NDArray[np.float32]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shape:
    """What makes one speaker another: factors on pitch and on the frequency axis."""

    pitch: float = 1.0
    stretch: float = 1.0


SHAPES: dict[str, tuple[Voice, Shape]] = {
    voice.id: (voice, shape)
    for voice, shape in (
        (
            Voice(
                "heart", "Heart", "female", "en-US", "A warm American woman; the clearest voice."
            ),
            Shape(),
        ),
        (
            Voice("bright", "Bright", "female", "en-US", "A lighter, younger American woman."),
            Shape(pitch=1.12, stretch=1.06),
        ),
        (
            Voice("calm", "Calm", "female", "en-US", "A lower, quieter American woman."),
            Shape(pitch=0.86, stretch=0.96),
        ),
        (
            Voice("deep", "Deep", "male", "en-US", "A deep voice, between a woman's and a man's."),
            Shape(pitch=0.72, stretch=0.90),
        ),
        (
            Voice("baritone", "Baritone", "male", "en-US", "A low voice, like a man's."),
            Shape(pitch=0.58, stretch=0.85),
        ),
    )
}


class HibariTts:
    """The engine; see `sayso.tts.Tts`. Each worker is one thread; all share the model."""

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        self._model: Synthesizer | None = None
        self._workers: ThreadPoolExecutor | None = None

    @property
    def sample_rate_hz(self) -> int:
        """24,000."""
        return RATE_HZ

    @property
    def voices(self) -> Sequence[Voice]:
        """The timbres, the clearest one first."""
        return [voice for voice, _ in SHAPES.values()]

    async def open(self) -> None:
        """Load and warm the model. Raises InstallationError if it is missing or damaged."""
        self._workers = ThreadPoolExecutor(self._config.workers, thread_name_prefix="hibari")
        loop = asyncio.get_running_loop()
        self._model = await loop.run_in_executor(
            self._workers, load_synthesizer, self._config.models_dir
        )

    async def speak(self, text: str, *, voice: str, speed: float = 1.0) -> AsyncIterator[Samples]:
        """Speak one clause: one array of 24 kHz sound per sentence, as soon as it is made.

        Closing the iterator stops the work after the inference under way.

        Raises:
            SpeechError: no such voice, too much text, or the sound did not come in time.
        """
        shape = find_shape(voice)
        if len(text) > MAX_TEXT_CHARS:
            raise SpeechError(f"at most {MAX_TEXT_CHARS} characters are spoken at once")
        if self._model is None:
            raise SpeechError("the text-to-speech engine is not open")
        model, pace = self._model, min(max(speed, SLOWEST), FASTEST)
        for phonemes in await self._work(partial(model.read, text)):
            yield await self._work(partial(model.say, phonemes, shape, pace))

    async def close(self) -> None:
        """Let go of the model; a synthesis under way is left to end by itself."""
        if self._workers is not None:
            self._workers.shutdown(wait=False, cancel_futures=True)
        self._workers = self._model = None

    async def _work(self, job: Callable[[], T]) -> T:
        """Run `job` in a worker. A cancelled or late job is dropped if it has not begun."""
        work = asyncio.get_running_loop().run_in_executor(self._workers, job)
        try:
            return await asyncio.wait_for(work, self._config.timeout_s)
        except TimeoutError as error:
            raise SpeechError(
                f"no sound came within {self._config.timeout_s:g} s; this machine is too busy",
                hint=f"{LESS_WORK}; SAYSO_TTS_WORKERS helps only where cores are idle.",
            ) from error


class Synthesizer:
    """The model itself, without threads or time; may be called from several threads at once."""

    def __init__(self, hibari: Any, synth: Callable[..., Any]) -> None:  # noqa: ANN401
        self._hibari = hibari
        self._synth = synth

    def read(self, text: str) -> list[str]:
        """The phonemes of `text`, one string per sentence. Raises SpeechError."""
        try:
            return [str(phonemes) for phonemes in self._hibari.phonemize(text)]
        except Exception as error:  # whatever a text makes hibari stumble over is its own class
            raise SpeechError(f"the voice cannot read this text: {error}") from error

    def say(self, phonemes: str, shape: Shape, speed: float) -> Samples:
        """The sound of one sentence. Raises SpeechError."""
        ids = self._hibari.ids(phonemes)
        if len(ids) < 3:  # nothing but the two pads
            return np.zeros(0, np.float32)
        feed = {"ids": np.array([ids], np.int64), "speed": np.array([speed], np.float32)}
        try:
            outputs = [output[0] for output in self._hibari.sess.run(None, feed)]
            sound = self._synth(*reshape(outputs, shape), np.random.default_rng(0))
        except Exception as error:  # onnxruntime raises its own classes, straight below Exception
            raise SpeechError(f"the text-to-speech model failed: {error}") from error
        return np.clip(np.asarray(sound, np.float32), -1.0, 1.0)


def load_synthesizer(models_dir: Path) -> Synthesizer:
    """Load and warm the model and its reading of words. Raises InstallationError."""
    model = locate("hibari.onnx", models_dir)
    locate("hibari-unknown-words.onnx", models_dir)
    try:
        from hibari import Hibari, dsp  # noqa: PLC0415 - numpy and onnxruntime come with it
    except ImportError as error:
        raise InstallationError(
            f"hibari-tts, the bundled voice, cannot be loaded: {error}",
            hint="Run `pip install hibari-tts==0.2.1`.",
        ) from error
    # A model path keeps hibari from looking for, and downloading, a voice by name.
    synthesizer = Synthesizer(Hibari(model=str(model), threads=1), dsp.synth)
    for phonemes in synthesizer.read("Hello from Zworbik, it is 9:30."):
        synthesizer.say(phonemes, Shape(1.1, 1.1), 1.0)
    return synthesizer


def find_shape(voice: str) -> Shape:
    """The shape of a voice by its id. Raises SpeechError when there is none."""
    if voice not in SHAPES:
        raise SpeechError(f"there is no voice {voice!r}; there are {', '.join(SHAPES)}")
    return SHAPES[voice][1]


def reshape(outputs: Sequence[Spectrum], shape: Shape) -> list[Spectrum]:
    """Turn the net's speaker into another.

    `outputs` are the net's: the log magnitude and phase of the harmonics' filter, the log
    magnitudes of the noise and of the free part, the free part's phase (each 601 bins by frames),
    and the pitch in Hz by frame.
    """
    if shape == Shape():
        return list(outputs)
    *spectra, pitch_hz = outputs
    harmonic, theta, noise, free, phi = spectra
    return [
        stretch(harmonic, shape.stretch),
        stretch(theta, shape.stretch),
        stretch(noise, shape.stretch),
        stretch(free, shape.stretch),
        stretch(phi, shape.stretch, nearest=True),  # between two phases lies no phase
        pitch_hz * np.float32(shape.pitch),
    ]


def stretch(spectrum: Spectrum, factor: float, *, nearest: bool = False) -> Spectrum:
    """Move what is at bin k to bin k * factor; the last bin fills what is left open."""
    last = len(spectrum) - 1
    at = np.minimum(np.arange(last + 1) / factor, last)
    if nearest:
        return spectrum[np.round(at).astype(np.intp)]
    below = np.minimum(at.astype(np.intp), last - 1)
    weight = (at - below).astype(np.float32)[:, None]
    mixed: Spectrum = spectrum[below] * (1 - weight) + spectrum[below + 1] * weight
    return mixed
