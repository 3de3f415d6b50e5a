"""When speech over a reply takes the floor: ears and core together, in audio time.

Sound comes in pieces, as from a line. The detector is ideal: loud is speech.
"""

from __future__ import annotations

import numpy as np
import pytest

from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.talk.ears import Ears, Lull, Utterance
from sayso.talk.endpointing import Policy
from sayso.talk.events import Command, Event, Glimpse, Glimpsed, Heard, Hush, Resume
from sayso.talk.interruption import GLIMPSE_S
from sayso.talk.state import Phase, Turn
from sayso.talk.turn import step
from sayso.vad import WINDOW_SAMPLES
from sayso.vad.gate import WINDOW_S, Gate

POLICY = Policy()
HANG_S = 7 * WINDOW_S
"""Silence after which the gate says that speech stopped."""
BEFORE_S = 1.0
STT_S = 0.04


def sound(*lengths_s: float) -> Samples:
    """Silence and speech in turn, beginning with silence."""
    parts = [
        np.full(round(length_s * EAR_RATE_HZ), 0.5 * (at % 2), np.float32)
        for at, length_s in enumerate(lengths_s)
    ]
    return np.concatenate(parts)


class Caller:
    """Speaks over a reply, piece by piece; what they said is known `STT_S` after they stopped.

    With `glimpsed`, what they have said so far is known `STT_S` after it is asked for; else never.
    """

    def __init__(self, said: str = "What time is it?", *, glimpsed: bool = False) -> None:
        self._ears = Ears(Gate(), 30.0)
        self._turn = Turn(phase=Phase.SPEAKING, number=1, audible=True)
        self._said = said
        self._glimpsed = glimpsed
        self._transcript_s: float | None = None
        self._glimpse_s: float | None = None
        self._unjudged = np.zeros(0, np.float32)
        self.obeyed: list[tuple[float, Command]] = []

    def speak(self, samples: Samples, piece_s: float) -> list[tuple[float, Command]]:
        """What was commanded, and how many seconds after the speech began."""
        size = round(piece_s * EAR_RATE_HZ)
        for begin in range(0, len(samples), size):
            self._hear(samples[begin : begin + size])
            if self._transcript_s is not None and self._ears.now_s >= self._transcript_s:
                self._transcript_s = None
                self._happen(Heard(self._ears.now_s, self._said, 1.0))
            if self._glimpse_s is not None and self._ears.now_s >= self._glimpse_s:
                self._glimpse_s = None
                self._happen(Glimpsed(self._ears.now_s, self._said, 1.0))
        return [(at_s, c) for at_s, c in self.obeyed if isinstance(c, Hush | Resume)]

    def _hear(self, piece: Samples) -> None:
        sound = np.concatenate([self._unjudged, piece])
        whole = len(sound) // WINDOW_SAMPLES * WINDOW_SAMPLES
        windows, self._unjudged = np.split(sound, [whole])
        probabilities = windows.reshape(-1, WINDOW_SAMPLES).max(1).tolist() if whole else []
        for happening in self._ears.hear(piece, probabilities):
            if isinstance(happening, Utterance):
                self._transcript_s = self._ears.now_s + STT_S
                self._happen(happening.event)
            elif not isinstance(happening, Lull):
                self._happen(happening)

    def _happen(self, event: Event) -> None:
        self._turn, commands = step(self._turn, event, POLICY)
        self._ears.deadline_s = self._turn.deadline_s
        if self._glimpsed and any(isinstance(command, Glimpse) for command in commands):
            self._glimpse_s = self._ears.now_s + STT_S
        self.obeyed += [(self._ears.now_s - BEFORE_S, command) for command in commands]


@pytest.mark.parametrize("piece_s", [0.02, 0.032, 0.096])
@pytest.mark.parametrize("lasts_s", [1.25, 1.4, 2.0, 5.0])
def test_speech_that_lasts_takes_it_within_two_pieces(piece_s: float, lasts_s: float) -> None:
    """Nobody could tell what was said so far: one piece until that is asked, one until the end."""
    ((at_s, command),) = Caller().speak(sound(BEFORE_S, lasts_s, 1.0), piece_s)
    assert command == Hush(1)
    assert POLICY.interruption_s - WINDOW_S <= at_s <= POLICY.interruption_s + 2 * piece_s


@pytest.mark.parametrize("piece_s", [0.02, 0.032, 0.096])
@pytest.mark.parametrize("lasts_s", [1.25, 2.0])
def test_words_take_it_while_they_are_spoken(piece_s: float, lasts_s: float) -> None:
    ((at_s, command),) = Caller(glimpsed=True).speak(sound(BEFORE_S, lasts_s, 1.0), piece_s)
    assert command == Hush(1)
    assert at_s <= POLICY.interruption_s - GLIMPSE_S + STT_S + 2 * piece_s


@pytest.mark.parametrize("lasts_s", [0.5, 0.8, 1.0, 1.1])
def test_speech_that_ends_sooner_takes_it_by_its_words(lasts_s: float) -> None:
    """Beyond 1.2 s, for it never lasted that long: its end had to be heard, and its words read."""
    ((at_s, command),) = Caller().speak(sound(BEFORE_S, lasts_s, 1.0), 0.02)
    assert command == Hush(1)
    assert lasts_s + HANG_S <= at_s <= lasts_s + HANG_S + 2 * WINDOW_S + STT_S + 0.02


def test_murmurs_that_end_sooner_do_not_take_it() -> None:
    """Why the deadline waits while speech may be ending: this was one "yeah, right" of 1.1 s."""
    ((at_s, command),) = Caller("Yeah, right.").speak(sound(BEFORE_S, 1.1, 1.0), 0.02)
    assert command == Resume(1)
    assert at_s > POLICY.interruption_s


def test_a_gap_inside_a_word_delays_it_until_the_word_goes_on() -> None:
    ((at_s, command),) = Caller().speak(sound(BEFORE_S, 1.1, 0.15, 1.0, 1.0), 0.02)
    assert command == Hush(1)
    assert 1.25 <= at_s <= 1.25 + 2 * WINDOW_S
