"""What a run found, as a report, a page and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from math import isnan, nan
from pathlib import Path
from statistics import median

from capacity import Climb
from figures import (
    Figures,
    Phase,
    Row,
    Stops,
    compare_load,
    compare_stops,
    sum_up,
    write_table,
)
from machine import QUIET_SHARE, describe_others
from page import write_page
from plan import Plan
from script import ModelTimes
from systems import FLOOR, SAYSO, System


@dataclass(frozen=True, slots=True)
class Measured:
    """What one server did.

    Attributes:
        idle_bytes: its memory after one conversation, without any.
        phases: every phase of every load, in the order they were measured.
        stops: its interruptions.
        climbs: how many conversations it held, a limit each; none where that was not asked.
    """

    idle_bytes: int
    phases: list[Phase] = field(default_factory=list)
    stops: list[Stops] = field(default_factory=list)
    climbs: tuple[Climb, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run found.

    Attributes:
        facts: what it ran on.
        others_share: how much of the machine other processes used meanwhile, 0 to 1; NaN where
            that cannot be known. Where it is not next to nothing, the figures are theirs too.
        plan, times: what was asked, and how long the models took.
        systems: the servers, in the order of the table.
        measured: what each of them did.
        stages_ms: where Sayso's own record says the time went, the median of each step; `unseen`
            is what the record does not know: the detector hears the end of speech late, and the
            sound has to reach the caller.
    """

    facts: str
    others_share: float
    plan: Plan
    times: ModelTimes
    systems: Sequence[System]
    measured: Mapping[str, Measured]
    stages_ms: Mapping[str, float]

    @property
    def names(self) -> list[str]:
        """The servers' names."""
        return [system.name for system in self.systems]

    def figures(self, callers: int) -> dict[str, Figures]:
        """The figures of one load."""
        found = {}
        for system in self.systems:
            measured = self.measured[system.name]
            phases = [phase for phase in measured.phases if phase.callers == callers]
            unavoidable_s = unavoidable_of(system, self.times)
            found[system.name] = sum_up(phases, unavoidable_s, measured.idle_bytes)
        return found

    def rows(self) -> list[Row]:
        """All lines of the table."""
        loads = [compare_load(self.figures(callers)) for callers, _ in self.plan.loads]
        stops = {name: join_stops(m.stops) for name, m in self.measured.items()}
        set_s = {system.name: system.interruption_s for system in self.systems}
        return [
            *(row for rows in loads for row in rows),
            *compare_stops(stops, set_s),
            *compare_climbs({name: m.climbs for name, m in self.measured.items() if m.climbs}),
        ]


def compare_climbs(found: Mapping[str, Sequence[Climb]]) -> list[Row]:
    """The lines about capacity."""
    rows = []
    for number, one in enumerate(next(iter(found.values()), ())):
        climbs = {name: each[number] for name, each in found.items()}
        held = {name: float(climbed.held) or nan for name, climbed in climbs.items()}
        cpu = {name: cpu_held(climbed) for name, climbed in climbs.items()}
        rows += [
            Row(f"held on one core, p95 < {one.limit_ms:.0f} ms", held, 0),
            Row("  CPU at that many, s per minute talked", cpu, 2),
        ]
    return rows


def unavoidable_of(system: System, times: ModelTimes) -> float:
    """What no server that speaks as this one could do without, in seconds."""
    return times.unavoidable_before_s(sentences=system.sentences)


def join_stops(stops: Sequence[Stops]) -> Stops:
    """The interruptions of all rounds."""
    return Stops(
        tuple(s for one in stops for s in one.stops_s),
        tuple(s for one in stops for s in one.silences_s),
        sum(one.unheeded for one in stops),
    )


def cpu_held(climbed: Climb) -> float:
    """CPU for a minute of one conversation at the highest load that was held."""
    found = [p.cpu_s_per_min for p in climbed.phases if p.callers == climbed.held]
    return median(found) if found else nan


