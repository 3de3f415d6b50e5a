"""Speech to text: one utterance in, its words out."""

from __future__ import annotations

from typing import Protocol

from sayso.audio.formats import Samples


class Stt(Protocol):
    """One speech-to-text engine, shared by all conversations."""

    async def open(self) -> None:
        """Load and warm the model. Raises InstallationError if it is missing."""
        ...

    async def transcribe(self, samples: Samples, language: str) -> str:
        """Write down 16 kHz `samples`; "" when there are no words.

        `language` is the contract's lower-case name (`english`). Raises SpeechError.
        """
        ...

    async def close(self) -> None:
        """Let go of the model and its workers."""
        ...
