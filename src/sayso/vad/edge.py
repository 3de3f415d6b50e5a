"""When speech began and fell silent, to 10 ms: the detector knows that it did, the loudness when.

Silero remembers: a window counts as speech until 60 ms after the sound is over (p50; 107 ms at
p95). Patience counted from there is 60 ms too long in every turn. So once the detector is sure of
silence, the end is looked for in the loudness around the moment it names. Measured on 95
recordings, milliseconds from the last 10 ms that are louder than 3 % of the recording's peak:

                           by the detector         by the loudness
                           p5    p50    p95        p5    p50    p95
    in a quiet room       +17    +61   +107        -7     +1    +15
    mu-law at 8 kHz       -51    +44    +85      -114     -2     +9
    noise at 20 dB        -17    +66   +133       -26     -5     +3
    noise at 10 dB        -65    +81   +130      left to the detector

What a telephone line takes away, a last "s", is gone for either. A beginning is looked for in
the same way, because the detector hears a soft onset up to 150 ms late. Pure.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sayso.audio.formats import EAR_RATE_HZ, Samples

BLOCK_SAMPLES: Final = EAR_RATE_HZ // 100
"""Loudness is taken 10 ms at a time."""

LOOK_BACK_S: Final = 0.16
LOOK_AHEAD_S: Final = 0.03
"""How far before and after the moment the detector names the end may lie, in seconds."""

RINGING_S: Final = 0.03
"""Of the silence so much may still be speech, and is no measure of the room, in seconds."""

LOUD: Final = 0.03
"""Share of the speech's loudness from which a sound belongs to it: -30 dB."""

OVER_ROOM: Final = 1.5
"""How much louder than the room it must be as well."""

NOISY: Final = 0.1
"""A room louder than this share of the speech (-20 dB) hides the end of it."""


def find_end(sound: Samples, named: int) -> int:
    """The sample of `sound` at which speech ended.

    Args:
        sound: 16 kHz; the last second of speech, perhaps less, and the silence after it.
        named: the sample at which silence begins by the detector.
    """
    level = _loudness(sound)
    block = named // BLOCK_SAMPLES
    speech, silence = level[:block], level[block + _blocks(RINGING_S) :]
    if not len(speech) or not len(silence):
        return named
    peak, room = float(speech.max()), float(np.median(silence))
    if room > NOISY * peak:
        return named
    first = max(0, block - _blocks(LOOK_BACK_S))
    near = level[first : block + _blocks(LOOK_AHEAD_S)]
    loud = np.flatnonzero(near >= max(LOUD * peak, OVER_ROOM * room))
    last = first + int(loud[-1]) + 1 if len(loud) else first
    return last * BLOCK_SAMPLES


def find_start(sound: Samples, named: int) -> int:
    """The sample of `sound` at which speech began.

    Args:
        sound: 16 kHz; the silence before speech, perhaps little of it, and its first moments.
        named: the sample at which it begins by the detector.
    """
    level = _loudness(sound)
    block = named // BLOCK_SAMPLES
    first = max(0, block - _blocks(LOOK_BACK_S))
    silence, speech = level[:first], level[block:]
    if not len(speech) or not len(silence):
        return named
    peak, room = float(speech.max()), float(np.median(silence))
    if room > NOISY * peak:
        return named
    loud = np.flatnonzero(level[first:] >= max(LOUD * peak, OVER_ROOM * room))
    return (first + int(loud[0])) * BLOCK_SAMPLES if len(loud) else named


def _blocks(seconds: float) -> int:
    return round(seconds * EAR_RATE_HZ / BLOCK_SAMPLES)


def _loudness(sound: Samples) -> Samples:
    """The root mean square of each whole block."""
    blocks = sound[: len(sound) // BLOCK_SAMPLES * BLOCK_SAMPLES].reshape(-1, BLOCK_SAMPLES)
    level: Samples = np.sqrt(np.square(blocks).mean(axis=1))
    return level
