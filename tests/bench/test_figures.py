from __future__ import annotations

from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figures import Phase, Row, compare, compare_memory, percentile, sum_up, write_table
from script import FIRST_CLAUSE, FRAME_S, REPLY, ModelTimes

TIMES = ModelTimes()


def phase(*waits_s: float, cpu_s: float = 1.0, talked_s: float = 60.0, callers: int = 2) -> Phase:
    return Phase(callers, waits_s, 0, 0, cpu_s, talked_s, 5 * 1024 * 1024)


def test_what_no_server_can_avoid_is_the_sum_of_the_models_on_the_way() -> None:
    assert TIMES.heard_patience_s == pytest.approx(0.46)  # 450 ms end within the 23rd frame
    assert TIMES.first_clause_s == pytest.approx(0.02 + 4 * 0.005)  # Thank| you| for| calling|,
    assert TIMES.unavoidable_s == pytest.approx(0.46 + 0.04 + 0.02)


def test_patience_of_whole_frames_is_heard_as_it_is() -> None:
    assert ModelTimes(patience_s=0.5).heard_patience_s == pytest.approx(0.5)
    assert ModelTimes(patience_s=5 * FRAME_S).heard_patience_s == pytest.approx(0.1)


def test_the_first_clause_begins_the_reply() -> None:
    assert REPLY.startswith(FIRST_CLAUSE)
    assert len(REPLY) > len(FIRST_CLAUSE)


@pytest.mark.parametrize(("percent", "expected"), [(0, 1), (50, 2), (51, 3), (95, 4), (100, 4)])
def test_a_percentile_is_a_value_that_was_measured(percent: float, expected: float) -> None:
    assert percentile([4, 1, 3, 2], percent) == expected


def test_a_percentile_of_nothing_is_not_a_number() -> None:
    assert isnan(percentile([], 50))


@given(st.lists(st.floats(0, 10), min_size=1), st.floats(0, 100))
def test_percentiles_lie_within_their_values_and_grow(values: list[float], percent: float) -> None:
    assert percentile(values, percent) in values
    assert percentile(values, percent) <= percentile(values, 100)


def test_figures_are_of_all_rounds_together() -> None:
    phases = [phase(0.53, 0.54, cpu_s=1.0), phase(0.52, 0.72, cpu_s=2.0), phase(cpu_s=9.0)]
    figures = sum_up(phases, TIMES, idle_bytes=3 * 1024 * 1024)
    assert figures.turns == 4
    assert figures.p50_ms == pytest.approx(10)
    assert figures.p95_ms == pytest.approx(200)
    assert figures.whole_p50_ms == pytest.approx(530)
    assert figures.cpu_s_per_min == 2.0
    assert figures.kib_per_conversation == 1024


def test_memory_given_back_is_not_negative_memory() -> None:
    assert sum_up([phase(0.5)], TIMES, idle_bytes=2**40).kib_per_conversation == 0


def test_the_table_sets_sayso_beside_the_floor() -> None:
    floor = sum_up([phase(0.53, cpu_s=0.5)], TIMES, 0)
    sayso = sum_up([phase(0.56, cpu_s=1.5)], TIMES, 0)
    table = write_table([*compare(floor, sayso), compare_memory(floor, sayso)])
    lines = [line.split() for line in table.splitlines()]
    assert lines[0] == ["floor", "Sayso", "ratio"]
    assert lines[1] == ["2", "callers:", "pipeline", "p50,", "ms", "10.0", "40.0", "4.0x"]
    assert lines[4][-3:] == ["0.500", "1.500", "3.0x"]
    assert len({len(line) for line in table.splitlines()}) == 1


def test_a_ratio_to_nothing_is_not_a_number() -> None:
    assert isnan(Row("x", 0.0, 1.0, 0).ratio)
