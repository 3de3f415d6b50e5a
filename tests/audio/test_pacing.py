from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.audio.pacing import MAX_LAG_S, Pacer

AHEAD_S = 0.25


@pytest.fixture
def pacer() -> Pacer:
    return Pacer(AHEAD_S)


def test_nothing_sent_nothing_played(pacer: Pacer) -> None:
    assert pacer.sent_s == 0.0
    assert pacer.played_s(100.0) == 0.0
    assert pacer.wait_s(100.0) == 0.0


def test_a_piece_plays_from_its_arrival(pacer: Pacer) -> None:
    pacer.send(0.1, at_s=5.0)
    assert pacer.sent_s == 0.1
    assert pacer.played_s(5.0) == pytest.approx(0.0)
    assert pacer.played_s(5.04) == pytest.approx(0.04)
    assert pacer.played_s(9.0) == 0.1


def test_pieces_play_one_after_the_other(pacer: Pacer) -> None:
    for _ in range(3):
        pacer.send(0.1, at_s=5.0)
    assert pacer.played_s(5.25) == pytest.approx(0.25)


def test_an_underrun_pauses_the_playhead(pacer: Pacer) -> None:
    pacer.send(0.1, at_s=0.0)
    pacer.send(0.1, at_s=2.0)
    assert pacer.played_s(2.0) == pytest.approx(0.1)
    assert pacer.played_s(2.05) == pytest.approx(0.15)


def test_waits_until_no_more_than_ahead_is_unplayed(pacer: Pacer) -> None:
    pacer.send(0.4, at_s=0.0)
    assert pacer.wait_s(0.0) == pytest.approx(0.15)
    assert pacer.wait_s(0.15) == pytest.approx(0.0)


def test_counts_the_next_piece_when_told_its_length(pacer: Pacer) -> None:
    pacer.send(0.2, at_s=0.0)
    assert pacer.wait_s(0.0, 0.05) == 0.0
    assert pacer.wait_s(0.0, 0.1) == pytest.approx(0.05)


def test_a_piece_longer_than_ahead_goes_when_the_last_one_ends(pacer: Pacer) -> None:
    assert pacer.wait_s(0.0, 3.0) == 0.0
    pacer.send(0.2, at_s=0.0)
    assert pacer.wait_s(0.0, 3.0) == pytest.approx(0.2)


def test_held_waits_for_ever_and_plays_out(pacer: Pacer) -> None:
    pacer.send(0.2, at_s=0.0)
    pacer.hold(0.1)
    assert pacer.wait_s(0.1) == inf
    assert pacer.played_s(5.0) == 0.2


def test_resumed_goes_on_where_it_stopped(pacer: Pacer) -> None:
    pacer.send(0.2, at_s=0.0)
    pacer.hold(0.1)
    pacer.resume(3.0)
    assert pacer.wait_s(3.0) == 0.0
    pacer.send(0.2, at_s=3.0)
    assert pacer.played_s(3.1) == pytest.approx(0.3)


def test_a_piece_on_its_way_when_held_still_counts(pacer: Pacer) -> None:
    pacer.hold(0.0)
    pacer.send(0.1, at_s=0.01)
    assert pacer.sent_s == 0.1
    assert pacer.played_s(1.0) == 0.1


def test_time_does_not_go_back(pacer: Pacer) -> None:
    pacer.send(0.2, at_s=1.0)
    assert pacer.played_s(1.1) == pytest.approx(0.1)
    assert pacer.played_s(0.0) == pytest.approx(0.1)


def test_a_report_is_believed_rather_than_the_times_of_sending(pacer: Pacer) -> None:
    pacer.send(1.0, at_s=0.0)
    pacer.report(0.1, at_s=0.4)
    assert pacer.played_s(0.4) == pytest.approx(0.1)
    assert pacer.played_s(0.6) == pytest.approx(0.3), "it goes on"
    pacer.report(0.8, at_s=0.6)
    assert pacer.played_s(0.6) == pytest.approx(0.8), "a client may be ahead of what we reckon"


def test_a_report_changes_nothing_about_sending(pacer: Pacer) -> None:
    pacer.send(0.4, at_s=0.0)
    pacer.report(0.0, at_s=0.1)
    assert pacer.wait_s(0.1) == pytest.approx(0.05)


