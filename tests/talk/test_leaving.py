"""How a conversation ends in the turn core: last words, a hang-up, a caller who is handed on."""

from __future__ import annotations

from dataclasses import replace

import pytest

import turns
from sayso.talk.endpointing import Policy
from sayso.talk.events import (
    Answer,
    Attend,
    Author,
    Command,
    End,
    EndedBy,
    Event,
    FixedLine,
    Heard,
    HungUp,
    Hush,
    Missed,
    Parting,
    ReplyPlayed,
    ReplyStarted,
    Say,
    SpeechStarted,
    SpeechStopped,
    Tick,
    TimeNear,
    TimeUp,
    Transfer,
    TransferFailed,
    Typed,
)
from sayso.talk.ladder import Ladder
from sayso.talk.state import Phase, Turn
from turns import SPEAKING

POLICY = Policy(transfer_s=60.0)


def run(
    *events: Event, turn: Turn | None = None, policy: Policy = POLICY
) -> tuple[Turn, list[Command]]:
    return turns.run(*events, turn=turn, policy=policy)


ANNOUNCING = run(Typed(1.0, "Sales, please."), ReplyStarted(2.0, 1), turn=Turn())[0]
PLAYED = ReplyPlayed(4.0, 1, transfers=True)
TRANSFERRING = run(PLAYED, turn=ANNOUNCING)[0]
AT_THE_END = (SpeechStarted(3.9), PLAYED, SpeechStopped(4.5, 4.3))
"""The caller makes a sound as the announcement ends."""


class TestTheAnnouncement:
    def test_is_heard_out_first(self) -> None:
        turn, said = run(PLAYED, turn=ANNOUNCING)
        assert said == [Transfer(1)]
        assert (turn.phase, turn.deadline_s) == (Phase.TRANSFERRING, 64.0)

    def test_that_is_cut_off_hands_nobody_on(self) -> None:
        turn, said = run(Typed(3.0, "Wait, no."), PLAYED, turn=ANNOUNCING)
        assert said == [Hush(1), Answer(2, "Wait, no.")]
        assert not turn.transfers

    def test_that_cannot_be_spoken_does_not_keep_the_caller(self) -> None:
        thinking = run(Typed(1.0, "Sales, please."), turn=Turn())[0]
        assert run(PLAYED, turn=thinking)[1] == [Transfer(1)]

    @pytest.mark.parametrize("after", [Heard(4.8, ""), Heard(4.8, "Okay."), Tick(17.0)])
    def test_with_a_sound_at_its_end_waits_for_silence(self, after: Event) -> None:
        turn, said = run(*AT_THE_END, turn=ANNOUNCING)
        assert (turn.transfers, said[1:]) == (True, [Attend()])
        turn, said = run(after, Tick(20.0), turn=turn)
        assert (turn.phase, said, turn.transfers) == (Phase.TRANSFERRING, [Transfer(1)], False)

    def test_with_words_at_its_end_is_taken_back(self) -> None:
        turn, said = run(*AT_THE_END, Heard(4.8, "No, wait."), Tick(8.0), turn=ANNOUNCING)
        assert said[2:] == [Answer(2, "No, wait.")]
        assert not turn.transfers

    def test_with_words_nobody_understood_is_taken_back(self) -> None:
        _, said = run(*AT_THE_END, Missed(4.8), Tick(8.0), turn=ANNOUNCING)
        assert said[2:] == [Say(2, FixedLine.NOT_HEARD)]

    def test_nobody_may_interrupt_can_still_be_answered(self) -> None:
        policy = replace(POLICY, interruptible=False)
        turn, said = run(
            SpeechStarted(3.0), SpeechStopped(3.6, 3.4), Heard(3.8, "No, wait."), PLAYED, Tick(8.0),
            turn=ANNOUNCING, policy=policy,
        )  # fmt: skip
        assert (said, turn.transfers) == ([Attend(), Answer(2, "No, wait.")], False)

    def test_goes_before_what_the_program_tells(self) -> None:
        turn, said = run(Typed(3.0, "Paid.", Author.PROGRAM), PLAYED, turn=ANNOUNCING)
        assert (said, turn.notes) == ([Transfer(1)], "Paid.")


