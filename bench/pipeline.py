"""Measures what Sayso adds to its models, against a floor and against peers in the same run.

    make bench
    python bench/pipeline.py --quick                 about three minutes
    python bench/pipeline.py --json figures.json --page docs/reference/benchmarks.md

Scripted models of known time (`script.py`) stand in for STT, LLM and TTS; everything else is
real: Silero, the socket, the store, the pacing. Each server (`systems.py`) has the servers' core
in turn, callers and LLM another. What is measured, a turn each:

    pipeline time = end of speech to first sound at the caller
                    - the patience (450 ms, in whole 20 ms frames 460)
                    - the LLM up to the end of what is spoken first (20 ms, then 5 ms a token)
                    - the TTS of that (20 ms)

What is spoken first is a clause for Sayso and the floor, and the whole sentence for the peers, who
cut no earlier: their 20 ms more are not counted against them here, but they are in the time from
the end of speech to sound. The STT's 20 ms are in neither: every server transcribes while it still
waits for more speech. What is left is the detector's delay, the wire, and the server's own work.

Then callers interrupt, and more and more of them call until a server breaks (`capacity.py`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sqlite3
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from math import nan
from pathlib import Path
from statistics import median

import uvloop

from callers import Heard, Party
from capacity import Climb, climb
from child import CALLERS_CORE, Child, ChildError, pin
from figures import (
    Figures,
    Phase,
    Row,
    Stops,
    compare_load,
    compare_stops,
    percentile,
    sum_up,
    write_table,
)
from page import write_page
from sayings import Saying, load_sayings
from sayso.llm.fake import FakeConfig, running_fake
from script import REPLY, ModelTimes
from systems import FLOOR, SAYSO, System, find_peers, launch

STAGES = ("endpoint", "llm_first_token", "first_clause", "tts_first_sound", "first_sound_sent")
CHARS_PER_S = 15.0
"""How fast every scripted voice speaks."""

LEAST_S = 0.9 * len(REPLY) / CHARS_PER_S
"""A reply that sounds shorter was cut."""

SETTLE_S = 0.5
"""Between two phases, so that a server has hung up on the callers of the first."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Attributes:
        loads: callers at once, and the turns each of them takes.
        rounds: how often; the servers take turns at going first.
        interruptions: callers at once, and how often each interrupts.
        ladder, ladder_turns, ladder_runs: loads tried until one breaks, the turns each caller
            takes there, and how many runs have to be held.
        limit_s: after so many seconds the run is given up.
    """

    loads: tuple[tuple[int, int], ...] = ((1, 4), (5, 4), (20, 3))
    rounds: int = 2
    interruptions: tuple[int, int] = (5, 3)
    ladder: tuple[int, ...] = (5, 10, 15, 20, 30, 40, 50, 60, 80)
    ladder_turns: int = 2
    ladder_runs: int = 3
    limit_s: float = 3000.0


QUICK = Plan(
    loads=((5, 2), (20, 1)),
    rounds=1,
    interruptions=(5, 1),
    ladder=(10, 20, 40, 60),
    ladder_turns=1,
    ladder_runs=1,
    limit_s=600.0,
)


@dataclass(frozen=True, slots=True)
class Measured:
    """What one server did.

    Attributes:
        idle_bytes: its memory after one conversation, without any.
        phases: every phase of every load, in the order they were measured.
        stops: its interruptions.
        climb: how many conversations it held; None where that was not asked.
    """

    idle_bytes: int
    phases: list[Phase] = field(default_factory=list)
    stops: list[Stops] = field(default_factory=list)
    climb: Climb | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run found.

    Attributes:
        facts: what it ran on, and when.
        plan, times: what was asked, and how long the models took.
        systems: the servers, in the order of the table.
        measured: what each of them did.
        stages_ms: where Sayso's own record says the time went, the median of each step; `unseen`
            is what the record does not know: the detector hears the end of speech late, and the
            sound has to reach the caller.
    """

    facts: str
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
        rows = [row for callers, _ in self.plan.loads for row in compare_load(self.figures(callers))]
        stops = {name: join_stops(m.stops) for name, m in self.measured.items()}
        set_s = {system.name: system.interruption_s for system in self.systems}
        climbs = {name: m.climb for name, m in self.measured.items() if m.climb}
        return [
            *rows,
            *compare_stops(stops, set_s),
            Row("conversations held on one core", {n: c.held or nan for n, c in climbs.items()}, 0),
            Row("CPU at that many, s per minute talked", {n: cpu_held(c) for n, c in climbs.items()}, 2),
        ]  # fmt: skip


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


