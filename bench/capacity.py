"""How many conversations a server holds at once: a ladder, climbed until it breaks.

Held is a load whose every turn is answered whole, not too early and without a gap, with a p95 of
the pipeline's time under 50 ms; in every run of several.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from figures import Phase, percentile

MOST_P95_MS = 50.0


@dataclass(frozen=True, slots=True)
class Climb:
    """What was found.

    Attributes:
        held: the highest load that was held in every run; 0 if none was.
        broke: what broke first above it, or nothing if the ladder ended.
        phases: every run.
    """

    held: int
    broke: str
    phases: tuple[Phase, ...]


def find_fault(phase: Phase, unavoidable_s: float) -> str:
    """Why a load was not held; nothing if it was."""
    counts = {
        "turns without a whole reply": phase.missing,
        "replies before the end of speech": phase.early,
        "gaps": phase.gaps,
    }
    faults = [f"{count} {what}" for what, count in counts.items() if count]
    p95_ms = (percentile(phase.waits_s, 95) - unavoidable_s) * 1000
    if p95_ms >= MOST_P95_MS:
        faults.append(f"p95 {p95_ms:.0f} ms")
    return f"{phase.callers} callers: {', '.join(faults)}" if faults else ""


async def climb(
    measure: Callable[[int], Awaitable[Phase]],
    ladder: Sequence[int],
    runs: int,
    unavoidable_s: float,
) -> Climb:
    """Climb the `ladder` of loads to the first that is not held, then prove the one below it."""
    phases: list[Phase] = []
    broke = ""

    async def holds(callers: int) -> bool:
        nonlocal broke
        phases.append(await measure(callers))
        fault = find_fault(phases[-1], unavoidable_s)
        broke = fault or broke
        return not fault

    reached = 0
    for step in ladder:
        if not await holds(step):
            break
        reached += 1
    for step in reversed(ladder[:reached]):
        proofs = [await holds(step) for _ in range(runs - 1)]
        if all(proofs):
            return Climb(step, broke, tuple(phases))
    return Climb(0, broke, tuple(phases))
