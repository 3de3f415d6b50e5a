"""The silence around a clause goes; nothing else does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.audio.formats import Samples
from sayso.tts.edges import (
    LONGEST_CUT_S,
    ONSET_S,
    PAUSE_S,
    QUIET,
    STOP_S,
    Edges,
    pause_after,
)

RATE = 1000


def quiet(seconds: float) -> Samples:
    return np.full(int(seconds * RATE), QUIET / 2, np.float32)


def loud(seconds: float) -> Samples:
    return np.full(int(seconds * RATE), 0.1, np.float32)


def trim(*pieces: Samples, pause_s: float = STOP_S) -> Samples:
    edges = Edges(RATE, pause_s)
    return np.concatenate([*(edges.feed(piece) for piece in pieces), edges.finish()])


def test_both_ends_are_cut_and_the_middle_is_kept() -> None:
    whole = np.concatenate([quiet(0.3), loud(0.5), quiet(0.4), loud(0.2), quiet(0.6)])
    kept = int((0.3 - ONSET_S) * RATE)
    assert np.array_equal(trim(whole), whole[kept : kept + int((ONSET_S + 1.1 + STOP_S) * RATE)])


def test_a_voice_without_padding_loses_nothing() -> None:
    assert np.array_equal(trim(loud(0.5)), loud(0.5))
    assert len(trim(quiet(0.02), loud(0.5), quiet(0.1))) == 620


def test_sound_goes_on_as_soon_as_there_is_some() -> None:
    edges = Edges(RATE, STOP_S)
    assert len(edges.feed(quiet(0.25))) == 0
    assert len(edges.feed(loud(0.1))) == int((ONSET_S + 0.1) * RATE)
    assert len(edges.feed(quiet(0.2))) == 0
    assert len(edges.feed(loud(0.1))) == 300


def test_a_long_silence_is_meant() -> None:
    long = quiet(LONGEST_CUT_S + 0.1)
    assert len(trim(long, loud(0.1))) == len(long) + 100
    assert len(trim(loud(0.1), long)) == len(long) + 100


def test_silence_alone_is_nothing() -> None:
    assert len(trim(quiet(0.5))) == 0
    assert len(trim()) == 0


@pytest.mark.parametrize(
    ("text", "pause_s"),
    [("Yes.", STOP_S), ('"Really?"', STOP_S), ("Well,", PAUSE_S), ("And", PAUSE_S)],
)
def test_a_sentence_breathes_longer_than_a_clause(text: str, pause_s: float) -> None:
    assert pause_after(text) == pause_s


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 0.6)), max_size=8),
    st.lists(st.integers(0, 3000), max_size=6),
)
def test_it_does_not_matter_how_the_sound_comes(
    parts: list[tuple[bool, float]], cuts: list[int]
) -> None:
    empty = np.zeros(0, np.float32)
    whole = np.concatenate([empty, *((loud if is_loud else quiet)(s) for is_loud, s in parts)])
    pieces = np.split(whole, sorted(min(cut, len(whole)) for cut in cuts))
    got = trim(*pieces)
    if len(whole) <= LONGEST_CUT_S * RATE:
        assert np.array_equal(got, trim(whole))
    assert np.count_nonzero(got >= QUIET) == np.count_nonzero(whole >= QUIET)
