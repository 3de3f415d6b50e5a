"""The caller speaks and pauses: the rules of LISTENING and WAITING. Pure.

    LISTENING ──stops──► WAITING ──the deadline passes, every transcript is in──► an answer
        ▲───────speaks again────┘

How long the deadline is say the words, the sound and the caller's habits (`endpointing.py`). The
reply is drafted as soon as the words may be all of them.
"""

from __future__ import annotations

from dataclasses import replace

from sayso.talk.endpointing import Policy, learn_extra_s
from sayso.talk.events import (
    Attend,
    Command,
    Drop,
    Heard,
    Judged,
    Missed,
    SpeechStarted,
    SpeechStopped,
    Tick,
)
from sayso.talk.floor import STILL, Step, add_words, answer, draft, is_due, listen, set_free, wait
from sayso.talk.state import Turn
from sayso.talk.wording import is_backchannel


def begin_listening(turn: Turn, _: SpeechStarted, __: Policy) -> Step:
    """The caller takes the floor."""
    return listen(turn), (Attend(),)


def go_on_listening(turn: Turn, _: SpeechStarted, policy: Policy) -> Step:
    """The caller had only paused: a draft is in vain, and their habit is learnt."""
    dropped: tuple[Command, ...] = (Drop(turn.number + 1),) if turn.drafted else ()
    taught = learn(turn, policy, cut_off=False) if turn.words else turn
    return replace(listen(taught), drafted=False), dropped


def begin_waiting(turn: Turn, _: SpeechStopped, policy: Policy) -> Step:
    """The caller paused."""
    return wait(turn, policy), STILL


def note_words(turn: Turn, event: Heard, _: Policy) -> Step:
    """A part of a long turn became words."""
    return add_words(turn, event.text), STILL


def weigh_words(turn: Turn, event: Heard, policy: Policy) -> Step:
    """Words came: how closed they are moves the deadline, and they may be worth a draft."""
    waiting = wait(add_words(turn, event.text), policy)
    if is_due(waiting, event.at_s):
        return settle(waiting, event.at_s, policy)
    if turn.drafted and not event.text:
        return waiting, STILL
    return draft(waiting, policy)


def weigh_sound(turn: Turn, event: Judged, policy: Policy) -> Step:
    """The sound makes the pause shorter or longer; a transcript may still be on its way."""
    return settle(wait(turn, policy), event.at_s, policy)


def weigh_miss(turn: Turn, event: Missed, policy: Policy) -> Step:
    """What was said last could not be understood: what else was said is answered."""
    return settle(wait(turn, policy), event.at_s, policy)


def end(turn: Turn, event: Tick, policy: Policy) -> Step:
    """The deadline has passed; transcripts are not waited for for ever."""
    if event.at_s >= turn.silent_since_s + policy.transcript_s:
        turn = replace(turn, transcribing=0)
    return settle(turn, event.at_s, policy)


def settle(turn: Turn, at_s: float, policy: Policy) -> Step:
    """In WAITING: answer once the deadline has passed and every transcript is in."""
    if not is_due(turn, at_s):
        return turn, STILL
    if turn.transcribing:
        return replace(turn, deadline_s=turn.silent_since_s + policy.transcript_s), STILL
    if turn.words and not _agrees(turn, policy):
        return answer(turn)
    return set_free(turn, at_s, policy)


def _agrees(turn: Turn, policy: Policy) -> bool:
    """Whether the caller only says "okay" to being handed on."""
    return turn.transfers and is_backchannel(turn.words, None, policy.language)


def learn(turn: Turn, policy: Policy, *, cut_off: bool) -> Turn:
    """The caller paused in the middle of a turn, and we know how long."""
    extra_s = learn_extra_s(turn.extra_s, turn.gap_s, policy, cut_off=cut_off)
    return replace(turn, extra_s=extra_s)
