"""What a conversation writes down, and where its time went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

from sayso.talk.events import EndedBy
from sayso.talk.history import Deed

Row: TypeAlias = Mapping[str, float | str | None]
"""One of several facts of a kind, such as a passage that was found."""

Timings: TypeAlias = Mapping[str, float | str | Sequence[Row] | None]
"""What is kept of a turn: names that end in `_s` are seconds."""


@dataclass(frozen=True, slots=True)
class LeftMessage:
    """What a caller left for the people an agent answers for; "" for what they did not say."""

    message: str
    name: str = ""
    phone_number: str = ""


class Record(Protocol):
    """Takes down one conversation; never waits, and never fails the conversation."""

    def line(
        self,
        role: Literal["assistant", "user"],
        content: str,
        at: datetime,
        deeds: Sequence[Deed] = (),
        began_at: datetime | None = None,
    ) -> None:
        """A settled line of the transcript, and what was done before it; it may have no words.

        It began to be spoken at `began_at`.
        """
        ...

    def message(self, left: LeftMessage, at: datetime) -> None:
        """The caller left a message."""
        ...

    def turn(self, number: int, timings: Timings, at: datetime) -> None:
        """How long each step of reply `number` took, in seconds, and what failed."""
        ...

    def ended(self, by: EndedBy, error_code: int | None, at: datetime, reason: str = "") -> None:
        """The conversation is over; `reason` is one of the codes of `End reasons` in the docs."""
        ...


class Stopwatch:
    """The waterfall of one reply: seconds from the end of the caller's speech to each step.

    Steps in their order: `transcript_s`, `endpoint_s` (the turn was over), `retrieval_s`,
    `first_call_s` and `calls_done_s` (where the LLM called functions), `llm_first_token_s`,
    `first_clause_s`, `tts_first_sound_s`, `first_sound_sent_s`, `text_complete_s`, then `played_s`
    or `interrupted_s`. Beside them stand facts: how many seconds of sound were made, sent and heard
    (`sound_made_s`, `sound_sent_s`, `sound_heard_s`), how often a noise held it (`holds`), what it
    was if it was no answer (`line`), which LLM spoke (`llm`), whether the agent's first one was
    passed over because it keeps failing (`llm_resting`), what failed (`failure`, `mishaps`) and who
    must act (`blame`), and how many drafts and replies before it nobody heard (`drafts_dropped`,
    `transcripts_dropped`, `replies_unheard`). What was found in the agent's knowledge are rows
    (`passages`); `retrieval` says that it came too late, and `tools` that tools were not there yet.
    The calls of functions are rows (`calls`); `fillers` is how often the caller was asked to wait
    for one.
    """

    def __init__(self, zero_s: float) -> None:
        self._zero_s = zero_s
        self._marks: dict[str, float | str | None] = {}
        self._rows: dict[str, list[Row]] = {}

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

    def append(self, key: str, row: Row) -> None:
        """Keep one more row of a kind, such as a passage that was found."""
        self._rows.setdefault(key, []).append(row)

    def rows(self, key: str) -> Sequence[Row]:
        """The rows of a kind so far."""
        return tuple(self._rows.get(key, ()))

    def since_s(self, now_s: float) -> float:
        """`now_s` as marks have it: from the end of the caller's speech."""
        return round(now_s - self._zero_s, 4)

    @property
    def timings(self) -> Timings:
        """Everything noted so far."""
        return {**self._marks, **{key: tuple(rows) for key, rows in self._rows.items()}}
