from __future__ import annotations

from dataclasses import replace
from math import isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figures import (
    BEHIND_MS,
    Figures,
    Phase,
    Row,
    Stops,
    compare_load,
    compare_stops,
    name_ratios,
    percentile,
    sum_up,
    write_table,
    write_value,
)
from script import FIRST_CLAUSE, FRAME_S, REPLY, ModelTimes

TIMES = ModelTimes()
MIB = 2**20


def phase(*waits_s: float, cpu_s: float = 1.0, wall_s: float = 30.0, callers: int = 2) -> Phase:
    return Phase(callers, waits_s, cpu_s=cpu_s, wall_s=wall_s, resident_bytes=5 * MIB)


def figures(*waits_s: float, callers: int = 2, cpu_s: float = 1.0) -> Figures:
    return sum_up([phase(*waits_s, callers=callers, cpu_s=cpu_s)], TIMES.unavoidable_s, 0)


# What no server can avoid -----------------------------------------------------------------------


def test_what_no_server_can_avoid_is_the_sum_of_the_models_on_the_way() -> None:
    assert TIMES.heard_patience_s == pytest.approx(0.46)  # 450 ms end within the 23rd frame
    assert TIMES.first_clause_s == pytest.approx(0.02 + 4 * 0.005)  # Thank| you| for| calling|,
    assert TIMES.unavoidable_s == pytest.approx(0.46 + 0.04 + 0.02)


def test_who_speaks_whole_sentences_waits_for_every_token() -> None:
    assert TIMES.whole_reply_s == pytest.approx(0.02 + 8 * 0.005)  # … all| is| well|.
    assert TIMES.unavoidable_before_s(sentences=True) == pytest.approx(0.46 + 0.06 + 0.02)
    assert TIMES.unavoidable_before_s(sentences=False) == TIMES.unavoidable_s


def test_patience_of_whole_frames_is_heard_as_it_is() -> None:
    assert ModelTimes(patience_s=0.5).heard_patience_s == pytest.approx(0.5)
    assert ModelTimes(patience_s=5 * FRAME_S).heard_patience_s == pytest.approx(0.1)


def test_the_first_clause_begins_the_reply_which_is_one_sentence() -> None:
    assert REPLY.startswith(FIRST_CLAUSE)
    assert len(REPLY) > len(FIRST_CLAUSE)
    assert REPLY.count(".") == 1
    assert REPLY.endswith(".")


# Percentiles ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("percent", "expected"), [(0, 1), (50, 2), (51, 3), (95, 4), (100, 4)])
def test_a_percentile_is_a_value_that_was_measured(percent: float, expected: float) -> None:
    assert percentile([4, 1, 3, 2], percent) == expected


def test_a_percentile_of_nothing_is_not_a_number() -> None:
    assert isnan(percentile([], 50))


@given(st.lists(st.floats(0, 10), min_size=1), st.floats(0, 100))
def test_percentiles_lie_within_their_values_and_grow(values: list[float], percent: float) -> None:
    assert percentile(values, percent) in values
    assert percentile(values, percent) <= percentile(values, 100)


# Figures ----------------------------------------------------------------------------------------


def test_figures_are_of_all_rounds_together() -> None:
    phases = [phase(0.53, 0.54, cpu_s=1.0), phase(0.52, 0.72, cpu_s=2.0), phase(cpu_s=9.0)]
    found = sum_up(phases, TIMES.unavoidable_s, idle_bytes=3 * MIB)
    assert found.turns == 4
    assert found.p50_ms == pytest.approx(10)
    assert found.p95_ms == pytest.approx(200)
    assert found.whole_p50_ms == pytest.approx(530)
    assert found.whole_p95_ms == pytest.approx(720)
    assert found.cpu_s_per_min == 2.0
    assert found.mib_per_conversation == 1.0


def test_a_first_turn_is_held_against_the_later_ones() -> None:
    one = Phase(1, (0.6,), (0.55, 0.54, 0.56))
    assert sum_up([one], 0.5, 0).first_later_ms == pytest.approx(50)
    assert one.waits_s == (0.6, 0.55, 0.54, 0.56)


