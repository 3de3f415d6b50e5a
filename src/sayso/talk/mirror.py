"""Whether what a microphone hears is the reply from the loudspeaker, by its sound. Pure.

A reply is held as soon as the caller is loud, so its echo is cut off in the middle of a word, and
what is left of it may be written down as words nobody said. Its sound gives it away: a filter of
64 ms is fitted that turns the reply into what was heard, and whatever is no echo is not explained
by it. Recorded speech as replies and as callers, per cent of stretches taken for an echo:

                         echo of        a caller alone,    a caller over it all,
                         0.8 s  1.2 s   or after 0.6 s     as loud   half as loud
    straight               100    100                0           3             93
    over a telephone       100    100                0           3             93
    as much from walls      87     77                0           0             43
"""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np
import numpy.typing as npt

from sayso.audio.formats import EAR_RATE_HZ, Samples

RATE_HZ: Final = 4_000
"""Sound is compared at this rate: most of a voice's energy lies below 1.8 kHz."""

KEPT_S: Final = 4.0
"""So much of what was sent is remembered, in seconds: the longest stretch, its way, its pause."""

SHORTEST_S: Final = 0.25
"""Of less sound, a filter explains anything."""

LONGEST_S: Final = 1.5
"""Longer stretches have words enough to tell them by, and a caller may speak in them."""

EXPLAINED: Final = 0.6
"""Share of a stretch's energy that its echo explains at least."""

EXPLAINED_SOMEWHERE: Final = 0.35
"""The same for each quarter of a second of it that is not silent: a word of the caller's is not."""

SILENT: Final = 0.03
"""Share of the loudest quarter second's energy."""

EDGE: Final = 0.1
"""Share of the peak loudness from which a sound begins, and at which it ends."""

_KEPT_HZ: Final = 8_000
_FRAME: Final = 256
_HOP: Final = 64
_SPAN: Final = RATE_HZ // 4 // _HOP
_WINDOW: Final = np.hanning(_FRAME).astype(np.float32)
_BANDS: Final = slice(10, 116)
"""156 to 1,800 Hz, of the bins of a frame."""

_Frames = npt.NDArray[np.complexfloating]


class Mirror:
    """What was sent of late to one caller.

    Args:
        rate_hz: the rate of the replies' sound.
    """

    def __init__(self, rate_hz: int) -> None:
        near = max(1, rate_hz // _KEPT_HZ)
        self._step = next(step for step in range(near, 0, -1) if rate_hz % step == 0)
        self._rate_hz = rate_hz // self._step
        self._pieces: deque[npt.NDArray[np.int16]] = deque()
        self._kept = 0

    def said(self, samples: Samples) -> None:
        """The agent sends this."""
        whole = len(samples) // self._step * self._step
        if not whole:
            return
        piece = samples[:whole].reshape(-1, self._step).mean(axis=1)
        self._pieces.append((piece * np.float32(32_767)).astype(np.int16))
        self._kept += len(piece)
        while self._kept - len(self._pieces[0]) >= KEPT_S * self._rate_hz:
            self._kept -= len(self._pieces.popleft())

    def shows(self, heard: Samples) -> bool:
        """Whether `heard`, a stretch of speech at 16 kHz, is an echo of it, and nothing else."""
        if not self._kept or not SHORTEST_S <= len(heard) / EAR_RATE_HZ <= LONGEST_S:
            return False
        echo = _trim(_slow(heard, EAR_RATE_HZ))
        if len(echo) < SHORTEST_S * RATE_HZ:
            return False
        sent = np.concatenate(self._pieces).astype(np.float32) / np.float32(32_767)
        return _explains(_align(_slow(sent, self._rate_hz), echo), echo)


def _slow(samples: Samples, rate_hz: int) -> Samples:
    """The same sound at `RATE_HZ`, without what that cannot hold."""
    count = len(samples) * RATE_HZ // rate_hz
    spectrum = np.fft.rfft(samples)[: count // 2 + 1]
    return (np.fft.irfft(spectrum, count) * (count / len(samples))).astype(np.float32)


def _trim(sound: Samples) -> Samples:
    """The sound from its first loud moment to its last: the reply may have been held before."""
    width = RATE_HZ // 100
    loudness = np.sqrt(np.convolve(sound * sound, np.full(width, 1 / width), "same"))
    (loud,) = np.nonzero(loudness > EDGE * loudness.max())
    return sound[loud[0] : loud[-1] + 1] if len(loud) else sound[:0]


def _align(sent: Samples, echo: Samples) -> Samples:
    """The part of `sent` that `echo` is most like, as long as it; silence where there is none."""
    count = 1 << (len(sent) + len(echo)).bit_length()
    shared = np.fft.rfft(echo, count).conj() * np.fft.rfft(sent, count)
    hertz = np.fft.rfftfreq(count, 1 / RATE_HZ)
    shared[(hertz < 150) | (hertz > 1_800)] = 0
    shared /= np.sqrt(np.abs(shared)) + 1e-9  # no single tone of a vowel decides
    begins = int(np.fft.irfft(shared, count).argmax())
    begins -= count if begins >= len(sent) else 0
    return np.pad(sent, len(echo))[begins + len(echo) :][: len(echo)]


def _explains(sent: Samples, echo: Samples) -> bool:
    """Whether one filter makes `echo` of `sent` nearly everywhere."""
    source, heard = _frames(sent), _frames(echo)
    power = (np.abs(source) ** 2).sum(axis=0) + 1e-6
    rest = np.abs(heard - source * ((source.conj() * heard).sum(axis=0) / power)) ** 2
    energy, unexplained = (np.abs(heard) ** 2).sum(axis=1), rest.sum(axis=1)
    if unexplained.sum() > (1 - EXPLAINED) * energy.sum():
        return False
    span = np.ones(min(_SPAN, len(energy)))
    whole, rest_of_it = (np.convolve(each, span, "valid") for each in (energy, unexplained))
    loud = whole > SILENT * whole.max()
    return bool((rest_of_it[loud] <= (1 - EXPLAINED_SOMEWHERE) * whole[loud]).all())


def _frames(sound: Samples) -> _Frames:
    """Spectra of frames of 64 ms, 16 ms apart: frames by bins."""
    frames = np.lib.stride_tricks.sliding_window_view(sound, _FRAME)[::_HOP]
    return np.fft.rfft(frames * _WINDOW)[:, _BANDS]
