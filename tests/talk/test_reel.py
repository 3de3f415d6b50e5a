from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.audio.formats import Samples
from sayso.talk.reel import MOST_AHEAD_S, SLACK_S, UNRECORDED, Side, Track, TwoTracks

RATE_HZ = 16_000


class Sink:
    """Both tracks, as a player would hear them."""

    def __init__(self) -> None:
        self.sides: dict[Side, Samples] = {
            "left": np.zeros(0, np.float32),
            "right": np.zeros(0, np.float32),
        }

    def put(self, side: Side, at: int, samples: Samples) -> None:
        before = self.sides[side]
        assert at >= len(before), "nothing is written over"
        gap = np.zeros(at - len(before), np.float32)
        self.sides[side] = np.concatenate((before, gap, samples))

    def cut(self, side: Side, at: int) -> None:
        self.sides[side] = self.sides[side][:at]


def sound(seconds: float, rate_hz: int = RATE_HZ) -> Samples:
    return np.ones(round(seconds * rate_hz), np.float32)


def begin(longest_s: float = 3600.0) -> tuple[TwoTracks, Sink]:
    sink = Sink()
    return TwoTracks(sink, 100.0, 24_000, longest_s), sink


def test_sound_stands_where_it_was_heard() -> None:
    reel, sink = begin()
    reel.heard(sound(0.5), 102.5)
    reel.said(sound(1.0, 24_000), 104.0)
    assert np.flatnonzero(sink.sides["left"])[0] == 2 * RATE_HZ
    assert np.flatnonzero(sink.sides["right"])[0] == 3 * 24_000


def test_jitter_is_no_silence_but_a_gap_is() -> None:
    reel, sink = begin()
    reel.heard(sound(0.5), 100.5)
    reel.heard(sound(0.5), 101.0 + SLACK_S - 0.01)
    assert sink.sides["left"].all()
    reel.heard(sound(0.5), 103.0)
    assert len(sink.sides["left"]) == 3 * RATE_HZ
    assert (sink.sides["left"] == 0).sum() == 1.5 * RATE_HZ


def test_what_came_late_and_all_at_once_is_not_put_behind_a_silence() -> None:
    reel, sink = begin()
    reel.heard(sound(0.5), 100.5)
    reel.heard(sound(2.0), 102.5)
    assert len(sink.sides["left"]) == 2.5 * RATE_HZ
    assert sink.sides["left"].all()


def test_what_was_not_heard_of_the_agent_is_cut_off() -> None:
    reel, sink = begin()
    reel.said(sound(1.0, 24_000), 101.0)
    reel.said(sound(0.25, 24_000), 101.25)
    reel.hushed(0.25)
    assert len(sink.sides["right"]) == 24_000
    reel.said(sound(1.0, 24_000), 103.0)
    assert np.flatnonzero(sink.sides["right"])[24_000] == 2 * 24_000
    reel.hushed(0.0)
    reel.hushed(-1.0)
    assert len(sink.sides["right"]) == 3 * 24_000


def test_a_recording_has_an_end() -> None:
    reel, sink = begin(longest_s=2.0)
    reel.heard(sound(0.5), 102.0)
    reel.heard(sound(0.5), 102.5)
    assert len(sink.sides["left"]) == 2 * RATE_HZ


def test_who_sends_faster_than_they_speak_does_not_fill_the_disk() -> None:
    reel, sink = begin()
    for piece in range(1000):
        reel.heard(sound(1.0), 100.0 + piece / 100)
    assert len(sink.sides["left"]) <= (10 + MOST_AHEAD_S + 1) * RATE_HZ
    recorded = len(sink.sides["left"])
    reel.heard(sound(1.0), 100.0 + recorded / RATE_HZ)
    assert len(sink.sides["left"]) == recorded + RATE_HZ, "it goes on once time caught up"


def test_nothing_is_put_down_of_nothing() -> None:
    reel, sink = begin()
    reel.heard(sound(0), 101.0)
    assert not len(sink.sides["left"])


def test_who_does_not_record_takes_everything_and_keeps_nothing() -> None:
    UNRECORDED.heard(sound(1), 1.0)
    UNRECORDED.said(sound(1), 1.0)
    UNRECORDED.hushed(1.0)


@given(st.lists(st.tuples(st.floats(0.01, 0.5), st.floats(0, 1))))
def test_a_track_never_goes_back_and_is_never_late_by_more_than_the_slack(
    pieces: list[tuple[float, float]],
) -> None:
    track, now_s, ends = Track(RATE_HZ), 0.0, 0
    for lasts_s, waits_s in pieces:
        now_s += lasts_s + waits_s
        count = round(lasts_s * RATE_HZ)
        begins = track.place(count, now_s)
        assert begins >= ends
        ends = begins + count
        assert ends / RATE_HZ == pytest.approx(now_s, abs=SLACK_S + 0.001)