def test_starts_and_lateness_of_callers_are_summed_up() -> None:
    one = replace(phase(0.5), starts_s=(0.01, 0.03, 0.02), lates_s=(0.001, 0.009))
    found = sum_up([one], 0.5, 0)
    assert (found.start_ms, found.callers_late_ms) == (20.0, 9.0)


def test_memory_given_back_is_not_negative_memory() -> None:
    assert sum_up([phase(0.5)], 0.5, idle_bytes=2**40).mib_per_conversation == 0


def test_memory_is_what_the_first_round_took() -> None:
    later = replace(phase(0.5), resident_bytes=90 * MIB)
    assert sum_up([phase(0.5), later], 0.5, idle_bytes=3 * MIB).mib_per_conversation == 1.0


def test_one_conversation_tells_nothing_of_memory() -> None:
    rows = [row.what for row in compare_load({"floor": figures(0.5, callers=1)})]
    assert not [what for what in rows if "memory" in what]


def test_what_went_wrong_is_counted() -> None:
    found = sum_up([replace(phase(0.5), early=1, missing=2, gaps=3)] * 2, 0.5, 0)
    assert (found.early, found.missing, found.gaps) == (2, 4, 6)


def test_who_leaves_callers_waiting_is_behind() -> None:
    assert not figures(0.6).is_behind
    assert figures(0.6 + BEHIND_MS / 1000).is_behind
    assert figures().is_behind
    assert sum_up([replace(phase(0.6), missing=1)], 0.5, 0).is_behind


# Rows -------------------------------------------------------------------------------------------


def test_a_few_callers_tell_of_starts_and_many_do_not() -> None:
    few = [row.what for row in compare_load({"floor": figures(0.5, callers=5)})]
    many = [row.what for row in compare_load({"floor": figures(0.5, callers=20)})]
    assert [what for what in few if "start" in what or "first" in what]
    assert not [what for what in many if "start" in what or "first" in what]
    assert few[0] == "5 callers: pipeline p50, ms"
    assert compare_load({"floor": figures(0.5, callers=1)})[0].what.startswith("1 caller:")


def test_the_cost_of_a_server_that_is_behind_is_not_told() -> None:
    rows = compare_load({"sayso": figures(0.6), "peer": figures(9.0)})
    cpu = next(row for row in rows if "CPU" in row.what)
    assert list(cpu.values) == ["sayso"]


def test_interruptions_are_told_beyond_what_is_set() -> None:
    found = {"sayso": Stops((0.51, 0.6), (0.3, 0.4), 0), "peer": Stops((0.25,), (0.25,), 1)}
    over, p50, p95 = compare_stops(found, {"sayso": 0.5, "peer": 0.2})
    assert over.values == pytest.approx({"sayso": 100, "peer": 50})
    assert p50.values == pytest.approx({"sayso": 300, "peer": 250})
    assert p95.values == pytest.approx({"sayso": 400, "peer": 250})


def test_the_table_sets_all_side_by_side() -> None:
    found = {"floor": figures(0.53), "sayso": figures(0.56), "peer": figures(0.6)}
    table = write_table(compare_load(found), list(found))
    lines = [line.split() for line in table.splitlines()]
    assert lines[0] == ["floor", "sayso", "peer", "sayso/floor", "peer/sayso"]
    assert lines[1][-5:] == ["10.0", "40.0", "80.0", "4.0", "2.0"]
    assert len({len(line) for line in table.splitlines()}) == 1


def test_what_is_not_known_is_a_dash() -> None:
    table = write_table([Row("x", {"floor": 1.0}, 0)], ["floor", "sayso"])
    assert table.splitlines()[1].split() == ["x", "1", "–", "–"]
    assert write_value(nan, 2) == "–"


def test_ratios_are_of_sayso_to_the_floor_and_of_peers_to_sayso() -> None:
    assert name_ratios(["floor", "sayso", "a", "b"]) == [
        ("sayso", "floor"),
        ("a", "sayso"),
        ("b", "sayso"),
    ]


@pytest.mark.parametrize("values", [{"a": 0.0, "b": 1.0}, {"a": 1.0, "b": -1.0}, {"a": 1.0}])
def test_a_ratio_needs_two_positive_values(values: dict[str, float]) -> None:
    assert isnan(Row("x", values, 0).ratio("a", "b"))
