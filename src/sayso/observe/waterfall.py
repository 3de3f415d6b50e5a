"""The record of a turn as steps in time and as facts, for whoever shows it. Pure.

A record is `talk/record.py`'s: whatever ends in `_s` is a mark, in seconds from the end of the
caller's speech, but for `sound_…_s`, which say how much sound there was. New marks need no change
here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Timings: TypeAlias = Mapping[str, object]
Fact: TypeAlias = str | float | bool

CODES = frozenset({"failure", "blame", "mishaps", "line"})
"""Texts of a record that are codes. Another text may be anything, so it is left out."""

_MARK = re.compile(r"(?!sound_)([a-z][a-z0-9_]{0,60})_s")
_ENDS = frozenset({"played", "interrupted"})
_SOUNDED = "first_sound_sent"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a turn, in seconds from the end of the caller's speech."""

    name: str
    begins_s: float
    ends_s: float


@dataclass(frozen=True, slots=True)
class Call:
    """One function that was called in a turn; `finding` is why it failed."""

    step: Step
    name: str
    finding: str = ""


def read_end_s(timings: Timings) -> float:
    """When the turn was over: its last mark, that it was played or interrupted."""
    return max(_read_marks(timings).values(), default=0.0)


def read_steps(timings: Timings) -> list[Step]:
    """Each step from the one before it, and at last what was `heard`; all within the turn."""
    end_s, marks = read_end_s(timings), _read_marks(timings)
    reached = sorted((at_s, name) for name, at_s in marks.items() if name not in _ENDS)
    steps, before_s = [], 0.0
    for at_s, name in reached:
        steps.append(Step(name, before_s, at_s))
        before_s = at_s
    if _SOUNDED in marks:
        steps.append(Step("heard", marks[_SOUNDED], end_s))
    return steps


def read_facts(timings: Timings) -> dict[str, Fact]:
    """What else a record says: whether it was interrupted, numbers, and texts that are codes."""
    facts: dict[str, Fact] = {"interrupted": timings.get("interrupted") == "true"}
    for key, value in timings.items():
        if isinstance(value, str):
            facts |= {key: value} if key in CODES else {}
        elif isinstance(value, int | float) and not _MARK.fullmatch(key):
            facts[key] = value
    return facts


def read_calls(timings: Timings) -> list[Call]:
    """The functions that were called; what they were given and returned is left out."""
    rows = timings.get("calls")
    found = []
    for row in rows if isinstance(rows, list | tuple) else ():
        begins_s, ends_s = row.get("began_s"), row.get("ended_s")
        if isinstance(begins_s, int | float) and isinstance(ends_s, int | float):
            step = Step("call", max(0.0, begins_s), max(0.0, begins_s, ends_s))
            found.append(Call(step, str(row.get("name", "")), str(row.get("finding") or "")))
    return found


def _read_marks(timings: Timings) -> dict[str, float]:
    marks = {}
    for key, value in timings.items():
        if (match := _MARK.fullmatch(key)) and isinstance(value, int | float):
            marks[match[1]] = max(0.0, float(value))
    return marks
