"""Whose turn it is: the core of a conversation, as a state machine without I/O.

    state, event ──► step ──► state, commands

The shell (`session.py`) feeds one event, obeys the commands, and sends a `Tick` once audio time
passes `deadline_s`. Nothing here reads a clock, waits, or fails.

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

from sayso.talk.endpointing import Policy, forget_extra_s, learn_extra_s, patience_s
from sayso.talk.events import (
    Answer,
    Attend,
    Author,
    Command,
    Draft,
    Drop,
    End,
    EndedBy,
    Event,
    FixedLine,
    Glimpse,
    Glimpsed,
    Heard,
    Hold,
    HungUp,
    Hush,
    Judged,
    Missed,
    Opened,
    Parting,
    ReplyPlayed,
    ReplyStarted,
    Resume,
    Say,
    SpeechStarted,
    SpeechStopped,
    Tick,
    TimeNear,
    TimeUp,
    Transfer,
    TransferFailed,
    Typed,
)
from sayso.talk.ladder import Rung, climb, rest, stir
from sayso.talk.state import ECHOES, REPLYING, Phase, Turn, count, is_stale
from sayso.talk.wording import (
    is_backchannel,
    is_grunt,
    is_impatient,
    is_noise,
    is_open,
    is_unsure,
    wants_floor,
)

Step: TypeAlias = tuple[Turn, tuple[Command, ...]]
_STILL: tuple[Command, ...] = ()

ANSWERS_WITHIN_S = 1.5
"""A "yeah" that comes this shortly before a question ends is its answer."""


GLIMPSE_S = 0.2
"""So long before speech takes the floor by its length, its words so far are asked for."""

GLIMPSE_EVERY_S = 0.4
"""While they are none, they are asked for again after so long."""

NODS, NODS_IF_SURE, NODS_IF_NO = 0.04, 1 / 3, 0.5
"""A transcript was a sign of listening if that is at least so likely, against what was written; the
second where the ears are `FAIRLY_SURE` of it, the third where it is "no" or "stop"."""

FAIRLY_SURE = 0.45

SURE = 0.5
"""Words of which the ears are so sure end a reply while they are still being said."""

LASTS = 2.5
"""Sound without words takes the floor after so many times the length that words may take."""


def step(turn: Turn, event: Event, policy: Policy) -> Step:
    """What follows from `event`: the next state, and the commands to carry out in order."""
    if turn.phase is Phase.ENDED:
        return turn, _STILL
    if isinstance(event, HungUp):
        return _hang_up(turn, event.by)
    if is_stale(turn, event):
        return turn, _STILL
    turn, event = count(turn, event), _believe(turn, event, policy)
    rule = _RULES[turn.phase].get(type(event))
    turn, commands = rule(turn, event, policy) if rule else (turn, _STILL)
    return _mind_silence(turn, event, policy), commands


def _believe(turn: Turn, event: Event, policy: Policy) -> Event:
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


def _mind_silence(turn: Turn, event: Event, policy: Policy) -> Turn:
    """Whoever speaks ends the silence; where nobody does, it has a deadline."""
    if isinstance(event, Typed | TransferFailed) or (isinstance(event, Heard) and event.text):
        turn = replace(turn, quiet=stir(turn.quiet))
    if turn.phase is not Phase.IDLE or turn.deadline_s is not None:
        return turn
    quiet, deadline_s = rest(turn.quiet, event.at_s, policy.ladder)
    return replace(turn, quiet=quiet, deadline_s=deadline_s)


# What several phases do --------------------------------------------------------------------


def _join(words: str, more: str) -> str:
    return f"{words} {more}".strip() if more else words


def _hang_up(turn: Turn, by: EndedBy) -> Step:
    """Whoever hangs up while the caller is handed on is done with it."""
    handed_on = turn.phase is Phase.TRANSFERRING and by is EndedBy.USER
    return _hand_on(turn) if handed_on else _end(turn, by)


def _hand_on(turn: Turn) -> Step:
    """Nobody said that it failed: the caller speaks with somebody else now."""
    return _end(replace(turn, parting=Parting.TRANSFERRED), EndedBy.AGENT)


def _end(turn: Turn, by: EndedBy) -> Step:
    words = _join(turn.words, turn.over)
    ended = replace(turn, phase=Phase.ENDED, words=words, over="", deadline_s=None, transfers=False)
    return ended, (*_hush(turn), End(by))


def _hush(turn: Turn) -> tuple[Command, ...]:
    return (Hush(turn.number),) if turn.phase in REPLYING else ()


def _reply(turn: Turn) -> Turn:
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


def _answer(turn: Turn) -> Step:
    reply = replace(_reply(turn), words=_join(turn.over, turn.words), over="")
    return reply, (*_hush(turn), Answer(reply.number, reply.words, turn.notes))


def _say(turn: Turn, line: FixedLine) -> Step:
    reply = _reply(turn)
    return reply, (*_hush(turn), Say(reply.number, line))


def _rest(turn: Turn, at_s: float, policy: Policy) -> Step:
    """The floor is free, unless somebody has more to say, or was not understood."""
    if turn.talking or turn.transcribing:
        return _floor_to_caller(turn, policy), (Attend(),)
    quiet = replace(turn, phase=Phase.IDLE, words="", deadline_s=None, audible=False)
    if turn.transfers and not turn.missed:
        return _transfer(quiet, at_s, policy)
    if turn.notes:
        return _answer(quiet)
    return _say(quiet, FixedLine.NOT_HEARD) if turn.missed else (quiet, _STILL)


def _transfer(turn: Turn, at_s: float, policy: Policy) -> Step:
    deadline_s = at_s + policy.transfer_s
    leaving = replace(turn, phase=Phase.TRANSFERRING, transfers=False, deadline_s=deadline_s)
    return leaving, (Transfer(turn.number),)


def _listen(turn: Turn) -> Turn:
    return replace(turn, phase=Phase.LISTENING, deadline_s=None, audible=False)


def _wait(turn: Turn, policy: Policy) -> Turn:
    wait_s = patience_s(turn.words, turn.sounds_done, policy, turn.extra_s)
    deadline_s = turn.silent_since_s + wait_s
    return replace(turn, phase=Phase.WAITING, deadline_s=deadline_s, audible=False)


def _floor_to_caller(turn: Turn, policy: Policy) -> Turn:
    return _listen(turn) if turn.talking else _wait(turn, policy)


def _settle(turn: Turn, at_s: float, policy: Policy) -> Step:
    """In WAITING: answer once the deadline has passed and every transcript is in."""
    if not _is_due(turn, at_s):
        return turn, _STILL
    if turn.transcribing:
        return replace(turn, deadline_s=turn.silent_since_s + policy.transcript_s), _STILL
    if turn.words and not _agrees(turn, policy):
        return _answer(turn)
    return _rest(turn, at_s, policy)


def _agrees(turn: Turn, policy: Policy) -> bool:
    """Whether the caller only says "okay" to being handed on."""
    return turn.transfers and is_backchannel(turn.words, None, policy.language)


def _is_due(turn: Turn, at_s: float) -> bool:
    return turn.deadline_s is not None and at_s >= turn.deadline_s


def _yield_floor(turn: Turn, policy: Policy) -> Step:
    """The caller meant it: drop the reply and listen, or draft the next if they are done."""
    hush = (Hush(turn.number), Attend())
    doubted = turn.phase is Phase.DOUBTING
    taught = _learn(turn, policy, cut_off=turn.audible) if doubted else turn
    if turn.talking:
        return _listen(taught), hush
    waiting, drafts = _draft(_wait(taught, policy), policy)
    return waiting, (*hush, *drafts)


def _learn(turn: Turn, policy: Policy, *, cut_off: bool) -> Turn:
    """The caller paused in the middle of a turn, and we know how long."""
    extra_s = learn_extra_s(turn.extra_s, turn.gap_s, policy, cut_off=cut_off)
    return replace(turn, extra_s=extra_s)


def _resume(turn: Turn) -> Step:
    phase = Phase.SPEAKING if turn.audible else Phase.THINKING
    return replace(turn, phase=phase, deadline_s=None), (Resume(turn.number),)


def _add_words(turn: Turn, text: str) -> Turn:
    return replace(turn, words=_join(turn.words, text))


def _is_kept(turn: Turn, policy: Policy) -> bool:
    """Whether the reply under way is heard to its end, whatever the caller says meanwhile."""
    unasked = turn.audible or not (turn.words or turn.notes)
    return unasked and turn.phase in REPLYING and not policy.interruptible


def _is_murmur(event: Heard | Glimpsed, policy: Policy) -> bool:
    """Whether the caller only says that they listen, or is likely to."""
    if is_backchannel(event.text, event.spoken_s, policy.language):
        return True
    return event.nod is not None and event.nod >= _least_nod(event, policy)


def _least_nod(event: Heard | Glimpsed, policy: Policy) -> float:
    if wants_floor(event.text, policy.language):
        return NODS_IF_NO
    return NODS_IF_SURE if (event.confidence or 0.0) >= FAIRLY_SURE else NODS


def _keep_words(turn: Turn, event: Heard | Typed, policy: Policy) -> Step:
    """What is said over a reply that is kept waits for its end."""
    if turn.audible and isinstance(event, Heard) and _is_murmur(event, policy):
        return replace(turn, murmur=event.text, murmured_s=event.at_s), _STILL
    return replace(turn, over=_join(turn.over, event.text)), _STILL


def _turn_to_kept(turn: Turn, at_s: float, policy: Policy) -> Step:
    """The reply was heard to its end, and something was said over it."""
    floor = _floor_to_caller(replace(turn, words=turn.over, over=""), policy)
    turn, commands = _settle(floor, at_s, policy)
    return turn, (Attend(), *commands)


# The rules, a phase at a time ----------------------------------------------------------------


def _open(turn: Turn, event: Opened, _: Policy) -> Step:
    return _say(turn, FixedLine.GREETING) if event.greeting else (turn, _STILL)


def _begin_listening(turn: Turn, _: SpeechStarted, __: Policy) -> Step:
    return _listen(turn), (Attend(),)


def _go_on_listening(turn: Turn, _: SpeechStarted, policy: Policy) -> Step:
    dropped: tuple[Command, ...] = (Drop(turn.number + 1),) if turn.drafted else ()
    taught = _learn(turn, policy, cut_off=False) if turn.words else turn
    return replace(_listen(taught), drafted=False), dropped


def _pause(turn: Turn, _: SpeechStopped, policy: Policy) -> Step:
    return _wait(turn, policy), _STILL


def _note_words(turn: Turn, event: Heard, _: Policy) -> Step:
    return _add_words(turn, event.text), _STILL


def _weigh_words(turn: Turn, event: Heard, policy: Policy) -> Step:
    waiting = _wait(_add_words(turn, event.text), policy)
    if _is_due(waiting, event.at_s):
        return _settle(waiting, event.at_s, policy)
    if turn.drafted and not event.text:
        return waiting, _STILL
    return _draft(waiting, policy)


def _draft(turn: Turn, policy: Policy) -> Step:
    """Words that may be all of them are worth a reply in the making."""
    whole = turn.words and not turn.transcribing and not is_open(turn.words, policy.language)
    if not (policy.speculates and whole) or turn.transfers:
        return turn, _STILL
    return replace(turn, drafted=True), (Draft(turn.number + 1, turn.words, turn.notes),)


def _weigh_sound(turn: Turn, event: Judged, policy: Policy) -> Step:
    """The sound makes the pause shorter or longer; a transcript may still be on its way."""
    return _settle(_wait(turn, policy), event.at_s, policy)


def _weigh_miss(turn: Turn, event: Missed, policy: Policy) -> Step:
    return _settle(_wait(turn, policy), event.at_s, policy)


def _end_pause(turn: Turn, event: Tick, policy: Policy) -> Step:
    if event.at_s >= turn.silent_since_s + policy.transcript_s:
        turn = replace(turn, transcribing=0)
    return _settle(turn, event.at_s, policy)


def _take_text(turn: Turn, event: Typed, policy: Policy) -> Step:
    """The caller's text takes the floor at once; the program's waits for it.

    While a reply has not sounded yet, either makes it anew.
    """
    if event.author is Author.CALLER and _is_kept(turn, policy):
        return _keep_words(turn, event, policy)
    if event.author is Author.CALLER:
        return _answer(_add_words(turn, event.text))
    noted = replace(turn, notes=_join(turn.notes, event.text))
    unheard = turn.phase in {Phase.THINKING, Phase.DOUBTING} and not turn.audible
    return _answer(noted) if turn.phase is Phase.IDLE or unheard else (noted, _STILL)


def _doubt(turn: Turn, event: SpeechStarted, policy: Policy) -> Step:
    if _is_kept(turn, policy) or _echoes(turn):
        return turn, _STILL
    doubting, _ = _doubt_again(turn, event, policy)
    return replace(doubting, phase=Phase.DOUBTING), (Hold(turn.number),)


def _doubt_again(turn: Turn, event: SpeechStarted, policy: Policy) -> Step:
    """Speech that lasts takes the floor; what it says so far is asked for in time."""
    since_s = event.at_s if event.since_s is None else event.since_s
    ahead_s = GLIMPSE_S if _glimpses(turn, policy) else 0.0
    deadline_s = max(event.at_s, since_s + policy.interruption_s - ahead_s)
    return replace(turn, sounding_s=since_s, glimpsing=False, deadline_s=deadline_s), _STILL


def _await_words(turn: Turn, event: SpeechStopped, policy: Policy) -> Step:
    return replace(turn, glimpsing=False, deadline_s=event.at_s + policy.transcript_s), _STILL


def _judge_words(turn: Turn, event: Heard, policy: Policy) -> Step:
    if not turn.audible and turn.words and is_impatient(event.text, policy.language):
        event = replace(event, text="")  # made anew, the answer would only come later
    murmured = turn.audible and _is_murmur(event, policy)
    if event.text and not murmured:
        return _yield_floor(_add_words(turn, event.text), policy)
    if event.text:
        turn = replace(turn, murmur=event.text, murmured_s=event.at_s)
    if turn.talking or turn.transcribing:
        return turn, _STILL
    return _resume(turn)


def _judge_miss(turn: Turn, _: Missed, __: Policy) -> Step:
    """What was said over a reply is lost; asking again would lose the reply as well."""
    understood = replace(turn, missed=False)
    return (understood, _STILL) if turn.talking or turn.transcribing else _resume(understood)


def _judge_time(turn: Turn, event: Tick, policy: Policy) -> Step:
    if not _is_due(turn, event.at_s):
        return turn, _STILL
    if not turn.talking:
        return _resume(replace(turn, transcribing=0))
    lasts = event.at_s >= turn.sounding_s + policy.interruption_s * LASTS
    if lasts or turn.glimpsing or not _glimpses(turn, policy):
        return _yield_floor(turn, policy)
    glimpsing = replace(turn, glimpsing=True, deadline_s=event.at_s + GLIMPSE_S)
    return glimpsing, (Glimpse(turn.number),)


def _glimpses(turn: Turn, policy: Policy) -> bool:
    """Whether there is something to lose, and time to look at what is said."""
    return turn.audible and policy.interruption_s >= 2 * GLIMPSE_S


def _judge_glimpse(turn: Turn, event: Glimpsed, policy: Policy) -> Step:
    """Words end the reply while the caller still speaks; a laugh or a tune goes on for a while."""
    if not (turn.glimpsing and turn.talking):
        return turn, _STILL
    sure = event.confidence is None or event.confidence >= SURE
    if event.text and sure and not _is_murmur(event, policy):
        return _yield_floor(turn, policy)
    ends_s = turn.sounding_s + policy.interruption_s * LASTS
    deadline_s = max(event.at_s, min(event.at_s + GLIMPSE_EVERY_S, ends_s))
    return replace(turn, glimpsing=False, deadline_s=deadline_s), _STILL


def _hear_late(turn: Turn, event: Heard, policy: Policy) -> Step:
    """A transcript that comes after its turn was answered takes the floor back."""
    if not event.text:
        return turn, _STILL
    if _is_kept(turn, policy):
        return _keep_words(turn, event, policy)
    if _echoes(turn) and _is_murmur(event, policy):
        return turn, _STILL
    return _yield_floor(_add_words(turn, event.text), policy)


def _echoes(turn: Turn) -> bool:
    """Whether sound over the reply is likely to be the reply: only other words end it."""
    return turn.audible and turn.echoes >= ECHOES


def _sound(turn: Turn, _: ReplyStarted, policy: Policy) -> Step:
    """From the first sound on, what was answered is settled, and what comes is a new turn."""
    phase = Phase.SPEAKING if turn.phase is Phase.THINKING else turn.phase
    sounding = replace(turn, phase=phase, words="", notes="", audible=True)
    held = phase is Phase.DOUBTING and not policy.interruptible
    return _resume(sounding) if held else (sounding, _STILL)


def _climb(turn: Turn, event: Tick, policy: Policy) -> Step:
    """Nobody speaks, and it is time to say something."""
    quiet, rung = climb(turn.quiet, event.at_s, policy.ladder)
    turn = replace(turn, quiet=quiet)
    if rung is Rung.GOODBYE:
        return _part(turn, event.at_s, policy, FixedLine.GIVING_UP, Parting.SILENCE)
    if rung is None:
        return turn, _STILL
    return _say(turn, FixedLine.NUDGE if rung is Rung.NUDGE else FixedLine.WARNING)


def _note_time(turn: Turn, _: TimeNear, __: Policy) -> Step:
    """The caller is warned as soon as nobody speaks."""
    idle = turn.phase is Phase.IDLE
    warned = replace(turn.quiet, warns=True)
    return replace(turn, quiet=warned, deadline_s=None if idle else turn.deadline_s), _STILL


def _finish(turn: Turn, event: ReplyPlayed, policy: Policy) -> Step:
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
        return _rest(replace(turn, words="", notes=""), event.at_s, policy)
    if not (event.asks and turn.murmur and event.at_s <= turn.murmured_s + ANSWERS_WITHIN_S):
        return _rest(turn, event.at_s, policy)
    answered = replace(turn, phase=Phase.IDLE, words=turn.murmur, audible=False)
    if turn.talking or turn.transcribing:
        return _rest(answered, event.at_s, policy)
    reply, commands = _answer(answered)
    return reply, (Attend(), *commands)


def _say_farewell(turn: Turn, event: TimeUp, policy: Policy) -> Step:
    return _part(turn, event.at_s, policy, FixedLine.FAREWELL, Parting.TIME_UP)


def _part(turn: Turn, at_s: float, policy: Policy, line: FixedLine, parting: Parting) -> Step:
    """Say the last words, and listen to nobody any more."""
    number = turn.number + 1
    deadline_s = at_s + policy.farewell_s
    closing = Turn(phase=Phase.CLOSING, number=number, deadline_s=deadline_s, parting=parting)
    return closing, (*_hush(turn), Say(number, line))


def _leave(turn: Turn, _: ReplyPlayed, __: Policy) -> Step:
    ended = replace(turn, phase=Phase.ENDED, deadline_s=None, transfers=False)
    return ended, (End(EndedBy.SYSTEM),)


def _leave_late(turn: Turn, event: Tick, _: Policy) -> Step:
    return _end(turn, EndedBy.SYSTEM) if _is_due(turn, event.at_s) else (turn, _STILL)


def _keep_text(turn: Turn, event: Typed, _: Policy) -> Step:
    if event.author is Author.CALLER:
        return _add_words(turn, event.text), _STILL
    return replace(turn, notes=_join(turn.notes, event.text)), _STILL


def _take_back(turn: Turn, event: TransferFailed, policy: Policy) -> Step:
    """The caller is still here, and the LLM is told why."""
    told = replace(turn, notes=_join(event.told, turn.notes))
    if told.talking or told.transcribing:
        return _floor_to_caller(told, policy), (Attend(),)
    return _answer(told)


def _hand_on_at_last(turn: Turn, event: Tick, _: Policy) -> Step:
    return _hand_on(turn) if _is_due(turn, event.at_s) else (turn, _STILL)


def _hand_on_in_time(turn: Turn, _: TimeUp, __: Policy) -> Step:
    return _hand_on(turn)


_Rule: TypeAlias = Callable[[Turn, Any, Policy], Step]

_RULES: Mapping[Phase, Mapping[type, _Rule]] = {
    Phase.IDLE: {
        Opened: _open,
        SpeechStarted: _begin_listening,
        Heard: _weigh_words,
        Typed: _take_text,
        Tick: _climb,
        TimeNear: _note_time,
        TimeUp: _say_farewell,
    },
    Phase.LISTENING: {
        SpeechStopped: _pause,
        Heard: _note_words,
        Typed: _take_text,
        TimeNear: _note_time,
        TimeUp: _say_farewell,
    },
    Phase.WAITING: {
        SpeechStarted: _go_on_listening,
        Heard: _weigh_words,
        Judged: _weigh_sound,
        Missed: _weigh_miss,
        Tick: _end_pause,
        Typed: _take_text,
        TimeNear: _note_time,
        TimeUp: _say_farewell,
    },
    Phase.THINKING: {
        SpeechStarted: _doubt,
        Heard: _hear_late,
        Typed: _take_text,
        ReplyStarted: _sound,
        ReplyPlayed: _finish,
        TimeNear: _note_time,
        TimeUp: _say_farewell,
    },
    Phase.SPEAKING: {
        SpeechStarted: _doubt,
        Heard: _hear_late,
        Typed: _take_text,
        ReplyPlayed: _finish,
        TimeNear: _note_time,
        TimeUp: _say_farewell,
    },
    Phase.DOUBTING: {
        SpeechStarted: _doubt_again,
        SpeechStopped: _await_words,
        Heard: _judge_words,
        Glimpsed: _judge_glimpse,
        Missed: _judge_miss,
        Tick: _judge_time,
        Typed: _take_text,
        ReplyStarted: _sound,
        ReplyPlayed: _finish,
        TimeNear: _note_time,
        TimeUp: _say_farewell,
    },
    Phase.CLOSING: {
        ReplyPlayed: _leave,
        Tick: _leave_late,
    },
    Phase.TRANSFERRING: {
        TransferFailed: _take_back,
        Typed: _keep_text,
        Tick: _hand_on_at_last,
        TimeNear: _note_time,
        TimeUp: _hand_on_in_time,
    },
    Phase.ENDED: {},
}
"""What each phase does with each event; what is not listed changes nothing."""
