"""How much is measured: the whole, and a quick look."""

from __future__ import annotations

from dataclasses import dataclass


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
