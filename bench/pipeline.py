"""Measures what Sayso adds to its models: time, CPU and memory, against a floor in the same run.

    make bench
    python bench/pipeline.py --quick                 under 45 s
    python bench/pipeline.py --json figures.json

Scripted models of known time (`script.py`) stand in for STT, LLM and TTS; everything else is
real: Silero, the socket, the store, the pacing. Sayso (`server.py`) and the floor (`floor.py`)
have one core each in turn, callers and LLM another. What is measured, a turn each:

    pipeline time = end of speech to first sound at the caller
                    - the patience (450 ms, in whole 20 ms frames 460)
                    - the LLM up to the end of the first clause (20 ms, then 5 ms a token)
                    - the TTS of that clause (20 ms)

The STT's 20 ms are not in it: both servers transcribe while they still wait for more speech. What
is left is the detector's delay, the wire, and the server's own work.
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
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import uvloop

from callers import Party
from child import CALLERS_CORE, Child, ChildError, pin, start
from figures import (
    Figures,
    Phase,
    Row,
    compare,
    compare_memory,
    percentile,
    sum_up,
    write_table,
)
from sayings import Saying, load_sayings
from sayso.llm.fake import FakeConfig, running_fake
from script import REPLY, ModelTimes

HERE = Path(__file__).parent
STAGES = ("endpoint", "llm_first_token", "first_clause", "tts_first_sound", "first_sound_sent")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Attributes:
        loads: callers at once, and the turns each of them takes.
        rounds: how often; the servers take turns at going first.
        servers: which servers.
        limit_s: after so many seconds the run is given up.
    """

    loads: tuple[tuple[int, int], ...] = ((1, 6), (5, 3), (20, 3))
    rounds: int = 2
    servers: tuple[str, ...] = ("floor", "sayso")
    limit_s: float = 300.0


