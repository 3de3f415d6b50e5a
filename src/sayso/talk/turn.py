"""Whose turn it is: the core of a conversation, as a state machine without I/O.

    state, event ──► step ──► state, commands

The shell (`session.py`) feeds one event, obeys the commands, and sends a `Tick` once audio time
passes `deadline_s`. Nothing here reads a clock, waits, or fails.

What each phase does with each event is the table at the end. Its rules are functions from state and
event to a `Step`, in one file for each concern:

    pause.py         the caller speaks and pauses: when it was an ending, what is drafted meanwhile
    interruption.py  the caller makes a sound over a reply: whether it was meant
    delivery.py      a reply begins to sound, and is heard to its end
    leaving.py       last words, a hang-up, the caller handed on
    turn.py          the opening, text, and nobody speaking (by `ladder.py`)

They share the moves of `floor.py`; `belief.py` says how far a transcript is believed, `state.py`
keeps the books that no phase decides.

    IDLE       nobody speaks
    LISTENING  the caller speaks
    WAITING    the caller paused; at the deadline the pause was an ending
    THINKING   a reply is being made and has not sounded yet
    SPEAKING   the reply sounds
    DOUBTING   the caller made a sound over a reply: it is held until we know whether they meant it
    CLOSING    the last words are being spoken
    TRANSFERRING  the caller is being handed on; at the deadline they were
    ENDED      the conversation is over

What holds in every conversation (tests/talk/test_turn.py proves it over random ones):

- reply numbers strictly increase, and no answer is empty;
- a draft is never heard: only an answer to the same words makes it a reply;
- words over a reply never answer it before it was hushed or heard to its end;
- nothing is held, resumed or hushed that is not the reply under way, nor hushed twice;
- a deadline exists exactly in WAITING, DOUBTING, CLOSING and TRANSFERRING, and in IDLE if silence
  has one;
- nobody is handed on while a reply or the caller sounds, nor after they said something over the
  announcement;
- what is glimpsed of speech ends a reply or lets it be, and adds no words;
- where the agent heard itself twice, sound alone holds no reply that sounds;
- where nobody may interrupt, only `TimeUp` and `HungUp` hush a reply that sounds;
- from every phase, `HungUp` ends the conversation in one step;
- a judgement of another pause changes nothing, and no judgement shortens a pause below
  `Policy.least_s`, or lengthens it beyond the longest patience plus `Policy.most_extra_s`;
- the same events give the same commands.

What the caller says while a reply is still THINKING belongs to the same turn: that reply is
hushed unheard and the next one answers all the words. What they say over a SPEAKING reply is a
new turn. Where the policy lets nobody interrupt, that turn waits: it is answered once the reply was
heard, and a reply to nobody's words, such as the greeting, is kept even while it is THINKING.

While TRANSFERRING, what the caller says is for somebody else: it is neither answered nor recorded.
What is typed or told meanwhile is kept for the case that the transfer fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from sayso.talk import delivery, interruption, leaving, pause
from sayso.talk.belief import believe
from sayso.talk.endpointing import Policy
from sayso.talk.events import (
    Author,
    Event,
    FixedLine,
    Glimpsed,
    Heard,
    HungUp,
    Judged,
    Missed,
    Opened,
    Parting,
    ReplyPlayed,
    ReplyStarted,
    SpeechStarted,
    SpeechStopped,
    Tick,
    TimeNear,
    TimeUp,
    TransferFailed,
    Typed,
)
from sayso.talk.floor import STILL, Step, add_words, answer, join, say
from sayso.talk.ladder import Rung, climb, rest, stir
from sayso.talk.state import Phase, Turn, count, is_stale


def step(turn: Turn, event: Event, policy: Policy) -> Step:
    """What follows from `event`: the next state, and the commands to carry out in order."""
    if turn.phase is Phase.ENDED:
        return turn, STILL
    if isinstance(event, HungUp):
        return leaving.hang_up(turn, event.by)
    if is_stale(turn, event):
        return turn, STILL
    turn, event = count(turn, event), believe(turn, event, policy)
    rule = _RULES[turn.phase].get(type(event))
    turn, commands = rule(turn, event, policy) if rule else (turn, STILL)
    return _mind_silence(turn, event, policy), commands


def _mind_silence(turn: Turn, event: Event, policy: Policy) -> Turn:
    """Whoever speaks ends the silence; where nobody does, it has a deadline."""
    if isinstance(event, Typed | TransferFailed) or (isinstance(event, Heard) and event.text):
        turn = replace(turn, quiet=stir(turn.quiet))
    if turn.phase is not Phase.IDLE or turn.deadline_s is not None:
        return turn
    quiet, deadline_s = rest(turn.quiet, event.at_s, policy.ladder)
    return replace(turn, quiet=quiet, deadline_s=deadline_s)


def _open(turn: Turn, event: Opened, _: Policy) -> Step:
    return say(turn, FixedLine.GREETING) if event.greeting else (turn, STILL)


def _take_text(turn: Turn, event: Typed, policy: Policy) -> Step:
    """The caller's text takes the floor at once; the program's waits for it.

    While a reply has not sounded yet, either makes it anew.
    """
    if event.author is Author.CALLER and interruption.is_kept(turn, policy):
        return interruption.keep_words(turn, event, policy)
    if event.author is Author.CALLER:
        return answer(add_words(turn, event.text))
    noted = replace(turn, notes=join(turn.notes, event.text))
    unheard = turn.phase in {Phase.THINKING, Phase.DOUBTING} and not turn.audible
    return answer(noted) if turn.phase is Phase.IDLE or unheard else (noted, STILL)


def _climb(turn: Turn, event: Tick, policy: Policy) -> Step:
    """Nobody speaks, and it is time to say something."""
    quiet, rung = climb(turn.quiet, event.at_s, policy.ladder)
    turn = replace(turn, quiet=quiet)
    if rung is Rung.GOODBYE:
        return leaving.part(turn, event.at_s, policy, FixedLine.GIVING_UP, Parting.SILENCE)
    if rung is None:
        return turn, STILL
    return say(turn, FixedLine.NUDGE if rung is Rung.NUDGE else FixedLine.WARNING)


def _note_time(turn: Turn, _: TimeNear, __: Policy) -> Step:
    """The caller is warned as soon as nobody speaks."""
    idle = turn.phase is Phase.IDLE
    warned = replace(turn.quiet, warns=True)
    return replace(turn, quiet=warned, deadline_s=None if idle else turn.deadline_s), STILL


_Rule: TypeAlias = Callable[[Turn, Any, Policy], Step]

_RULES: Mapping[Phase, Mapping[type, _Rule]] = {
    Phase.IDLE: {
        Opened: _open,
        SpeechStarted: pause.begin_listening,
        Heard: pause.weigh_words,
        Typed: _take_text,
        Tick: _climb,
        TimeNear: _note_time,
        TimeUp: leaving.say_farewell,
    },
    Phase.LISTENING: {
        SpeechStopped: pause.begin_waiting,
        Heard: pause.note_words,
        Typed: _take_text,
        TimeNear: _note_time,
        TimeUp: leaving.say_farewell,
    },
    Phase.WAITING: {
        SpeechStarted: pause.go_on_listening,
        Heard: pause.weigh_words,
        Judged: pause.weigh_sound,
        Missed: pause.weigh_miss,
        Tick: pause.end,
        Typed: _take_text,
        TimeNear: _note_time,
        TimeUp: leaving.say_farewell,
    },
    Phase.THINKING: {
        SpeechStarted: interruption.doubt,
        Heard: interruption.hear_late,
        Typed: _take_text,
        ReplyStarted: delivery.begin,
        ReplyPlayed: delivery.finish,
        TimeNear: _note_time,
        TimeUp: leaving.say_farewell,
    },
    Phase.SPEAKING: {
        SpeechStarted: interruption.doubt,
        Heard: interruption.hear_late,
        Typed: _take_text,
        ReplyPlayed: delivery.finish,
        TimeNear: _note_time,
        TimeUp: leaving.say_farewell,
    },
    Phase.DOUBTING: {
        SpeechStarted: interruption.doubt_again,
        SpeechStopped: interruption.await_words,
        Heard: interruption.judge_words,
        Glimpsed: interruption.judge_glimpse,
        Missed: interruption.judge_miss,
        Tick: interruption.judge_time,
        Typed: _take_text,
        ReplyStarted: delivery.begin,
        ReplyPlayed: delivery.finish,
        TimeNear: _note_time,
        TimeUp: leaving.say_farewell,
    },
    Phase.CLOSING: {
        ReplyPlayed: leaving.leave,
        Tick: leaving.leave_late,
    },
    Phase.TRANSFERRING: {
        TransferFailed: leaving.take_back,
        Typed: leaving.keep_text,
        Tick: leaving.hand_on_at_last,
        TimeNear: _note_time,
        TimeUp: leaving.hand_on_in_time,
    },
    Phase.ENDED: {},
}
"""What each phase does with each event; what is not listed changes nothing."""
