"""Voice activity: how likely each 32 ms of sound is speech."""

from __future__ import annotations

from typing import Protocol

from sayso.audio.formats import Samples

WINDOW_SAMPLES = 512
"""One decision of a detector: 512 samples at 16 kHz, 32 ms."""


class VadStream(Protocol):
    """The detector's memory of one caller."""

    async def judge(self, samples: Samples, *, urgent: bool = True) -> list[float]:
        """Take 16 kHz samples of any length; get one probability for each window now full.

        What is not `urgent` may wait a moment, to be judged together with other callers. Calls
        follow each other; after a cancelled one the stream is of no more use. Raises SpeechError
        when the detector fails.
        """
        ...


class Vad(Protocol):
    """One voice-activity engine, shared by all conversations; what it costs the loop is small."""

    async def open(self) -> None:
        """Load and warm the model. Raises InstallationError if it is missing."""
        ...

    def stream(self) -> VadStream:
        """Begin listening to one caller."""
        ...

    async def close(self) -> None:
        """Let go of the model."""
        ...
