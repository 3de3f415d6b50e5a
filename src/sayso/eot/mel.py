"""The picture of sound that Whisper's encoder, and what is made from it, looks at. Pure.

A log-mel spectrogram as in OpenAI's Whisper (github.com/openai/whisper) with Slaney's mel scale:
windows of 25 ms every 10 ms, 80 bands up to 8 kHz, 8 decades deep.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from sayso.audio.formats import EAR_RATE_HZ, Samples

WINDOW_SAMPLES = 400
HOP_SAMPLES = 160
BANDS = 80
FLOOR = 1e-10
DECADES = 8.0
"""What is this much fainter than the loudest cell counts as silence, in powers of ten."""

LINEAR_BELOW_HZ = 1000.0
MELS_AT_1000_HZ = 15.0
MELS_PER_LOG = 27.0 / np.log(6.4)
LEAST_VARIANCE = 1e-7

Picture = npt.NDArray[np.float32]
"""Bands by windows, roughly -1 to 1."""


def draw_mel(sound: Samples) -> Picture:
    """The log-mel spectrogram of 16 kHz `sound`: 80 bands by one column for each 10 ms.

    The sound is first brought to mean 0 and variance 1, so that loudness does not matter.
    """
    even = (sound - sound.mean()) / np.sqrt(sound.var() + LEAST_VARIANCE)
    padded = np.pad(even.astype(np.float32), WINDOW_SAMPLES // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_SAMPLES)[::HOP_SAMPLES]
    spectrum = np.fft.rfft(windows[:-1] * _hann(), axis=-1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    mel = np.log10(np.maximum(FLOOR, _filters() @ power.T))
    picture: Picture = ((np.maximum(mel, mel.max() - DECADES) + 4.0) / 4.0).astype(np.float32)
    return picture


@cache
def _hann() -> Picture:
    """The periodic Hann window."""
    return np.hanning(WINDOW_SAMPLES + 1)[:-1].astype(np.float32)


@cache
def _filters() -> Picture:
    """Triangles of equal area on the mel scale: bands by frequencies of the transform."""
    top = _mel_of(np.array([EAR_RATE_HZ / 2]))[0]
    corners_hz = _hz_of(np.linspace(0.0, top, BANDS + 2))
    bins_hz = np.linspace(0, EAR_RATE_HZ / 2, WINDOW_SAMPLES // 2 + 1)
    widths_hz = np.diff(corners_hz)
    slopes = corners_hz[:, None] - bins_hz[None]
    falling = slopes[2:] / widths_hz[1:, None]
    rising = -slopes[:-2] / widths_hz[:-1, None]
    heights = 2.0 / (corners_hz[2:] - corners_hz[:-2])
    return (np.maximum(0.0, np.minimum(rising, falling)) * heights[:, None]).astype(np.float32)


def _mel_of(hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    above = MELS_AT_1000_HZ + np.log(np.maximum(hz, 1.0) / LINEAR_BELOW_HZ) * MELS_PER_LOG
    return np.where(hz < LINEAR_BELOW_HZ, hz * MELS_AT_1000_HZ / LINEAR_BELOW_HZ, above)


def _hz_of(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    above = LINEAR_BELOW_HZ * np.exp((mel - MELS_AT_1000_HZ) / MELS_PER_LOG)
    return np.where(mel < MELS_AT_1000_HZ, mel * LINEAR_BELOW_HZ / MELS_AT_1000_HZ, above)
