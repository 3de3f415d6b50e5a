"""Runs one conversation from hello to goodbye. It obeys the turn core and decides nothing.

    caller ─► line ─► intake ─► listener (VAD, STT) ┐
                                                    ▼  events
                                                turn core
                                                    ▼  commands
    caller ◄─ line ◄─ pacing ◄─ codec ◄─ TTS ◄─ clauses ◄─ LLM ◄─ prompt ◄─ ledger

Each conversation is one task group: when it ends, nothing of it is left running.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from math import inf
from typing import Any, Final, TypeVar, assert_never

import structlog

from sayso.clock import Clock
from sayso.eot import Eot
from sayso.errors import (
    AudioError,
    KnowledgeError,
    LlmError,
    SaysoError,
    SilentMicrophoneError,
    TalkCode,
    TalkError,
)
from sayso.functions.toolboxes import join
from sayso.llm import Exchanged, Spare
from sayso.llm.watching import watched_by
from sayso.stt import Stt
from sayso.talk.actions import Actions
from sayso.talk.agent import Agent
from sayso.talk.beginnings import Beginnings
from sayso.talk.calls import Errand
from sayso.talk.endpointing import Policy
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
    Heard,
    Hold,
    HungUp,
    Hush,
    Opened,
    ReplyPlayed,
    ReplyStarted,
    Resume,
    Say,
    TimeNear,
    TimeUp,
    Transfer,
    TransferFailed,
    Typed,
)
from sayso.talk.hands import Hands
from sayso.talk.history import Ledger
from sayso.talk.history import Line as Said
from sayso.talk.intake import Intake
from sayso.talk.listener import Around, Hearing, Listener
from sayso.talk.page import PageTools
from sayso.talk.patience import Manners
from sayso.talk.record import LeftMessage, Record, Stopwatch
from sayso.talk.reel import UNRECORDED, Reel
from sayso.talk.reply import Mouth, Reply, Write
from sayso.talk.silence import Complaint
from sayso.talk.state import Phase, Turn
from sayso.talk.transfer import Destination, tell_failure
from sayso.talk.turn import step
from sayso.transport.line import (
    CallerStarted,
    CallerStopped,
    CallerText,
    CallerTextSoFar,
    Fault,
    Goodbye,
    GreetingBegan,
    GreetingEnded,
    HandOn,
    Incoming,
    Interrupted,
    Left,
    Line,
    Note,
    NotHandedOn,
    Played,
    PlayedOut,
    ReplyHeld,
    ReplyResumed,
    Sound,
    Text,
)
from sayso.transport.page import Declared
from sayso.tts import Tts
from sayso.vad import Vad

GAP_CHECK_S: Final = 0.1
"""How often a silent client is looked after, in seconds."""

QUESTION_MARKS: Final = ("?", "？", "؟", ";")
"""Latin, Chinese and Japanese, Arabic, Greek."""

_COMPLAINTS: Final[dict[Complaint, str]] = {
    "nothing": "no sound comes from the client: is its microphone allowed and not muted?",
    "silence": "only silence comes from the client: is its microphone muted, or the wrong one?",
}

_REASONS: Final = {EndedBy.USER: "caller_left", EndedBy.ERROR: "line_lost"}

log = structlog.get_logger("sayso.talk")

Result = TypeVar("Result")


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


@dataclass(frozen=True, slots=True)
class _Drafted:
    """A reply in the making that nobody hears yet, and what it answers; `ready` lets it act."""

    words: str
    notes: str
    reply: Reply
    task: asyncio.Task[None]
    ready: asyncio.Event

    def is_for(self, number: int, words: str, notes: str) -> bool:
        asked = (self.reply.number, self.words, self.notes)
        return asked == (number, words, notes) and not self.task.done()


class Session:
    """One conversation of `agent` with whoever is on the `line`.

    Args:
        agent: the agent as it was when the conversation opened.
        line: the caller.
        rooms: the shared engines.
        limits: what bounds it.
        ledger: the record to go on from; empty unless an earlier conversation is continued.
        record: takes down lines, timings and the end.
        clock: tells the time.
        reel: records its sound.
        exchanged: is told what LLMs were asked for each reply, and answered.
    """

    def __init__(  # noqa: PLR0913 - all that a conversation needs
        self,
        *,
        agent: Agent,
        line: Line,
        rooms: Rooms,
        limits: Limits,
        ledger: Ledger,
        record: Record,
        clock: Clock,
        reel: Reel = UNRECORDED,
        exchanged: Callable[[int, Exchanged], None] | None = None,
    ) -> None:
        self._agent = agent
        self._line = line
        self._rooms = rooms
        self._limits = limits
        self._ledger = ledger
        self._record = record
        self._clock = clock
        self._reel = reel
        self._exchanged = exchanged
        self._policy = replace(
            limits.policy,
            ladder=agent.ladder,
            interruptible=agent.interruptible,
            language=agent.language,
        )
        self._turn = Turn()
        self._page = PageTools(line.post)
        self._hands = self._make_hands()
        self._intake = Intake(line.hears, clock, self._report_deafness, reel)
        self._over = asyncio.Event()
        self._listener = self._make_listener()
        self._tasks: asyncio.TaskGroup
        self._running: set[asyncio.Task[Any]] = set()
        self._reply: Reply | None = None
        self._reply_task: asyncio.Task[None] | None = None
        self._drafted: _Drafted | None = None
        self._dropped_drafts = 0
        self._unheard = 0
        self._greeting: int | None = None
        self._beginnings = Beginnings()
        self._ends_s = inf
        self._told = ""
        self._failed: TalkError | None = None
        self._handed_to: Destination | None = None

    # Hello to goodbye --------------------------------------------------------------------------

    async def run(self) -> None:
        """Hold the conversation. Returns when it is over, recorded and said goodbye to."""
        try:
            await self._converse()
        except* TalkError as group:
            self._break_off(_first(group))
        except* Exception:
            log.exception("conversation_failed")
            self._break_off(TalkError("internal server error", code=TalkCode.INTERNAL))

    def hang_up(self, by: EndedBy) -> None:
        """End the conversation from outside; safe at any time."""
        if not self._over.is_set():
            self._happen(HungUp(self._listener.now_s, by))

    async def _converse(self) -> None:
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._start(self._receive())
                self._start(self._listener.listen())
                self._start(self._mind_gaps())
                self._start(self._watch_time())
                self._open()
                await self._over.wait()
                for task in tuple(self._running):
                    task.cancel()
        finally:
            self._intake.close()
            self._listener.close()
            self._hands.close()
            self._reply = self._drafted = self._reply_task = None

    def _start(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        """Run `work` as a part of this conversation: it ends with it at the latest."""
        task = self._tasks.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    def _start_lasting(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        """Run `work` as a part of this conversation, which waits for its end."""
        return self._tasks.create_task(work)

    def _open(self) -> None:
        greeting = self._agent.greeting
        self._line.post(GreetingBegan(greeting))
        if not greeting:
            self._line.post(GreetingEnded(""))
            self._intake.microphone.open(self._clock.now_s())
        self._happen(Opened(0.0, greeting=bool(greeting)))

    def _break_off(self, error: TalkError) -> None:
        """Something failed that the conversation cannot go on without."""
        log.warning("conversation_broken_off", code=error.code, reason=error.message)
        self._failed = error
        self.hang_up(EndedBy.ERROR)

    # From the caller ---------------------------------------------------------------------------

    async def _receive(self) -> None:
        while True:
            try:
                incoming = await self._line.receive()
            except TalkError as error:
                if error.fatal:
                    raise
                self._report(error, error.code)
                continue
            self._take(incoming)
            if isinstance(incoming, Left):
                return

    def _take(self, incoming: Incoming) -> None:
        match incoming:
            case Sound(data):
                self._intake.put(data)
            case Text(text):
                self._intake.microphone.excuse()
                self._listener.take_text()
                self._happen(Typed(self._listener.now_s, text))
            case Note(text):
                self._listener.take_text()
                self._happen(Typed(self._listener.now_s, text, Author.PROGRAM))
            case Declared():
                self._offer(incoming)
            case PlayedOut():
                if self._reply is not None:
                    self._reply.played_out()
            case Played(number, up_to_s):
                self._with_reply(number, lambda reply: reply.played(up_to_s))
            case NotHandedOn(reason):
                self._take_back(reason)
            case Left(cleanly):
                self.hang_up(EndedBy.USER if cleanly else EndedBy.ERROR)
            case _:
                assert_never(incoming)

    def _offer(self, declared: Declared) -> None:
        """The LLM may use what the page can do."""
        for wrong in filter(None, (declared.problem, self._page.offer(declared.events))):
            odd = TalkError(wrong, code=TalkCode.INVALID_MESSAGE, fatal=False)
            self._report(odd, odd.code)

    async def _mind_gaps(self) -> None:
        """Audio time goes on while the client sends nothing: its caller is silent."""
        while True:
            await asyncio.sleep(GAP_CHECK_S)
            if complaint := self._intake.mind_gap():
                self._report(SilentMicrophoneError(_COMPLAINTS[complaint]), TalkCode.SILENT)

    def _make_listener(self) -> Listener:
        hearing = Hearing(
            vad=self._rooms.vad,
            stt=self._rooms.stt,
            eot=self._rooms.eot,
            language=self._agent.language,
            utterance_s=self._limits.utterance_s,
            stt_timeout_s=self._limits.stt_timeout_s,
            ahead=self._policy.speculates,
        )
        around = Around(
            tell=self._happen,
            start=self._start,
            is_over=self._over.is_set,
            saying=lambda: self._ledger.text(self._turn.number),
            report=lambda error: self._report(error, TalkCode.INTERNAL),
            note=self._log,
            follow=self._follow if self._line.details else None,
        )
        return Listener(hearing, self._line, self._intake, self._clock, around)

    def _report_deafness(self, error: AudioError) -> None:
        self._report(error, TalkCode.INVALID_MESSAGE)

    async def _watch_time(self) -> None:
        longest_s = min(self._limits.conversation_s, self._agent.longest_s or inf)
        self._ends_s = self._clock.now_s() + longest_s
        warning_s = self._limits.warning_s
        if longest_s > 2 * warning_s > 0:
            await asyncio.sleep(longest_s - warning_s)
            longest_s = warning_s
            self._happen(TimeNear(self._listener.now_s))
        await asyncio.sleep(longest_s)
        self._happen(TimeUp(self._listener.now_s))

    # The core and its commands -----------------------------------------------------------------

    def _happen(self, event: Event) -> None:
        self._beginnings.note(event, self._clock.now_s(), wordless=not self._turn.words)
        self._turn, commands = step(self._turn, event, self._policy)
        self._listener.wake_at(self._turn.deadline_s)
        answered = any(isinstance(command, Answer) for command in commands)
        if isinstance(event, Heard) and self._line.details and not answered:
            self._follow("")
        for command in commands:
            self._obey(command)

    def _follow(self, words: str) -> None:
        """Show what the caller has said this turn, and the `words` that they are just saying."""
        said = f"{self._turn.words} {words}".strip()
        if fresh := said.removeprefix(self._told).strip():
            self._line.post(CallerTextSoFar(fresh))

    def _obey(self, command: Command) -> None:
        match command:
            case Attend():
                self._line.post(CallerStarted())
            case Draft(number, words, notes):
                self._draft(number, words, notes)
            case Drop():
                self._drop_draft()
            case Answer(number, words, notes):
                self._answer(number, words, notes)
            case Say(number, fixed):
                self._say(number, fixed)
            case Hold() | Resume() | Hush():
                self._turn_down(command)
            case Glimpse():
                self._listener.glimpse()
            case Transfer(number):
                self._transfer(number)
            case End(by):
                self._end(by)
            case _:
                assert_never(command)

    def _turn_down(self, command: Hold | Resume | Hush) -> None:
        """The sound of the reply under way stops, for now or for good, or goes on."""
        acts = {Hold: Reply.hold, Resume: Reply.resume, Hush: self._hush}
        self._with_reply(command.number, acts[type(command)])
        began = self._reply is not None and self._reply.began
        if self._line.details and began and not isinstance(command, Hush):
            self._line.post(ReplyHeld() if isinstance(command, Hold) else ReplyResumed())

    def _draft(self, number: int, words: str, notes: str) -> None:
        """Begin a reply that makes no sound until `_answer` takes it up."""
        self._drop_draft()
        self._ledger.open(number, words, notes)
        ready = asyncio.Event()
        reply = self._make_answer(number, words, ready)
        reply.hold()
        making = self._start_reply(number, reply.run())
        self._drafted = _Drafted(words, notes, reply, making, ready)

    def _drop_draft(self) -> None:
        if self._drafted is not None:
            self._dropped_drafts += 1
            self._drafted.task.cancel()
            self._ledger.retract(self._drafted.reply.number)
            self._drafted = None

    def _answer(self, number: int, words: str, notes: str) -> None:
        if words:
            self._line.post(CallerText(words.removeprefix(self._told).strip() or words))
            self._line.post(CallerStopped())
        self._told = words
        drafted = self._drafted
        if drafted is not None and drafted.is_for(number, words, notes):
            self._drafted = None
            reply, making = drafted.reply, drafted.task
            drafted.ready.set()
            reply.resume()
        else:
            self._drop_draft()
            self._ledger.open(number, words, notes)
            ready = asyncio.Event()
            ready.set()
            reply, making = self._make_answer(number, words, ready), None
        reply.watch.mark("endpoint", self._clock.now_s())
        self._take_up(reply, making)

    def _make_answer(self, number: int, words: str, ready: asyncio.Event) -> Reply:
        """A reply of the LLM to what the ledger holds; it acts once it is `ready`."""
        watch = self._start_watch()
        prompt = self._agent.prompt(self._ledger.prompt)
        mishap = partial(self._take_mishap, watch)
        errand = Errand(number, prompt, words, mishap, watch, ready)
        looks_up = bool(self._agent.lookup.places)
        write = partial(self._look_up_and_write, errand) if looks_up else self._hands.write(errand)
        if_silent = self._agent.failure_message or self._agent.phrases.llm_failed
        return self._make_reply(number, write, watch, if_silent=if_silent)

    async def _look_up_and_write(self, errand: Errand, spare: Spare) -> AsyncGenerator[str, None]:
        """A reply that stands on what the agent knows about the caller's words."""
        lookup, watch = self._agent.lookup, errand.watch
        prompt = await lookup.add(
            errand.prompt, watch, self._clock, partial(self._take_mishap, watch)
        )
        async with aclosing(self._hands.write(replace(errand, prompt=prompt))(spare)) as pieces:
            async for piece in pieces:
                yield piece

    def _make_hands(self) -> Hands:
        agent = self._agent
        allowed = agent.allowed if self._line.hands_on else replace(agent.allowed, destinations=())
        actions = Actions(allowed, self._clock, self._keep_message, self._switch)
        return Hands(
            agent.llm,
            join([agent.tools, self._page, actions]),
            ledger=self._ledger,
            clock=self._clock,
            manners=self._make_manners(),
            start=self._start_lasting,
            settled=self._write_down,
        )

    def _make_manners(self) -> Manners:
        agent, usual = self._agent, self._agent.phrases
        filler, goodbye = agent.filler or usual.one_moment, agent.goodbye or usual.goodbye
        return Manners(filler, self._limits.filler_after_s, goodbye, usual.connecting)

    def _transfer(self, number: int) -> None:
        """Have the caller connected to whom reply `number` announced."""
        name = self._hands.transfers_to(number)
        self._handed_to = next(to for to in self._agent.allowed.destinations if to.name == name)
        log.info("transferring", destination=name)
        self._line.post(HandOn(name, self._handed_to.phone_number))

    def _take_back(self, reason: str) -> None:
        """The caller could not be connected."""
        if self._handed_to is not None and self._turn.phase is Phase.TRANSFERRING:
            log.warning("transfer_failed", destination=self._handed_to.name)
            self._listener.take_text()
            told = tell_failure(self._handed_to, reason)
            self._happen(TransferFailed(self._listener.now_s, told))

    def _switch(self, language: str) -> None:
        """Go on in another language, from the rest of this reply on."""
        self._agent = agent = self._agent.speaking(language)
        self._policy = replace(self._policy, language=language)
        self._hands.manners = self._make_manners()
        self._listener.switch(language)
        if self._reply is not None:
            broke_off = agent.phrases.llm_broke_off
            self._reply.switch(voice=agent.voice, language=language, broke_off=broke_off)
        log.info("language_switched", language=language)

    def _start_watch(self) -> Stopwatch:
        """The watch of a reply to what the caller has just said."""
        spoke_s, transcript_s = self._listener.spoke_s, self._listener.transcript_s
        watch = Stopwatch(spoke_s)
        if transcript_s is not None and transcript_s >= spoke_s:
            watch.mark("transcript", transcript_s)
        return watch

    def _say(self, number: int, fixed: FixedLine) -> None:
        if fixed is FixedLine.GREETING:
            self._greeting = number
        text = self._words_of(fixed)
        self._drop_draft()
        self._ledger.open(number)
        watch = Stopwatch(self._clock.now_s())
        watch.note("line", fixed.value)
        self._take_up(self._make_reply(number, lambda _: _as_pieces(text), watch))

    def _words_of(self, fixed: FixedLine) -> str:
        agent, usual = self._agent, self._agent.phrases
        match fixed:
            case FixedLine.GREETING:
                return agent.greeting
            case FixedLine.NOT_HEARD:
                return usual.not_heard
            case FixedLine.NUDGE:
                nudges = agent.nudges or usual.nudges
                return nudges[(self._turn.quiet.nudged - 1) % len(nudges)]
            case FixedLine.WARNING:
                left_s = self._ends_s - self._clock.now_s()  # less than planned after a long reply
                return usual.time_is_near.format(seconds=max(1, round(left_s)))
            case FixedLine.GIVING_UP:
                return agent.goodbye or usual.nobody_there
            case FixedLine.FAREWELL:
                return agent.goodbye or usual.time_is_up
            case _:
                assert_never(fixed)

    def _make_reply(
        self,
        number: int,
        write: Write,
        watch: Stopwatch,
        *,
        if_silent: str = "",
    ) -> Reply:
        mouth = Mouth(
            tts=self._rooms.tts,
            voice=self._agent.voice,
            speed=self._agent.speed,
            line=self._line,
            ledger=self._ledger,
            clock=self._clock,
            codecs=self._rooms.codecs,
            ahead_s=self._limits.pacing_ahead_s,
            language=self._agent.language,
            reading=self._agent.reading,
            broke_off=self._agent.phrases.llm_broke_off,
            reel=self._reel,
        )
        return Reply(
            number,
            write,
            mouth,
            watch,
            on_start=lambda: self._begin_reply(number),
            on_fault=lambda error: self._report(error, TalkCode.INTERNAL),
            if_silent=if_silent,
        )

    def _take_up(self, reply: Reply, making: asyncio.Task[None] | None = None) -> None:
        """From here on `reply` is the one under way; `making` it has begun if it was a draft."""
        self._reply = reply
        self._reply_task = self._start_reply(reply.number, self._speak(reply, making))

    def _start_reply(self, number: int, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work`, and take down what LLMs are asked in it for reply `number`."""
        if self._exchanged is None:
            return self._start(work)
        with watched_by(partial(self._exchanged, number)):
            return self._start(work)

    async def _speak(self, reply: Reply, making: asyncio.Task[None] | None) -> None:
        await (making if making is not None else reply.run())
        text = self._ledger.text(reply.number)
        self._close_reply(reply, reply.heard_s())
        asks = text.endswith(QUESTION_MARKS)
        last = self._agent.ends_with(text) or self._hands.is_last(reply.number)
        transfers = bool(self._hands.transfers_to(reply.number))
        now_s = self._listener.now_s
        self._happen(ReplyPlayed(now_s, reply.number, asks, last, transfers))

    def _begin_reply(self, number: int) -> None:
        self._told = ""
        self._beginnings.sounds(self._clock.now_s())
        self._listener.reply_began()
        self._write_down(self._ledger.begin(number))
        self._happen(ReplyStarted(self._listener.now_s, number))

    def _hush(self, reply: Reply) -> None:
        reply.stop()
        self._stop_reply()
        self._line.hush(reply.number)
        self._hands.let_go(reply.number, heard=reply.began)
        if not reply.began:
            self._unheard += 1
            self._ledger.retract(reply.number)
            self._end_greeting(reply.number)
            return
        heard_s = reply.heard_s()  # once: what is told and what is kept must not differ by a word
        self._reel.hushed(reply.unheard_s(heard_s))
        heard = self._ledger.heard(reply.number, heard_s)
        reply.post_text(heard)
        self._line.post(Interrupted(reply.number, heard))
        reply.watch.note("interrupted", "true")
        reply.watch.mark("interrupted", self._clock.now_s())
        self._close_reply(reply, heard_s)

    def _stop_reply(self) -> None:
        if self._reply_task is not None:
            self._reply_task.cancel()
            self._reply_task = None

    def _close_reply(self, reply: Reply, heard_s: float) -> None:
        reply.note_sound(heard_s)
        self._listener.reply_ended(self._ledger.text(reply.number))
        if reply.began:
            self._hands.heard(reply.number)
        self._write_down(self._ledger.close(reply.number, heard_s))
        for key, count in (
            ("drafts_dropped", self._dropped_drafts),
            ("transcripts_dropped", self._listener.take_dropped()),
            ("replies_unheard", self._unheard),
        ):
            if count:
                reply.watch.note(key, count)
        self._dropped_drafts = self._unheard = 0
        self._record.turn(reply.number, reply.watch.timings, self._clock.utc())
        self._end_greeting(reply.number)
        self._told = ""
        self._reply = None

    def _end_greeting(self, number: int) -> None:
        if number == self._greeting:
            self._greeting = None
            self._line.post(GreetingEnded(self._agent.greeting))
            self._intake.microphone.open(self._clock.now_s())

    def _with_reply(self, number: int, act: Callable[[Reply], None]) -> None:
        if self._reply is not None and self._reply.number == number:
            act(self._reply)

    def _end(self, by: EndedBy) -> None:
        self._write_down(self._ledger.conclude(self._turn.words))
        code = self._failed.code if self._failed else None
        reason = self._reason(by)
        self._record.ended(by, code, self._clock.utc(), reason)
        if self._failed is not None:
            self._line.post(Fault(self._failed.code, self._failed.message, fatal=True))
        elif by is not EndedBy.USER:
            self._line.post(Goodbye(by.value))
        log.info(
            "conversation_ended", by=by.value, reason=reason, code=code, turns=self._turn.number
        )
        self._over.set()

    def _reason(self, by: EndedBy) -> str:
        """Why the conversation ends, as a code."""
        if self._failed is not None:
            return "failed"
        if self._turn.parting is not None and by is not EndedBy.USER:
            return self._turn.parting.value
        return _REASONS.get(by, "server_stopped")

    # Bookkeeping -------------------------------------------------------------------------------

    def _write_down(self, lines: tuple[Said, ...]) -> None:
        now_s = self._clock.now_s()
        for said in lines:
            at = self._clock.utc()
            began_s = self._beginnings.take(said.role)
            began_at = None if began_s is None else at - timedelta(seconds=now_s - began_s)
            self._record.line(said.role, said.content, at, said.deeds, began_at)

    def _keep_message(self, left: LeftMessage) -> None:
        self._record.message(left, self._clock.utc())

    def _take_mishap(self, watch: Stopwatch, error: LlmError | KnowledgeError) -> None:
        """A failure the caller does not notice: kept with the turn, and one line of the log."""
        watch.add("mishaps", f"{error.finding} ({error.blame.value})")
        self._log("llm_mishap" if isinstance(error, LlmError) else "knowledge_mishap", error)

    def _log(self, event: str, error: SaysoError) -> None:
        log.warning(
            event,
            finding=_name(error),
            blame=error.blame.value,
            reason=error.message,
            hint=error.hint,
            turn=self._turn.number,
        )

    def _report(self, error: SaysoError, code: int) -> None:
        """A failure the conversation survives: one line for the operator, a code for the client."""
        self._log("conversation_disturbed", error)
        told = error.message
        if isinstance(error, LlmError):
            told = f"the agent's LLM could not answer ({error.finding})"
        self._line.post(Fault(code, told))

    @property
    def ended_with(self) -> TalkError | None:
        """What broke the conversation off, if anything did."""
        return self._failed


def _name(error: SaysoError) -> str:
    if isinstance(error, LlmError | KnowledgeError):
        return error.finding
    return type(error).__name__


def _first(group: BaseExceptionGroup[TalkError]) -> TalkError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if not isinstance(error, TalkError):  # pragma: no cover - except* has filtered
        raise error
    return error


async def _as_pieces(text: str) -> AsyncGenerator[str, None]:
    yield text
