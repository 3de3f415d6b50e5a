from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.conversations.figures import Tally, percentiles
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
    view = Tally().view()
    assert (view.conversations, view.turns, view.minutes) == (0, 0, 0.0)
    assert view.latency_ms.p50 is view.first_token_ms.p95 is None


def test_conversations_and_turns_are_counted() -> None:
    tally = Tally()
    tally.add_conversation(90.0, "caller_left")
    tally.add_conversation(None, None)
    tally.add_conversation(30.0, "line_lost")
    tally.add_turn(400.0, None, interrupted=True)
    tally.add_turn(600.0, "llm", interrupted=False)
    tally.add_turn(None, "owner", interrupted=False)
    tally.first_tokens.append(120.0)
    view = tally.view()
    assert (view.conversations, view.minutes, view.turns, view.interruptions) == (3, 2.0, 3, 1)
    assert view.latency_ms.model_dump() == {"p50": 400.0, "p90": 600.0, "p95": 600.0}
    assert view.first_token_ms.model_dump() == {"p50": 120.0, "p95": 120.0}
    assert view.failures.model_dump() == {"caller": 1, "owner": 1, "llm": 1, "operator": 0}


@given(st.lists(st.integers(0, 10_000), min_size=1))
def test_a_percentile_was_measured_and_bounds_its_share(values: list[int]) -> None:
    shares = (50, 90, 95)
    found = percentiles(array("d", map(float, values)), shares)
    for share, value in zip(shares, found, strict=True):
        assert value in values
        assert sum(one <= value for one in values) >= share / 100 * len(values)
