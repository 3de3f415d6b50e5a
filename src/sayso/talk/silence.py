"""Silence: made for clients that send nothing meanwhile, and told to those that send it. Pure.

Muted clients send "" or nothing at all; some send speech only. Audio time must go on for them,
or a pause would never become an ending. Sound often comes in slices of a quarter or half a
second, so a client is late only when the sound it sent must have been over for a while.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import numpy as np

from sayso.audio.formats import EAR_RATE_HZ, Samples

LATE_S: Final = 0.25
"""How late the next sound may be before silence takes its place: network jitter."""

MAX_LEAD_S: Final = 1.0
"""Sound sent ahead of time is waited for at most this long, in seconds."""

DEAF_AFTER_S: Final = 8.0
"""How long a client may send nothing but silence before it is told, in seconds."""

FAINTEST: Final = 2.0**-14
"""Samples no louder than this are what a switched-off microphone gives: two steps of 16 bits."""

Complaint: TypeAlias = Literal["nothing", "silence"]


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


class Microphone:
    """Notices a client whose microphone gives no sound at all, or only silence; says so once."""

    def __init__(self) -> None:
        self._open_s: float | None = None
        self._sent = False
        self._content = False

    def open(self, now_s: float) -> None:
        """The caller may speak from now on."""
        if self._open_s is None:
            self._open_s = now_s

    def received(self, samples: Samples) -> None:
        """The client sent `samples`."""
        if not self._content and len(samples):
            self._sent = True
            self._content = bool(np.abs(samples).max() > FAINTEST)

    def excuse(self) -> None:
        """The caller types: they need no microphone."""
        self._content = True

    def complaint(self, now_s: float) -> Complaint | None:
        """What is wrong at `now_s`, if it is and has not been said."""
        if self._content or self._open_s is None or now_s < self._open_s + DEAF_AFTER_S:
            return None
        self._content = True
        return "silence" if self._sent else "nothing"
