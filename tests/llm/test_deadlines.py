"""How long an answer may take, a moment at a time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.llm import Timeouts
from sayso.llm.deadlines import Deadlines, Stopwatch, limit_waits, shorten

DEADLINES = Deadlines(connect_s=5, first_token_s=10, between_tokens_s=3, reply_s=60)


def test_shorter_deadlines() -> None:
    short = shorten(Deadlines(5, 10, 3, 100), 4)
    assert short == Deadlines(4, 4, 3, 4, budget_s=4)
    assert short.is_cut(short.first_token_s)
    assert not short.is_cut(short.between_tokens_s)
    assert not DEADLINES.is_cut(DEADLINES.reply_s)


def test_an_agents_own_waits() -> None:
    assert limit_waits(DEADLINES, Timeouts()) == DEADLINES
    own = Timeouts(connect_s=1, first_token_s=2, between_tokens_s=4)
    assert limit_waits(DEADLINES, own) == Deadlines(1, 2, 4, 60)


def test_the_first_token_is_waited_for_whatever_else_comes() -> None:
    watch = Stopwatch(DEADLINES, 100.0)
    watch.heard_s = 105.0
    assert watch.until_s == 110.0


def test_then_the_next_one() -> None:
    watch = Stopwatch(DEADLINES, 100.0, heard_s=101.0)
    watch.spoke(101.0)
    assert watch.first_s == 101.0
    assert watch.until_s == 104.0
    watch.heard_s = 103.0
    watch.spoke(103.0)
    assert (watch.first_s, watch.until_s) == (101.0, 106.0)


def test_comments_are_life_but_not_for_ever() -> None:
    watch = Stopwatch(DEADLINES, 100.0, heard_s=101.0)
    watch.spoke(101.0)
    watch.heard_s = 109.0
    assert watch.until_s == 111.0
    assert not watch.outlasted


def test_a_whole_answer_is_bounded() -> None:
    watch = Stopwatch(DEADLINES, 100.0, heard_s=159.0)
    watch.spoke(159.0)
    assert watch.until_s == 160.0
    assert watch.outlasted


@given(st.lists(st.tuples(st.floats(0.001, 20), st.booleans()), max_size=30))
def test_after_the_first_word_a_deadline_only_moves_on(
    steps: list[tuple[float, bool]],
) -> None:
    """One timer is enough: it can never be late."""
    watch, now_s = Stopwatch(DEADLINES, 0.0), 0.0
    until_s = 0.0
    for wait_s, spoke in steps:
        now_s += wait_s
        watch.heard_s = now_s
        if spoke:
            watch.spoke(now_s)
        if watch.spoke_s is not None:
            assert watch.until_s >= until_s or watch.until_s == pytest.approx(60.0)
            until_s = watch.until_s
