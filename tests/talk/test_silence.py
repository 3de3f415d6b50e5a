from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sayso.audio.formats import EAR_RATE_HZ
from sayso.talk.silence import DEAF_AFTER_S, FAINTEST, LATE_S, MAX_LEAD_S, GapFiller, Microphone


def seconds(gaps: GapFiller, now_s: float) -> float:
    silence = gaps.fill(now_s)
    return 0.0 if silence is None else len(silence) / EAR_RATE_HZ


def test_a_client_in_time_gets_no_silence() -> None:
    gaps = GapFiller(0.0)
    for tick in range(1, 20):
        gaps.received(0.5, tick * 0.5)
        assert seconds(gaps, tick * 0.5 + 0.49) == 0.0


def test_a_client_that_stops_is_silent() -> None:
    gaps = GapFiller(0.0)
    gaps.received(0.02, 1.0)
    assert seconds(gaps, 1.02 + LATE_S) == 0.0
    assert abs(seconds(gaps, 2.02) - (1.0 - LATE_S)) < 0.001
    assert abs(seconds(gaps, 2.12) - 0.1) < 0.001


def test_a_file_sent_at_once_is_waited_for_only_a_moment() -> None:
    gaps = GapFiller(0.0)
    gaps.received(60.0, 1.0)
    assert seconds(gaps, 1.0 + MAX_LEAD_S + LATE_S) == 0.0
    assert seconds(gaps, 1.5 + MAX_LEAD_S + LATE_S) > 0.49


@given(st.lists(st.tuples(st.floats(0.001, 2.0), st.floats(0.0, 2.0)), max_size=40))
def test_sound_and_silence_together_keep_up_with_time(steps: list[tuple[float, float]]) -> None:
    """However a client sends, audio time falls behind by at most `LATE_S` a gap."""
    gaps, now_s, heard_s, silent_s = GapFiller(0.0), 0.0, 0.0, 0.0
    for pause_s, sound_s in steps:
        now_s += pause_s
        filled_s = seconds(gaps, now_s)
        heard_s, silent_s = heard_s + filled_s, silent_s + filled_s
        gaps.received(sound_s, now_s)
        heard_s += sound_s
    assert heard_s >= now_s - (LATE_S + 0.001) * (len(steps) + 1)
    assert silent_s <= now_s


QUIET = np.full(320, FAINTEST, np.float32)
LOUD = np.full(320, 0.01, np.float32)


def test_a_microphone_that_gives_nothing_is_told_once() -> None:
    microphone = Microphone()
    microphone.open(1.0)
    microphone.open(5.0)
    assert microphone.complaint(1.0 + DEAF_AFTER_S - 0.1) is None
    assert microphone.complaint(1.0 + DEAF_AFTER_S) == "nothing"
    assert microphone.complaint(99.0) is None


def test_so_is_one_that_gives_only_silence() -> None:
    microphone = Microphone()
    microphone.received(QUIET)
    assert microphone.complaint(99.0) is None, "it is not open yet"
    microphone.open(0.0)
    microphone.received(QUIET[:0])
    assert microphone.complaint(9.0) == "silence"


def test_a_breath_is_enough_and_so_is_a_keyboard() -> None:
    breathing, typing = Microphone(), Microphone()
    breathing.received(QUIET)
    breathing.received(LOUD)
    typing.excuse()
    for microphone in (breathing, typing):
        microphone.open(0.0)
        microphone.received(QUIET)
        assert microphone.complaint(99.0) is None
