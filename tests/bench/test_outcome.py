from __future__ import annotations

import json
from dataclasses import replace
from math import isnan, nan
from pathlib import Path

import pytest

from capacity import Climb
from figures import Phase, Stops
from outcome import (
    Measured,
    Outcome,
    complaints,
    cpu_held,
    join_stops,
    make_page,
    report,
    unavoidable_of,
    went_wrong,
    write_json,
)
from plan import Plan
from script import ModelTimes
from systems import FLOOR, PEERS, SAYSO, System

TIMES = ModelTimes()
PEER = PEERS[0]
PLAN = Plan(loads=((2, 1),), rounds=1)


def measured(system: System, *, early: int = 0, missing: int = 0, gaps: int = 0) -> Measured:
    wait_s = unavoidable_of(system, TIMES) + 0.01
    one = Phase(2, (wait_s, wait_s), (), early, missing, gaps, starts_s=(0.01,), lates_s=(0.004,))
    held = Phase(10, (wait_s,), cpu_s=1.0, wall_s=30.0)
    return Measured(2**20, [one], [Stops((0.6,), (0.4,), 0)], (Climb(50.0, 10, "", (held,)),))


def outcome(**found: Measured) -> Outcome:
    systems = [FLOOR, SAYSO, PEER]
    each = {system.name: found.get(system.name, measured(system)) for system in systems}
    return Outcome("Two cores", 0.02, PLAN, TIMES, systems, each, {"endpoint": 450.0})


def test_who_speaks_sentences_may_take_longer() -> None:
    assert unavoidable_of(PEER, TIMES) - unavoidable_of(SAYSO, TIMES) == pytest.approx(0.02)


def test_every_server_has_a_figure_in_every_row() -> None:
    rows = outcome().rows()
    assert all(set(row.values) == {"floor", "sayso", PEER.name} for row in rows)
    assert rows[0].values == pytest.approx({"floor": 10, "sayso": 10, PEER.name: 10})
    held, cpu = rows[-2:]
    assert held.what == "held on one core, p95 < 50 ms"
    assert set(cpu.values.values()) == {0.2}
    assert set(held.values.values()) == {10}


def test_a_server_that_holds_nobody_has_no_figure_of_it() -> None:
    none = replace(measured(SAYSO), climbs=(Climb(50.0, 0, "5 callers: 1 gaps", ()),))
    rows = {row.what: row.values["sayso"] for row in outcome(sayso=none).rows()}
    assert isnan(rows["held on one core, p95 < 50 ms"])
    assert isnan(cpu_held(Climb(50.0, 0, "", ())))


def test_interruptions_of_all_rounds_are_joined() -> None:
    both = join_stops([Stops((0.1,), (0.2,), 1), Stops((0.3,), (), 2)])
    assert both == Stops((0.1, 0.3), (0.2,), 3)


def test_the_report_has_the_machine_the_versions_and_the_table() -> None:
    text = report(outcome())
    for part in ("Two cores", "used 2% of all cores", PEER.version, "endpoint +450.0", "p95, ms"):
        assert part in text


def test_what_went_wrong_is_said_of_each() -> None:
    bad = replace(
        measured(PEER, missing=1, gaps=3),
        stops=[Stops((), (), 2)],
        climbs=(Climb(50.0, 0, "5 callers: p95 99 ms", ()),),
    )
    found = complaints(outcome(**{PEER.name: bad}))
    assert found == [
        f"{PEER.name}, 2 at once: 1 turns without a whole reply, 0 answered too early, 3 gaps.",
        f"{PEER.name}: 2 interruptions did not stop the reply.",
        f"{PEER.name} did not hold under 50 ms: 5 callers: p95 99 ms.",
    ]
    assert complaints(outcome()) == []


def test_a_run_fails_by_sayso_and_the_floor_and_not_by_peers() -> None:
    assert not went_wrong(outcome(**{PEER.name: measured(PEER, missing=1)}))
    assert went_wrong(outcome(sayso=measured(SAYSO, missing=1)))
    assert went_wrong(outcome(floor=measured(FLOOR, early=1)))


def test_the_page_says_when_the_machine_was_not_quiet() -> None:
    assert "no quiet machine" not in make_page(outcome())
    assert "no quiet machine" in make_page(replace(outcome(), others_share=0.4))
    assert "up to 4 ms late" in make_page(outcome())


def test_json_has_everything_and_no_nan(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    write_json(path, replace(outcome(), others_share=nan))
    body = json.loads(path.read_text(), parse_constant=pytest.fail)
    assert body["others_share"] is None
    assert body["versions"][PEER.name] == PEER.version
    assert [row["what"] for row in body["rows"]] == [row.what for row in outcome().rows()]
    assert len(body["measured"]["sayso"]["phases"][0]["firsts_s"]) == 2
    assert body["figures"]["2"]["sayso"]["turns"] == 2
