"""How a conversation ends: last words, a hang-up, the caller handed on. Pure.

The rules of CLOSING and TRANSFERRING, and what leads from any phase to ENDED.
"""

from __future__ import annotations

from dataclasses import replace

from sayso.talk.endpointing import Policy
from sayso.talk.events import (
    Attend,
    Author,
    End,
    EndedBy,
    FixedLine,
    Parting,
    ReplyPlayed,
    Say,
    Tick,
    TimeUp,
    TransferFailed,
    Typed,
)
from sayso.talk.floor import STILL, Step, add_words, answer, give_to_caller, hush, is_due, join
from sayso.talk.state import Phase, Turn


def hang_up(turn: Turn, by: EndedBy) -> Step:
    """Whoever hangs up while the caller is handed on is done with it."""
    handed_on = turn.phase is Phase.TRANSFERRING and by is EndedBy.USER
    return _hand_on(turn) if handed_on else _end(turn, by)


def _end(turn: Turn, by: EndedBy) -> Step:
    """The conversation is over at once."""
    words = join(turn.words, turn.over)
    ended = replace(turn, phase=Phase.ENDED, words=words, over="", deadline_s=None, transfers=False)
    return ended, (*hush(turn), End(by))


def say_farewell(turn: Turn, event: TimeUp, policy: Policy) -> Step:
    """The time is up."""
    return part(turn, event.at_s, policy, FixedLine.FAREWELL, Parting.TIME_UP)


def part(turn: Turn, at_s: float, policy: Policy, line: FixedLine, parting: Parting) -> Step:
    """Say the last words, and listen to nobody any more."""
    number = turn.number + 1
    deadline_s = at_s + policy.farewell_s
    closing = Turn(phase=Phase.CLOSING, number=number, deadline_s=deadline_s, parting=parting)
    return closing, (*hush(turn), Say(number, line))


def leave(turn: Turn, _: ReplyPlayed, __: Policy) -> Step:
    """The last words were heard."""
    ended = replace(turn, phase=Phase.ENDED, deadline_s=None, transfers=False)
    return ended, (End(EndedBy.SYSTEM),)


def leave_late(turn: Turn, event: Tick, _: Policy) -> Step:
    """The last words take too long."""
    return _end(turn, EndedBy.SYSTEM) if is_due(turn, event.at_s) else (turn, STILL)


def _hand_on(turn: Turn) -> Step:
    """Nobody said that it failed: the caller speaks with somebody else now."""
    return _end(replace(turn, parting=Parting.TRANSFERRED), EndedBy.AGENT)


def hand_on_at_last(turn: Turn, event: Tick, _: Policy) -> Step:
    """The client had time to say that it failed."""
    return _hand_on(turn) if is_due(turn, event.at_s) else (turn, STILL)


def hand_on_in_time(turn: Turn, _: TimeUp, __: Policy) -> Step:
    """The time is up while the caller is handed on: they are spared a farewell."""
    return _hand_on(turn)


def keep_text(turn: Turn, event: Typed, _: Policy) -> Step:
    """What is typed or told meanwhile counts if the transfer fails."""
    if event.author is Author.CALLER:
        return add_words(turn, event.text), STILL
    return replace(turn, notes=join(turn.notes, event.text)), STILL


def take_back(turn: Turn, event: TransferFailed, policy: Policy) -> Step:
    """The caller is still here, and the LLM is told why."""
    told = replace(turn, notes=join(event.told, turn.notes))
    if told.talking or told.transcribing:
        return give_to_caller(told, policy), (Attend(),)
    return answer(told)
