"""What the client is shown of the caller's words."""

from __future__ import annotations

from sayso.talk.captions import Captions
from sayso.transport.line import CallerStopped, CallerText, CallerTextSoFar
from stage import PCM, RAW, MemoryLine


def show() -> tuple[Captions, MemoryLine]:
    line = MemoryLine(RAW, PCM)
    return Captions(line), line


def test_words_are_shown_while_they_are_said_and_then_settled() -> None:
    captions, line = show()
    captions.follow("A table")
    captions.follow("A table for two.")
    captions.settle("A table for two.")
    assert line.sent == [
        CallerTextSoFar("A table"),
        CallerTextSoFar("A table for two."),
        CallerText("A table for two."),
        CallerStopped(),
    ]


def test_what_joins_a_turn_is_shown_alone() -> None:
    captions, line = show()
    captions.settle("A table.")
    captions.follow("A table.")
    captions.follow("A table. For two.")
    captions.settle("A table. For two.")
    assert line.sent[2:] == [CallerTextSoFar("For two."), CallerText("For two."), CallerStopped()]


def test_a_new_turn_may_say_the_same_again() -> None:
    captions, line = show()
    captions.settle("Hello?")
    captions.clear()
    captions.settle("Hello?")
    assert line.of(CallerText) == [CallerText("Hello?")] * 2


def test_the_same_words_answered_anew_are_shown_whole() -> None:
    captions, line = show()
    captions.settle("Hello?")
    captions.settle("Hello?")
    assert line.of(CallerText) == [CallerText("Hello?")] * 2


def test_a_reply_to_nobodys_words_shows_none() -> None:
    captions, line = show()
    captions.settle("")
    assert line.sent == []
