"""The caller's sound becomes stretches of speech, in audio time.

    samples, probabilities ─► gate ─► SpeechStarted · SpeechCut · SpeechStopped, with the sound

The detector (`vad/`) judges the samples first: it takes a moment, and here nothing does.

Audio time is the count of samples received. A client that sends nothing while its caller is
silent would stop that clock, so the shell fills such gaps (`silence.py`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.talk.events import SpeechCut, SpeechStarted, SpeechStopped, Tick
from sayso.vad import WINDOW_SAMPLES
from sayso.vad.edge import BLOCK_SAMPLES, find_end, find_start
from sayso.vad.gate import Gate
from sayso.vad.gate import SpeechStarted as GateOpened

PRE_ROLL_S = 0.3
"""Sound kept from before speech was noticed, in seconds: first syllables are quiet."""

EDGE_S = 1.0
"""Sound from before an ending that its loudness is compared with, in seconds."""

POST_ROLL_S = 0.1
"""Sound kept from after the last loud window, in seconds: last consonants are quiet."""


BREATH_S = 0.05
"""While nothing is about to happen, sound may be listened to so much later, in seconds: less than
the gate needs of it before it changes."""

LULL_WINDOWS = 4
"""So much silence (128 ms) is likely to be an end: more often than not, it is."""

BREATH_WINDOWS = 2
"""Most windows that can become full in a breath."""


class Tape:
    """The last seconds of a caller's sound, by sample position."""

    def __init__(self) -> None:
        self._pieces: deque[Samples] = deque()
        self._begins = 0
        self._ends = 0

    @property
    def ends(self) -> int:
        """Samples recorded so far, forgotten ones included."""
        return self._ends

    @property
    def held(self) -> int:
        """Samples not yet forgotten."""
        return self._ends - self._begins

    def record(self, samples: Samples) -> None:
        """Add sound at the end."""
        self._pieces.append(samples)
        self._ends += len(samples)

    def forget(self, before: int) -> None:
        """Let go of whole pieces that end before sample `before`."""
        while self._pieces and self._begins + len(self._pieces[0]) <= before:
            self._begins += len(self._pieces.popleft())

    def cut(self, begin: int, end: int) -> Samples:
        """The sound from sample `begin` to sample `end`, as far as it is still here."""
        if not self._pieces:
            return np.zeros(0, np.float32)
        whole = np.concatenate(self._pieces)
        return whole[max(0, begin - self._begins) : max(0, end - self._begins)].copy()


@dataclass(frozen=True, slots=True)
class Utterance:
    """A stretch of speech that ended or was cut, with its sound at 16 kHz."""

    event: SpeechStopped | SpeechCut
    samples: Samples


@dataclass(frozen=True, slots=True)
class Lull:
    """Speech may have ended: the sound of an utterance, if it has."""

    samples: Samples


