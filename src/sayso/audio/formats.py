"""The formats of the contract (§4.2), and the one shape sound has inside Sayso."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Samples: TypeAlias = npt.NDArray[np.float32]
"""Mono sound: shape (n,), float32 in [-1, 1]; the sample rate is stated where it is used."""

EAR_RATE_HZ = 16_000
"""The rate of everything that was heard: VAD and STT take 16 kHz."""


class InputEncoding(StrEnum):
    """How a caller's sound is encoded (`setup.inputEncoding`)."""

    MEDIA_CONTAINER = "media-container"
    MULAW = "mulaw"
    LINEAR16 = "linear16"
    FLAC = "flac"
    AMR_NB = "amr-nb"
    AMR_WB = "amr-wb"
    OPUS = "opus"
    SPEEX = "speex"
    G729 = "g729"


class OutputFormat(StrEnum):
    """How the agent's sound is encoded (`setup.outputFormat`)."""

    MP3 = "mp3"
    RAW = "raw"
    WAV = "wav"
    OGG = "ogg"
    FLAC = "flac"
    MULAW = "mulaw"


@dataclass(frozen=True, slots=True)
class InputAudio:
    """What a caller said they will send; `sample_rate_hz` is None for self-describing input."""

    encoding: InputEncoding = InputEncoding.MEDIA_CONTAINER
    sample_rate_hz: int | None = None


@dataclass(frozen=True, slots=True)
class OutputAudio:
    """What a caller asked to receive; 8,000 to 48,000 Hz."""

    format: OutputFormat = OutputFormat.MP3
    sample_rate_hz: int = 44_100


def pcm16_of(samples: Samples) -> npt.NDArray[np.int16]:
    """The nearest 16-bit values; what exceeds [-1, 1] is clipped."""
    scaled: Samples = np.rint(samples * np.float32(32_768))
    return scaled.clip(-32_768, 32_767).astype(np.int16)


def samples_of(pcm16: npt.NDArray[np.int16]) -> Samples:
    """16-bit values as sound; `pcm16_of` gives them back exactly."""
    return pcm16.astype(np.float32) / np.float32(32_768)
