"""Where a conversation stands between two events, and the bookkeeping that no phase decides. Pure.

What the phases mean and what follows from an event is in `turn.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf

from sayso.talk.events import (
    Event,
    Heard,
    Judged,
    Missed,
    Parting,
    ReplyPlayed,
    ReplyStarted,
    SpeechCut,
    SpeechStarted,
    SpeechStopped,
)
from sayso.talk.ladder import STIRRED, Quiet


class Phase(StrEnum):
    """Where a conversation stands; the list at the top of `turn.py` says what each means."""

    IDLE = "idle"
    LISTENING = "listening"
    WAITING = "waiting"
    THINKING = "thinking"
    SPEAKING = "speaking"
    DOUBTING = "doubting"
    CLOSING = "closing"
    TRANSFERRING = "transferring"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Turn:
    """The state of a conversation between two events.

    Attributes:
        phase: where it stands.
        number: of the reply under way or last given; 0 before the first.
        words: what the caller has said this turn, until a reply to it sounds.
        notes: what the program around the caller has told, until a reply to it sounds.
        deadline_s: audio time at which the shell must send a `Tick`.
        silent_since_s: audio time at which the caller last fell silent.
        talking: the caller makes speech-like sound right now.
        transcribing: stretches of speech whose transcript is still to come.
        sounding_s: audio time since which the caller makes a sound over the reply.
        glimpsing: what they have said so far has been asked for.
        drafted: a reply to `words` is being made already, silently.
        missed: something said this turn could not be transcribed.
        audible: the reply under way has begun to sound.
        asked: the reply heard last ended in a question.
        sounds_done: how likely the pause is an ending by its sound; None while nobody has said.
        gap_s: how long the caller had been silent when they last began to speak.
        extra_s: patience this caller has taught us to add.
        murmur: what the caller said over the reply without wanting the floor ("yeah").
        murmured_s: audio time at which the reply went on after it.
        over: what the caller said over a reply that nobody can cut off; answered after it.
        echoes: how often the agent heard itself; from `ECHOES` on, sound alone holds no reply.
        transfers: the caller was told that they are handed on, and will be once nobody speaks.
        quiet: how long nobody has said anything.
        parting: why the last words are being spoken, or were.
    """

    phase: Phase = Phase.IDLE
    number: int = 0
    words: str = ""
    notes: str = ""
    deadline_s: float | None = None
    silent_since_s: float = 0.0
    talking: bool = False
    transcribing: int = 0
    sounding_s: float = 0.0
    glimpsing: bool = False
    drafted: bool = False
    missed: bool = False
    audible: bool = False
    asked: bool = False
    sounds_done: float | None = None
    gap_s: float = inf
    extra_s: float = 0.0
    murmur: str = ""
    murmured_s: float = 0.0
    over: str = ""
    echoes: int = 0
    transfers: bool = False
    quiet: Quiet = STIRRED
    parting: Parting | None = None


ECHOES = 2
"""A caller may say the agent's words once; whose line does it twice has an echo."""

REPLYING = frozenset({Phase.THINKING, Phase.SPEAKING, Phase.DOUBTING, Phase.CLOSING})
"""Phases in which a reply is under way."""


def is_stale(turn: Turn, event: Event) -> bool:
    """The one place where stale events are dropped: of another reply, or of another pause."""
    match event:
        case ReplyStarted(number=number) | ReplyPlayed(number=number):
            return number != turn.number or turn.phase not in REPLYING
        case Judged(since_s=since_s):
            return turn.talking or since_s != turn.silent_since_s
        case _:
            return False


def count(turn: Turn, event: Event) -> Turn:
    """Keep the books that are the same in every phase."""
    match event:
        case SpeechStarted(at_s=at_s):
            return replace(turn, talking=True, sounds_done=None, gap_s=_gap_s(turn, at_s))
        case SpeechCut():
            return replace(turn, transcribing=turn.transcribing + 1)
        case SpeechStopped(since_s=since_s):
            return replace(
                turn,
                talking=False,
                silent_since_s=since_s,
                sounds_done=None,
                transcribing=turn.transcribing + 1,
            )
        case Heard() | Missed():
            missed = turn.missed or isinstance(event, Missed)
            echoes = turn.echoes + (isinstance(event, Heard) and event.echoed)
            fewer = max(0, turn.transcribing - 1)
            return replace(turn, transcribing=fewer, missed=missed, echoes=echoes)
        case Judged(sounds_done=sounds_done):
            return replace(turn, sounds_done=sounds_done)
        case _:
            return turn


def _gap_s(turn: Turn, at_s: float) -> float:
    """How long the caller was silent: over a held reply, before their first sound."""
    if turn.phase is Phase.DOUBTING:
        return turn.gap_s
    return at_s - turn.silent_since_s if turn.silent_since_s else inf
