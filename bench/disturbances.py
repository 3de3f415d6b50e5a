"""What callers make besides speech: coughs, doors, typing, hums; made here, always the same.

Recorded ones come from Debian packages (`scratch`, `bucklespring-data`, `minetest-data`); nothing
of them is kept here, and where they are not installed, they are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import speech
from sayso.audio.formats import EAR_RATE_HZ, Samples

SPEECH_LEVEL = 0.3
"""The peak of a caller's speech; a disturbance is made relative to it."""

SCRATCH = Path("/usr/share/scratch/Media/Sounds")
DOORS = Path("/usr/share/games/minetest/games/minetest_game/mods/doors/sounds")
KEYS = Path("/usr/share/buckle/wav")

RECORDED: Mapping[str, str] = {
    "cough, a woman's": "Human/Cough-female.wav",
    "cough, a man's": "Human/Cough-male.wav",
    "sneeze, a woman's": "Human/Sneeze-female.wav",
    "sneeze, a man's": "Human/Sneeze-male.wav",
    "slurping": "Human/Slurp.mp3",
    "a snap of fingers": "Human/FingerSnap.wav",
    "footsteps": "Human/Footsteps-1.wav",
    "a baby crying": "Human/BabyCry.mp3",
    "a dog": "Animal/Dog1.wav",
    "another dog": "Animal/Dog2.wav",
    "a cat": "Animal/Meow.wav",
    "typing": "Effects/Typing.mp3",
    "a door shut": "Effects/DoorClose.mp3",
    "a door creaking": "Effects/DoorCreak.wav",
    "rattling": "Effects/Rattle.wav",
    "running water": "Effects/WaterRunning.mp3",
    "a car passing": "Effects/CarPassing.wav",
    "a bell": "Effects/BellToll.wav",
    "a clap": "Percussion/HandClap.wav",
    "a guitar": "Instruments/GuitarStrum.wav",
    "music": "Music Loops/Techno.mp3",
}
"""Sounds of the package `scratch` (CC-BY-SA-3.0), below `SCRATCH`."""

LAUGHS: Mapping[str, str] = {
    "laugh, a woman's": "Human/Laugh-female.wav",
    "laugh, a man's": "Human/Laugh-male1.wav",
    "laugh, another man's": "Human/Laugh-male2.wav",
}

LONGEST_S = 4.0
"""Of a longer recording, so much is played."""

VOWELS_HZ = {
    "mm": (250, 1000),
    "uh": (640, 1190),
    "ah": (730, 1090, 2440),
    "er": (490, 1350),
    "oo": (300, 870),
}


@dataclass(frozen=True, slots=True)
class Disturbance:
    """One sound over a reply.

    Attributes:
        kind: what it is a kind of; tables are sorted by it.
        name: which one.
        samples: 16 kHz.
    """

    kind: str
    name: str
    samples: Samples

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / EAR_RATE_HZ


# Pieces of sound -----------------------------------------------------------------------------


def hiss(seconds: float, low_hz: float, high_hz: float, seed: int = 0) -> Samples:
    """Noise between two frequencies."""
    noise = np.random.default_rng(seed).normal(0, 1, _count(seconds))
    spectrum = np.fft.rfft(noise)
    at_hz = np.fft.rfftfreq(len(noise), 1 / EAR_RATE_HZ)
    spectrum *= 1 / (1 + (low_hz / np.maximum(at_hz, 1)) ** 4) / (1 + (at_hz / high_hz) ** 4)
    return _peak(np.fft.irfft(spectrum, len(noise)))


def resonate(sound: Samples, hz: float, width_hz: float) -> Samples:
    """What a cavity of the throat makes of it: one formant."""
    at_hz = np.fft.rfftfreq(len(sound), 1 / EAR_RATE_HZ)
    shape = 1 / (1 + ((at_hz - hz) / width_hz) ** 2)
    return np.fft.irfft(np.fft.rfft(sound) * shape, len(sound)).astype(np.float32)


