"""What a conversation is handed by whoever opens it: the engines all share, and its bounds."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass

from sayso.eot import Eot
from sayso.stt import Stt
from sayso.talk.endpointing import Policy
from sayso.tts import Tts
from sayso.vad import Vad


@dataclass(frozen=True, slots=True)
class Rooms:
    """The engines all conversations share."""

    vad: Vad
    stt: Stt
    tts: Tts
    eot: Eot
    codecs: Executor


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds one conversation; in seconds."""

    policy: Policy
    utterance_s: float
    conversation_s: float
    stt_timeout_s: float
    pacing_ahead_s: float
    warning_s: float = 0.0
    filler_after_s: float = 1.5