class TestWhileTheCallerIsHandedOn:
    def test_what_they_say_is_for_somebody_else(self) -> None:
        speech = (SpeechStarted(5.0), SpeechStopped(6.0, 5.8), Heard(6.2, "Hello?"), Tick(8.0))
        turn, said = run(*speech, turn=TRANSFERRING)
        assert (turn.phase, turn.words, said) == (Phase.TRANSFERRING, "", [])

    @pytest.mark.parametrize(
        "event", [Tick(64.0), TimeUp(30.0), HungUp(9.0, EndedBy.USER)], ids=lambda e: str(e)[:6]
    )
    def test_the_end_is_a_transfer(self, event: Event) -> None:
        turn, said = run(event, turn=TRANSFERRING)
        assert (turn.phase, turn.parting) == (Phase.ENDED, Parting.TRANSFERRED)
        assert said == [End(EndedBy.AGENT)]

    @pytest.mark.parametrize("by", [EndedBy.ERROR, EndedBy.SYSTEM])
    def test_what_breaks_is_no_transfer(self, by: EndedBy) -> None:
        turn, said = run(HungUp(9.0, by), turn=TRANSFERRING)
        assert (turn.parting, said) == (None, [End(by)])

    def test_nothing_ends_before_its_time(self) -> None:
        assert run(Tick(63.9), turn=TRANSFERRING) == (TRANSFERRING, [])


class TestATransferThatFails:
    FAILED = TransferFailed(20.0, "Nobody answers.")

    def test_is_told_to_the_llm(self) -> None:
        turn, said = run(self.FAILED, turn=TRANSFERRING)
        assert (turn.phase, said) == (Phase.THINKING, [Answer(2, "", "Nobody answers.")])

    def test_brings_what_was_typed_and_told_meanwhile(self) -> None:
        typed = (Typed(6.0, "Hello?"), Typed(7.0, "Ringing.", Author.PROGRAM))
        _, said = run(*typed, self.FAILED, turn=TRANSFERRING)
        assert said == [Answer(2, "Hello?", "Nobody answers. Ringing.")]

    def test_lets_a_caller_who_speaks_finish(self) -> None:
        turn, said = run(SpeechStarted(19.0), self.FAILED, turn=TRANSFERRING)
        assert (turn.phase, said) == (Phase.LISTENING, [Attend()])
        ended = (SpeechStopped(21.0, 20.8), Heard(21.2, "Hello, is anybody there?"), Tick(24.0))
        _, said = run(*ended, turn=turn, policy=replace(POLICY, speculates=False))
        assert said == [Answer(2, "Hello, is anybody there?", "Nobody answers.")]

    def test_begins_the_silence_anew(self) -> None:
        policy = replace(POLICY, ladder=Ladder(silence_s=10.0))
        turn = replace(TRANSFERRING, quiet=replace(TRANSFERRING.quiet, since_s=1.0, nudged=1))
        played = (ReplyStarted(21.0, 2), ReplyPlayed(22.0, 2))
        turn, said = run(self.FAILED, *played, turn=turn, policy=policy)
        assert (turn.deadline_s, len(said)) == (32.0, 1)

    def test_is_followed_by_the_warning_that_came_meanwhile(self) -> None:
        played = (ReplyStarted(21.0, 2), ReplyPlayed(22.0, 2), Tick(22.0))
        _, said = run(TimeNear(15.0), self.FAILED, *played, turn=TRANSFERRING)
        assert said[1:] == [Say(3, FixedLine.WARNING)]

    @pytest.mark.parametrize("turn", [Turn(), ANNOUNCING])
    def test_too_late_or_too_early_means_nothing(self, turn: Turn) -> None:
        assert run(self.FAILED, turn=turn)[1] == []


class TestEnding:
    def test_when_time_is_up_a_farewell_is_spoken(self) -> None:
        turn, said = run(TimeUp(5.0), turn=SPEAKING)
        assert said == [Hush(1), Say(2, FixedLine.FAREWELL)]
        turn, said = run(SpeechStarted(5.1), ReplyStarted(5.2, 2), ReplyPlayed(7.0, 2), turn=turn)
        assert (turn.phase, said) == (Phase.ENDED, [End(EndedBy.SYSTEM)])

    def test_a_farewell_that_cannot_be_spoken_does_not_hold_the_line(self) -> None:
        turn, _ = run(TimeUp(5.0))
        assert run(Tick(6.0), turn=turn) == (turn, [])
        _, said = run(Tick(5.0 + POLICY.farewell_s), turn=turn)
        assert said == [Hush(1), End(EndedBy.SYSTEM)]

    def test_after_the_end_nothing_happens(self) -> None:
        _turn, said = run(HungUp(1.0, EndedBy.USER), SpeechStarted(2.0), HungUp(3.0, EndedBy.ERROR))
        assert said == [End(EndedBy.USER)]
