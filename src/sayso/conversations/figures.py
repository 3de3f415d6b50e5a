"""Counts conversations and turns in columns, and says how long they took.

Columns, because a hundred thousand turns one by one hold up everybody else for most of a second.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from sayso.conversations.analytics_schema import (
    FailuresView,
    FiguresView,
    FirstTokenView,
    LatencyView,
)
from sayso.conversations.words import ENDS_OF_FAULT, FAULTS

Floats: TypeAlias = npt.NDArray[np.float64]
Indices: TypeAlias = npt.NDArray[np.int64]


def _integers() -> array[int]:
    return array("q")


def _floats() -> array[float]:
    return array("d")


@dataclass(slots=True)
class Columns:
    """What is counted: a row for each conversation, and for each time below it."""

    places: dict[str, int] = field(default_factory=dict)
    buckets: array[int] = field(default_factory=_integers)
    agents: array[int] = field(default_factory=_integers)
    seconds: array[float] = field(default_factory=_floats)
    ends: array[int] = field(default_factory=_integers)
    turns: array[int] = field(default_factory=_integers)
    interrupted: array[int] = field(default_factory=_integers)
    failures: list[Sequence[int]] = field(default_factory=list)
    latency_of: array[int] = field(default_factory=_integers)
    latencies: array[float] = field(default_factory=_floats)
    token_of: array[int] = field(default_factory=_integers)
    first_tokens: array[float] = field(default_factory=_floats)

    def add_conversation(
        self, name: str, bucket: int, agent: int, duration_s: float | None, end_reason: str | None
    ) -> None:
        """Count a conversation, by the numbers of its bucket and its agent."""
        self.places[name] = len(self.places)
        self.buckets.append(bucket)
        self.agents.append(agent)
        self.seconds.append(duration_s or 0.0)
        fault = ENDS_OF_FAULT.get(end_reason or "")
        self.failures.append([one == fault for one in FAULTS])
        self.turns.append(0)
        self.interrupted.append(0)

    def add_turns(
        self, name: str, count: int, interrupted: int, latencies: str | None, *failures: int
    ) -> None:
        """Count the turns of a conversation: their latencies in milliseconds, with commas.

        `failures` are how many had to be mended by each of `FAULTS`, in their order.
        """
        if (place := self.places.get(name)) is not None:
            self.turns[place] += count
            self.interrupted[place] += interrupted
            self.failures[place] = [
                sum(both) for both in zip(self.failures[place], failures, strict=True)
            ]
            _extend(self.latencies, self.latency_of, place, latencies)

    def add_first_tokens(self, name: str, first_tokens: str | None) -> None:
        """Count what LLMs took in a conversation, in milliseconds, with commas."""
        if (place := self.places.get(name)) is not None:
            _extend(self.first_tokens, self.token_of, place, first_tokens)

    def total(self) -> FiguresView:
        """The figures of all."""
        return self._by(np.zeros(len(self.places), np.int64), 1)[0]

    def by_bucket(self, count: int) -> list[FiguresView]:
        """The figures of each of `count` buckets."""
        return self._by(_indices(self.buckets), count)

    def by_agent(self, count: int) -> list[FiguresView]:
        """The figures of each of `count` agents."""
        return self._by(_indices(self.agents), count)

    def _by(self, keys: Indices, count: int) -> list[FiguresView]:
        seconds, turns = np.array(self.seconds), _indices(self.turns)
        interrupted = _indices(self.interrupted)
        failures = np.array(self.failures, np.int64).reshape(-1, len(FAULTS))
        latencies, tokens = np.array(self.latencies), np.array(self.first_tokens)
        groups = zip(
            group(keys, count),
            group(keys[_indices(self.latency_of)], count),
            group(keys[_indices(self.token_of)], count),
            strict=True,
        )
        return [
            FiguresView(
                conversations=len(ours),
                minutes=round(float(seconds[ours].sum()) / 60, 2),
                turns=int(turns[ours].sum()),
                latency_ms=_latency(latencies[answered]),
                first_token_ms=_first_token(tokens[asked]),
                interruptions=int(interrupted[ours].sum()),
                failures=_failures(failures[ours].sum(axis=0)),
            )
            for ours, answered, asked in groups
        ]


def group(keys: Indices, count: int) -> list[Indices]:
    """Where each key from 0 to `count` - 1 stands in `keys`."""
    order = np.argsort(keys, kind="stable")
    edges = np.searchsorted(keys[order], np.arange(count + 1))
    return [order[begin:end] for begin, end in pairwise(edges)]


def percentiles(values: Floats, shares: Sequence[float]) -> list[float | None]:
    """The values that so many percent do not exceed, each one that was measured; None of none."""
    if not len(values):
        return [None] * len(shares)
    found = np.percentile(values, shares, method="inverted_cdf")
    return [round(float(one), 1) for one in found]


def _latency(values: Floats) -> LatencyView:
    p50, p90, p95 = percentiles(values, (50, 90, 95))
    return LatencyView(p50=p50, p90=p90, p95=p95)


def _first_token(values: Floats) -> FirstTokenView:
    p50, p95 = percentiles(values, (50, 95))
    return FirstTokenView(p50=p50, p95=p95)


def _failures(counts: Indices) -> FailuresView:
    return FailuresView(**{fault: int(n) for fault, n in zip(FAULTS, counts, strict=True)})


def _extend(values: array[float], owners: array[int], place: int, written: str | None) -> None:
    """Add the numbers in a text, all of them of one conversation."""
    before = len(values)
    values.extend(map(float, written.split(",")) if written else ())
    owners.extend([place] * (len(values) - before))


def _indices(values: array[int]) -> Indices:
    return np.array(values, np.int64)
