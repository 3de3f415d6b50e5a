"""What a conversation writes down, and where its time went."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, Protocol

from sayso.talk.events import EndedBy


class Record(Protocol):
    """Takes down one conversation; never waits, and never fails the conversation."""

    def line(self, role: Literal["assistant", "user"], content: str, at: datetime) -> None:
        """A settled line of the transcript."""
        ...

    def turn(self, number: int, timings: Mapping[str, float | str | None], at: datetime) -> None:
        """How long each step of reply `number` took, in seconds, and what failed."""
        ...

    def ended(self, by: EndedBy, error_code: int | None, at: datetime) -> None:
        """The conversation is over."""
        ...


class Stopwatch:
    """The waterfall of one reply: seconds from the end of the caller's speech to each step.

    Steps in their order: `transcript_s`, `endpoint_s` (the turn was over), `llm_first_token_s`,
    `first_clause_s`, `tts_first_sound_s`, `first_sound_sent_s`, `text_complete_s`, `played_s`.
    """

    def __init__(self, zero_s: float) -> None:
        self._zero_s = zero_s
        self._marks: dict[str, float | str | None] = {}

    def mark(self, step: str, now_s: float) -> None:
        """`step` happened at `now_s`; only its first time counts, under its name and unit."""
        self._marks.setdefault(f"{step}_s", round(now_s - self._zero_s, 4))

    def note(self, key: str, value: str | int) -> None:
        """Keep a fact about this reply, such as what failed."""
        self._marks[key] = value

    def add(self, key: str, value: str) -> None:
        """Keep one more fact of a kind; all of a kind are one text, with commas."""
        known = self._marks.get(key)
        self._marks[key] = f"{known}, {value}" if known else value

    @property
    def timings(self) -> Mapping[str, float | str | None]:
        """Everything noted so far."""
        return dict(self._marks)
