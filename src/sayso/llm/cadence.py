"""Whether an answer was written as it was thought of, or held back and sent at once. Pure.

A fast server, too, sends a short sentence within a few milliseconds. What tells the two apart is
time: nothing is called held back that came quickly, and a suspect is asked for a longer answer,
which a real stream begins as soon as a short one, and spreads.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

BURST_S = 0.004
"""Words closer together than this came at once, in seconds: one token takes longer to think of."""
QUICK_S = 0.3
"""Whoever speaks this soon holds nothing back that matters, in seconds."""
GROWTH = 1.3
"""A longer answer that begins so many times later than a short one was held back."""


def count_bursts(arrivals_s: Sequence[float]) -> int:
    """How many times words came; `arrivals_s` are times in seconds, in order."""
    gaps = [later - sooner for sooner, later in pairwise(arrivals_s)]
    return sum(1 for gap in gaps if gap > BURST_S) + 1 if arrivals_s else 0


def seems_held_back(arrivals_s: Sequence[float]) -> bool:
    """Whether a short answer is suspect: its words were waited for, and then came at once."""
    return bool(arrivals_s) and arrivals_s[0] >= QUICK_S and count_bursts(arrivals_s) == 1


def was_held_back(short_s: float, arrivals_s: Sequence[float]) -> bool:
    """Whether a longer answer settles the suspicion.

    Args:
        short_s: when the short answer began, in seconds.
        arrivals_s: when the longer one came; empty if it had not begun after several times that.
    """
    if not arrivals_s:
        return True
    return count_bursts(arrivals_s) == 1 and arrivals_s[0] > short_s * GROWTH
