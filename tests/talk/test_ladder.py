"""The ladder of silence: alone, and as the turn core climbs it."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sayso.talk.endpointing import Policy
from sayso.talk.events import (
    Answer,
    Command,
    End,
    EndedBy,
    Event,
    FixedLine,
    Heard,
    Hush,
    Opened,
    Parting,
    ReplyPlayed,
    ReplyStarted,
    Say,
    SpeechStarted,
    SpeechStopped,
    Tick,
    TimeNear,
    TimeUp,
    Typed,
)
from sayso.talk.ladder import Ladder, Quiet, Rung, climb, rest, stir
from sayso.talk.state import Phase, Turn
from sayso.talk.turn import step

LADDER = Ladder(idle_s=10.0, nudges=2)
POLICY = Policy(patience_s=0.4, ladder=LADDER)


def climb_all(ladder: Ladder, reply_s: float = 2.0) -> list[tuple[float, Rung]]:
    """Everything said to somebody who says nothing, and when."""
    quiet, deadline_s = rest(Quiet(), 0.0, ladder)
    said: list[tuple[float, Rung]] = []
    while deadline_s is not None:
        quiet, rung = climb(quiet, deadline_s, ladder)
        assert rung is not None
        said.append((deadline_s, rung))
        if rung is Rung.GOODBYE:
            break
        quiet, deadline_s = rest(quiet, deadline_s + reply_s, ladder)
    return said


def test_nudges_come_before_the_goodbye() -> None:
    assert climb_all(LADDER) == [(10.0, Rung.NUDGE), (22.0, Rung.NUDGE), (34.0, Rung.GOODBYE)]


def test_the_longest_silence_ends_it_nudges_or_not() -> None:
    assert climb_all(Ladder(10.0, 9, silence_s=30.0)) == [
        (10.0, Rung.NUDGE),
        (22.0, Rung.NUDGE),
        (30.0, Rung.GOODBYE),
    ]
    assert climb_all(Ladder(silence_s=30.0)) == [(30.0, Rung.GOODBYE)]
    assert climb_all(Ladder(idle_s=5.0)) == [(5.0, Rung.GOODBYE)]


def test_nobody_is_nudged_who_has_no_time_to_answer() -> None:
    ladder = Ladder(idle_s=4.0, nudges=2, silence_s=10.0)
    quiet, due_s = rest(Quiet(), 0.0, ladder)
    assert due_s == 4.0
    quiet, rung = climb(quiet, 4.0, ladder)
    assert rung is Rung.NUDGE
    quiet, due_s = rest(quiet, 5.5, ladder)
    assert due_s == 10.0
    assert climb(quiet, 10.0, ladder)[1] is Rung.GOODBYE


def test_without_a_ladder_silence_has_no_end() -> None:
    assert rest(Quiet(), 3.0, Ladder()) == (Quiet(), None)
    assert climb(Quiet(), 1e9, Ladder()) == (Quiet(), None)


def test_too_early_nothing_is_said() -> None:
    quiet, _ = rest(Quiet(), 5.0, LADDER)
    assert climb(quiet, 14.9, LADDER) == (quiet, None)


def test_a_warning_is_due_at_once_and_only_once() -> None:
    quiet, deadline_s = rest(Quiet(warns=True), 5.0, Ladder())
    assert deadline_s == 5.0
    quiet, rung = climb(quiet, 5.0, Ladder())
    assert rung is Rung.WARNING
    assert rest(quiet, 6.0, Ladder())[1] is None


def test_words_begin_it_at_its_foot_but_leave_the_warning() -> None:
    assert stir(Quiet(3.0, 4.0, 2, warns=True)) == Quiet(warns=True)


@given(
    idle_s=st.floats(0.5, 60) | st.just(inf),
    nudges=st.integers(0, 10),
    silence_s=st.floats(0.5, 600) | st.just(inf),
    reply_s=st.floats(0, 30),
)
@example(idle_s=1.0, nudges=1, silence_s=3.0, reply_s=0.0)
def test_every_ladder_ends_within_its_bounds(
    idle_s: float, nudges: int, silence_s: float, reply_s: float
) -> None:
    said = climb_all(Ladder(idle_s, nudges, silence_s), reply_s)
    if idle_s == silence_s == inf:
        assert said == []
        return
    at_s, last = said[-1]
    assert last is Rung.GOODBYE
    assert len(said) <= nudges + 1
    assert at_s <= max(silence_s + reply_s, 0) or silence_s == inf
    # A nudge that would leave no time to answer it is left out: silence alone ends that one.
    hasty_s = 0.0 if silence_s == inf else silence_s
    assert at_s <= max((nudges + 1) * (idle_s + reply_s), hasty_s) + 1e-6


# In the turn core ------------------------------------------------------------------------------


def run(*events: Event, turn: Turn | None = None) -> tuple[Turn, list[Command]]:
    turn, said = turn or Turn(), list[Command]()
    for event in events:
        turn, commands = step(turn, event, POLICY)
        said += commands
    return turn, said


def spoken(turn: Turn, at_s: float) -> Turn:
    """`turn` after its reply was heard, at `at_s`."""
    return run(ReplyStarted(at_s - 1, turn.number), ReplyPlayed(at_s, turn.number), turn=turn)[0]


def test_a_silent_caller_is_nudged_and_then_left() -> None:
    turn, _ = run(Opened(0.0, greeting=True))
    turn = spoken(turn, 2.0)
    assert turn.deadline_s == 12.0
    turn, said = run(Tick(11.9), Tick(12.0), turn=turn)
    assert said == [Say(2, FixedLine.NUDGE)]
    turn, said = run(Tick(24.0), turn=spoken(turn, 14.0))
    assert said == [Say(3, FixedLine.NUDGE)]
    turn, said = run(Tick(36.0), turn=spoken(turn, 26.0))
    assert said == [Say(4, FixedLine.GIVING_UP)]
    assert turn.phase is Phase.CLOSING
    turn, said = run(ReplyPlayed(38.0, 4), turn=turn)
    assert (said, turn.parting) == ([End(EndedBy.SYSTEM)], Parting.SILENCE)


def test_a_goodbye_that_never_ends_is_left_all_the_same() -> None:
    turn = Turn(deadline_s=10.0, quiet=Quiet(0.0, 0.0, nudged=2))
    turn, _ = run(Tick(10.0), turn=turn)
    turn, said = run(Tick(10.0 + POLICY.farewell_s), turn=turn)
    assert said == [Hush(1), End(EndedBy.SYSTEM)]


def test_an_agent_without_a_greeting_nudges_too() -> None:
    assert run(Opened(0.0, greeting=False))[0].deadline_s == 10.0


def test_words_make_the_agent_forget_its_nudges() -> None:
    turn = Turn(deadline_s=20.0, quiet=Quiet(0.0, 10.0, nudged=1))
    turn, said = run(
        SpeechStarted(15.0), SpeechStopped(16.0, 15.8), Heard(16.2, "Yes."), Tick(16.5), turn=turn
    )
    assert said[-1] == Answer(1, "Yes.")
    assert turn.quiet == Quiet()


def test_a_noise_postpones_the_nudge_and_forgets_nothing() -> None:
    turn = Turn(deadline_s=20.0, quiet=Quiet(0.0, 10.0, nudged=1))
    turn, _ = run(
        SpeechStarted(15.0), SpeechStopped(16.0, 15.8), Heard(16.2, ""), Tick(16.5), turn=turn
    )
    assert turn.phase is Phase.IDLE
    assert turn.quiet == Quiet(0.0, 16.2, nudged=1)
    assert turn.deadline_s == 26.2


def test_yes_over_a_nudge_counts_although_it_takes_no_floor() -> None:
    turn, _ = run(Tick(12.0), turn=Turn(deadline_s=12.0, quiet=Quiet(2.0, 2.0)))
    turn, _ = run(
        ReplyStarted(12.1, 1),
        SpeechStarted(12.2),
        SpeechStopped(12.6, 12.5),
        Heard(12.8, "Yeah."),
        turn=turn,
    )
    assert turn.phase is Phase.SPEAKING
    assert turn.quiet.nudged == 0


def test_typing_is_speaking() -> None:
    turn, _ = run(Typed(5.0, "Hello"), turn=Turn(deadline_s=12.0, quiet=Quiet(2.0, 2.0, 1)))
    assert (turn.phase, turn.quiet) == (Phase.THINKING, Quiet())


@pytest.mark.parametrize("speaking", [True, False])
def test_the_warning_waits_until_nobody_speaks(speaking: bool) -> None:
    turn = Turn(Phase.SPEAKING, number=1, audible=True) if speaking else Turn(number=1)
    turn, said = run(TimeNear(50.0), turn=turn)
    assert said == []
    turn, said = run(ReplyPlayed(55.0, 1), Tick(55.0), turn=turn)
    assert said == [Say(2, FixedLine.WARNING)]
    turn = spoken(turn, 58.0)
    assert turn.deadline_s == 68.0
    turn, said = run(TimeUp(60.0), turn=turn)
    assert said == [Say(3, FixedLine.FAREWELL)]
    assert turn.parting is Parting.TIME_UP


@given(st.lists(st.floats(0.1, 9.0), max_size=30), st.integers(0, 5))
def test_whatever_happened_before_silence_ends_it_within_the_ladder(
    noises: list[float], nudged: int
) -> None:
    """Noises without words put it off by their own length and no more."""
    turn, at_s = run(Opened(0.0, greeting=False))[0], 0.0
    turn = Turn(deadline_s=10.0, quiet=Quiet(0.0, 0.0, min(nudged, LADDER.nudges)))
    for gap_s in noises:
        at_s += gap_s
        turn, _ = run(
            SpeechStarted(at_s), SpeechStopped(at_s, at_s), Heard(at_s, ""), Tick(at_s), turn=turn
        )
        turn, _ = run(Tick(at_s + 0.5), turn=turn)
        at_s += 0.5
        assert turn.phase is Phase.IDLE
        assert turn.deadline_s is not None
    for _ in range(LADDER.nudges + 1):
        at_s += LADDER.idle_s
        turn, _ = run(Tick(at_s), ReplyPlayed(at_s, turn.number), turn=turn)
        turn, _ = run(ReplyPlayed(at_s, turn.number), turn=turn)
    assert turn.phase is Phase.ENDED
    assert turn.parting is Parting.SILENCE


class TestTheAgentEndsIt:
    SPEAKING = Turn(Phase.SPEAKING, number=3, audible=True)

    def test_after_its_last_reply(self) -> None:
        turn, said = run(ReplyPlayed(5.0, 3, last=True), turn=self.SPEAKING)
        assert said == [End(EndedBy.AGENT)]
        assert (turn.phase, turn.parting) == (Phase.ENDED, Parting.AGENT_DONE)

    def test_not_while_the_caller_speaks(self) -> None:
        turn, said = run(SpeechStarted(4.8), ReplyPlayed(5.0, 3, last=True), turn=self.SPEAKING)
        assert End(EndedBy.AGENT) not in said
        assert turn.phase is Phase.LISTENING

    def test_nor_before_their_words_are_known(self) -> None:
        turn, said = run(
            SpeechStarted(4.0),
            SpeechStopped(4.6, 4.4),
            ReplyPlayed(5.0, 3, last=True),
            turn=self.SPEAKING,
        )
        assert End(EndedBy.AGENT) not in said
        assert turn.phase is Phase.WAITING
