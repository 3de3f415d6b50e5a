"""The caller makes a sound over a reply: was it meant? The rules of DOUBTING, and before. Pure.

    a reply ──speech──► DOUBTING ──words, or speech that lasts──► the caller has the floor
        ▲────a cough, a "yeah"──┘

The reply is held meanwhile. Words end it as soon as they are known; speech that lasts is looked at
before it ends a reply by its length alone, for a laugh or a tune lasts as well.
"""

from __future__ import annotations

from dataclasses import replace

from sayso.talk.belief import is_murmur, is_sure
from sayso.talk.endpointing import Policy
from sayso.talk.events import (
    Attend,
    Glimpse,
    Glimpsed,
    Heard,
    Hold,
    Hush,
    Missed,
    SpeechStarted,
    SpeechStopped,
    Tick,
    Typed,
)
from sayso.talk.floor import STILL, Step, add_words, draft, is_due, join, listen, resume, wait
from sayso.talk.pause import learn
from sayso.talk.state import ECHOES, REPLYING, Phase, Turn
from sayso.talk.wording import is_impatient

GLIMPSE_S = 0.2
"""So long before speech takes the floor by its length, its words so far are asked for."""

GLIMPSE_EVERY_S = 0.4
"""While they are none, they are asked for again after so long."""

LASTS = 2.5
"""Sound without words takes the floor after so many times the length that words may take."""


def doubt(turn: Turn, event: SpeechStarted, policy: Policy) -> Step:
    """A sound over a reply holds it, unless it is kept or may be its own echo."""
    if is_kept(turn, policy) or _echoes(turn):
        return turn, STILL
    doubting, _ = doubt_again(turn, event, policy)
    return replace(doubting, phase=Phase.DOUBTING), (Hold(turn.number),)


def doubt_again(turn: Turn, event: SpeechStarted, policy: Policy) -> Step:
    """Speech that lasts takes the floor; what it says so far is asked for in time."""
    since_s = event.at_s if event.since_s is None else event.since_s
    ahead_s = GLIMPSE_S if _glimpses(turn, policy) else 0.0
    deadline_s = max(event.at_s, since_s + policy.interruption_s - ahead_s)
    return replace(turn, sounding_s=since_s, glimpsing=False, deadline_s=deadline_s), STILL


def await_words(turn: Turn, event: SpeechStopped, policy: Policy) -> Step:
    """The caller fell silent: their words are waited for."""
    return replace(turn, glimpsing=False, deadline_s=event.at_s + policy.transcript_s), STILL


def judge_words(turn: Turn, event: Heard, policy: Policy) -> Step:
    """What they said is known: words take the floor, anything else lets the reply go on."""
    if not turn.audible and turn.words and is_impatient(event.text, policy.language):
        event = replace(event, text="")  # made anew, the answer would only come later
    murmured = turn.audible and is_murmur(event, policy)
    if event.text and not murmured:
        return _yield_floor(add_words(turn, event.text), policy)
    if event.text:
        turn = replace(turn, murmur=event.text, murmured_s=event.at_s)
    if turn.talking or turn.transcribing:
        return turn, STILL
    return resume(turn)


def judge_miss(turn: Turn, _: Missed, __: Policy) -> Step:
    """What was said over a reply is lost; asking again would lose the reply as well."""
    understood = replace(turn, missed=False)
    return (understood, STILL) if turn.talking or turn.transcribing else resume(understood)


def judge_time(turn: Turn, event: Tick, policy: Policy) -> Step:
    """They speak for long, or their words do not come."""
    if not is_due(turn, event.at_s):
        return turn, STILL
    if not turn.talking:
        return resume(replace(turn, transcribing=0))
    lasts = event.at_s >= turn.sounding_s + policy.interruption_s * LASTS
    if lasts or turn.glimpsing or not _glimpses(turn, policy):
        return _yield_floor(turn, policy)
    glimpsing = replace(turn, glimpsing=True, deadline_s=event.at_s + GLIMPSE_S)
    return glimpsing, (Glimpse(turn.number),)


def judge_glimpse(turn: Turn, event: Glimpsed, policy: Policy) -> Step:
    """Words end the reply while the caller still speaks; a laugh or a tune goes on for a while."""
    if not (turn.glimpsing and turn.talking):
        return turn, STILL
    if event.text and is_sure(event) and not is_murmur(event, policy):
        return _yield_floor(turn, policy)
    ends_s = turn.sounding_s + policy.interruption_s * LASTS
    deadline_s = max(event.at_s, min(event.at_s + GLIMPSE_EVERY_S, ends_s))
    return replace(turn, glimpsing=False, deadline_s=deadline_s), STILL


def hear_late(turn: Turn, event: Heard, policy: Policy) -> Step:
    """A transcript that comes after its turn was answered takes the floor back."""
    if not event.text:
        return turn, STILL
    if is_kept(turn, policy):
        return keep_words(turn, event, policy)
    if _echoes(turn) and is_murmur(event, policy):
        return turn, STILL
    return _yield_floor(add_words(turn, event.text), policy)


def keep_words(turn: Turn, event: Heard | Typed, policy: Policy) -> Step:
    """What is said over a reply that is kept waits for its end."""
    if turn.audible and isinstance(event, Heard) and is_murmur(event, policy):
        return replace(turn, murmur=event.text, murmured_s=event.at_s), STILL
    return replace(turn, over=join(turn.over, event.text)), STILL


def is_kept(turn: Turn, policy: Policy) -> bool:
    """Whether the reply under way is heard to its end, whatever the caller says meanwhile."""
    unasked = turn.audible or not (turn.words or turn.notes)
    return unasked and turn.phase in REPLYING and not policy.interruptible


def _yield_floor(turn: Turn, policy: Policy) -> Step:
    """The caller meant it: drop the reply and listen, or draft the next if they are done."""
    yielded = (Hush(turn.number), Attend())
    doubted = turn.phase is Phase.DOUBTING
    taught = learn(turn, policy, cut_off=turn.audible) if doubted else turn
    if turn.talking:
        return listen(taught), yielded
    waiting, drafts = draft(wait(taught, policy), policy)
    return waiting, (*yielded, *drafts)


def _glimpses(turn: Turn, policy: Policy) -> bool:
    """Whether there is something to lose, and time to look at what is said."""
    return turn.audible and policy.interruption_s >= 2 * GLIMPSE_S


def _echoes(turn: Turn) -> bool:
    """Whether sound over the reply is likely to be the reply: only other words end it."""
    return turn.audible and turn.echoes >= ECHOES
