"""What a judge of endings listens to: the sound of a turn so far, pauses included. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.eot import LISTENS_BACK_S
from sayso.talk.ears import POST_ROLL_S, PRE_ROLL_S, Utterance
from sayso.talk.events import SpeechStopped

TRAIL_S = 0.1
"""Silence put after the last stretch, in seconds: with its own end it makes the 0.2 s that Smart
Turn has after the last word; 0.1 to 0.3 s were judged alike."""

MAX_GAP_S = 3.0
"""After a longer silence, what was said before has nothing to do with it."""

MAX_SAMPLES = int(LISTENS_BACK_S * EAR_RATE_HZ)

_Small = npt.NDArray[np.float16]
"""Half the memory; a judge does not hear the difference."""


class Melody:
    """The last seconds of one turn. `add` every stretch; `clear` when the turn was answered."""

    def __init__(self) -> None:
        self._kept: _Small = np.zeros(0, np.float16)
        self._ends_s = 0.0

    def add(self, utterance: Utterance) -> None:
        """The turn goes on with `utterance`."""
        ends_s = end_s(utterance)
        begins_s = ends_s - len(utterance.samples) / EAR_RATE_HZ
        gap_s = max(0.0, begins_s - self._ends_s)
        parts = [utterance.samples.astype(np.float16)]
        if gap_s <= MAX_GAP_S and len(self._kept):
            parts = [self._kept, np.zeros(round(gap_s * EAR_RATE_HZ), np.float16), *parts]
        self._kept = np.concatenate(parts)[-MAX_SAMPLES:]
        self._ends_s = ends_s

    def clear(self) -> None:
        """A new turn begins with the next stretch."""
        self._kept = np.zeros(0, np.float16)

    def sound(self) -> Samples:
        """At most 8 s of 16 kHz sound that end in a little silence."""
        return np.pad(self._kept.astype(np.float32), (0, int(TRAIL_S * EAR_RATE_HZ)))


def end_s(utterance: Utterance) -> float:
    """The audio time at which the sound of `utterance` ends."""
    event = utterance.event
    return event.since_s + POST_ROLL_S if isinstance(event, SpeechStopped) else event.at_s


def spoken_s(utterance: Utterance) -> float | None:
    """How long the speech in `utterance` is, in seconds; None where its beginning was cut off."""
    lasts_s = len(utterance.samples) / EAR_RATE_HZ
    if end_s(utterance) - lasts_s < 1 / EAR_RATE_HZ:
        return None  # since the very first moment: it has no pre-roll
    return max(0.0, lasts_s - PRE_ROLL_S - POST_ROLL_S)
