"""Silence for clients that send nothing while their caller is silent. Pure.

Muted clients send "" or nothing at all; some send speech only. Audio time must go on for them,
or a pause would never become an ending. Sound often comes in slices of a quarter or half a
second, so a client is late only when the sound it sent must have been over for a while.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sayso.audio.formats import EAR_RATE_HZ, Samples

LATE_S: Final = 0.25
"""How late the next sound may be before silence takes its place: network jitter."""

MAX_LEAD_S: Final = 1.0
"""Sound sent ahead of time is waited for at most this long, in seconds."""


class GapFiller:
    """Knows until when a client's sound reaches, and makes the silence that follows."""

    def __init__(self, now_s: float) -> None:
        self._reaches_s = now_s

    def received(self, seconds: float, now_s: float) -> None:
        """`seconds` of sound came in at `now_s`."""
        self._reaches_s = min(max(self._reaches_s, now_s) + seconds, now_s + MAX_LEAD_S)

    def fill(self, now_s: float) -> Samples | None:
        """The silence missing at `now_s`, at 16 kHz, or None while the client is in time."""
        missing_s = now_s - self._reaches_s
        if missing_s <= LATE_S:
            return None
        self._reaches_s = now_s - LATE_S
        return np.zeros(int((missing_s - LATE_S) * EAR_RATE_HZ), np.float32)
