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

    def ended(self, by: EndedBy, error_code: int | None, at: datetime, reason: str = "") -> None:
        """The conversation is over; `reason` is one of the codes of `End reasons` in the docs."""
        ...


class Stopwatch:
    """The waterfall of one reply: seconds from the end of the caller's speech to each step.

    Steps in their order: `transcript_s`, `endpoint_s` (the turn was over), `llm_first_token_s`,
    `first_clause_s`, `tts_first_sound_s`, `first_sound_sent_s`, `text_complete_s`, then `played_s`
    or `interrupted_s`. Beside them stand facts: how many seconds of sound were made, sent and
    heard (`sound_made_s`, `sound_sent_s`, `sound_heard_s`), how often a noise held it
    (`holds`), what it was if it was no answer (`line`), which LLM spoke (`llm`), whether the
    agent's first one was passed over because it keeps failing (`llm_resting`), what failed
    (`failure`, `mishaps`) and who must act (`blame`), and how many drafts and replies before it
    nobody heard (`drafts_dropped`, `transcripts_dropped`, `replies_unheard`).
    """

    def __init__(self, zero_s: float) -> None:
        self._zero_s = zero_s
        self._marks: dict[str, float | str | None] = {}

    def mark(self, step: str, now_s: float) -> None:
        """`step` happened at `now_s`; only its first time counts, under its name and unit."""
        self._marks.setdefault(f"{step}_s", round(now_s - self._zero_s, 4))

    def note(self, key: str, value: str | float) -> None:
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
