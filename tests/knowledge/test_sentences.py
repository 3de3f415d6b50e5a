"""What sentences and headings mean is kept small, and compared as if it were not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.knowledge.sentences import Meanings, Vectors, round_off

ROWS = st.integers(1, 5)


def unit(count: int, seed: int = 0) -> Vectors:
    rows = np.random.default_rng(seed).normal(size=(count, 384)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


@given(ROWS, st.integers(0, 1000))
def test_a_byte_a_number_changes_little(count: int, seed: int) -> None:
    rows = unit(count, seed)
    rounded = round_off(rows)
    assert rounded is not None
    assert rounded.shape == rows.shape
    assert rounded.dtype == np.int8
    asked = rows[0]
    closest = Meanings(rows[:1], [rounded]).sentences.find_closest(
        asked, np.array([0]), np.zeros(1, np.float32)
    )
    assert closest[0] == pytest.approx(1.0, abs=0.001)


def test_nothing_is_rounded_to_nothing() -> None:
    assert round_off([]) is None
    assert round_off(unit(0)) is None


def test_each_passage_has_its_closest_sentence() -> None:
    rows = unit(6)
    meanings = Meanings(unit(4, 1), [round_off(rows[:3]), None, round_off(rows[3:5]), None])
    assert len(meanings) == 4
    assert [len(meanings.sentences.of(n)) for n in range(4)] == [3, 0, 2, 0]
    asked = unit(1, 2)[0]
    cosines = np.array([0.5, 0.25, 0.125], np.float32)
    closest = meanings.sentences.find_closest(asked, np.array([2, 1, 0]), cosines)
    assert closest[0] == pytest.approx(float((rows[3:5] @ asked).max()), abs=0.01)
    assert closest[1] == 0.25
    assert closest[2] == pytest.approx(float((rows[:3] @ asked).max()), abs=0.01)


def test_where_no_sentences_are_kept_the_whole_counts() -> None:
    cosines = np.array([0.5, 0.25], np.float32)
    places = np.array([1, 0])
    for meanings in (Meanings(unit(2)), Meanings(unit(2), [None, None])):
        assert meanings.sentences.find_closest(unit(1)[0], places, cosines).tolist() == [0.5, 0.25]


def test_headings_are_kept_beside_sentences() -> None:
    rows = unit(3)
    meanings = Meanings(unit(2, 1), [None, round_off(rows[:2])], [round_off(rows[2:]), None])
    cosines, places = np.array([0.5, 0.25], np.float32), np.array([0, 1])
    closest = meanings.headings.find_closest(rows[2], places, cosines)
    assert closest.tolist() == pytest.approx([1.0, 0.25], abs=0.001)
    assert len(meanings.headings.of(1)) == 0


def test_what_means_the_opposite_is_no_farther_than_what_means_nothing() -> None:
    row = unit(1)
    parts = Meanings(row, [round_off(row)]).sentences
    closest = parts.find_closest(-row[0], np.array([0]), np.zeros(1, np.float32))
    assert closest.tolist() == [0.0]
