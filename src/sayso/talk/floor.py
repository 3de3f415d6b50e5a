"""How the floor passes between caller and agent: moves that the rules share. Pure.

Each takes a state and gives the next one, with the commands that go with it if there can be any.
What leads to a move is for the rules: `pause.py`, `interruption.py`, `delivery.py`, `leaving.py`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from sayso.talk.endpointing import Policy, patience_s
from sayso.talk.events import (
    Answer,
    Attend,
    Command,
    Draft,
    FixedLine,
    Hush,
    Resume,
    Say,
    Transfer,
)
from sayso.talk.state import REPLYING, Phase, Turn
from sayso.talk.wording import is_open

Step: TypeAlias = tuple[Turn, tuple[Command, ...]]
"""What follows from an event: the next state, and the commands to carry out in order."""

STILL: tuple[Command, ...] = ()
"""Nothing is to be done."""


def join(words: str, more: str) -> str:
    """All that was said, in one text."""
    return f"{words} {more}".strip() if more else words


def add_words(turn: Turn, text: str) -> Turn:
    """The caller said something more in this turn."""
    return replace(turn, words=join(turn.words, text))


def is_due(turn: Turn, at_s: float) -> bool:
    """Whether the deadline has passed."""
    return turn.deadline_s is not None and at_s >= turn.deadline_s


def listen(turn: Turn) -> Turn:
    """The caller has the floor, and speaks."""
    return replace(turn, phase=Phase.LISTENING, deadline_s=None, audible=False)


def wait(turn: Turn, policy: Policy) -> Turn:
    """The caller has the floor, and paused: until when it may be a pause."""
    wait_s = patience_s(turn.words, turn.sounds_done, policy, turn.extra_s)
    deadline_s = turn.silent_since_s + wait_s
    return replace(turn, phase=Phase.WAITING, deadline_s=deadline_s, audible=False)


def give_to_caller(turn: Turn, policy: Policy) -> Turn:
    """The caller has the floor, whether they speak right now or not."""
    return listen(turn) if turn.talking else wait(turn, policy)


def set_free(turn: Turn, at_s: float, policy: Policy) -> Step:
    """The floor is free, unless somebody has more to say, or was not understood."""
    if turn.talking or turn.transcribing:
        return give_to_caller(turn, policy), (Attend(),)
    quiet = replace(turn, phase=Phase.IDLE, words="", deadline_s=None, audible=False)
    if turn.transfers and not turn.missed:
        return _transfer(quiet, at_s, policy)
    if turn.notes:
        return answer(quiet)
    return say(quiet, FixedLine.NOT_HEARD) if turn.missed else (quiet, STILL)


def _transfer(turn: Turn, at_s: float, policy: Policy) -> Step:
    """The caller is handed on: at the deadline they were."""
    deadline_s = at_s + policy.transfer_s
    leaving = replace(turn, phase=Phase.TRANSFERRING, transfers=False, deadline_s=deadline_s)
    return leaving, (Transfer(turn.number),)


def draft(turn: Turn, policy: Policy) -> Step:
    """Words that may be all of them are worth a reply in the making."""
    whole = turn.words and not turn.transcribing and not is_open(turn.words, policy.language)
    if not (policy.speculates and whole) or turn.transfers:
        return turn, STILL
    return replace(turn, drafted=True), (Draft(turn.number + 1, turn.words, turn.notes),)


def answer(turn: Turn) -> Step:
    """A new reply is made, to all that is not answered yet, in place of any other."""
    reply = replace(_reply(turn), words=join(turn.over, turn.words), over="")
    return reply, (*hush(turn), Answer(reply.number, reply.words, turn.notes))


def say(turn: Turn, line: FixedLine) -> Step:
    """A new reply is made, of words known beforehand, in place of any other."""
    reply = _reply(turn)
    return reply, (*hush(turn), Say(reply.number, line))


def _reply(turn: Turn) -> Turn:
    """The state of a new reply that has not sounded yet."""
    return replace(
        turn,
        phase=Phase.THINKING,
        number=turn.number + 1,
        deadline_s=None,
        drafted=False,
        missed=False,
        audible=False,
        asked=False,
        murmur="",
        transfers=False,
    )


def hush(turn: Turn) -> tuple[Command, ...]:
    """The end of the reply under way, if there is one."""
    return (Hush(turn.number),) if turn.phase in REPLYING else ()


def resume(turn: Turn) -> Step:
    """The reply that was held goes on."""
    phase = Phase.SPEAKING if turn.audible else Phase.THINKING
    return replace(turn, phase=phase, deadline_s=None), (Resume(turn.number),)
