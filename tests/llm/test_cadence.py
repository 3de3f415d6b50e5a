from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.llm.cadence import QUICK_S, count_bursts, seems_held_back, was_held_back

TIMES = st.lists(st.floats(0, 100), max_size=20).map(sorted)


@pytest.mark.parametrize(
    ("arrivals_s", "bursts"),
    [((), 0), ((1.0,), 1), ((1.0, 1.001, 1.002), 1), ((1.0, 1.1), 2), ((0.0, 0.1, 0.101, 9.0), 3)],
)
def test_words_that_come_together_are_one_burst(arrivals_s: tuple[float, ...], bursts: int) -> None:
    assert count_bursts(arrivals_s) == bursts


@given(TIMES)
def test_there_are_never_more_bursts_than_words(arrivals_s: list[float]) -> None:
    assert min(1, len(arrivals_s)) <= count_bursts(arrivals_s) <= len(arrivals_s)


def test_only_what_was_waited_for_and_came_at_once_is_suspect() -> None:
    assert seems_held_back((1.0, 1.001))
    assert not seems_held_back(())
    assert not seems_held_back((0.01, 0.011))
    assert not seems_held_back((1.0, 1.1))


@given(TIMES)
def test_whoever_is_quick_is_never_suspect(arrivals_s: list[float]) -> None:
    if seems_held_back(arrivals_s):
        assert arrivals_s[0] >= QUICK_S


def test_a_longer_answer_that_begins_later_and_comes_at_once_was_held_back() -> None:
    assert was_held_back(0.4, (1.2, 1.201))
    assert was_held_back(0.4, ())
    assert not was_held_back(0.4, (0.41, 0.411))
    assert not was_held_back(0.4, (1.2, 1.3))