async def run(plan: Plan, times: ModelTimes, systems: Sequence[System]) -> Outcome:
    """Start the servers, measure, end the servers. Raises ChildError, TimeoutError."""
    facts = describe_machine()
    sayings = await load_sayings()
    fake = FakeConfig("scripted", (REPLY,), times.first_token_s, times.token_s)
    with tempfile.TemporaryDirectory(prefix="sayso-bench-") as folder:
        data = Path(folder)
        async with (
            asyncio.timeout(plan.limit_s),
            running_fake(fake) as llm_url,
            AsyncExitStack() as stack,
        ):
            bench = Bench(plan, times, sayings)
            for system in systems:
                child = await stack.enter_async_context(launch(system, llm_url, data, times))
                say(f"{system.name} is process {child.pid}.")
                await bench.add(system, child)
            await bench.measure()
            stages = read_stages(data / "sayso.db", bench.ladder_begins)
    waits_s = [w for phase in bench.measured[SAYSO.name].phases for w in phase.waits_s]
    stages["unseen"] = round(percentile(waits_s, 50) * 1000 - sum(stages.values()), 1)
    return Outcome(facts, plan, times, systems, bench.measured, stages)


class Bench:
    """The running servers, and what they did so far."""

    def __init__(self, plan: Plan, times: ModelTimes, sayings: Sequence[Saying]) -> None:
        self.measured: dict[str, Measured] = {}
        self.ladder_begins: float | None = None
        self._plan, self._times, self._sayings = plan, times, sayings
        self._children: list[tuple[System, Child]] = []

    async def add(self, system: System, child: Child) -> None:
        """Warm a server up."""
        await self._talk(system, child, 1, 1)
        self.measured[system.name] = Measured((await child.cost()).resident_bytes)
        self._children.append((system, child))

    async def measure(self) -> None:
        """Follow the plan."""
        for number in range(self._plan.rounds):
            for system, child in self._children[:: 1 if number % 2 == 0 else -1]:
                await self._one_round(number, system, child)
        self.ladder_begins = time.time()
        for system, child in self._children if self._plan.ladder else ():
            await self._climb(system, child)

    async def _one_round(self, number: int, system: System, child: Child) -> None:
        measured, who = self.measured[system.name], f"Round {number + 1} of {self._plan.rounds}"
        for callers, turns in self._plan.loads:
            say(f"{who}: {system.name}, {callers} at once …")
            measured.phases.append(await self._talk(system, child, callers, turns))
        callers, times = self._plan.interruptions
        say(f"{who}: {system.name}, {callers} who interrupt …")
        measured.stops.append(await self._interrupt(system, child, callers, times))

    async def _climb(self, system: System, child: Child) -> None:
        async def step(callers: int) -> Phase:
            say(f"Capacity: {system.name}, {callers} at once …")
            return await self._talk(system, child, callers, self._plan.ladder_turns)

        found = await climb(
            step, self._plan.ladder, self._plan.ladder_runs, unavoidable_of(system, self._times)
        )
        say(f"Capacity: {system.name} holds {found.held}. {found.broke}")
        before = self.measured[system.name]
        self.measured[system.name] = Measured(
            before.idle_bytes, before.phases, before.stops, found
        )

    async def _talk(self, system: System, child: Child, callers: int, turns: int) -> Phase:
        party = Party(child.url, callers, system.wire, LEAST_S)
        try:
            await party.enter()
            before, began_s = await child.cost(), time.monotonic()
            await party.talk(self._sayings, turns)
            after, ended_s = await child.cost(), time.monotonic()
        finally:
            await party.leave()
        await asyncio.sleep(SETTLE_S)
        heard = party.heard
        return Phase(
            callers=callers,
            firsts_s=tuple(heard.firsts_s),
            laters_s=tuple(heard.laters_s),
            early=heard.early,
            missing=heard.missing,
            gaps=heard.gaps,
            cpu_s=after.cpu_s - before.cpu_s,
            wall_s=ended_s - began_s,
            resident_bytes=after.resident_bytes,
            starts_s=tuple(heard.starts_s),
            lates_s=tuple(heard.lates_s),
        )

    async def _interrupt(self, system: System, child: Child, callers: int, times: int) -> Stops:
        party = Party(child.url, callers, system.wire, LEAST_S)
        try:
            await party.enter()
            await party.interrupt(self._sayings, times)
        finally:
            await party.leave()
        await asyncio.sleep(SETTLE_S)
        heard: Heard = party.heard
        return Stops(tuple(heard.stops_s), tuple(heard.silences_s), heard.unheeded)


