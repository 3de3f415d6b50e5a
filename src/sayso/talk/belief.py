"""How far transcripts are believed: what was a noise, and what a sign of listening. Pure.

Ears write something down for every sound. What wants words to be words, and words to be meant, is
decided here, before a rule sees them (`believe`) or when one asks (`is_murmur`, `is_sure`).
"""

from __future__ import annotations

from dataclasses import replace

from sayso.talk.endpointing import Policy
from sayso.talk.events import Event, Glimpsed, Heard
from sayso.talk.state import REPLYING, Turn
from sayso.talk.wording import is_backchannel, is_grunt, is_noise, is_unsure, wants_floor

NODS, NODS_IF_SURE, NODS_IF_NO = 0.04, 1 / 3, 0.5
"""A transcript was a sign of listening if that is at least so likely, against what was written; the
second where the ears are `FAIRLY_SURE` of it, the third where it is "no" or "stop"."""

FAIRLY_SURE = 0.45

SURE = 0.5
"""Words of which the ears are so sure end a reply while they are still being said."""


def believe(turn: Turn, event: Event, policy: Policy) -> Event:
    """A noise that was written down as a word holds no words, unless it may continue some."""
    if not isinstance(event, Heard | Glimpsed):
        return event
    over = turn.audible and is_unsure(event.text, event.confidence, policy.language)
    if not (over or _is_noise(turn, event, policy)):
        return event
    return replace(event, text="")


def _is_noise(turn: Turn, event: Heard | Glimpsed, policy: Policy) -> bool:
    """Whether it was too short, or too much for its length, to be words."""
    goes_on = turn.words and turn.phase not in REPLYING
    if event.spoken_s is None or goes_on:
        return False
    return _is_nothing(turn, event.text, event.spoken_s, policy.language)


def _is_nothing(turn: Turn, text: str, spoken_s: float, language: str) -> bool:
    """Whether this was a noise; a grunt is one where it answers nothing."""
    answers = turn.asked or turn.audible
    if is_noise(text, spoken_s, language):
        return True
    return not answers and is_grunt(text, spoken_s, language)


def is_murmur(event: Heard | Glimpsed, policy: Policy) -> bool:
    """Whether the caller only says that they listen, or is likely to."""
    if is_backchannel(event.text, event.spoken_s, policy.language):
        return True
    return event.nod is not None and event.nod >= _least_nod(event, policy)


def _least_nod(event: Heard | Glimpsed, policy: Policy) -> float:
    if wants_floor(event.text, policy.language):
        return NODS_IF_NO
    return NODS_IF_SURE if (event.confidence or 0.0) >= FAIRLY_SURE else NODS


def is_sure(event: Glimpsed) -> bool:
    """Whether what was glimpsed are words that are being said; an engine may not tell."""
    return event.confidence is None or event.confidence >= SURE
