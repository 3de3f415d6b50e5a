from math import inf

import pytest

from sayso.talk.events import (
    Heard,
    Judged,
    Missed,
    ReplyPlayed,
    ReplyStarted,
    SpeechCut,
    SpeechStarted,
    SpeechStopped,
    Tick,
)
from sayso.talk.state import Phase, Turn, count, is_stale

PAUSED = Turn(Phase.WAITING, silent_since_s=2.0)
SPEAKING = Turn(Phase.SPEAKING, number=3, silent_since_s=2.0)


def test_a_judgement_of_this_pause_counts() -> None:
    event = Judged(2.4, 2.0, 0.7)
    assert not is_stale(PAUSED, event)
    assert count(PAUSED, event).sounds_done == 0.7


@pytest.mark.parametrize(
    "turn", [Turn(Phase.WAITING, silent_since_s=3.0), Turn(talking=True, silent_since_s=2.0)]
)
def test_one_of_another_pause_is_stale(turn: Turn) -> None:
    assert is_stale(turn, Judged(3.5, 2.0, 0.7))


@pytest.mark.parametrize("number", [2, 4])
def test_another_replys_number_is_stale(number: int) -> None:
    assert is_stale(SPEAKING, ReplyStarted(3.0, number))
    assert is_stale(SPEAKING, ReplyPlayed(3.0, number))


def test_the_current_number_is_not_and_neither_is_anything_else() -> None:
    assert not is_stale(SPEAKING, ReplyPlayed(3.0, 3))
    assert is_stale(PAUSED, ReplyPlayed(3.0, 0)), "no reply is under way"
    assert not is_stale(SPEAKING, Tick(3.0))


def test_what_was_judged_ends_with_the_pause() -> None:
    judged = count(PAUSED, Judged(2.4, 2.0, 0.7))
    assert count(judged, SpeechStarted(2.5)).sounds_done is None
    assert count(judged, SpeechStopped(3.2, 3.0)).sounds_done is None


def test_the_gap_before_speech_is_measured() -> None:
    assert count(PAUSED, SpeechStarted(2.7)).gap_s == pytest.approx(0.7)
    assert count(Turn(), SpeechStarted(2.7)).gap_s == inf, "the first words follow no pause"


def test_a_second_sound_over_a_held_reply_keeps_the_first_gap() -> None:
    doubting = Turn(Phase.DOUBTING, number=1, silent_since_s=2.0, gap_s=0.6)
    assert count(doubting, SpeechStarted(2.7)).gap_s == 0.6


def test_transcripts_to_come_are_counted() -> None:
    turn = count(count(Turn(talking=True), SpeechCut(15.0)), SpeechStopped(16.2, 16.0))
    assert (turn.transcribing, turn.talking, turn.silent_since_s) == (2, False, 16.0)
    turn = count(turn, Heard(16.3, "words"))
    assert (turn.transcribing, turn.missed) == (1, False)
    turn = count(count(turn, Missed(16.4)), Heard(16.5, "late"))
    assert (turn.transcribing, turn.missed) == (0, True)


def test_other_events_leave_the_books_alone() -> None:
    assert count(PAUSED, Tick(2.4)) is PAUSED
