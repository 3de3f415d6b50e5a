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
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median

import uvloop

from callers import Party
from capacity import LIMITS_MS, Demand, Memory, climb
from child import CALLERS_CORE, Child, ChildError, pin
from figures import Phase, Stops, percentile
from machine import Others, describe_machine
from outcome import (
    Measured,
    Outcome,
    make_page,
    report,
    unavoidable_of,
    went_wrong,
    write_json,
)
from plan import QUICK, Plan
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

AFTERWARDS_S = 3.0
"""After the first conversation: what a server does once with it, such as loading an encoder, is no
cost of one more."""


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
            watch = Others([child.cost for child in bench.children])
            await watch.begin()
            await bench.follow_plan()
            stages = read_stages(data / "sayso.db")
            await bench.find_capacities()
            others_share = await watch.end()
    waits_s = [w for phase in bench.measured[SAYSO.name].phases for w in phase.waits_s]
    stages["unseen"] = round(percentile(waits_s, 50) * 1000 - sum(stages.values()), 1)
    return Outcome(facts, others_share, plan, times, systems, bench.measured, stages)


class Bench:
    """The running servers, and what they did so far."""

    def __init__(self, plan: Plan, times: ModelTimes, sayings: Sequence[Saying]) -> None:
        self.measured: dict[str, Measured] = {}
        self._plan, self._times, self._sayings = plan, times, sayings
        self._servers: list[tuple[System, Child]] = []

    @property
    def children(self) -> list[Child]:
        """All servers."""
        return [child for _, child in self._servers]

    async def add(self, system: System, child: Child) -> None:
        """Warm a server up."""
        await self._talk(system, child, 1, 1)
        await asyncio.sleep(AFTERWARDS_S)
        self.measured[system.name] = Measured((await child.cost()).resident_bytes)
        self._servers.append((system, child))

    async def follow_plan(self) -> None:
        """Measure every load, and interruptions, in rounds."""
        for number in range(self._plan.rounds):
            for system, child in self._servers[:: 1 if number % 2 == 0 else -1]:
                await self._one_round(number, system, child)

    async def find_capacities(self) -> None:
        """Let more and more call until each server breaks."""
        for system, child in self._servers if self._plan.ladder else ():
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

        memory, unavoidable_s = Memory(step), unavoidable_of(system, self._times)
        found = []
        for limit_ms in LIMITS_MS:
            demand = Demand(unavoidable_s, limit_ms, self._plan.ladder_runs)
            found.append(await climb(memory.begin(), self._plan.ladder, demand))
            say(f"Capacity: {system.name} holds {found[-1].held} under {limit_ms:.0f} ms.")
        self.measured[system.name] = replace(self.measured[system.name], climbs=tuple(found))

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
        heard = party.heard
        return Stops(tuple(heard.stops_s), tuple(heard.silences_s), heard.unheeded)


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
        args.page.write_text(make_page(outcome), "utf-8")
    return went_wrong(outcome)


if __name__ == "__main__":
    sys.exit(main())
