"""Speech to text: one utterance in, its words out."""

from __future__ import annotations

from typing import Protocol, Self, runtime_checkable

from sayso.audio.formats import Samples


class Transcript(str):
    """Words that say how sure of them their engine is.

    An engine that cannot tell gives a plain `str`, and is believed.

    Attributes:
        confidence: how likely each piece of the text is, given those before it: their geometric
            mean, from 0 to 1. None when there is no telling.
        nod: how likely it was no more than "I am listening" ("uh-huh", a laugh), against the text:
            1 as likely, 0.1 a tenth. None when there is no telling.
    """

    __slots__ = ("confidence", "nod")
    confidence: float | None
    nod: float | None

    def __new__(cls, text: str, confidence: float | None = None, nod: float | None = None) -> Self:
        """`text`, of which its engine is so sure."""
        self = super().__new__(cls, text)
        self.confidence, self.nod = confidence, nod
        return self


def as_transcript(text: str) -> Transcript:
    """`text` without white space around it, and what its engine has said of it, if anything."""
    if isinstance(text, Transcript):
        return Transcript(text.strip(), text.confidence, text.nod)
    return Transcript(text.strip())


class Stt(Protocol):
    """One speech-to-text engine, shared by all conversations."""

    async def open(self) -> None:
        """Load and warm the model. Raises InstallationError if it is missing."""
        ...

    async def transcribe(self, samples: Samples, language: str) -> str:
        """Write down 16 kHz `samples`; "" when there are no words.

        `language` is the contract's lower-case name (`english`). The text may be a `Transcript`,
        which says how sure of it the engine is. Raises SpeechError.
        """
        ...

    async def close(self) -> None:
        """Let go of the model and its workers."""
        ...


@runtime_checkable
class Limited(Protocol):
    """An engine that says which languages it understands; one that does not may know any."""

    @property
    def languages(self) -> frozenset[str]:
        """The contract's lower-case names."""
        ...


def understands(engine: Stt, language: str) -> bool:
    """Whether `engine` may be asked to write down `language`."""
    return language in engine.languages if isinstance(engine, Limited) else True
