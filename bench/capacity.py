"""How many conversations a server holds at once: a ladder, climbed until it breaks.

Held is a load whose every turn is answered whole, not too early and without a gap, with a p95 of
the pipeline's time under a limit; in every run of several.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from figures import Phase, percentile

LIMITS_MS = (50.0, 250.0)
"""A server that nobody notices, and one that can be talked with."""


@dataclass(frozen=True, slots=True)
class Climb:
    """What was found.

    Attributes:
        limit_ms: what the p95 had to stay under.
        held: the highest load that was held in every run; 0 if none was.
        broke: what broke first above it, or nothing if the ladder ended.
        phases: every run.
    """

    limit_ms: float
    held: int
    broke: str
    phases: tuple[Phase, ...]


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of a server.

    Attributes:
        unavoidable_s: what it cannot do without.
        limit_ms: what the p95 beyond that has to stay under.
        runs: how many runs have to be held.
    """

    unavoidable_s: float
    limit_ms: float
    runs: int


def find_fault(phase: Phase, demand: Demand) -> str:
    """Why a load was not held; nothing if it was."""
    counts = {
        "turns without a whole reply": phase.missing,
        "replies before the end of speech": phase.early,
        "gaps": phase.gaps,
    }
    faults = [f"{count} {what}" for what, count in counts.items() if count]
    p95_ms = (percentile(phase.waits_s, 95) - demand.unavoidable_s) * 1000
    if p95_ms >= demand.limit_ms:
        faults.append(f"p95 {p95_ms:.0f} ms")
    return f"{phase.callers} callers: {', '.join(faults)}" if faults else ""


Measure: TypeAlias = Callable[[int], Awaitable[Phase]]


class Memory:
    """Lets several climbs share what was measured: each begins with the runs of those before it."""

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self._phases: dict[int, list[Phase]] = {}

    def begin(self) -> Measure:
        """For one climb."""
        used: Counter[int] = Counter()

        async def recall(callers: int) -> Phase:
            phases = self._phases.setdefault(callers, [])
            if used[callers] == len(phases):
                phases.append(await self._measure(callers))
            used[callers] += 1
            return phases[used[callers] - 1]

        return recall


async def climb(measure: Measure, ladder: Sequence[int], demand: Demand) -> Climb:
    """Climb the `ladder` of loads to the first that is not held, then prove the one below it."""
    phases: list[Phase] = []
    broke = ""

    async def holds(callers: int) -> bool:
        nonlocal broke
        phases.append(await measure(callers))
        fault = find_fault(phases[-1], demand)
        broke = fault or broke
        return not fault

    reached = 0
    for step in ladder:
        if not await holds(step):
            break
        reached += 1
    held = 0
    for step in reversed(ladder[:reached]):
        if all([await holds(step) for _ in range(demand.runs - 1)]):
            held = step
            break
    return Climb(demand.limit_ms, held, broke, tuple(phases))