def test_a_report_cannot_go_back_nor_beyond_what_was_sent(pacer: Pacer) -> None:
    pacer.report(3.0, at_s=0.0)
    assert pacer.played_s(0.0) == 0.0
    pacer.send(1.0, at_s=0.0)
    pacer.report(0.6, at_s=0.5)
    pacer.report(0.2, at_s=0.6)
    assert pacer.played_s(0.6) == pytest.approx(0.6)
    pacer.report(9.0, at_s=0.6)
    assert pacer.played_s(0.6) == 1.0


def test_a_player_that_ran_dry_plays_the_next_piece_as_it_arrives(pacer: Pacer) -> None:
    pacer.send(0.2, at_s=0.0)
    pacer.report(0.2, at_s=0.3)
    pacer.send(0.2, at_s=3.0)
    assert pacer.played_s(3.1) == pytest.approx(0.3)


def test_a_player_that_stands_still_is_not_waited_for(pacer: Pacer) -> None:
    pacer.send(1.0, at_s=0.0)
    for at_s in range(1, 10):
        pacer.report(0.5, at_s=float(at_s))
    assert pacer.played_s(1.0 + MAX_LAG_S) == 1.0


steps = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.one_of(st.just("hold"), st.just("resume"), st.just("look"), st.floats(0.001, 0.5)),
    ),
    max_size=60,
)


@given(steps, st.floats(0.01, 2))
def test_whatever_happens_the_playhead_is_sound(
    events: list[tuple[float, str | float]], ahead_s: float
) -> None:
    pacer, now_s, played_s = Pacer(ahead_s), 0.0, 0.0
    for after_s, what in events:
        now_s += after_s
        match what:
            case "hold":
                pacer.hold(now_s)
            case "resume":
                pacer.resume(now_s)
            case float():
                pacer.send(what, now_s)
        now_played_s = pacer.played_s(now_s)
        assert played_s - 1e-9 <= now_played_s <= pacer.sent_s
        assert now_played_s <= now_s + 1e-9
        assert now_played_s - played_s <= after_s + 1e-9
        played_s = now_played_s
    assert pacer.played_s(now_s + 100) == pacer.sent_s


@given(
    st.lists(
        st.tuples(
            st.floats(0, 1),
            st.sampled_from(["send", "report", "hold", "resume"]),
            st.floats(0, 2),
        ),
        max_size=60,
    )
)
def test_whatever_is_reported_no_more_is_heard_than_was_sent(
    events: list[tuple[float, str, float]],
) -> None:
    pacer, silent, now_s, reported_s = Pacer(AHEAD_S), Pacer(AHEAD_S), 0.0, 0.0
    for after_s, what, amount_s in events:
        now_s += after_s
        match what:
            case "send":
                pacer.send(amount_s, now_s)
                silent.send(amount_s, now_s)
            case "report":
                pacer.report(amount_s, now_s)
                reported_s = max(reported_s, min(amount_s, pacer.sent_s))
            case _:
                getattr(pacer, what)(now_s)
                getattr(silent, what)(now_s)
        assert reported_s - 1e-9 <= pacer.played_s(now_s) <= pacer.sent_s
        behind_s = silent.played_s(now_s) - pacer.played_s(now_s)
        assert behind_s <= MAX_LAG_S + 1e-9
        assert pacer.wait_s(now_s, 0.1) == silent.wait_s(now_s, 0.1)
    assert pacer.played_s(now_s + 1000) == pacer.sent_s


@given(st.lists(st.tuples(st.floats(0.01, 0.3), st.floats(0, 0.2)), max_size=40))
def test_who_waits_as_told_is_never_too_far_ahead(sends: list[tuple[float, float]]) -> None:
    pacer, now_s = Pacer(AHEAD_S), 0.0
    for duration_s, delay_s in sends:
        now_s += delay_s
        now_s += pacer.wait_s(now_s, duration_s)
        pacer.send(duration_s, now_s)
        unplayed_s = pacer.sent_s - pacer.played_s(now_s)
        assert unplayed_s <= max(AHEAD_S, duration_s) + 1e-9


@given(st.lists(st.floats(0.01, 0.3), min_size=1, max_size=40))
def test_who_waits_as_told_never_leaves_a_gap(durations: list[float]) -> None:
    pacer, now_s = Pacer(AHEAD_S), 7.0
    for duration_s in durations:
        now_s += pacer.wait_s(now_s, duration_s)
        pacer.send(duration_s, now_s)
    assert pacer.played_s(7.0 + sum(durations)) == pytest.approx(sum(durations))
