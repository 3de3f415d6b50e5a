"""Figures of a run and their table. Pure.

Percentiles are nearest-rank: each is a time that was measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isnan, nan
from statistics import median

QUIET_CALLERS = 5
"""Conversations are timed from their start where no more callers than these are connected."""

BEHIND_MS = 1000.0
"""A server whose p95 is over this is behind: its conversations are no longer in real time, and what
a minute of them costs means nothing."""


@dataclass(frozen=True, slots=True)
class Phase:
    """What one server did for some callers, once.

    Attributes:
        callers: how many at once.
        firsts_s, laters_s: end of speech to first sound at the caller, a turn each, in a caller's
            first turn and in the ones after it.
        early, missing: replies that came before the end of speech, or not whole.
        gaps: how often a reply ran dry.
        cpu_s: CPU the server used while they talked.
        wall_s: how long they talked.
        resident_bytes: the server's memory with all callers connected.
        starts_s: from a call to the server's word that it listens, a caller each.
        lates_s: how late the callers were themselves, the worst of each second of each of them.
    """

    callers: int
    firsts_s: tuple[float, ...]
    laters_s: tuple[float, ...] = ()
    early: int = 0
    missing: int = 0
    gaps: int = 0
    cpu_s: float = 0.0
    wall_s: float = 1.0
    resident_bytes: int = 0
    starts_s: tuple[float, ...] = ()
    lates_s: tuple[float, ...] = ()

    @property
    def waits_s(self) -> tuple[float, ...]:
        """End of speech to first sound, of every turn."""
        return self.firsts_s + self.laters_s

    @property
    def cpu_s_per_min(self) -> float:
        """CPU seconds for one minute of one conversation."""
        return self.cpu_s / (self.callers * self.wall_s) * 60


@dataclass(frozen=True, slots=True)
class Stops:
    """Interruptions, all rounds together: from their beginning to the word that the reply is over,
    and to silence at the caller (some servers fall silent first and take the reply back later);
    and how many did not stop it."""

    stops_s: tuple[float, ...]
    silences_s: tuple[float, ...]
    unheeded: int


@dataclass(frozen=True, slots=True)
class Figures:
    """One server under one load, all rounds together; `pipeline` times are beyond the models."""

    callers: int
    turns: int
    p50_ms: float
    p95_ms: float
    whole_p50_ms: float
    whole_p95_ms: float
    first_later_ms: float
    cpu_s_per_min: float
    mib_per_conversation: float
    start_ms: float
    callers_late_ms: float
    early: int
    missing: int
    gaps: int

    @property
    def is_behind(self) -> bool:
        """Whether the server could not keep up."""
        return self.missing > 0 or not self.p95_ms <= BEHIND_MS


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a value for each server, NaN where there is none."""

    what: str
    values: Mapping[str, float]
    places: int

    def ratio(self, name: str, to: str) -> float:
        """One server as a multiple of another; NaN unless both are positive."""
        over, under = self.values.get(name, nan), self.values.get(to, nan)
        return over / under if over > 0 and under > 0 else nan


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile; NaN of nothing."""
    if not values:
        return nan
    rank = max(1, ceil(percent / 100 * len(values)))
    return sorted(values)[rank - 1]


def join(phases: Sequence[Phase], part: str) -> list[float]:
    """One list of times of all phases, in milliseconds."""
    return [seconds * 1000 for phase in phases for seconds in getattr(phase, part)]


def sum_up(phases: Sequence[Phase], unavoidable_s: float, idle_bytes: int) -> Figures:
    """The figures of the rounds of one load.

    Memory is that of the first round: later ones find what more callers left behind.
    """
    waits_ms = join(phases, "waits_s")
    beyond_ms = [wait_ms - unavoidable_s * 1000 for wait_ms in waits_ms]
    callers = phases[0].callers
    held_bytes = phases[0].resident_bytes - idle_bytes
    firsts_ms, laters_ms = join(phases, "firsts_s"), join(phases, "laters_s")
    return Figures(
        callers=callers,
        turns=len(waits_ms),
        p50_ms=percentile(beyond_ms, 50),
        p95_ms=percentile(beyond_ms, 95),
        whole_p50_ms=percentile(waits_ms, 50),
        whole_p95_ms=percentile(waits_ms, 95),
        first_later_ms=percentile(firsts_ms, 50) - percentile(laters_ms, 50),
        cpu_s_per_min=median(phase.cpu_s_per_min for phase in phases),
        mib_per_conversation=max(0, held_bytes) / callers / 2**20,
        start_ms=percentile(join(phases, "starts_s"), 50),
        callers_late_ms=percentile(join(phases, "lates_s"), 95),
        early=sum(phase.early for phase in phases),
        missing=sum(phase.missing for phase in phases),
        gaps=sum(phase.gaps for phase in phases),
    )


def compare_load(found: Mapping[str, Figures]) -> list[Row]:
    """The lines about one load."""
    callers = next(iter(found.values())).callers
    load = f"{callers} caller{'s' if callers > 1 else ''}"
    rows = [
        _row(f"{load}: pipeline p50, ms", found, "p50_ms", 1),
        _row(f"{load}: pipeline p95, ms", found, "p95_ms", 1),
        _row(f"{load}: end of speech to sound p50, ms", found, "whole_p50_ms", 0),
        _row(f"{load}: end of speech to sound p95, ms", found, "whole_p95_ms", 0),
    ]
    if callers <= QUIET_CALLERS:
        rows += [
            _row(f"{load}: first turn after later ones, ms", found, "first_later_ms", 1),
            _row(f"{load}: start of a conversation p50, ms", found, "start_ms", 1),
        ]
    in_time = {name: figures for name, figures in found.items() if not figures.is_behind}
    rows.append(_row(f"{load}: CPU, s per minute talked", in_time, "cpu_s_per_min", 2))
    if callers > 1:
        what = f"{load}: memory, MiB per conversation"
        rows.append(_row(what, in_time, "mib_per_conversation", 2))
    return rows


def _row(what: str, found: Mapping[str, Figures], part: str, places: int) -> Row:
    return Row(what, {name: getattr(f, part) for name, f in found.items()}, places)


def compare_stops(found: Mapping[str, Stops], set_s: Mapping[str, float]) -> list[Row]:
    """The lines about interruptions; `set_s` is the speech each server is set to wait for."""
    beyond = {name: _p(found[name].stops_s, 95) - set_s[name] * 1000 for name in found}
    return [
        Row("barge-in: reply over beyond setting p95, ms", beyond, 0),
        _row_silence(found, 50),
        _row_silence(found, 95),
    ]


def _row_silence(found: Mapping[str, Stops], percent: int) -> Row:
    silence = {name: _p(stops.silences_s, percent) for name, stops in found.items()}
    return Row(f"barge-in: speech to silence p{percent}, ms", silence, 0)


def _p(times_s: Sequence[float], percent: float) -> float:
    return percentile(times_s, percent) * 1000


def write_value(value: float, places: int) -> str:
    """A value for a table, a dash for none."""
    return "–" if isnan(value) else f"{value:.{places}f}"


def name_ratios(names: Sequence[str]) -> list[tuple[str, str]]:
    """The ratios that are told: Sayso as a multiple of the floor, each peer as one of Sayso."""
    return [("sayso", "floor")] + [(n, "sayso") for n in names if n not in {"sayso", "floor"}]


def write_table(rows: Sequence[Row], names: Sequence[str]) -> str:
    """The table, for a terminal."""
    ratios = name_ratios(names)
    heads = [*names, *(f"{over}/{under}" for over, under in ratios)]
    lines = [_write_line("", heads, len(names))]
    for row in rows:
        values = [write_value(row.values.get(name, nan), row.places) for name in names]
        values += [write_value(row.ratio(*pair), 1) for pair in ratios]
        lines.append(_write_line(row.what, values, len(names)))
    return "\n".join(lines)


def _write_line(what: str, cells: Sequence[str], systems: int) -> str:
    values, ratios = cells[:systems], cells[systems:]
    return f"{what:<46}{''.join(f'{v:>9}' for v in values)}{''.join(f'{r:>15}' for r in ratios)}"
