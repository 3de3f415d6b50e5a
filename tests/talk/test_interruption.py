"""What becomes of a reply over which the caller makes a sound."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sayso.talk.events import (
    Answer,
    Attend,
    Author,
    Command,
    End,
    EndedBy,
    Event,
    FixedLine,
    Glimpse,
    Glimpsed,
    Heard,
    Hold,
    HungUp,
    Hush,
    Missed,
    Opened,
    ReplyPlayed,
    ReplyStarted,
    Resume,
    Say,
    SpeechCut,
    SpeechStarted,
    SpeechStopped,
    Tick,
    TimeUp,
    Typed,
)
from sayso.talk.state import ECHOES, Phase, Turn
from turns import POLICY, SPEAKING, asked, run


class TestWhileAReplyIsMade:
    def test_more_words_make_one_new_reply_to_all_of_them(self) -> None:
        turn, _ = run(*asked("Book a table."))
        turn, said = run(
            SpeechStarted(2.6),
            SpeechStopped(3.4, 3.2),
            Heard(3.5, "For two."),
            Tick(3.8),
            turn=turn,
        )
        assert said == [Hold(1), Hush(1), Attend(), Answer(2, "Book a table. For two.")]

    def test_an_impatient_hello_makes_none(self) -> None:
        turn, _ = run(*asked("Book a table."))
        for second in range(3, 9):
            at_s = float(second)
            events = (SpeechStarted(at_s), SpeechStopped(at_s + 0.6, at_s + 0.4))
            turn, said = run(*events, Heard(at_s + 0.7, "Hello?"), turn=turn)
            assert said == [Hold(1), Resume(1)]
        assert turn.phase is Phase.THINKING

    def test_even_a_yes_belongs_to_the_question(self) -> None:
        turn, _ = run(*asked("Book it."))
        _, said = run(SpeechStarted(2.6), SpeechStopped(3.0, 2.8), Heard(3.1, "Okay."), turn=turn)
        assert said == [Hold(1), Hush(1), Attend()]

    def test_a_noise_only_delays_it(self) -> None:
        turn, _ = run(*asked())
        turn, said = run(SpeechStarted(2.6), SpeechStopped(2.9, 2.7), Heard(3.0, ""), turn=turn)
        assert said == [Hold(1), Resume(1)]
        assert turn.phase is Phase.THINKING

    def test_a_late_transcript_takes_the_floor_back(self) -> None:
        turn, _ = run(Typed(1.0, "Hi"))
        assert run(Heard(1.5, ""), turn=turn) == (turn, [])
        _, said = run(Heard(1.5, "there"), turn=turn)
        assert said == [Hush(1), Attend()]

    def test_a_reply_with_nothing_to_say_gives_the_floor_back(self) -> None:
        turn, _ = run(*asked(), ReplyPlayed(3.0, 1))
        assert (turn.phase, turn.words) == (Phase.IDLE, "")


class TestOverASpeakingReply:
    def test_speech_is_enough_counted_from_its_beginning(self) -> None:
        started = SpeechStarted(4.0, since_s=3.8)
        turn, said = run(started, Tick(4.79), turn=SPEAKING)
        assert said == [Hold(1)]
        assert turn.deadline_s == pytest.approx(3.8 + 1.2 - 0.2)
        turn, said = run(Tick(4.8), turn=turn)
        assert said == [Glimpse(1)]
        assert turn.deadline_s == pytest.approx(5.0)
        _, said = run(Tick(5.0), turn=turn)
        assert said == [Hush(1), Attend()]

    def test_a_sound_holds_and_a_cough_resumes(self) -> None:
        turn, said = run(SpeechStarted(4.0), SpeechStopped(4.4, 4.2), Heard(4.5, ""), turn=SPEAKING)
        assert said == [Hold(1), Resume(1)]
        assert turn.phase is Phase.SPEAKING

    def test_a_backchannel_resumes(self) -> None:
        _, said = run(
            SpeechStarted(4.0), SpeechStopped(4.4, 4.2), Heard(4.5, "Uh-huh."), turn=SPEAKING
        )
        assert said == [Hold(1), Resume(1)]

    def test_words_hush_and_are_a_new_turn(self) -> None:
        turn, said = run(
            SpeechStarted(4.0), SpeechStopped(4.4, 4.2), Heard(4.5, "Stop."), turn=SPEAKING
        )
        assert said == [Hold(1), Hush(1), Attend()]
        assert (turn.phase, turn.words) == (Phase.WAITING, "Stop.")

    def test_enough_speech_hushes_without_words(self) -> None:
        turn, said = run(SpeechStarted(4.0), Tick(5.0), Tick(5.2), turn=SPEAKING)
        assert said == [Hold(1), Glimpse(1), Hush(1), Attend()]
        assert turn.phase is Phase.LISTENING

    def test_a_transcript_of_a_first_noise_does_not_resume_over_a_second(self) -> None:
        _, said = run(
            SpeechStarted(4.0),
            SpeechStopped(4.4, 4.2),
            SpeechStarted(4.45),
            Heard(4.5, ""),
            Tick(4.6),
            turn=SPEAKING,
        )
        assert said == [Hold(1)]

    def test_a_transcript_that_never_comes_resumes(self) -> None:
        turn, said = run(SpeechStarted(4.0), SpeechStopped(4.4, 4.2), Tick(16.5), turn=SPEAKING)
        assert said == [Hold(1), Resume(1)]
        assert turn.transcribing == 0

    def test_an_early_tick_changes_nothing(self) -> None:
        turn, _ = run(SpeechStarted(4.0), turn=SPEAKING)
        assert run(Tick(4.1), turn=turn) == (turn, [])

    def test_that_ended_meanwhile_there_is_nothing_to_hush(self) -> None:
        turn, said = run(SpeechStarted(4.0), ReplyPlayed(4.1, 1), turn=SPEAKING)
        assert said == [Hold(1), Attend()]
        assert turn.phase is Phase.LISTENING

    def test_that_ended_while_we_await_words_they_are_waited_for(self) -> None:
        _turn, said = run(
            SpeechStarted(4.0),
            SpeechStopped(4.4, 4.2),
            ReplyPlayed(4.45, 1),
            Heard(4.5, "Thanks, and bye."),
            Tick(4.7),
            turn=SPEAKING,
        )
        assert said == [Hold(1), Attend(), Answer(2, "Thanks, and bye.")]

    def test_a_first_sound_already_under_way_counts(self) -> None:
        turn, _ = run(*asked(), SpeechStarted(2.6), ReplyStarted(2.61, 1))
        assert (turn.phase, turn.audible, turn.words) == (Phase.DOUBTING, True, "")


class TestWhatIsMissedOverAReply:
    def test_lets_it_go_on(self) -> None:
        _, said = run(SpeechStarted(4.0), SpeechStopped(4.4, 4.2), Missed(4.5), turn=SPEAKING)
        assert said == [Hold(1), Resume(1)]

    def test_does_not_resume_it_while_the_caller_speaks(self) -> None:
        _, said = run(SpeechStarted(4.0), SpeechCut(4.1), Missed(4.2), turn=SPEAKING)
        assert said == [Hold(1)]


class TestWhatIsSaidSoFar:
    """Speech over a reply lasts, and is looked into before it ends the reply."""

    LOOKING = run(SpeechStarted(4.0), Tick(5.0), turn=SPEAKING)[0]

    def test_ends_the_reply_if_it_is_words(self) -> None:
        turn, said = run(Glimpsed(5.1, "Actually, I", 1.1), turn=self.LOOKING)
        assert said == [Hush(1), Attend()]
        assert (turn.phase, turn.words) == (Phase.LISTENING, "")

    def test_comes_again_with_the_rest(self) -> None:
        turn, _ = run(Glimpsed(5.1, "Actually, I", 1.1), turn=self.LOOKING)
        turn, _ = run(SpeechStopped(5.9, 5.7), Heard(6.0, "Actually, I do.", 1.7), turn=turn)
        assert turn.words == "Actually, I do."

    @pytest.mark.parametrize(
        "seen",
        [
            Glimpsed(5.1, "", 1.1),
            Glimpsed(5.1, "Ha ha ha!", 1.1),
            Glimpsed(5.1, "Professor,", 1.1, confidence=0.2),
            Glimpsed(5.1, "For for", 1.1, confidence=0.4, nod=0.1),
            Glimpsed(5.1, "For for", 1.1, confidence=0.49),
        ],
    )
    def test_lets_it_be_for_a_while_if_it_is_none(self, seen: Glimpsed) -> None:
        turn, said = run(seen, turn=self.LOOKING)
        assert (said, turn.phase) == ([], Phase.DOUBTING)
        assert turn.deadline_s == pytest.approx(5.5)
        turn, said = run(Tick(5.5), turn=turn)
        assert said == [Glimpse(1)]
        _, said = run(SpeechStopped(5.6, 5.4), Heard(5.7, "Ha ha ha ha!", 1.4), turn=turn)
        assert said == [Resume(1)]

    def test_ends_it_in_the_end_whatever_it_is(self) -> None:
        turn, at_s, seen = self.LOOKING, 5.0, 0
        while turn.phase is Phase.DOUBTING and at_s < 10:
            turn, said = run(Glimpsed(at_s + 0.1, ""), Tick(at_s + 0.5), turn=turn)
            at_s, seen = at_s + 0.5, seen + said.count(Glimpse(1))
        assert (turn.phase, seen) == (Phase.LISTENING, 3)
        assert at_s == pytest.approx(4.0 + 1.2 * 2.5)

    def test_is_not_asked_where_nothing_sounds_yet(self) -> None:
        turn, _ = run(*asked())
        _, said = run(SpeechStarted(2.6), Tick(3.8), turn=turn)
        assert said == [Hold(1), Hush(1), Attend()]

    def test_is_not_asked_where_there_is_no_time(self) -> None:
        hasty = replace(POLICY, interruption_s=0.3)
        _, said = run(SpeechStarted(4.0), Tick(4.3), turn=SPEAKING, policy=hasty)
        assert said == [Hold(1), Hush(1), Attend()]

    def test_changes_nothing_once_they_are_silent(self) -> None:
        turn, _ = run(SpeechStopped(5.05, 4.9), turn=self.LOOKING)
        assert run(Glimpsed(5.1, "Actually"), turn=turn) == (turn, [])

    def test_of_another_sound_changes_nothing(self) -> None:
        turn, _ = run(SpeechStopped(5.05, 4.9), SpeechStarted(5.2), turn=self.LOOKING)
        assert run(Glimpsed(5.3, "Actually"), turn=turn) == (turn, [])


class TestAnEcho:
    """The agent hears itself."""

    ECHO = (SpeechStarted(4.0), SpeechStopped(4.4, 4.2), Heard(4.5, "", echoed=True))

    def test_lets_the_reply_go_on(self) -> None:
        turn, said = run(*self.ECHO, turn=SPEAKING)
        assert said == [Hold(1), Resume(1)]
        assert turn.echoes == 1

    def test_that_comes_again_does_not_even_hold_it(self) -> None:
        turn, _ = run(*self.ECHO, *self.ECHO, turn=SPEAKING)
        turn, said = run(*self.ECHO, turn=turn)
        assert said == []
        assert turn.phase is Phase.SPEAKING

    def test_does_not_make_the_agent_deaf_to_other_words(self) -> None:
        turn = replace(SPEAKING, echoes=ECHOES)
        events = (SpeechStarted(4.0), SpeechStopped(4.9, 4.7), Heard(5.0, "No, stop that."))
        turn, said = run(*events, turn=turn)
        assert said == [Hush(1), Attend()]
        assert turn.words == "No, stop that."

    def test_does_not_make_a_yeah_an_interruption(self) -> None:
        events = (SpeechStarted(4.0), SpeechStopped(4.4, 4.2), Heard(4.5, "Yeah."))
        _, said = run(*events, turn=replace(SPEAKING, echoes=ECHOES))
        assert said == []

    def test_holds_again_what_has_not_sounded(self) -> None:
        thinking = replace(run(*asked())[0], echoes=ECHOES)
        _, said = run(SpeechStarted(2.6), turn=thinking)
        assert said == [Hold(1)]


class TestWhoMayNotInterrupt:
    POLICY = replace(POLICY, interruptible=False)
    OVER = (SpeechStarted(3.0), SpeechStopped(4.0, 3.8), Heard(4.2, "And tomorrow?"))

    def run(self, *events: Event, turn: Turn) -> tuple[Turn, list[Command]]:
        return run(*events, turn=turn, policy=self.POLICY)

    def test_is_answered_when_the_reply_was_heard(self) -> None:
        turn, said = self.run(*self.OVER, turn=SPEAKING)
        assert (turn.phase, said) == (Phase.SPEAKING, [])
        turn, said = self.run(ReplyPlayed(9.0, 1), turn=turn)
        assert said == [Attend(), Answer(2, "And tomorrow?")]
        assert turn.over == ""

    def test_keeps_the_floor_if_they_still_speak(self) -> None:
        turn, said = self.run(*self.OVER, SpeechStarted(8.8), ReplyPlayed(9.0, 1), turn=SPEAKING)
        assert (turn.phase, said) == (Phase.LISTENING, [Attend()])
        _, said = self.run(SpeechStopped(9.6, 9.4), Heard(9.7, "And after?"), Tick(10.2), turn=turn)
        assert said == [Answer(2, "And tomorrow? And after?")]

    def test_has_a_pause_like_anybody(self) -> None:
        turn, said = self.run(*self.OVER, ReplyPlayed(4.2, 1), turn=SPEAKING)
        assert (turn.phase, said) == (Phase.WAITING, [Attend()])
        assert self.run(Tick(4.3), turn=turn)[1] == [Answer(2, "And tomorrow?")]

    def test_waits_for_a_transcript(self) -> None:
        started, stopped, heard = self.OVER
        turn, said = self.run(started, stopped, ReplyPlayed(5.0, 1), turn=SPEAKING)
        assert (turn.phase, said) == (Phase.WAITING, [Attend()])
        assert self.run(Tick(5.0), replace(heard, at_s=5.2), turn=turn)[1] == [
            Answer(2, "And tomorrow?")
        ]

    def test_types_in_vain_as_well(self) -> None:
        turn, said = self.run(Typed(3.0, "Stop."), Typed(3.5, "Please."), turn=SPEAKING)
        assert (turn.phase, said) == (Phase.SPEAKING, [])
        assert self.run(ReplyPlayed(9.0, 1), turn=turn)[1] == [Attend(), Answer(2, "Stop. Please.")]

    def test_is_heard_with_what_the_program_told(self) -> None:
        note = Typed(3.0, "It is booked.", Author.PROGRAM)
        _, said = self.run(note, *self.OVER, ReplyPlayed(9.0, 1), turn=SPEAKING)
        assert said == [Attend(), Answer(2, "And tomorrow?", "It is booked.")]

    def test_cannot_skip_the_greeting_before_it_sounds(self) -> None:
        greeting, _ = self.run(Opened(0.0, greeting=True), turn=Turn())
        turn, said = self.run(SpeechStarted(0.1), turn=greeting)
        assert (turn.phase, said) == (Phase.THINKING, [])
        turn, said = self.run(
            SpeechStopped(0.6, 0.4), Heard(0.7, "Hello?"), ReplyStarted(0.8, 1), turn=turn
        )
        assert (turn.phase, said) == (Phase.SPEAKING, [])
        assert self.run(ReplyPlayed(4.0, 1), turn=turn)[1] == [Attend(), Answer(2, "Hello?")]

    def test_can_go_on_before_an_answer_sounds(self) -> None:
        turn, _ = run(*asked(), policy=self.POLICY)
        _, said = self.run(
            SpeechStarted(2.6),
            SpeechStopped(3.4, 3.2),
            Heard(3.5, "In Rome."),
            Tick(4.0),
            turn=turn,
        )
        assert said == [Hold(1), Hush(1), Attend(), Answer(2, "What time is it? In Rome.")]

    def test_no_longer_holds_a_reply_that_sounds(self) -> None:
        turn, _ = run(*asked(), policy=self.POLICY)
        turn, said = self.run(SpeechStarted(2.6), ReplyStarted(2.7, 1), turn=turn)
        assert (turn.phase, said) == (Phase.SPEAKING, [Hold(1), Resume(1)])

    def test_still_says_yeah_to_a_question(self) -> None:
        yeah = (SpeechStarted(8.0), SpeechStopped(8.6, 8.4), Heard(8.7, "Yeah."))
        turn, said = self.run(*yeah, turn=SPEAKING)
        assert (said, turn.over) == ([], "")
        assert self.run(ReplyPlayed(9.0, 1), turn=turn)[1] == []
        assert self.run(ReplyPlayed(9.0, 1, asks=True), turn=turn)[1][-1] == Answer(2, "Yeah.")

    def test_makes_no_turn_of_a_noise(self) -> None:
        _, said = self.run(
            SpeechStarted(3.0), SpeechStopped(3.4, 3.2), Heard(3.5, ""), ReplyPlayed(9.0, 1),
            turn=SPEAKING,
        )  # fmt: skip
        assert said == []

    def test_keeps_an_agent_from_hanging_up(self) -> None:
        _, said = self.run(*self.OVER, ReplyPlayed(9.0, 1, last=True), turn=SPEAKING)
        assert said == [Attend(), Answer(2, "And tomorrow?")]

    def test_leaves_words_for_the_record(self) -> None:
        turn, said = self.run(*self.OVER, HungUp(5.0, EndedBy.USER), turn=SPEAKING)
        assert (turn.words, said) == ("And tomorrow?", [Hush(1), End(EndedBy.USER)])

    def test_is_cut_off_by_the_end_of_time(self) -> None:
        assert self.run(TimeUp(5.0), turn=SPEAKING)[1] == [Hush(1), Say(2, FixedLine.FAREWELL)]
