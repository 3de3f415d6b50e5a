from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

from llm import AIMS, CLIENTS, OURS, PACES, Cost, measure_reading, missed_aims, run, write_report

GOOD = [
    Cost("one by one", OURS, 1.0),
    Cost("one by one", "openai", 20.0),
    Cost("one by one", "httpx-sse", 5.0),
]


def test_ratios_are_of_the_same_pace() -> None:
    slow = [Cost("all at once", OURS, 2.0), Cost("all at once", "openai", 4.0)]
    assert missed_aims(GOOD, 5.0) == []
    assert missed_aims([*GOOD, *slow], 5.0) == [
        "tokens all at once: a reply costs 0.500 of what openai takes; the aim is 0.1"
    ]
    assert missed_aims(GOOD, 30.0) == ["reading a token costs 30.0 µs; the aim is 25"]


def test_the_table_has_a_line_for_each() -> None:
    table = write_report(GOOD, 5.0)
    assert "one by one: openai" in table
    assert "0.050x" in table
    assert "5.0 µs a token" in table


async def test_all_clients_read_the_same_answer() -> None:
    """And each costs something; how much is for the benchmark to say."""
    costs, token_us = await run(1, 10)
    assert [(cost.pace, cost.client) for cost in costs] == [
        (pace, client) for pace in PACES for client in CLIENTS
    ]
    assert all(cost.reply_ms > 0 for cost in costs)
    assert token_us > 0
    assert set(AIMS) < set(CLIENTS)


def test_reading_a_token_stays_within_its_bound() -> None:
    assert measure_reading(3) < 100, "even on a busy machine"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def test_without_the_clients_it_is_said_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx_sse", None)
    bench = Path(__file__).parents[2] / "bench" / "llm.py"
    with pytest.raises(SystemExit, match="httpx_sse is not installed: `make bench` installs"):
        runpy.run_path(str(bench))
