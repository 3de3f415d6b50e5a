from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.security.limits import Bucket, Limits, Rate, take

TWENTY = Rate(20)


def test_a_full_bucket_gives_its_count_and_then_says_how_long_to_wait() -> None:
    bucket, waits = Bucket(20.0, 0.0), []
    for _ in range(21):
        bucket, wait_s = take(TWENTY, bucket, 0.0)
        waits.append(wait_s)
    assert waits[:20] == [0.0] * 20
    assert waits[20] == pytest.approx(3.0)


def test_waiting_as_told_is_enough_and_no_less() -> None:
    empty = Bucket(0.0, 100.0)
    _, wait_s = take(TWENTY, empty, 100.0)
    assert take(TWENTY, empty, 100.0 + wait_s * 0.99)[1] > 0
    assert take(TWENTY, empty, 100.0 + wait_s + 1e-9)[1] == 0.0


def test_a_clock_that_goes_back_gives_nothing() -> None:
    bucket, wait_s = take(TWENTY, Bucket(0.5, 100.0), 0.0)
    assert wait_s > 0
    assert bucket.at_s == 100.0


@given(
    st.integers(1, 50),
    st.lists(st.floats(0, 10, allow_nan=False), max_size=200),
)
def test_no_stretch_of_time_gives_more_than_the_rate_allows(count: int, gaps: list[float]) -> None:
    rate, bucket, now_s, taken = Rate(count, 60.0), Bucket(float(count), 0.0), 0.0, 0
    for gap in gaps:
        now_s += gap
        bucket, wait_s = take(rate, bucket, now_s)
        taken += wait_s == 0.0
        assert 0.0 <= bucket.tokens <= count
    assert taken <= count + now_s * count / 60.0 + 1e-6


def test_callers_do_not_share_buckets_and_the_oldest_is_forgotten() -> None:
    limits, one = Limits(max_buckets=2), Rate(1)
    assert limits.wait_s("a", one, 0.0) == 0.0
    assert limits.wait_s("a", one, 0.0) == 60.0
    assert limits.wait_s("b", one, 0.0) == 0.0
    assert limits.wait_s("c", one, 0.0) == 0.0  # forgets a
    assert limits.wait_s("a", one, 0.0) == 0.0
    assert limits.wait_s("c", one, 0.0) == 60.0
