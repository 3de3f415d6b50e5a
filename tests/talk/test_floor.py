"""The moves by which the floor passes, one at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sayso.talk.endpointing import Policy
from sayso.talk.events import (
    Answer,
    Attend,
    Draft,
    FixedLine,
    Hush,
    Resume,
    Say,
    Transfer,
)
from sayso.talk.floor import (
    STILL,
    add_words,
    answer,
    draft,
    give_to_caller,
    hush,
    is_due,
    join,
    listen,
    resume,
    say,
    set_free,
    wait,
)
from sayso.talk.state import REPLYING, Phase, Turn

POLICY = Policy(patience_s=0.5, transfer_s=10.0)
PAUSED = Turn(Phase.WAITING, words="A table.", silent_since_s=2.0)
SPEAKING = Turn(Phase.SPEAKING, number=3, audible=True)


def test_words_are_one_text() -> None:
    assert (join("", "Hi."), join("Hi.", ""), join("A table", "for two.")) == (
        "Hi.",
        "Hi.",
        "A table for two.",
    )
    assert add_words(Turn(words="A table"), "for two.").words == "A table for two."


def test_a_deadline_is_due_from_its_moment_on() -> None:
    assert not is_due(Turn(), 9.0)
    assert [is_due(Turn(deadline_s=5.0), at_s) for at_s in (4.9, 5.0)] == [False, True]


def test_who_has_the_floor_speaks_or_pauses() -> None:
    speaking = give_to_caller(replace(SPEAKING, talking=True), POLICY)
    assert speaking == listen(replace(SPEAKING, talking=True))
    assert (speaking.phase, speaking.deadline_s, speaking.audible) == (Phase.LISTENING, None, False)
    paused = give_to_caller(replace(PAUSED, audible=True), POLICY)
    assert paused == wait(PAUSED, POLICY)
    assert (paused.phase, paused.deadline_s, paused.audible) == (Phase.WAITING, 2.5, False)


def test_what_a_caller_has_taught_makes_the_pause_longer() -> None:
    assert wait(replace(PAUSED, extra_s=0.25), POLICY).deadline_s == pytest.approx(2.75)


class TestAFreeFloor:
    def test_is_the_callers_if_they_are_not_done(self) -> None:
        for busy in (replace(SPEAKING, talking=True), replace(SPEAKING, transcribing=1)):
            assert set_free(busy, 5.0, POLICY) == (give_to_caller(busy, POLICY), (Attend(),))

    def test_is_nobodys_otherwise(self) -> None:
        turn, commands = set_free(PAUSED, 5.0, POLICY)
        assert commands == STILL
        assert (turn.phase, turn.words, turn.deadline_s) == (Phase.IDLE, "", None)

    def test_is_where_the_program_is_answered(self) -> None:
        told = replace(SPEAKING, notes="paid")
        assert set_free(told, 5.0, POLICY)[1] == (Answer(4, "", "paid"),)

    def test_is_where_what_was_missed_is_asked_for(self) -> None:
        missed = replace(SPEAKING, missed=True, transfers=True)
        assert set_free(missed, 5.0, POLICY)[1] == (Say(4, FixedLine.NOT_HEARD),)

    def test_is_where_a_caller_is_handed_on(self) -> None:
        turn, commands = set_free(replace(SPEAKING, transfers=True, notes="paid"), 5.0, POLICY)
        assert commands == (Transfer(3),)
        assert (turn.phase, turn.deadline_s, turn.transfers) == (Phase.TRANSFERRING, 15.0, False)


class TestADraft:
    def test_is_worth_it_where_the_words_may_be_all(self) -> None:
        turn, commands = draft(replace(PAUSED, number=3, notes="paid"), POLICY)
        assert commands == (Draft(4, "A table.", "paid"),)
        assert (turn.drafted, turn.number) == (True, 3)

    @pytest.mark.parametrize(
        "turn",
        [
            replace(PAUSED, words=""),
            replace(PAUSED, words="A table for"),
            replace(PAUSED, transcribing=1),
            replace(PAUSED, transfers=True),
        ],
    )
    def test_is_none_where_more_may_come(self, turn: Turn) -> None:
        assert draft(turn, POLICY) == (turn, STILL)

    def test_is_none_where_the_policy_wants_none(self) -> None:
        assert draft(PAUSED, replace(POLICY, speculates=False)) == (PAUSED, STILL)


class TestANewReply:
    def test_takes_the_place_of_the_one_under_way(self) -> None:
        turn, commands = answer(replace(SPEAKING, words="And now?", over="Wait.", notes="paid"))
        assert commands == (Hush(3), Answer(4, "Wait. And now?", "paid"))
        assert (turn.phase, turn.number, turn.over) == (Phase.THINKING, 4, "")

    def test_knows_nothing_of_the_one_before(self) -> None:
        marked = replace(
            PAUSED, drafted=True, missed=True, asked=True, murmur="yeah", transfers=True
        )
        turn, commands = say(marked, FixedLine.NUDGE)
        assert commands == (Say(1, FixedLine.NUDGE),)
        assert turn == Turn(Phase.THINKING, number=1, words="A table.", silent_since_s=2.0)


@pytest.mark.parametrize("phase", Phase)
def test_only_what_is_under_way_is_hushed(phase: Phase) -> None:
    assert hush(Turn(phase, number=3)) == ((Hush(3),) if phase in REPLYING else ())


def test_a_reply_goes_on_where_it_was() -> None:
    held = Turn(Phase.DOUBTING, number=3, deadline_s=5.0)
    assert resume(held) == (Turn(Phase.THINKING, number=3), (Resume(3),))
    sounding = replace(held, audible=True)
    assert resume(sounding)[0] == SPEAKING
