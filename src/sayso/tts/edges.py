"""Cuts the silence off both ends of a clause's sound. Pure.

Voices pad what they say: the bundled one with 0.25 s of nothing in front and 0.35 s behind (hibari
0.2.1, below -54 dB). In front it is latency the caller waits for, behind it doubles the pause
between sentences; what a sentence needs to breathe is left.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sayso.audio.formats import Samples

QUIET: Final = 0.002
"""Samples below this are silence: -54 dB of full scale."""

ONSET_S: Final = 0.04
"""Silence left in front, in seconds: the breath of a first consonant."""

PAUSE_S: Final = 0.12
"""Silence left behind a clause that goes on, in seconds."""

STOP_S: Final = 0.32
"""Silence left behind a sentence, in seconds."""

LONGEST_CUT_S: Final = 2.0
"""More silence than this, in seconds, is meant, and is left alone."""


def pause_after(text: str) -> float:
    """Seconds of silence that belong behind `text`."""
    return STOP_S if text.rstrip("\"'”’)» ").endswith((".", "!", "?", "…", "。")) else PAUSE_S


class Edges:
    """The sound of one clause on its way: `feed` it as it comes, `finish` it at the end."""

    def __init__(self, rate_hz: int, pause_s: float) -> None:
        self._onset = int(ONSET_S * rate_hz)
        self._pause = int(pause_s * rate_hz)
        self._longest = int(LONGEST_CUT_S * rate_hz)
        self._held = np.zeros(0, np.float32)
        self._began = False

    def feed(self, samples: Samples) -> Samples:
        """Take more sound; get what is certainly no silence at an end."""
        sound = np.concatenate([self._held, samples]) if len(self._held) else samples
        loud = np.flatnonzero(np.abs(sound) >= QUIET)
        if not len(loud):
            return self._hold(sound, 0)
        begin = 0 if self._began else max(0, int(loud[0]) - self._onset)
        self._began = True
        return self._hold(sound[begin:], int(loud[-1]) + 1 - begin)

    def finish(self) -> Samples:
        """The clause is over: get the silence that belongs behind it."""
        rest = self._held[: self._pause] if self._began else self._held[:0]
        self._held = self._held[:0]
        return rest

    def _hold(self, sound: Samples, reach: int) -> Samples:
        """Keep what follows sample `reach`, unless there is too much of it."""
        if len(sound) - reach > self._longest:
            self._began, reach = True, len(sound)
        self._held = sound[reach:]
        return sound[:reach]
