"""Text to speech: a clause in, sound out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from sayso.audio.formats import Samples


@dataclass(frozen=True, slots=True)
class Voice:
    """A timbre an engine can speak with."""

    id: str
    name: str
    gender: str
    language: str
    description: str


class Tts(Protocol):
    """One text-to-speech engine, shared by all conversations."""

    @property
    def sample_rate_hz(self) -> int:
        """The rate of all sound this engine makes."""
        ...

    @property
    def voices(self) -> Sequence[Voice]:
        """The timbres, the default one first."""
        ...

    async def open(self) -> None:
        """Load and warm the model. Raises InstallationError if it is missing."""
        ...

    def speak(self, text: str, *, voice: str, speed: float = 1.0) -> AsyncIterator[Samples]:
        """Speak one clause; sound comes in pieces as it is made. Raises SpeechError.

        `voice` is one of `voices`' ids, `speed` a factor from 0.5 to 1.5.
        """
        ...

    async def close(self) -> None:
        """Let go of the model and its workers."""
        ...
