from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.health import (
    FAILURES,
    FIRST_REST_S,
    LONGEST_REST_S,
    PROBE_GAP_S,
    WELL,
    Health,
    Standing,
)


def failing(times: int, at_s: float = 0.0) -> Health:
    health = Health()
    for _ in range(times):
        health.failed("a", at_s)
    return health


def test_a_stranger_is_well() -> None:
    health = Health()
    assert health.of("a") == WELL
    assert not health.is_resting("a", 0.0)
    assert not health.should_probe("a", 0.0)


def test_one_failure_says_little() -> None:
    assert not failing(FAILURES - 1).is_resting("a", 0.0)


def test_after_two_in_a_row_it_rests_and_is_back_afterwards() -> None:
    health = failing(FAILURES)
    assert health.is_resting("a", FIRST_REST_S - 0.1)
    assert not health.is_resting("a", FIRST_REST_S)
    assert not health.is_resting("b", 0.0)


def test_a_rest_begins_once_and_its_end_is_known() -> None:
    health = Health()
    assert [health.failed("a", 0.0) for _ in range(4)] == [False, True, False, False]
    assert health.failed("a", FIRST_REST_S)
    assert health.worked("a")
    assert not health.worked("a")


def test_one_failure_is_no_rest_to_come_back_from() -> None:
    assert not failing(FAILURES - 1).worked("a")


def test_who_stands_in_is_told_once_a_rest() -> None:
    health = failing(FAILURES)
    assert [health.should_tell("a", 1.0) for _ in range(3)] == [True, False, False]
    assert not health.should_tell("b", 1.0)
    health.failed("a", FIRST_REST_S)
    assert health.should_tell("a", FIRST_REST_S + 1)
    assert not health.should_tell("a", LONGEST_REST_S)


def test_an_answer_in_between_forgets_the_failures() -> None:
    health = failing(FAILURES - 1)
    health.worked("a")
    health.failed("a", 1.0)
    assert not health.is_resting("a", 1.0)


def test_failures_of_callers_at_once_are_one_rest() -> None:
    health = failing(20)
    assert health.of("a").rest_s == FIRST_REST_S


def test_the_rest_doubles_up_to_the_longest() -> None:
    health, now_s, rests = failing(FAILURES), 0.0, []
    for _ in range(6):
        rests.append(health.of("a").rest_s)
        now_s = health.of("a").until_s
        health.failed("a", now_s)
    assert rests == [30, 60, 120, 240, 300, 300]
    assert rests[-1] == LONGEST_REST_S


def test_it_is_probed_now_and_then_by_one_only() -> None:
    health = failing(FAILURES)
    assert not health.should_probe("a", PROBE_GAP_S - 0.1)
    assert health.should_probe("a", PROBE_GAP_S)
    assert not health.should_probe("a", PROBE_GAP_S)
    assert not health.should_probe("a", 2 * PROBE_GAP_S - 0.1)
    assert health.should_probe("a", 2 * PROBE_GAP_S)


def test_a_probe_that_fails_makes_the_rest_longer() -> None:
    health = failing(FAILURES)
    assert health.should_probe("a", 15.0)
    health.failed("a", 16.0)
    assert health.of("a") == Standing(FAILURES + 1, 60.0, 76.0)


def test_a_probe_that_works_ends_the_rest() -> None:
    health = failing(FAILURES)
    assert health.should_probe("a", 15.0)
    health.worked("a")
    assert not health.is_resting("a", 15.0)


def test_only_so_many_are_kept_in_mind() -> None:
    health = Health(max_known=2)
    for key in ("a", "b", "a", "c"):
        health.failed(key, 0.0)
    assert (health.of("a").failures, health.of("b"), health.of("c").failures) == (2, WELL, 1)


EVENTS = st.lists(
    st.tuples(st.sampled_from(["failed", "worked", "probe"]), st.floats(0, 100)), max_size=30
)


@given(EVENTS)
def test_rests_are_bounded_and_follow_failures_only(events: list[tuple[str, float]]) -> None:
    health, now_s, in_a_row = Health(), 0.0, 0
    for what, later_s in events:
        now_s += later_s
        if what == "failed":
            health.failed("a", now_s)
            in_a_row += 1
        elif what == "worked":
            health.worked("a")
            in_a_row = 0
        elif health.should_probe("a", now_s):
            assert health.is_resting("a", now_s)
        if health.is_resting("a", now_s):
            assert in_a_row >= FAILURES
        assert health.of("a").until_s - now_s <= LONGEST_REST_S
        assert health.of("a").rest_s == 0 or health.of("a").rest_s >= FIRST_REST_S


@pytest.mark.parametrize("now_s", [0.0, 1e6])
def test_time_begins_anywhere(now_s: float) -> None:
    health = failing(FAILURES, now_s)
    assert health.is_resting("a", now_s)
    assert not health.should_probe("a", now_s)
