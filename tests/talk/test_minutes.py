"""What is taken down of a conversation, and when it was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sayso.talk.events import EndedBy, SpeechStarted
from sayso.talk.history import Deed, Line
from sayso.talk.minutes import Minutes
from sayso.talk.record import LeftMessage, Stopwatch
from stage import MemoryRecord

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass
class SetClock:
    """Stands where the test sets it."""

    at_s: float = 0.0

    def now_s(self) -> float:
        return self.at_s

    def utc(self) -> datetime:
        return NOON + timedelta(seconds=self.at_s)


@dataclass
class DatedRecord(MemoryRecord):
    """Keeps when lines began as well."""

    began: list[datetime | None] = field(default_factory=list)

    def line(
        self,
        role: str,
        content: str,
        at: datetime,
        deeds: Sequence[Deed] = (),
        began_at: datetime | None = None,
    ) -> None:
        super().line(role, content, at, deeds, began_at)
        self.began.append(began_at)


def test_each_line_has_the_time_at_which_it_began() -> None:
    clock, record = SetClock(), DatedRecord()
    minutes = Minutes(record, clock)
    clock.at_s = 2.0
    minutes.note(SpeechStarted(1.0), wordless=True)
    clock.at_s = 5.0
    minutes.reply_sounds()
    minutes.write_down((Line("user", "Hi."),))
    clock.at_s = 7.0
    minutes.write_down((Line("assistant", "Hello."), Line("user", "Bye.")))
    assert record.lines == [("user", "Hi."), ("assistant", "Hello."), ("user", "Bye.")]
    assert record.began == [NOON + timedelta(seconds=2), NOON + timedelta(seconds=5), None]


def test_the_rest_is_kept_as_it_comes() -> None:
    record = MemoryRecord()
    minutes, watch = Minutes(record, SetClock()), Stopwatch(0.0)
    watch.note("llm", "listed")
    minutes.close_reply(3, watch)
    minutes.take_message(LeftMessage("I am late"))
    minutes.close(EndedBy.USER, None, "caller_left")
    assert record.turns == [(3, {"llm": "listed"})]
    assert record.messages == [LeftMessage("I am late")]
    assert (record.end, record.reason) == ((EndedBy.USER, None), "caller_left")
