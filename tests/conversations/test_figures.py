from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.conversations.figures import Columns, group, percentiles
from sayso.conversations.measures import Measures, measure
from sayso.conversations.words import (
    END_REASONS,
    ENDS_OF_FAULT,
    FAULTS,
    UNDER_WAY,
    UNKNOWN_END,
    say_end,
)
from sayso.errors import Blame


@pytest.mark.parametrize(
    ("timings", "expected"),
    [
        ({"first_sound_sent_s": 0.64}, Measures(640.0, False, None)),
        ({"first_sound_sent_s": -0.1}, Measures(0.0, False, None)),
        ({"first_sound_sent_s": 0.6, "line": "greeting"}, Measures(None, False, None)),
        ({"first_sound_sent_s": 1, "interrupted_s": 2.0}, Measures(1000.0, True, None)),
        ({"failure": "auth.refused", "blame": "owner"}, Measures(None, False, "owner")),
        ({"blame": "owner", "mishaps": "x (llm)"}, Measures(None, False, None)),
        ({"failure": "odd"}, Measures(None, False, None)),
        ({}, Measures(None, False, None)),
    ],
)
def test_a_turn_is_counted_by_its_timings(timings: dict[str, object], expected: Measures) -> None:
    assert measure(timings) == expected


def test_every_blame_and_every_end_has_words() -> None:
    assert set(FAULTS) == set(Blame)
    assert set(ENDS_OF_FAULT) <= set(END_REASONS)
    assert say_end("silence", over=True) == END_REASONS["silence"]
    assert say_end(None, over=True) == say_end("odd", over=True) == UNKNOWN_END
    assert say_end(None, over=False) == UNDER_WAY


def test_nothing_counted_is_nothing() -> None:
    view = Columns().total()
    assert (view.conversations, view.turns, view.minutes) == (0, 0, 0.0)
    assert view.latency_ms.p50 is view.first_token_ms.p95 is None
    assert Columns().by_agent(0) == []
    assert Columns().by_bucket(2) == [view, view]


def test_conversations_and_turns_are_counted() -> None:
    columns = Columns()
    columns.add_conversation("a", 0, 0, 90.0, "caller_left")
    columns.add_conversation("b", 1, 0, None, None)
    columns.add_conversation("c", 1, 1, 30.0, "line_lost")
    columns.add_turns("a", 1, 1, "400.0", 0, 0, 0, 0)
    columns.add_turns("b", 2, 0, "600.0", 0, 1, 1, 0)
    columns.add_turns("unknown", 1, 1, "1.0", 1, 1, 1, 1)
    columns.add_turns("c", 1, 0, None, 0, 0, 0, 0)
    columns.add_first_tokens("a", "120.0")
    columns.add_first_tokens("unknown", "1.0")
    view = columns.total()
    assert (view.conversations, view.minutes, view.turns, view.interruptions) == (3, 2.0, 4, 1)
    assert view.latency_ms.model_dump() == {"p50": 400.0, "p90": 600.0, "p95": 600.0}
    assert view.first_token_ms.model_dump() == {"p50": 120.0, "p95": 120.0}
    assert view.failures.model_dump() == {"caller": 1, "owner": 1, "llm": 1, "operator": 0}
    first, second = columns.by_bucket(2)
    assert (first.conversations, first.turns, second.conversations, second.turns) == (1, 1, 2, 3)
    assert second.first_token_ms.p50 is None
    assert [one.minutes for one in columns.by_agent(2)] == [1.5, 0.5]


@given(st.lists(st.integers(0, 10_000), min_size=1))
def test_a_percentile_was_measured_and_bounds_its_share(values: list[int]) -> None:
    shares = (50, 90, 95)
    found = percentiles(np.array(values, np.float64), shares)
    for share, value in zip(shares, found, strict=True):
        assert value in values
        assert sum(one <= (value or 0) for one in values) >= share / 100 * len(values)


@given(st.lists(st.integers(0, 6)))
def test_groups_are_all_and_apart(keys: list[int]) -> None:
    groups = group(np.array(keys, np.int64), 7)
    assert [[keys[at] for at in found] for found in groups] == [
        [key] * keys.count(key) for key in range(7)
    ]
