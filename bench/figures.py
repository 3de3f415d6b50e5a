"""Figures of a run and their table. Pure.

Percentiles are nearest-rank: each is a time that was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median

from script import ModelTimes


@dataclass(frozen=True, slots=True)
class Phase:
    """What one server did for some callers, once.

    Attributes:
        callers: how many at once.
        waits_s: end of speech to first sound at the caller, a turn each.
        early, missing: replies that came before the end of speech, or not at all.
        cpu_s: CPU the server used.
        talked_s: seconds of conversation, all callers together.
        resident_bytes: the server's memory with all callers connected.
    """

    callers: int
    waits_s: tuple[float, ...]
    early: int
    missing: int
    cpu_s: float
    talked_s: float
    resident_bytes: int

    @property
    def cpu_s_per_min(self) -> float:
        """CPU seconds for one minute of one conversation."""
        return self.cpu_s / self.talked_s * 60


@dataclass(frozen=True, slots=True)
class Figures:
    """One server under one load, all rounds together."""

    callers: int
    turns: int
    p50_ms: float
    p95_ms: float
    whole_p50_ms: float
    cpu_s_per_min: float
    kib_per_conversation: float


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    floor: float
    sayso: float
    places: int

    @property
    def ratio(self) -> float:
        """Sayso as a multiple of the floor."""
        return self.sayso / self.floor if self.floor > 0 else float("nan")


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile; NaN of nothing."""
    if not values:
        return float("nan")
    rank = max(1, ceil(percent / 100 * len(values)))
    return sorted(values)[rank - 1]


def sum_up(phases: Sequence[Phase], times: ModelTimes, idle_bytes: int) -> Figures:
    """The figures of the rounds of one load."""
    waits_ms = [wait_s * 1000 for phase in phases for wait_s in phase.waits_s]
    beyond_ms = [wait_ms - times.unavoidable_s * 1000 for wait_ms in waits_ms]
    callers = phases[0].callers
    held_bytes = max(phase.resident_bytes for phase in phases) - idle_bytes
    return Figures(
        callers=callers,
        turns=len(waits_ms),
        p50_ms=percentile(beyond_ms, 50),
        p95_ms=percentile(beyond_ms, 95),
        whole_p50_ms=percentile(waits_ms, 50),
        cpu_s_per_min=median(phase.cpu_s_per_min for phase in phases),
        kib_per_conversation=max(0, held_bytes) / callers / 1024,
    )


def compare(floor: Figures, sayso: Figures) -> list[Row]:
    """The lines about one load."""
    load = f"{floor.callers} caller{'s' if floor.callers > 1 else ''}"
    return [
        Row(f"{load}: pipeline p50, ms", floor.p50_ms, sayso.p50_ms, 1),
        Row(f"{load}: pipeline p95, ms", floor.p95_ms, sayso.p95_ms, 1),
        Row(f"{load}: end of speech to sound p50, ms", floor.whole_p50_ms, sayso.whole_p50_ms, 1),
        Row(f"{load}: CPU, s per minute talked", floor.cpu_s_per_min, sayso.cpu_s_per_min, 3),
    ]


def compare_memory(floor: Figures, sayso: Figures) -> Row:
    """The line about memory; few conversations would drown in a server's own ups and downs."""
    what = f"{floor.callers} callers: memory, KiB per conversation"
    return Row(what, floor.kib_per_conversation, sayso.kib_per_conversation, 0)


def write_table(rows: Sequence[Row]) -> str:
    """The table, for a terminal."""
    head = f"{'':<44}{'floor':>10}{'Sayso':>10}{'ratio':>9}"
    return "\n".join([head, *(_write_row(row) for row in rows)])


def _write_row(row: Row) -> str:
    values = "".join(f"{value:>10.{row.places}f}" for value in (row.floor, row.sayso))
    return f"{row.what:<44}{values}{row.ratio:>8.1f}x"