def voiced(
    seconds: float, pitches_hz: Sequence[float], vowel: str, *, rough: float = 0.0
) -> Samples:
    """A vowel whose pitch glides through `pitches_hz`; `rough` makes its pulses uneven."""
    count = _count(seconds)
    pitch = np.interp(np.linspace(0, 1, count), np.linspace(0, 1, len(pitches_hz)), pitches_hz)
    uneven = np.repeat(np.random.default_rng(1).normal(1, rough, count // 80 + 1), 80)[:count]
    phase = np.cumsum(pitch * uneven / EAR_RATE_HZ)
    pulses = np.diff(np.floor(phase), prepend=0.0).astype(np.float32)
    return _peak(np.sum([resonate(pulses, hz, 90) for hz in VOWELS_HZ[vowel]], axis=0))


def decay(sound: Samples, seconds: float, attack_s: float = 0.004) -> Samples:
    """The sound struck at its beginning: down to a third every `seconds`."""
    at_s = np.arange(len(sound)) / EAR_RATE_HZ
    return (sound * np.exp(-at_s / seconds) * np.minimum(1, at_s / attack_s)).astype(np.float32)


def swell(sound: Samples) -> Samples:
    """The sound rising and falling."""
    return (sound * np.hanning(len(sound))).astype(np.float32)


def ring(seconds: float, *partials_hz: float) -> Samples:
    """Sines together."""
    at_s = np.arange(_count(seconds)) / EAR_RATE_HZ
    return _peak(np.sum([np.sin(2 * np.pi * hz * at_s) for hz in partials_hz], axis=0))


def together(*parts: tuple[float, float, Samples]) -> Samples:
    """(when in seconds, how loud, what), mixed."""
    ends = max(_count(at_s) + len(sound) for at_s, _, sound in parts)
    mixed = np.zeros(ends, np.float32)
    for at_s, gain, sound in parts:
        begin = _count(at_s)
        mixed[begin : begin + len(sound)] += gain * sound
    return mixed


def at_level(sound: Samples, level: float) -> Samples:
    """The sound with its peak at `level`, without clicks at its ends."""
    ramp = np.minimum(1, np.minimum(np.arange(len(sound)), np.arange(len(sound))[::-1]) / 80)
    return np.asarray(level * _peak(sound) * ramp, np.float32)


def _count(seconds: float) -> int:
    return int(seconds * EAR_RATE_HZ)


def _peak(sound: npt.NDArray[Any]) -> Samples:
    return (sound / max(1e-9, float(np.abs(sound).max()))).astype(np.float32)


# Bodies --------------------------------------------------------------------------------------


def cough(seconds: float = 0.35, pitch_hz: float = 0.0, seed: int = 0) -> Samples:
    """A burst, the air that follows it, and in some people a voice at its end."""
    air = together(
        (0, 1.0, resonate(hiss(seconds, 300, 4_000, seed), 1_100, 500)),
        (0, 0.3, hiss(seconds, 800, 6_000, seed + 1)),
    )
    parts = [
        (0.0, 1.0, decay(hiss(0.06, 400, 6_000, seed), 0.02)),
        (0.02, 0.7, decay(_peak(air), seconds / 3)),
    ]
    if pitch_hz:
        voice = swell(voiced(seconds * 0.6, (pitch_hz * 1.2, pitch_hz * 0.8), "uh", rough=0.1))
        parts.append((seconds * 0.35, 0.5, voice))
    return together(*parts)


def coughs(count: int, pitch_hz: float = 0.0) -> Samples:
    """A fit of coughing."""
    return together(*(
        (index * 0.45, 1.0 - 0.15 * index, cough(0.3, pitch_hz, seed=index))
        for index in range(count)
    ))  # fmt: skip


def throat(seconds: float = 0.6, pitch_hz: float = 75.0) -> Samples:
    """Clearing one's throat: a rough, low voice with much air."""
    voice = voiced(seconds, (pitch_hz, pitch_hz * 1.3, pitch_hz), "er", rough=0.35)
    return swell(together((0, 1.0, voice), (0, 0.4, hiss(seconds, 300, 3_000))))


def breath(seconds: float = 1.0, *, blows: bool = False) -> Samples:
    """Breathing; `blows` straight into the microphone, which rumbles."""
    parts = [(0.0, 0.6, swell(hiss(seconds, 300, 3_500)))]
    if blows:
        parts.append((0.0, 2.0, swell(hiss(seconds, 20, 120, seed=3))))
    return np.clip(together(*parts), -1, 1)


def hum(pitch_hz: float, seconds: float = 0.55) -> Samples:
    """ "Mm-hm": two nasal syllables, the second higher."""
    first = swell(voiced(seconds * 0.45, (pitch_hz, pitch_hz * 0.95), "mm"))
    second = swell(voiced(seconds * 0.55, (pitch_hz * 1.1, pitch_hz * 1.3), "mm"))
    return together((0, 0.8, first), (seconds * 0.45, 1.0, second))


def laugh(pitch_hz: float, count: int = 3) -> Samples:
    """A short laugh."""
    syllable = together(
        (0.0, 0.4, swell(hiss(0.08, 500, 4_000))),
        (0.05, 1.0, swell(voiced(0.13, (pitch_hz, pitch_hz * 0.8), "ah"))),
    )
    return together(*((index * 0.19, 1 - 0.15 * index, syllable) for index in range(count)))


def baby(seconds: float = 0.9) -> Samples:
    """A cry."""
    trembling = [440 + 60 * np.sin(index) for index in range(12)]
    return swell(voiced(seconds, (350, *trembling, 300), "ah", rough=0.02))


def bark(count: int = 2) -> Samples:
    """A dog."""
    one = swell(
        together(
            (0, 1.0, voiced(0.16, (350, 700, 300), "ah", rough=0.05)),
            (0, 0.5, hiss(0.16, 300, 3_000)),
        )
    )
    return together(*((index * 0.4, 1.0, one) for index in range(count)))


# Rooms ---------------------------------------------------------------------------------------


def door(seed: int = 0) -> Samples:
    """A door slams: the latch, the blow, the room."""
    return together(
        (0.0, 0.3, decay(hiss(0.03, 1_000, 5_000, seed), 0.006)),
        (0.05, 1.0, decay(hiss(0.6, 30, 300, seed), 0.08)),
        (0.05, 0.4, decay(hiss(0.4, 200, 2_000, seed + 1), 0.05)),
    )


def knocks(count: int = 3) -> Samples:
    """Knocking on wood."""
    one = together(
        (0, 1.0, decay(ring(0.15, 180, 410, 730), 0.025)),
        (0, 0.5, decay(hiss(0.05, 500, 4_000), 0.008)),
    )
    return together(*((index * 0.22, 1.0, one) for index in range(count)))


def chair(seconds: float = 0.6) -> Samples:
    """A chair is pushed over a floor: it sticks and slips."""
    scrape = voiced(seconds, (220, 480, 350, 700, 300), "er", rough=0.25)
    return swell(together((0, 0.7, scrape), (0, 0.7, hiss(seconds, 400, 4_000))))


def typing(seconds: float = 10.0, seed: int = 0) -> Samples:
    """A keyboard: each key clicks down and up."""
    rng = np.random.default_rng(seed)
    parts, at_s = [], 0.0
    while at_s < seconds:
        for offset_s, gain in ((0.0, 1.0), (0.07, 0.4)):
            click = together(
                (0, 1.0, decay(hiss(0.03, 1_500, 6_000, int(rng.integers(99))), 0.004)),
                (0, 0.6, decay(ring(0.06, 240, 620), 0.012)),
            )
            parts.append((at_s + offset_s, gain * float(rng.uniform(0.5, 1)), click))
        at_s += float(rng.choice([0.1, 0.14, 0.2, 0.45]))
    return together(*parts)


def fan(seconds: float = 4.0) -> Samples:
    """A fan that is switched on, and off."""
    return together(
        (0, 1.0, hiss(seconds, 60, 700)),
        (0, 0.4, hiss(seconds, 500, 4_000, seed=5)),
        (0, 0.1, ring(seconds, 120, 240)),
    )


def melody() -> Samples:
    """A few notes."""
    notes = (262, 330, 392, 523, 392, 330, 262)
    return together(*(
        (index * 0.3, 1.0, decay(ring(0.5, hz, hz * 2, hz * 3), 0.25))
        for index, hz in enumerate(notes)
    ))  # fmt: skip


def dial(digits: str = "4071") -> Samples:
    """The tones of a telephone's keys."""
    rows, columns = (697, 770, 852, 941), (1_209, 1_336, 1_477)
    keys = "123456789*0#"
    pairs = [(rows[keys.index(digit) // 3], columns[keys.index(digit) % 3]) for digit in digits]
    return together(*((i * 0.22, 1.0, ring(0.14, *pair)) for i, pair in enumerate(pairs)))


MADE: Mapping[str, Callable[[], Samples]] = {
    "cough, dry": lambda: cough(0.25),
    "cough, voiced, low": lambda: cough(0.4, 110),
    "cough, voiced, high": lambda: cough(0.35, 210, seed=4),
    "cough, two": lambda: coughs(2, 130),
    "cough, a fit": lambda: coughs(5, 120),
    "throat": throat,
    "throat, short and high": lambda: throat(0.35, 140),
    "breath": breath,
    "breath into the microphone": lambda: breath(1.2, blows=True),
    "a door": door,
    "knocking": knocks,
    "a chair": chair,
    "typing, 10 s": typing,
    "a fan, 4 s": fan,
    "a tone": lambda: ring(1.0, 440),
    "a melody": melody,
    "dialling": dial,
    "a dog": bark,
    "a baby": baby,
}
"""Noises that are no speech, by name."""

HUMMED: Mapping[str, Callable[[], Samples]] = {
    "mm-hm, hummed low": lambda: hum(110),
    "mm-hm, hummed high": lambda: hum(200),
    "mm-hm, hummed slowly": lambda: hum(120, 0.8),
    "mm, hummed": lambda: swell(voiced(0.4, (130, 115), "mm")),
    "laugh, low": lambda: laugh(130),
    "laugh, high": lambda: laugh(240, 4),
}
"""Signs of listening without words, by name."""

FAINT = ("a fan, 4 s", "breath", "typing, 10 s", "a melody")
"""Those that are not as loud as speech."""


def made() -> Iterator[Disturbance]:
    """All that is made here."""
    for name, make in MADE.items():
        yield Disturbance(
            "noise", name, at_level(make(), SPEECH_LEVEL * (0.5 if name in FAINT else 1))
        )
    for name, make in HUMMED.items():
        yield Disturbance("hummed", name, at_level(make(), SPEECH_LEVEL))


def recorded() -> Iterator[Disturbance]:
    """All that is installed."""
    found = [
        (kind, name, SCRATCH / path)
        for kind, those in (("noise", RECORDED), ("hummed", LAUGHS))
        for name, path in those.items()
    ]
    found += [
        ("noise", f"recorded: {path.stem}", path) for path in sorted(DOORS.glob("*_close.ogg"))
    ]
    for kind, name, path in found:
        if path.is_file():
            sound = speech.load_sound(path)[: int(LONGEST_S * EAR_RATE_HZ)]
            title = name if name.startswith("recorded") else f"recorded: {name}"
            yield Disturbance(kind, title, at_level(sound, SPEECH_LEVEL))
    if keys := sorted(KEYS.glob("*-1.wav")):
        yield Disturbance("noise", "recorded: keys, 5 s", at_level(_type_on(keys), SPEECH_LEVEL))


def _type_on(keys: Sequence[Path], seconds: float = 5.0) -> Samples:
    rng = np.random.default_rng(0)
    parts, at_s = [], 0.0
    while at_s < seconds:
        parts.append((at_s, 1.0, speech.load_sound(keys[int(rng.integers(len(keys)))])))
        at_s += float(rng.choice([0.1, 0.14, 0.2, 0.45]))
    return together(*parts)