def read_stages(database: Path, until: float | None = None) -> dict[str, float]:
    """Sayso's own record of its turns, of those that began before the steady clock's `until`:
    the median time of each step, from the step before it."""
    with sqlite3.connect(database) as connection:
        rows = connection.execute("SELECT timings FROM turns").fetchall()
    connection.close()
    records = [json.loads(row[0]) for row in rows]
    steps: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for record in records:
        before_s = 0.0
        for stage in STAGES:
            reached_s = record.get(f"{stage}_s")
            if reached_s is not None:
                steps[stage].append((reached_s - before_s) * 1000)
                before_s = reached_s
    return {stage: round(median(found), 1) for stage, found in steps.items() if found}


def describe_machine() -> str:
    """The facts of this machine and of now, in one line."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].partition(":")[2].strip() if names else cpu
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "?"
    return (
        f"{cpu}, {os.cpu_count()} cores, load {load} before; "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


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
        outcome.facts,
        f"Measured: {', '.join(system.version for system in outcome.systems)}.",
        unavoidable,
        f"Turns measured: {', '.join(f'{n} {count}' for n, count in turns.items())}. "
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
        behind = {p.callers for p in measured.phases if p.is_behind}
        found += [f"{name}: used its whole core at {n} callers." for n in sorted(behind)]
        broke = measured.climb.broke if measured.climb else ""
        found += [f"{name} was not held at {broke}."] if broke else []
    return found


def went_wrong(outcome: Outcome) -> bool:
    """Whether Sayso or the floor left a caller without an answer; peers may."""
    names = {SAYSO.name, FLOOR.name} & set(outcome.names)
    phases = [phase for name in names for phase in outcome.measured[name].phases]
    return any(phase.early or phase.missing for phase in phases)


def write_json(path: Path, outcome: Outcome) -> None:
    """Everything that was measured, for programs; what is not a number is null."""
    body = {
        "facts": outcome.facts,
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
    return None if body != body else body  # noqa: PLR0124


def say(line: str) -> None:
    """Show progress."""
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    """Measure and print; 1 if a turn of Sayso's went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one round, few turns")
    parser.add_argument("--without-peers", action="store_true", help="Sayso and the floor only")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--page", type=Path, help="also write them here as a page")
    args = parser.parse_args()
    peers = [] if args.without_peers else find_peers(say)
    pin(CALLERS_CORE)
    plan = QUICK if args.quick else Plan()
    try:
        outcome = uvloop.run(run(plan, ModelTimes(), [FLOOR, SAYSO, *peers]))
    except (ChildError, TimeoutError) as error:
        say(f"The run was given up: {error or 'it took too long'}")
        return 1
    print(report(outcome))
    if args.json:
        write_json(args.json, outcome)
    if args.page:
        args.page.write_text(write_page(outcome.facts, outcome.rows(), outcome.names, complaints(outcome)), "utf-8")
    return went_wrong(outcome)


if __name__ == "__main__":
    sys.exit(main())
