"""The one clock: everything that asks the time is handed one of these."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Two readings: a steady one for durations, a civil one for records."""

    def now_s(self) -> float:
        """Seconds on a steady clock; only differences mean anything."""
        ...

    def utc(self) -> datetime:
        """The civil time, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_s(self) -> float:
        """Seconds since an arbitrary moment; never goes back."""
        return time.monotonic()

    def utc(self) -> datetime:
        """The civil time, in UTC."""
        return datetime.now(UTC)