class Ears:
    """Listens to one caller. Feed `hear`; it yields what happened, in order.

    Args:
        gate: tells speech from silence.
        max_utterance_s: longer speech is cut, in seconds.
        lulls: somebody wants to know when speech may have ended.
    """

    def __init__(self, gate: Gate, max_utterance_s: float, *, lulls: bool = False) -> None:
        self._gate = gate
        self._lulls = lulls
        self._tape = Tape()
        self._judged = 0  # samples in judged windows
        self._max_utterance = int(max_utterance_s * EAR_RATE_HZ)
        self._speech_from: int | None = None
        self.deadline_s: float | None = None

    @property
    def now_s(self) -> float:
        """Audio time: seconds of sound listened to."""
        return self._tape.ends / EAR_RATE_HZ

    @property
    def kept_s(self) -> float:
        """Seconds of sound held in memory."""
        return self._tape.held / EAR_RATE_HZ

    def so_far(self) -> Samples:
        """The sound of the speech that goes on, pre-roll included; none where nobody speaks."""
        return np.zeros(0, np.float32) if self._speech_from is None else self._take(self._judged)

    def is_tense(self, more: int = 0) -> bool:
        """Whether somebody waits for what follows from `more` samples and the breath after them."""
        reaches_s = (self._tape.ends + more) / EAR_RATE_HZ + 2 * BREATH_S
        due = self.deadline_s is not None and reaches_s >= self.deadline_s
        windows = max(BREATH_WINDOWS, more // WINDOW_SAMPLES + 1)
        return due or self._gate.may_change_within(windows) or self._may_lull_within(windows)

    def _may_lull_within(self, windows: int) -> bool:
        quiet = self._gate.quiet_windows
        return self._lulls and 0 < quiet < LULL_WINDOWS <= quiet + windows

    def hear(
        self, samples: Samples, probabilities: Sequence[float]
    ) -> Iterator[SpeechStarted | Lull | Utterance | Tick]:
        """Yield speech that starts, stops, may have stopped or is cut, and a due deadline.

        Takes 16 kHz samples, and the detector's probability for each window they completed.
        `deadline_s` is read afresh each time, because what is yielded may change it. It need not
        wait for a window to fill: that would add up to 32 ms to every pause. It does wait while
        speech may be about to start (for at most 64 ms after a short noise) or to stop: or a caller
        who goes on just then would be cut off, and one who just said "yeah" would interrupt.
        """
        self._tape.record(samples)
        for probability in probabilities:
            self._judged += WINDOW_SAMPLES
            at_s = self._judged / EAR_RATE_HZ
            yield from self._weigh(probability, at_s)
            yield from self._ring(at_s)
        if self._judged < self._tape.ends:
            yield from self._ring(self.now_s)
        needed_from = self._judged if self._speech_from is None else self._speech_from
        self._tape.forget(needed_from - int(2 * PRE_ROLL_S * EAR_RATE_HZ))

    def _ring(self, at_s: float) -> Iterator[Tick]:
        due = self.deadline_s is not None and at_s >= self.deadline_s
        if due and not self._gate.turning:
            yield Tick(at_s)

    def _weigh(self, probability: float, at_s: float) -> Iterator[SpeechStarted | Lull | Utterance]:
        change = self._gate.step(probability)
        if isinstance(change, GateOpened):
            self._speech_from = max(0, int((change.at_s - PRE_ROLL_S) * EAR_RATE_HZ))
            yield SpeechStarted(at_s, since_s=self._start_s(change.at_s))
        elif change is not None:
            stopped = SpeechStopped(at_s, since_s=self._end_s(change.at_s))
            yield Utterance(stopped, self._take_to(change.at_s))
            self._speech_from = None
        elif self._is_too_long():
            yield Utterance(SpeechCut(at_s), self._take(self._judged))
            self._speech_from = self._judged
        elif self._lulls and self._gate.quiet_windows == LULL_WINDOWS:
            yield Lull(self._take_to(at_s - LULL_WINDOWS * WINDOW_SAMPLES / EAR_RATE_HZ))

    def _take_to(self, silent_since_s: float) -> Samples:
        return self._take(int((silent_since_s + POST_ROLL_S) * EAR_RATE_HZ))

    def _start_s(self, named_s: float) -> float:
        """When speech began, in audio time; the detector names a moment near it."""
        return self._date(named_s, 2 * PRE_ROLL_S, find_start)

    def _end_s(self, named_s: float) -> float:
        """When speech ended, in audio time; the detector names a moment near it."""
        return self._date(named_s, EDGE_S, find_end)

    def _date(self, named_s: float, look_s: float, find: Callable[[Samples, int], int]) -> float:
        """What `find` finds in the sound from `look_s` before the named moment."""
        named = round(named_s * EAR_RATE_HZ)
        begin = max(0, named - int(look_s * EAR_RATE_HZ)) // BLOCK_SAMPLES * BLOCK_SAMPLES
        sound = self._tape.cut(begin, self._judged)
        begin = self._judged - len(sound)  # later, if the tape has forgotten that much
        return (begin + find(sound, named - begin)) / EAR_RATE_HZ

    def _is_too_long(self) -> bool:
        return (
            self._speech_from is not None
            and self._judged - self._speech_from >= self._max_utterance
        )

    def _take(self, end: int) -> Samples:
        return self._tape.cut(self._speech_from or 0, end)
