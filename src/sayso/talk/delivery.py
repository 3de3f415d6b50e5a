"""A reply begins to sound, and is heard to its end: who speaks next. Pure."""

from __future__ import annotations

from dataclasses import replace

from sayso.talk.endpointing import Policy, forget_extra_s
from sayso.talk.events import Attend, End, EndedBy, Parting, ReplyPlayed, ReplyStarted
from sayso.talk.floor import STILL, Step, answer, give_to_caller, resume, set_free
from sayso.talk.pause import settle
from sayso.talk.state import Phase, Turn

ANSWERS_WITHIN_S = 1.5
"""A "yeah" that comes this shortly before a question ends is its answer."""


def begin(turn: Turn, _: ReplyStarted, policy: Policy) -> Step:
    """From the first sound on, what was answered is settled, and what comes is a new turn."""
    phase = Phase.SPEAKING if turn.phase is Phase.THINKING else turn.phase
    sounding = replace(turn, phase=phase, words="", notes="", audible=True)
    held = phase is Phase.DOUBTING and not policy.interruptible
    return resume(sounding) if held else (sounding, STILL)


def finish(turn: Turn, event: ReplyPlayed, policy: Policy) -> Step:
    """The reply was heard to its end, or had nothing to say: whoever waited for it is next."""
    if event.last and not (turn.talking or turn.transcribing or turn.over):
        parted = replace(
            turn,
            phase=Phase.ENDED,
            deadline_s=None,
            parting=Parting.AGENT_DONE,
            transfers=False,
        )
        return parted, (End(EndedBy.AGENT),)
    extra_s = forget_extra_s(turn.extra_s)
    turn = replace(turn, asked=event.asks, extra_s=extra_s, transfers=event.transfers)
    if turn.over:
        return _turn_to_kept(turn, event.at_s, policy)
    if not turn.audible:
        return set_free(replace(turn, words="", notes=""), event.at_s, policy)
    if not (event.asks and turn.murmur and event.at_s <= turn.murmured_s + ANSWERS_WITHIN_S):
        return set_free(turn, event.at_s, policy)
    answered = replace(turn, phase=Phase.IDLE, words=turn.murmur, audible=False)
    if turn.talking or turn.transcribing:
        return set_free(answered, event.at_s, policy)
    reply, commands = answer(answered)
    return reply, (Attend(), *commands)


def _turn_to_kept(turn: Turn, at_s: float, policy: Policy) -> Step:
    """The reply was heard to its end, and something was said over it."""
    floor = give_to_caller(replace(turn, words=turn.over, over=""), policy)
    turn, commands = settle(floor, at_s, policy)
    return turn, (Attend(), *commands)
