"""When each line of a conversation began, so that it can be found in the sound. Pure."""

from __future__ import annotations

from collections import deque
from typing import Final, Literal

from sayso.talk.events import Event, Heard, SpeechStarted, Typed

MAX_STRETCHES: Final = 32
"""Stretches of speech of one turn whose beginnings are known at once, the last ones."""


class Beginnings:
    """When the caller, and the agent, began what is not settled yet; by the clock, in seconds."""

    def __init__(self) -> None:
        self._stretches: deque[float] = deque(maxlen=MAX_STRETCHES)
        self._sounds_s: float | None = None

    def note(self, event: Event, now_s: float, *, wordless: bool) -> None:
        """Take in an event; `wordless` if the caller has said no words yet in this turn.

        A stretch of speech that turns out to hold no words was no beginning.
        """
        match event:
            case SpeechStarted(at_s, since_s):
                self._stretches.append(now_s - (at_s - (at_s if since_s is None else since_s)))
            case Typed():
                self._stretches.append(now_s)
            case Heard(text=text) if wordless and not text.strip() and self._stretches:
                self._stretches.popleft()

    def sounds(self, now_s: float) -> None:
        """A reply begins to sound."""
        self._sounds_s = now_s

    def take(self, role: Literal["assistant", "user"]) -> float | None:
        """When the line began that is settled now; None if that is not known."""
        if role == "assistant":
            return self._sounds_s
        began_s = self._stretches[0] if self._stretches else None
        self._stretches.clear()
        return began_s
