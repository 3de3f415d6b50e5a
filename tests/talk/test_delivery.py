"""A reply sounds, and is heard to its end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sayso.talk.events import (
    Answer,
    Attend,
    Author,
    End,
    EndedBy,
    Event,
    Heard,
    Hold,
    Parting,
    ReplyPlayed,
    ReplyStarted,
    Resume,
    SpeechStarted,
    SpeechStopped,
    Tick,
    Typed,
)
from sayso.talk.state import Phase
from turns import POLICY, SPEAKING, asked, run


class TestYeahOverAReply:
    MURMURED = run(SpeechStarted(4.0), SpeechStopped(4.5, 4.3), Heard(4.6, "Yeah."), turn=SPEAKING)[
        0
    ]

    def test_answers_the_question_that_ends_with_it(self) -> None:
        turn, said = run(ReplyPlayed(5.0, 1, asks=True), turn=self.MURMURED)
        assert said == [Attend(), Answer(2, "Yeah.")]
        assert (turn.phase, turn.murmur) == (Phase.THINKING, "")

    def test_answers_nothing_if_that_was_no_question(self) -> None:
        turn, said = run(ReplyPlayed(5.0, 1), turn=self.MURMURED)
        assert (turn.phase, said) == (Phase.IDLE, [])

    def test_answers_nothing_if_the_question_ends_much_later(self) -> None:
        turn, said = run(ReplyPlayed(7.0, 1, asks=True), turn=self.MURMURED)
        assert (turn.phase, said) == (Phase.IDLE, [])

    def test_goes_before_what_the_caller_says_next(self) -> None:
        _, said = run(
            SpeechStarted(4.7),
            ReplyPlayed(4.8, 1, asks=True),
            SpeechStopped(5.7, 5.5),
            Heard(5.8, "At seven."),
            Tick(6.5),
            turn=self.MURMURED,
        )
        assert said == [Hold(1), Attend(), Answer(2, "Yeah. At seven.")]

    def test_is_forgotten_with_the_reply(self) -> None:
        turn, _ = run(Typed(4.7, "Go on"), ReplyStarted(5.0, 2), turn=self.MURMURED)
        _, said = run(ReplyPlayed(5.1, 2, asks=True), turn=turn)
        assert said == []


class TestItsFirstSound:
    def test_settles_what_was_answered(self) -> None:
        turn, said = run(*asked(), Typed(2.6, "paid", Author.PROGRAM), ReplyStarted(3.0, 2))
        assert (turn.phase, turn.words, turn.notes, turn.audible) == (Phase.SPEAKING, "", "", True)
        assert said[-1] == Answer(2, "What time is it?", "paid")

    def test_does_not_end_a_doubt(self) -> None:
        doubting, _ = run(*asked(), SpeechStarted(2.6))
        turn, said = run(ReplyStarted(2.8, 1), turn=doubting)
        assert (turn.phase, said) == (Phase.DOUBTING, [])

    def test_ends_it_where_nobody_may_interrupt(self) -> None:
        doubting, _ = run(*asked(), SpeechStarted(2.6))
        policy = replace(POLICY, interruptible=False)
        turn, said = run(ReplyStarted(2.8, 1), turn=doubting, policy=policy)
        assert (turn.phase, said) == (Phase.SPEAKING, [Resume(1)])


class TestItsEnd:
    def test_gives_the_floor_back(self) -> None:
        turn, said = run(ReplyPlayed(5.0, 1, asks=True), turn=SPEAKING)
        assert (turn.phase, turn.asked, said) == (Phase.IDLE, True, [])

    def test_is_where_an_agent_hangs_up(self) -> None:
        turn, said = run(ReplyPlayed(5.0, 1, last=True), turn=SPEAKING)
        assert (turn.phase, turn.parting, said) == (
            Phase.ENDED,
            Parting.AGENT_DONE,
            [End(EndedBy.AGENT)],
        )

    def test_is_none_for_a_caller_who_speaks(self) -> None:
        turn, said = run(SpeechStarted(4.9), ReplyPlayed(5.0, 1, last=True), turn=SPEAKING)
        assert (turn.phase, said) == (Phase.LISTENING, [Hold(1), Attend()])

    def test_without_a_sound_forgets_what_was_asked(self) -> None:
        turn, said = run(*asked(), ReplyPlayed(3.0, 1))
        assert (turn.phase, turn.words, said[-1]) == (
            Phase.IDLE,
            "",
            Answer(1, "What time is it?"),
        )

    @pytest.mark.parametrize("event", [Heard(4.2, "And now?"), Typed(4.2, "And now?")])
    def test_is_what_waits_for_a_reply_that_was_kept(self, event: Event) -> None:
        policy = replace(POLICY, interruptible=False)
        turn, said = run(event, turn=SPEAKING, policy=policy)
        assert (turn.over, said) == ("And now?", [])
        turn, said = run(ReplyPlayed(9.0, 1), turn=turn, policy=policy)
        assert said == [Attend(), Answer(2, "And now?")]
        assert turn.over == ""
