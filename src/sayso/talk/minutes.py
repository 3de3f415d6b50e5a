"""The minutes of a conversation: each line with its time, how long replies took, how it ended."""

from __future__ import annotations

from datetime import timedelta

from sayso.clock import Clock
from sayso.talk.beginnings import Beginnings
from sayso.talk.events import EndedBy, Event
from sayso.talk.history import Line
from sayso.talk.record import LeftMessage, Record, Stopwatch


class Minutes:
    """Keeps the `record` of one conversation, and puts the time to what is on it."""

    def __init__(self, record: Record, clock: Clock) -> None:
        self._record = record
        self._clock = clock
        self._beginnings = Beginnings()

    def note(self, event: Event, *, wordless: bool) -> None:
        """Note when the caller began; `wordless` if they have said no words yet in this turn."""
        self._beginnings.note(event, self._clock.now_s(), wordless=wordless)

    def reply_sounds(self) -> None:
        """Note when the agent began."""
        self._beginnings.sounds(self._clock.now_s())

    def write_down(self, lines: tuple[Line, ...]) -> None:
        """Keep lines that are settled."""
        now_s = self._clock.now_s()
        for said in lines:
            at = self._clock.utc()
            began_s = self._beginnings.take(said.role)
            began_at = None if began_s is None else at - timedelta(seconds=now_s - began_s)
            self._record.line(said.role, said.content, at, said.deeds, began_at)

    def take_message(self, left: LeftMessage) -> None:
        """Keep what the caller left for the people the agent answers for."""
        self._record.message(left, self._clock.utc())

    def close_reply(self, number: int, watch: Stopwatch) -> None:
        """Keep how long the steps of reply `number` took."""
        self._record.turn(number, watch.timings, self._clock.utc())

    def close(self, by: EndedBy, code: int | None, reason: str) -> None:
        """Keep who ended the conversation, and why."""
        self._record.ended(by, code, self._clock.utc(), reason)
