"""What is counted of a turn: taken out of its timings once, when it is stored. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measures:
    """What analytics need of a turn.

    Attributes:
        latency_ms: from the end of the caller's speech to the first sound of the answer; None for
            what is no answer, such as a greeting, and for what was never heard.
        interrupted: the caller cut it off.
        blame: who must act for its failure to go away; None where nothing failed.
    """

    latency_ms: float | None
    interrupted: bool
    blame: str | None


def measure(timings: Mapping[str, object]) -> Measures:
    """The measures of the turn with these `timings` (`TurnView.timings`)."""
    sound_s, blame = timings.get("first_sound_sent_s"), timings.get("blame")
    latency_ms = None
    if isinstance(sound_s, int | float) and "line" not in timings:
        # A reply may begin before its caller fell silent for good: nobody waited for it.
        latency_ms = round(max(0.0, sound_s * 1000), 1)
    return Measures(
        latency_ms=latency_ms,
        interrupted="interrupted_s" in timings,
        blame=str(blame) if "failure" in timings and blame is not None else None,
    )
