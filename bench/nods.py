"""What callers say over a reply: words that let it go on, and words that end it; by two engines."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator

import numpy as np
import soxr

from disturbances import SPEECH_LEVEL, Disturbance, at_level
from pauses import ESPEAK_RATE_HZ, WAV_HEADER_BYTES, trim
from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.tts import Tts

NODS = (
    "Mm-hm.",
    "Uh-huh.",
    "Yeah.",
    "Right.",
    "Okay.",
    "Yes.",
    "I see.",
    "Got it.",
    "Yeah, okay.",
    "Mm-hm, right.",
    "Oh, wow.",
    "Ha ha ha!",
)
"""Signs of listening: the reply goes on."""

STOPS = (
    "Wait, stop.",
    "Stop.",
    "No, no, no.",
    "Hold on.",
    "Excuse me.",
    "Actually, I meant Tuesday.",
    "Wait.",
    "No.",
    "Sorry?",
    "That's wrong.",
)
"""Interruptions: the reply ends."""

ESPEAK = (("en-us", 150, 50), ("en-us+f3", 190, 60), ("en-gb", 130, 30))
"""Voice, words per minute, pitch."""

SPEEDS = (0.85, 1.0, 1.25)

NOT_BY_ESPEAK = ("Mm-hm.", "Mm-hm, right.")
"""It spells them: "em em aitch em"."""


async def voiced(tts: Tts) -> AsyncIterator[Disturbance]:
    """Every saying in every voice of `tts`, and in some of espeak-ng's if that is installed."""
    for kind, texts in (("nod", NODS), ("stop", STOPS)):
        for text in texts:
            for index, voice in enumerate(tts.voices):
                speed = SPEEDS[index % len(SPEEDS)]
                sound = await speak(tts, text, voice.id, speed)
                yield Disturbance(kind, f"{text} {voice.id} x{speed}", sound)
            if shutil.which("espeak-ng") and text not in NOT_BY_ESPEAK:
                for name, words_per_min, pitch in ESPEAK:
                    sound = espeak(text, name, words_per_min, pitch)
                    yield Disturbance(kind, f"{text} espeak {name}", sound)


async def speak(tts: Tts, text: str, voice: str, speed: float = 1.0) -> Samples:
    """What `tts` makes of `text`, at 16 kHz, as loud as a caller."""
    parts = [piece async for piece in tts.speak(text, voice=voice, speed=speed)]
    return _as_caller(np.concatenate(parts), tts.sample_rate_hz)


def espeak(text: str, voice: str, words_per_min: int, pitch: int) -> Samples:
    """What espeak-ng makes of it."""
    options = ["-v", voice, "-s", str(words_per_min), "-p", str(pitch), "--stdout", text]
    done = subprocess.run(["espeak-ng", *options], capture_output=True, check=True)
    sound = np.frombuffer(done.stdout[WAV_HEADER_BYTES:], "<i2") / np.float32(32768)
    return _as_caller(sound.astype(np.float32), ESPEAK_RATE_HZ)


def _as_caller(sound: Samples, rate_hz: int) -> Samples:
    heard = np.asarray(soxr.resample(sound, rate_hz, EAR_RATE_HZ), np.float32)
    return at_level(trim(heard), SPEECH_LEVEL)
