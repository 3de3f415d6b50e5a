import numpy as np
import pytest

from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.talk.ears import POST_ROLL_S, PRE_ROLL_S, Utterance
from sayso.talk.events import SpeechCut, SpeechStopped
from sayso.talk.melody import MAX_SAMPLES, TRAIL_S, Melody, end_s, spoken_s

TRAIL = int(TRAIL_S * EAR_RATE_HZ)


def loud(seconds: float, level: float = 0.5) -> Samples:
    return np.full(int(seconds * EAR_RATE_HZ), level, np.float32)


def stretch(since_s: float, seconds: float, level: float = 0.5) -> Utterance:
    return Utterance(SpeechStopped(since_s + 0.2, since_s), loud(seconds, level))


def test_one_stretch_gets_a_little_silence() -> None:
    melody = Melody()
    melody.add(stretch(2.0, 1.0))
    sound = melody.sound()
    assert sound.dtype == np.float32
    assert len(sound) == EAR_RATE_HZ + TRAIL
    assert sound[EAR_RATE_HZ - 1] == 0.5
    assert not sound[EAR_RATE_HZ:].any()


def test_the_pause_between_two_is_kept() -> None:
    melody = Melody()
    melody.add(stretch(2.0, 1.0))
    melody.add(stretch(4.0, 1.0, 0.25))
    sound = melody.sound()[:-TRAIL]
    assert len(sound) == 3 * EAR_RATE_HZ
    assert [sound[int(at * EAR_RATE_HZ)] for at in (0.5, 1.5, 2.5)] == [0.5, 0.0, 0.25]


def test_what_overlaps_is_not_torn_apart() -> None:
    melody = Melody()
    melody.add(stretch(2.0, 1.0))
    melody.add(stretch(2.8, 1.0))
    assert len(melody.sound()) == 2 * EAR_RATE_HZ + TRAIL


def test_what_was_said_long_before_is_left_out() -> None:
    melody = Melody()
    melody.add(stretch(2.0, 1.0))
    melody.add(stretch(9.0, 1.0))
    assert len(melody.sound()) == EAR_RATE_HZ + TRAIL


def test_only_the_last_seconds_are_kept() -> None:
    melody = Melody()
    melody.add(Utterance(SpeechCut(15.0), loud(15.0)))
    melody.add(stretch(16.0, 1.0, 0.25))
    assert len(melody.sound()) == MAX_SAMPLES + TRAIL


def test_a_new_turn_begins_afresh() -> None:
    melody = Melody()
    melody.add(stretch(2.0, 1.0))
    melody.clear()
    assert len(melody.sound()) == TRAIL
    melody.add(stretch(2.9, 0.5))
    assert len(melody.sound()) == EAR_RATE_HZ // 2 + TRAIL


def test_where_a_stretch_ends() -> None:
    assert end_s(stretch(2.0, 1.0)) == pytest.approx(2.0 + POST_ROLL_S)
    assert end_s(Utterance(SpeechCut(15.0), loud(1.0))) == 15.0


def test_how_long_was_spoken() -> None:
    lasts_s = PRE_ROLL_S + 0.25 + POST_ROLL_S
    assert spoken_s(stretch(2.0, lasts_s)) == pytest.approx(0.25)
    assert spoken_s(stretch(2.0, 0.1)) == 0.0


def test_speech_from_the_first_moment_on_has_no_measure() -> None:
    assert spoken_s(stretch(0.4, 0.4 + POST_ROLL_S)) is None
