"""Short recorded sentences, each cut to end where its sound ends, as the messages that carry it.

A turn is timed from the end of speech, so that end must be known: each recording stops with its
last loud 10 ms, and a gap inside it is too short to be taken for an ending.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

import speech
from sayso.audio.formats import EAR_RATE_HZ, Samples, pcm16_of
from sayso.audio.resample import resample
from sayso.engines import EngineConfig
from sayso.models import MODELS_DIR
from script import FRAME_S

LOUD = 0.01
"""Loudness (RMS) from which 10 ms belong to speech."""

WINDOW_SAMPLES = EAR_RATE_HZ // 100
LONGEST_GAP_S = 0.15
SHORTEST_S, LONGEST_S = 0.9, 1.6
SPOKEN = ("Yes, please do that.", "What is the price?", "Can you hear me?", "I would like to know.")
"""Said by the bundled voice where nothing is recorded."""


@dataclass(frozen=True, slots=True)
class Saying:
    """Something a caller says: one `audioIn` message for each frame, and how long it takes."""

    frames: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """How long it takes to say."""
        return len(self.frames) * FRAME_S


def audio_message(samples: Samples) -> str:
    """The message that carries `samples`."""
    pcm = pcm16_of(samples).astype("<i2").tobytes()
    return msgspec.json.encode({"type": "audioIn", "data": pcm}).decode()


def make_room(frames: int = 50, loudness: float = 0.001) -> tuple[str, ...]:
    """A second of a quiet room (-60 dB), always the same: no microphone sends true silence."""
    noise = np.random.default_rng(0).normal(0.0, loudness, (frames, int(FRAME_S * EAR_RATE_HZ)))
    return tuple(audio_message(frame.astype(np.float32)) for frame in noise)


def is_loud(samples: Samples) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """For each whole 10 ms, whether it belongs to speech."""
    whole = samples[: len(samples) // WINDOW_SAMPLES * WINDOW_SAMPLES].reshape(-1, WINDOW_SAMPLES)
    loud: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.sqrt((whole**2).mean(1)) >= LOUD
    return loud


def trim(samples: Samples) -> Samples:
    """The sound from its first to its last loud window, both included."""
    loud = np.flatnonzero(is_loud(samples))
    if not len(loud):
        return samples[:0]
    return samples[loud[0] * WINDOW_SAMPLES : (loud[-1] + 1) * WINDOW_SAMPLES]


def longest_gap_s(samples: Samples) -> float:
    """The longest silence inside the sound, in seconds."""
    edges = np.flatnonzero(is_loud(samples))
    return float(np.diff(edges).max(initial=1) - 1) * WINDOW_SAMPLES / EAR_RATE_HZ


def is_fit(samples: Samples) -> bool:
    """Whether trimmed sound is one short sentence in one breath."""
    seconds = len(samples) / EAR_RATE_HZ
    return SHORTEST_S <= seconds <= LONGEST_S and longest_gap_s(samples) <= LONGEST_GAP_S


def cut_frames(samples: Samples) -> Saying:
    """Sound as messages; silence fills the first frame, so that the last ends with the sound."""
    step = int(FRAME_S * EAR_RATE_HZ)
    whole = np.concatenate([np.zeros(-len(samples) % step, np.float32), samples])
    return Saying(tuple(audio_message(piece) for piece in whole.reshape(-1, step)))


def choose(sounds: Iterable[Samples], count: int) -> list[Saying]:
    """Up to `count` sayings, evenly spread over the sounds that fit."""
    fit = [cut for cut in map(trim, sounds) if is_fit(cut)]
    step = max(1.0, len(fit) / count)
    return [cut_frames(fit[int(at * step)]) for at in range(min(count, len(fit)))]


async def load_sayings(count: int = 24, *, among: Collection[str] = ()) -> Sequence[Saying]:
    """Recorded speech if it is installed (see `speech.py`), else the bundled voice.

    `among` are the only texts to choose from; none for all.
    """
    short = (
        p
        for p in speech.prompts()
        if SHORTEST_S <= p.seconds <= 2 * LONGEST_S and (not among or p.text in among)
    )
    found = await asyncio.to_thread(
        lambda: choose((p.samples for p in short if not p.text.endswith("...")), count)
    )
    return found or [cut_frames(trim(sound)) for sound in await speak(SPOKEN)]


async def speak(sentences: Iterable[str]) -> list[Samples]:
    """The bundled voice, at 16 kHz."""
    from sayso.tts.hibari import HibariTts

    tts = HibariTts(EngineConfig(MODELS_DIR))
    await tts.open()
    try:
        spoken = []
        for sentence in sentences:
            voice = tts.voices[0].id
            pieces = [piece async for piece in tts.speak(sentence, voice=voice)]
            spoken.append(resample(np.concatenate(pieces), tts.sample_rate_hz, EAR_RATE_HZ))
        return spoken
    finally:
        await tts.close()