QUICK = Plan(loads=((1, 1), (5, 1), (20, 1)), rounds=1, limit_s=60.0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run found.

    Attributes:
        facts: what it ran on.
        phases: every phase of each server, in the order it was measured.
        figures: the figures of each server, a load each.
        idle_bytes: memory of each server after one conversation, without any.
        stages_ms: where Sayso's own record says the time went, the median of each step; `unseen`
            is what the record does not know: the detector hears the end of speech late, and the
            sound has to reach the caller.
    """

    facts: str
    phases: Mapping[str, Sequence[Phase]]
    figures: Mapping[str, Sequence[Figures]]
    idle_bytes: Mapping[str, int]
    stages_ms: Mapping[str, float]


async def run(plan: Plan, times: ModelTimes) -> Outcome:
    """Start the servers, measure, end the servers. Raises ChildError, TimeoutError."""
    facts = describe_machine()
    sayings = await load_sayings()
    fake = FakeConfig("scripted", (REPLY,), times.first_token_s, times.token_s)
    with tempfile.TemporaryDirectory(prefix="sayso-bench-") as folder:
        data = Path(folder)
        async with asyncio.timeout(plan.limit_s), running_fake(fake) as llm_url:
            phases, idle = await _measure_all(plan, sayings, llm_url, data)
        stages = read_stages(data / "sayso.db")
    waits_s = [wait_s for phase in phases["sayso"] for wait_s in phase.waits_s]
    stages["unseen"] = round(percentile(waits_s, 50) * 1000 - sum(stages.values()), 1)
    figures = {
        name: [
            sum_up([p for p in found if p.callers == callers], times, idle[name])
            for callers, _ in plan.loads
        ]
        for name, found in phases.items()
    }
    return Outcome(facts, phases, figures, idle, stages)


async def _measure_all(
    plan: Plan, sayings: Sequence[Saying], llm_url: str, data: Path
) -> tuple[dict[str, list[Phase]], dict[str, int]]:
    phases: dict[str, list[Phase]] = {name: [] for name in plan.servers}
    floor = start(HERE / "floor.py", ["--llm", llm_url], data / "floor.log")
    args = ["--llm", llm_url, "--data", str(data)]
    sayso = start(HERE / "server.py", args, data / "sayso.log")
    async with floor as floor_child, sayso as sayso_child:
        children = {"floor": floor_child, "sayso": sayso_child}
        say(f"Sayso is process {sayso_child.pid}, the floor {floor_child.pid}.")
        warm = await asyncio.gather(*(_warm_up(children[n], sayings) for n in plan.servers))
        idle = dict(zip(plan.servers, warm, strict=True))
        for number in range(plan.rounds):
            order = plan.servers if number % 2 == 0 else plan.servers[::-1]
            for callers, turns in plan.loads:
                for name in order:
                    say(f"Round {number + 1} of {plan.rounds}: {name}, {callers} at once …")
                    phases[name].append(await measure(children[name], callers, turns, sayings))
    return phases, idle


async def _warm_up(child: Child, sayings: Sequence[Saying]) -> int:
    await measure(child, 1, 1, sayings)
    return (await child.cost()).resident_bytes


async def measure(child: Child, callers: int, turns: int, sayings: Sequence[Saying]) -> Phase:
    """One phase: so many callers take so many turns."""
    party = Party(child.url, callers)
    before, began_s = await child.cost(), time.monotonic()
    try:
        await party.enter()
        await party.talk(sayings, turns)
        after, ended_s = await child.cost(), time.monotonic()
    finally:
        await party.leave()
    heard = party.heard
    return Phase(
        callers=callers,
        waits_s=tuple(heard.waits_s),
        early=heard.early,
        missing=heard.missing,
        cpu_s=after.cpu_s - before.cpu_s,
        talked_s=callers * (ended_s - began_s),
        resident_bytes=after.resident_bytes,
    )


def read_stages(database: Path) -> dict[str, float]:
    """Sayso's own record of its turns: the median time of each step, from the step before it."""
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
    """The facts of this machine, in one line."""
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


def make_rows(figures: Mapping[str, Sequence[Figures]]) -> list[Row]:
    """All lines of the table."""
    pairs = list(zip(figures["floor"], figures["sayso"], strict=True))
    rows = [row for floor, sayso in pairs for row in compare(floor, sayso)]
    return [*rows, compare_memory(*pairs[-1])]


def report(outcome: Outcome, times: ModelTimes) -> str:
    """What is printed at the end."""
    figures = outcome.figures
    counts = ", ".join(f"{f.callers}: {f.turns}" for f in figures["sayso"])
    idle = ", ".join(f"{n} {b / 2**20:.0f} MiB" for n, b in outcome.idle_bytes.items())
    stages = " · ".join(
        f"{stage.removesuffix('_s')} +{ms}" for stage, ms in outcome.stages_ms.items()
    )
    unavoidable = (
        f"Unavoidable, and not in the pipeline's time: {times.unavoidable_s * 1000:.0f} ms "
        f"(patience {times.heard_patience_s * 1000:.0f}, LLM {times.first_clause_s * 1000:.0f}, "
        f"TTS {times.tts_s * 1000:.0f})."
    )
    lines = [
        "",
        outcome.facts,
        unavoidable,
        f"Turns measured of Sayso, by callers: {counts}. Memory when idle: {idle}.",
        f"Sayso's record of itself, medians in ms: {stages}.",
        "",
        write_table(make_rows(figures)),
    ]
    return "\n".join([*lines, *complaints(outcome)])


def complaints(outcome: Outcome) -> list[str]:
    """What went wrong, a sentence each."""
    found = []
    for name, phases in outcome.phases.items():
        early, missing = sum(p.early for p in phases), sum(p.missing for p in phases)
        if early or missing:
            found.append(f"{name}: {missing} turns without a reply, {early} answered too early.")
    return found


def write_json(path: Path, outcome: Outcome, times: ModelTimes) -> None:
    """Everything that was measured, for programs."""
    body = {
        "facts": outcome.facts,
        "times": asdict(times),
        "unavoidable_s": times.unavoidable_s,
        "idle_bytes": dict(outcome.idle_bytes),
        "stages_ms": dict(outcome.stages_ms),
        "figures": {n: [asdict(f) for f in found] for n, found in outcome.figures.items()},
        "phases": {n: [asdict(p) for p in found] for n, found in outcome.phases.items()},
        "rows": [{**asdict(r), "ratio": r.ratio} for r in make_rows(outcome.figures)],
    }
    path.write_text(json.dumps(body, indent=2) + "\n", "utf-8")


def say(line: str) -> None:
    """Show progress."""
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    """Measure and print; 1 if a turn went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one turn each, under 45 s")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    args = parser.parse_args()
    pin(CALLERS_CORE)
    times = ModelTimes()
    try:
        outcome = uvloop.run(run(QUICK if args.quick else Plan(), times))
    except (ChildError, TimeoutError) as error:
        say(f"The run was given up: {error or 'it took too long'}")
        return 1
    print(report(outcome, times))
    if args.json:
        write_json(args.json, outcome, times)
    return 1 if complaints(outcome) else 0


if __name__ == "__main__":
    sys.exit(main())
