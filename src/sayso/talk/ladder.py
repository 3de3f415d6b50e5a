"""What is done when nobody speaks: nudges, then a goodbye. Pure.

    the floor is free ──idle_s──► nudge ──idle_s──► nudge ──idle_s──► goodbye
                     └────────────silence_s, whatever came between────────────►

The turn core (`turn.py`) keeps a `Quiet`, asks `rest` for its deadline whenever the floor becomes
free, and `climb` what to do when it has passed. A noise without words begins the wait for the next
rung anew, but makes nobody forget the ones before; words do (`stir`). A warning that the time is
nearly up waits here until nobody speaks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf
from typing import Final


class Rung(StrEnum):
    """What follows when nobody has spoken for long enough."""

    NUDGE = "nudge"
    WARNING = "warning"
    GOODBYE = "goodbye"


@dataclass(frozen=True, slots=True)
class Ladder:
    """How a conversation bears silence; in seconds, `inf` for never.

    Attributes:
        idle_s: silence before each nudge, and between the last one and the goodbye.
        nudges: how many there are before the goodbye.
        silence_s: silence that ends the conversation, nudges or not.
    """

    idle_s: float = inf
    nudges: int = 0
    silence_s: float = inf


NO_LADDER: Final = Ladder()
"""Silence has no end."""


ANSWER_S: Final = 4.0
"""A nudge takes a second or two to say, and somebody who is there a moment to answer it."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """How long nobody has said anything, as the turn core remembers it.

    Attributes:
        since_s: audio time at which the caller's silence began; None before it did.
        rests_s: audio time at which the floor last became free.
        nudged: nudges since the caller last said something.
        warns: the caller is still to be told that the time is nearly up.
    """

    since_s: float | None = None
    rests_s: float = 0.0
    nudged: int = 0
    warns: bool = False


STIRRED: Final = Quiet()
"""Somebody has just said something."""


def stir(quiet: Quiet) -> Quiet:
    """The caller, or the program around them, said something: the ladder begins at its foot."""
    return Quiet(warns=quiet.warns)


def rest(quiet: Quiet, at_s: float, ladder: Ladder) -> tuple[Quiet, float | None]:
    """The floor is free at `at_s`: the silence since, and when something is to be said, if ever."""
    since_s = at_s if quiet.since_s is None else quiet.since_s
    resting = replace(quiet, since_s=since_s, rests_s=at_s)
    due_s = at_s if quiet.warns else _next_s(resting, ladder)
    return (quiet, None) if due_s == inf else (resting, due_s)


def climb(quiet: Quiet, at_s: float, ladder: Ladder) -> tuple[Quiet, Rung | None]:
    """What to do at `at_s`, while the floor is free; None while it is too early."""
    if quiet.warns:
        return replace(quiet, warns=False), Rung.WARNING
    if at_s < _next_s(quiet, ladder):
        return quiet, None
    if quiet.nudged >= ladder.nudges or at_s >= _since_s(quiet) + ladder.silence_s:
        return quiet, Rung.GOODBYE
    return replace(quiet, nudged=quiet.nudged + 1), Rung.NUDGE


def _next_s(quiet: Quiet, ladder: Ladder) -> float:
    """When something is said next; not a nudge that leaves no time to answer it."""
    rung_s, end_s = quiet.rests_s + ladder.idle_s, _since_s(quiet) + ladder.silence_s
    hasty = quiet.nudged < ladder.nudges and rung_s + ANSWER_S > end_s
    return end_s if hasty else min(rung_s, end_s)


def _since_s(quiet: Quiet) -> float:
    return quiet.rests_s if quiet.since_s is None else quiet.since_s
