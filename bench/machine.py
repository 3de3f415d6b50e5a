"""What a run ran on, and who else was there."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Awaitable, Callable, Sequence
from math import isnan, nan
from pathlib import Path
from typing import TypeAlias

from child import Cost

QUIET_SHARE = 0.1
"""Where others use more of the machine, the figures are theirs too."""


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


def read_busy_s() -> float:
    """CPU seconds all processes of this machine have used so far; NaN where there is no /proc."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return nan
    user, nice, system, _idle, _wait, irq, softirq = stat.read_text().split()[1:8]
    return sum(map(int, (user, nice, system, irq, softirq))) / os.sysconf("SC_CLK_TCK")


Clocks: TypeAlias = tuple[Callable[[], float], Callable[[], float], Callable[[], float]]
CLOCKS: Clocks = (read_busy_s, time.process_time, time.monotonic)
"""What all processes used, what this one used, and the time; in seconds."""


class Others:
    """Tells how much of the machine processes used that are no part of this run.

    `costs` ask the processes that are.
    """

    def __init__(
        self,
        costs: Sequence[Callable[[], Awaitable[Cost]]],
        cores: int = os.cpu_count() or 1,
        clocks: Clocks = CLOCKS,
    ) -> None:
        self._costs, self._cores, self._clocks = costs, cores, clocks
        self._before = (0.0, 0.0, 0.0)

    async def begin(self) -> None:
        """Count from now."""
        self._before = await self._count()

    async def end(self) -> float:
        """The share of all cores since; NaN where there is no /proc."""
        busy_s, own_s, now_s = (
            a - b for a, b in zip(await self._count(), self._before, strict=True)
        )
        return max(0.0, busy_s - own_s) / (self._cores * now_s)

    async def _count(self) -> tuple[float, float, float]:
        own_s = [(await cost()).cpu_s for cost in self._costs]
        busy_s, own_clock_s, now_s = (clock() for clock in self._clocks)
        return busy_s, sum(own_s) + own_clock_s, now_s


def describe_others(share: float) -> str:
    """What the rest of the machine did, in a sentence."""
    if isnan(share):
        return "What other processes used meanwhile is not known."
    return f"Other processes used {share:.0%} of all cores meanwhile."
