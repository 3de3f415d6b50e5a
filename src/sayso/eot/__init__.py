"""End of turn: does what was said so far sound as if the speaker were done?"""

from __future__ import annotations

from typing import Protocol

from sayso.audio.formats import Samples

LISTENS_BACK_S = 8.0
"""How much of the end of a turn a judge gets at most, in seconds."""


class Eot(Protocol):
    """One end-of-turn judge, shared by all conversations. It is asked once for each pause."""

    async def open(self) -> None:
        """Load and warm the model. Raises InstallationError if it is missing."""
        ...

    async def judge(self, samples: Samples) -> float | None:
        """How likely the turn whose 16 kHz sound is `samples` is over, from 0 to 1.

        The sound ends a little after the last word. None when there is no telling: the words
        decide alone then. Raises SpeechError.
        """
        ...

    async def close(self) -> None:
        """Let go of the model and its workers."""
        ...
