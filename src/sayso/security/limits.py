"""How often something may happen: a token bucket per name. Time is an argument."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

MAX_BUCKETS = 10_000
"""Buckets remembered at once; beyond it the one unused for longest is forgotten, so begins full."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` at once, refilled evenly over `per_s` seconds."""

    count: int
    per_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many tokens were left at a time."""

    tokens: float
    at_s: float


def take(rate: Rate, bucket: Bucket, now_s: float) -> tuple[Bucket, float]:
    """Take one token at `now_s`.

    Returns:
        The bucket afterwards, and how long to wait in seconds: 0 means the token was taken.
    """
    elapsed_s = max(0.0, now_s - bucket.at_s)
    tokens = min(float(rate.count), bucket.tokens + elapsed_s * rate.count / rate.per_s)
    now = max(now_s, bucket.at_s)
    if tokens >= 1.0:
        return Bucket(tokens - 1.0, now), 0.0
    return Bucket(tokens, now), (1.0 - tokens) * rate.per_s / rate.count


class Limits:
    """The buckets of many callers, each its own."""

    def __init__(self, max_buckets: int = MAX_BUCKETS) -> None:
        self._max_buckets = max_buckets
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def wait_s(self, name: str, rate: Rate, now_s: float) -> float:
        """Take one token from bucket `name`; how long to wait if there is none, else 0."""
        bucket = self._buckets.pop(name, None) or Bucket(float(rate.count), now_s)
        self._buckets[name], wait_s = take(rate, bucket, now_s)
        if len(self._buckets) > self._max_buckets:
            self._buckets.popitem(last=False)
        return wait_s
