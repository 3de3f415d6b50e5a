"""When a pause was an ending, and what is drafted meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sayso.talk.endpointing import Policy
from sayso.talk.events import (
    Answer,
    Attend,
    Draft,
    Drop,
    FixedLine,
    Heard,
    Hold,
    Hush,
    Judged,
    Missed,
    ReplyPlayed,
    ReplyStarted,
    Say,
    SpeechCut,
    SpeechStarted,
    SpeechStopped,
    Tick,
)
from sayso.talk.state import Phase
from turns import POLICY, SPEAKING, asked, run


class TestAQuestion:
    def test_is_answered_once_the_pause_is_long_enough(self) -> None:
        turn, said = run(*asked())
        assert said == [Attend(), Answer(1, "What time is it?")]
        assert turn.phase is Phase.THINKING

    def test_is_not_answered_before(self) -> None:
        turn, said = run(SpeechStarted(1.0), SpeechStopped(2.2, 2.0), Heard(2.3, "Hi."), Tick(2.4))
        assert said == [Attend()]
        assert turn.deadline_s == pytest.approx(2.0 + POLICY.patience_s)

    def test_waits_for_its_transcript(self) -> None:
        turn, said = run(SpeechStarted(1.0), SpeechStopped(2.2, 2.0), Tick(2.5))
        assert said == [Attend()]
        turn, said = run(Heard(2.9, "Hello."), turn=turn)
        assert said == [Answer(1, "Hello.")]

    def test_goes_on_without_a_transcript_that_never_comes(self) -> None:
        turn, _ = run(SpeechStarted(1.0), SpeechStopped(2.2, 2.0), Tick(2.5))
        assert turn.deadline_s == pytest.approx(2.0 + POLICY.transcript_s)
        turn, said = run(Tick(14.1), turn=turn)
        assert (turn.phase, said) == (Phase.IDLE, [])

    def test_that_goes_on_after_a_pause_is_one_question(self) -> None:
        _, said = run(
            SpeechStarted(1.0),
            SpeechStopped(2.2, 2.0),
            SpeechStarted(2.3),
            Heard(2.4, "I would like"),
            SpeechStopped(3.2, 3.0),
            Heard(3.3, "a table."),
            Tick(3.5),
        )
        assert said == [Attend(), Answer(1, "I would like a table.")]

    def test_that_sounds_unfinished_gets_more_time(self) -> None:
        turn, said = run(*asked("I would like to"))
        assert said == [Attend()]
        _, said = run(Tick(2.0 + POLICY.unfinished_s), turn=turn)
        assert said == [Answer(1, "I would like to")]

    def test_longer_than_one_transcript_keeps_all_its_words(self) -> None:
        _, said = run(
            SpeechStarted(1.0),
            SpeechCut(16.0),
            Heard(16.2, "First part"),
            SpeechStopped(20.2, 20.0),
            Heard(20.4, "second part."),
            Tick(20.5),
        )
        assert said == [Attend(), Answer(1, "First part second part.")]

    def test_noise_without_words_is_not_answered(self) -> None:
        turn, said = run(SpeechStarted(1.0), SpeechStopped(1.5, 1.3), Heard(1.6, ""), Tick(1.8))
        assert (turn.phase, said) == (Phase.IDLE, [Attend()])

    def test_whose_transcript_comes_after_we_gave_up_is_answered_after_all(self) -> None:
        turn, _ = run(SpeechStarted(1.0), SpeechStopped(2.2, 2.0), Tick(2.5), Tick(14.1))
        _, said = run(Heard(15.0, "Still there?"), turn=turn)
        assert said == [Answer(1, "Still there?")]


class TestWhatCouldNotBeTranscribed:
    def test_is_asked_for_again(self) -> None:
        turn, said = run(SpeechStarted(1.0), SpeechStopped(2.2, 2.0), Missed(2.3), Tick(2.5))
        assert said == [Attend(), Say(1, FixedLine.NOT_HEARD)]
        assert not turn.missed

    def test_is_let_go_when_other_words_were_understood(self) -> None:
        _, said = run(
            SpeechStarted(1.0),
            SpeechCut(16.0),
            Missed(16.1),
            SpeechStopped(20.2, 20.0),
            Heard(20.3, "a table."),
            Tick(20.5),
        )
        assert said == [Attend(), Answer(1, "a table.")]


class TestDrafts:
    def test_the_reply_begins_while_the_pause_may_still_be_one(self) -> None:
        turn, said = run(*asked(), policy=Policy())
        assert said == [Attend(), Draft(1, "What time is it?"), Answer(1, "What time is it?")]
        assert not turn.drafted

    def test_it_is_dropped_when_the_caller_goes_on(self) -> None:
        _, said = run(
            SpeechStarted(1.0),
            SpeechStopped(2.2, 2.0),
            Heard(2.3, "A table."),
            SpeechStarted(2.4),
            SpeechStopped(3.2, 3.0),
            Heard(3.3, "For two."),
            Tick(3.5),
            policy=Policy(),
        )
        assert said == [
            Attend(),
            Draft(1, "A table."),
            Drop(1),
            Draft(1, "A table. For two."),
            Answer(1, "A table. For two."),
        ]

    def test_words_that_sound_unfinished_are_not_worth_one(self) -> None:
        _, said = run(
            SpeechStarted(1.0), SpeechStopped(2.2, 2.0), Heard(2.3, "A table for"), policy=Policy()
        )
        assert said == [Attend()]

    def test_it_waits_for_every_transcript(self) -> None:
        _, said = run(
            SpeechStarted(1.0),
            SpeechCut(16.0),
            SpeechStopped(20.2, 20.0),
            Heard(20.25, "First part"),
            Heard(20.3, "second part."),
            policy=Policy(),
        )
        assert said == [Attend(), Draft(1, "First part second part.")]

    def test_a_stretch_without_words_changes_nothing(self) -> None:
        _, said = run(
            SpeechStarted(1.0),
            SpeechStopped(2.2, 2.0),
            Heard(2.3, "Yes."),
            Heard(2.35, ""),
            policy=Policy(),
        )
        assert said == [Attend(), Draft(1, "Yes.")]


class TestHowItSounds:
    PAUSED = run(SpeechStarted(1.0), SpeechStopped(2.2, 2.0), Heard(2.3, "A table."))[0]

    def test_a_closed_melody_ends_the_turn_sooner(self) -> None:
        turn, _ = run(Judged(2.31, 2.0, 0.95), turn=self.PAUSED)
        assert turn.deadline_s == pytest.approx(2.0 + POLICY.sure_s)

    def test_an_open_one_gives_more_time(self) -> None:
        turn, _ = run(Judged(2.31, 2.0, 0.05), turn=self.PAUSED)
        assert turn.deadline_s == pytest.approx(2.0 + POLICY.hesitant_s)

    def test_one_that_comes_before_the_words_is_kept_for_them(self) -> None:
        turn, _ = run(
            SpeechStarted(1.0), SpeechStopped(2.2, 2.0), Judged(2.25, 2.0, 0.95), Heard(2.3, "Yes.")
        )
        assert turn.deadline_s == pytest.approx(2.0 + POLICY.sure_s)

    def test_one_that_finds_the_deadline_passed_ends_the_turn(self) -> None:
        _, said = run(Judged(2.42, 2.0, 0.95), turn=self.PAUSED)
        assert said == [Answer(1, "A table.")]

    def test_it_does_not_answer_before_the_transcript(self) -> None:
        turn, said = run(SpeechStarted(1.0), SpeechStopped(2.2, 2.0), Judged(2.42, 2.0, 0.95))
        assert said == [Attend()]
        _, said = run(Heard(2.5, "Yes."), turn=turn)
        assert said == [Answer(1, "Yes.")]

    def test_one_of_another_pause_changes_nothing(self) -> None:
        assert run(Judged(2.31, 1.9, 0.95), turn=self.PAUSED) == (self.PAUSED, [])

    def test_over_a_reply_it_waits_for_the_words(self) -> None:
        turn, said = run(
            SpeechStarted(4.0),
            SpeechStopped(5.0, 4.8),
            Judged(5.05, 4.8, 0.95),
            Heard(5.1, "Not that one."),
            turn=SPEAKING,
        )
        assert said == [Hold(1), Hush(1), Attend()]
        assert turn.deadline_s == pytest.approx(4.8 + POLICY.sure_s)


class TestACallerWhoPauses:
    def test_and_was_cut_off_is_given_that_much_time(self) -> None:
        turn, _ = run(*asked("I had a room."), ReplyStarted(2.55, 1), SpeechStarted(2.7))
        turn, _ = run(SpeechStopped(3.7, 3.5), Heard(3.8, "Last week."), turn=turn)
        assert turn.extra_s == pytest.approx(0.7 + 0.15 - POLICY.patience_s)
        assert turn.deadline_s == pytest.approx(3.5 + POLICY.patience_s + turn.extra_s)

    def test_and_only_coughed_is_not(self) -> None:
        turn, _ = run(*asked(), ReplyStarted(2.55, 1), SpeechStarted(2.7))
        turn, _ = run(SpeechStopped(3.1, 2.9), Heard(3.2, "You", 0.2), turn=turn)
        assert turn.extra_s == 0.0

    def test_and_went_on_in_time_is_given_a_little(self) -> None:
        turn, _ = run(SpeechStarted(1.0), SpeechStopped(2.2, 2.0), Heard(2.3, "A room and"))
        turn, _ = run(SpeechStarted(3.0), turn=turn)
        assert 0 < turn.extra_s < 0.2

    def test_before_any_word_is_given_nothing(self) -> None:
        turn, _ = run(SpeechStarted(1.0), SpeechStopped(2.2, 2.0), Heard(2.3, ""))
        assert run(SpeechStarted(2.4), turn=turn)[0].extra_s == 0.0

    def test_no_more_is_believed_with_every_answer_let_be(self) -> None:
        taught = replace(SPEAKING, extra_s=0.5)
        assert run(ReplyPlayed(8.0, 1), turn=taught)[0].extra_s == pytest.approx(0.4)