def report(outcome: Outcome) -> str:
    """What is printed at the end."""
    times, measured = outcome.times, outcome.measured
    turns = {n: sum(len(p.waits_s) for p in m.phases) for n, m in measured.items()}
    idle = ", ".join(f"{n} {m.idle_bytes / 2**20:.0f} MiB" for n, m in measured.items())
    stages = " · ".join(f"{stage} +{ms}" for stage, ms in outcome.stages_ms.items())
    unavoidable = (
        f"Unavoidable, and not in the pipeline's time: {times.unavoidable_s * 1000:.0f} ms "
        f"(patience {times.heard_patience_s * 1000:.0f}, LLM {times.first_clause_s * 1000:.0f}, "
        f"TTS {times.tts_s * 1000:.0f}); for the peers "
        f"{times.unavoidable_before_s(sentences=True) * 1000:.0f} ms, who speak whole sentences."
    )
    lines = [
        "",
        f"{outcome.facts}. {describe_others(outcome.others_share)}",
        f"Measured: {', '.join(system.version for system in outcome.systems)}.",
        unavoidable,
        f"Turns measured: {', '.join(f'{n} {count}' for n, count in turns.items())}.",
        f"Memory when idle: {idle}.",
        f"Sayso's record of itself, medians in ms: {stages}.",
        "",
        write_table(outcome.rows(), outcome.names),
    ]
    return "\n".join([*lines, *complaints(outcome)])


def complaints(outcome: Outcome) -> list[str]:
    """What went wrong, a sentence each."""
    found = []
    for name, measured in outcome.measured.items():
        found += [
            f"{name}, {p.callers} at once: {p.missing} turns without a whole reply, {p.early} "
            f"answered too early, {p.gaps} gaps."
            for p in measured.phases
            if p.early or p.missing or p.gaps
        ]
        unheeded = join_stops(measured.stops).unheeded
        found += [f"{name}: {unheeded} interruptions did not stop the reply."] if unheeded else []
        found += [
            f"{name} did not hold under {climbed.limit_ms:.0f} ms: {climbed.broke}."
            for climbed in measured.climbs
            if climbed.broke
        ]
    return found


def went_wrong(outcome: Outcome) -> bool:
    """Whether Sayso or the floor left a caller without an answer; peers may."""
    names = {SAYSO.name, FLOOR.name} & set(outcome.names)
    phases = [phase for name in names for phase in outcome.measured[name].phases]
    return any(phase.early or phase.missing for phase in phases)


def make_page(outcome: Outcome) -> str:
    """The page about this run."""
    loads = [outcome.figures(callers) for callers, _ in outcome.plan.loads]
    late_ms = max(found.callers_late_ms for load in loads for found in load.values())
    facts = [
        f"{outcome.facts}.",
        describe_others(outcome.others_share),
        f"The callers' own frames were up to {late_ms:.0f} ms late (p95 of each second's worst).",
    ]
    if outcome.others_share > QUIET_SHARE:
        facts.append("**That is no quiet machine: compare with care, and measure again.**")
    return write_page(
        f"{datetime.now(UTC):%d %B %Y}",
        facts,
        [system.version for system in outcome.systems],
        outcome.rows(),
        outcome.names,
        complaints(outcome),
        outcome.plan.ladder_runs,
    )


def write_json(path: Path, outcome: Outcome) -> None:
    """Everything that was measured, for programs; what is not a number is null."""
    body = {
        "facts": outcome.facts,
        "others_share": outcome.others_share,
        "versions": {system.name: system.version for system in outcome.systems},
        "times": asdict(outcome.times),
        "unavoidable_s": {s.name: unavoidable_of(s, outcome.times) for s in outcome.systems},
        "stages_ms": dict(outcome.stages_ms),
        "figures": {
            callers: {name: asdict(found) for name, found in outcome.figures(callers).items()}
            for callers, _ in outcome.plan.loads
        },
        "measured": {name: asdict(found) for name, found in outcome.measured.items()},
        "rows": [asdict(row) for row in outcome.rows()],
        "complaints": complaints(outcome),
    }
    path.write_text(json.dumps(without_nan(body), indent=2) + "\n", "utf-8")


def without_nan(body: object) -> object:
    """JSON has no NaN."""
    if isinstance(body, Mapping):
        return {key: without_nan(value) for key, value in body.items()}
    if isinstance(body, list | tuple):
        return [without_nan(value) for value in body]
    return None if isinstance(body, float) and isnan(body) else body
