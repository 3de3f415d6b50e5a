"""Counts conversations and turns, and says how long they took. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sayso.conversations.analytics_schema import (
    FailuresView,
    FiguresView,
    FirstTokenView,
    LatencyView,
)
from sayso.conversations.words import ENDS_OF_FAULT, FAULTS


def _no_floats() -> array[float]:
    return array("d")


@dataclass(slots=True)
class Tally:
    """What was counted of some conversations."""

    conversations: int = 0
    seconds: float = 0.0
    turns: int = 0
    interruptions: int = 0
    latencies: array[float] = field(default_factory=_no_floats)
    first_tokens: array[float] = field(default_factory=_no_floats)
    failures: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FAULTS, 0))

    def add_conversation(self, duration_s: float | None, end_reason: str | None) -> None:
        """Count a conversation."""
        self.conversations += 1
        self.seconds += duration_s or 0.0
        if (fault := ENDS_OF_FAULT.get(end_reason or "")) is not None:
            self.failures[fault] += 1

    def add_turn(self, latency_ms: float | None, blame: str | None, *, interrupted: bool) -> None:
        """Count a turn."""
        self.turns += 1
        self.interruptions += interrupted
        if latency_ms is not None:
            self.latencies.append(latency_ms)
        if blame in self.failures:
            self.failures[blame] += 1

    def view(self) -> FiguresView:
        """As it is answered."""
        p50, p90, p95 = percentiles(self.latencies, (50, 90, 95))
        first50, first95 = percentiles(self.first_tokens, (50, 95))
        return FiguresView(
            conversations=self.conversations,
            minutes=round(self.seconds / 60, 2),
            turns=self.turns,
            latency_ms=LatencyView(p50=p50, p90=p90, p95=p95),
            first_token_ms=FirstTokenView(p50=first50, p95=first95),
            interruptions=self.interruptions,
            failures=FailuresView(**self.failures),
        )


def percentiles(values: array[float], shares: Sequence[float]) -> list[float | None]:
    """The values that so many percent do not exceed, each one that was measured; None of none."""
    if not len(values):
        return [None] * len(shares)
    found = np.percentile(np.frombuffer(values), shares, method="inverted_cdf")
    return [round(float(one), 1) for one in found]
