"""What becomes of a reply over which a sound is made, in audio time: no socket, no waiting.

The real detector, the real ears and the turn core; a transcript counts as taking 90 ms, so that a
busy machine changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.stt import Stt, as_transcript
from sayso.talk.ears import PRE_ROLL_S, Ears, Lull, Utterance
from sayso.talk.endpointing import Policy
from sayso.talk.events import Answer, Command, Event, Glimpse, Glimpsed, Heard, Hold, Hush, Resume
from sayso.talk.melody import spoken_s
from sayso.talk.state import Phase, Turn
from sayso.talk.turn import step
from sayso.vad import Vad
from sayso.vad.gate import Gate

TRANSCRIPT_S = 0.09
AFTER_S = 2.5
NOISE_LEVEL = 2e-4
BITE = EAR_RATE_HZ // 50

SPEAKING = Turn(Phase.SPEAKING, number=1, audible=True)
"""In the middle of a long reply."""

IDLE = Turn(Phase.IDLE, number=1)
"""After a reply that asked nothing."""

POLICY = Policy(speculates=False)


@dataclass(slots=True)
class Outcome:
    """What one sound did; times in seconds from its beginning.

    Attributes:
        held_s: how long sending stood still, all in all.
        hushed_s: when the reply was ended; None if it went on.
        answered: a reply was made to it.
        texts: what was written down for it.
    """

    held_s: float = 0.0
    hushed_s: float | None = None
    answered: bool = False
    texts: list[str] = field(default_factory=list)
    _held_at_s: float | None = None

    def obey(self, command: Command, at_s: float) -> None:
        """Note what was commanded."""
        match command:
            case Hold():
                self._held_at_s = at_s
            case Resume() | Hush():
                if self._held_at_s is not None:
                    self.held_s += at_s - self._held_at_s
                self._held_at_s = None
                if isinstance(command, Hush) and self.hushed_s is None:
                    self.hushed_s = at_s
            case Answer():
                self.answered = True


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The server's ears."""

    vad: Vad
    stt: Stt

    async def play(self, samples: Samples, turn: Turn = SPEAKING, after_s: float = 2.0) -> Outcome:
        """Make a sound of 16 kHz samples `after_s` seconds into the call, while it stands so."""
        outcome, pending = Outcome(), list[Heard | Glimpsed]()
        wanted: list[Glimpse] = []
        ears, detector = Ears(Gate(), 15.0), self.vad.stream()

        def happen(event: Event) -> None:
            nonlocal turn
            turn, commands = step(turn, event, POLICY)
            ears.deadline_s = turn.deadline_s
            for command in commands:
                outcome.obey(command, event.at_s - after_s)
                wanted.extend([command] if isinstance(command, Glimpse) else [])

        sound = _surround(samples, after_s)
        for begin in range(0, len(sound), BITE):
            bite = sound[begin : begin + BITE]
            for happening in ears.hear(bite, await detector.judge(bite)):
                if isinstance(happening, Lull):
                    continue  # only a shell that cannot wait asks for those
                if not isinstance(happening, Utterance):
                    happen(happening)
                    continue
                happen(happening.event)
                pending = [event for event in pending if isinstance(event, Heard)]
                text = as_transcript(await self.stt.transcribe(happening.samples, "english"))
                outcome.texts.append(text)
                at_s, lasted_s = happening.event.at_s + TRANSCRIPT_S, spoken_s(happening)
                pending.append(Heard(at_s, text, lasted_s, False, text.confidence, text.nod))
            while wanted:
                wanted.clear()
                pending.append(await self._glimpse(ears))
            while pending and pending[0].at_s <= ears.now_s:
                happen(replace(pending.pop(0), at_s=ears.now_s))
        return outcome

    async def _glimpse(self, ears: Ears) -> Glimpsed:
        sound = ears.so_far()
        text = as_transcript(await self.stt.transcribe(sound, "english"))
        lasts_s = len(sound) / EAR_RATE_HZ - PRE_ROLL_S
        return Glimpsed(ears.now_s + TRANSCRIPT_S, text, lasts_s, text.confidence, text.nod)


def _surround(samples: Samples, after_s: float) -> Samples:
    """The sound in a quiet room."""
    begin = int(after_s * EAR_RATE_HZ)
    room = np.random.default_rng(0).normal(
        0, NOISE_LEVEL, begin + len(samples) + int(AFTER_S * EAR_RATE_HZ)
    )
    room[begin : begin + len(samples)] += samples
    return room.astype(np.float32)
