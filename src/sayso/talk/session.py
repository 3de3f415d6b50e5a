"""Runs one conversation from hello to goodbye. It obeys the turn core and decides nothing.

    caller ─► line ─► intake ─► listener (VAD, STT) ┐
                                                    ▼  events
                                                turn core
                                                    ▼  commands
    caller ◄─ line ◄─ pacing ◄─ codec ◄─ TTS ◄─ clauses ◄─ LLM ◄─ prompt ◄─ ledger

Here events meet the core, and its commands meet who carries them out. What the client sends comes
in by `reception.py`; the caller's side is `listener.py`, the agent's `speaker.py`. `hourglass.py`
has the time, `captions.py` what the client is shown, `minutes.py` what is kept, and `troubles.py`
tells what went wrong.

Each conversation is one task group: when it ends, nothing of it is left running.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from math import inf
from typing import Any, Final, TypeVar, assert_never

import structlog

from sayso.clock import Clock
from sayso.errors import TalkCode, TalkError
from sayso.functions.toolboxes import join
from sayso.llm import Exchanged
from sayso.llm.watching import watched_by
from sayso.talk import listener, reception, speaker
from sayso.talk.actions import Actions
from sayso.talk.agent import Agent
from sayso.talk.captions import Captions
from sayso.talk.composer import Composer, make_manners
from sayso.talk.events import (
    Answer,
    Attend,
    Command,
    Draft,
    Drop,
    End,
    EndedBy,
    Event,
    Glimpse,
    Heard,
    Hold,
    HungUp,
    Hush,
    Opened,
    Resume,
    Say,
    TimeNear,
    TimeUp,
    Transfer,
    TransferFailed,
)
from sayso.talk.hands import Hands
from sayso.talk.history import Ledger
from sayso.talk.hourglass import Hourglass
from sayso.talk.intake import Intake
from sayso.talk.listener import Hearing, Listener
from sayso.talk.minutes import Minutes
from sayso.talk.mirror import Mirror
from sayso.talk.page import PageTools
from sayso.talk.reception import Reception
from sayso.talk.record import Record
from sayso.talk.reel import UNRECORDED, Reel
from sayso.talk.reply import Mouth
from sayso.talk.rooms import Limits, Rooms
from sayso.talk.speaker import Speaker
from sayso.talk.state import Phase, Turn
from sayso.talk.transfer import Destination, tell_failure
from sayso.talk.troubles import Troubles
from sayso.talk.turn import step
from sayso.transport.line import (
    CallerStarted,
    Fault,
    Goodbye,
    GreetingBegan,
    GreetingEnded,
    HandOn,
    Line,
)

_REASONS: Final = {EndedBy.USER: "caller_left", EndedBy.ERROR: "line_lost"}

log = structlog.get_logger("sayso.talk")

Result = TypeVar("Result")


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
        self._ledger = ledger
        self._clock = clock
        self._exchanged = exchanged
        self._policy = replace(
            limits.policy,
            ladder=agent.ladder,
            interruptible=agent.interruptible,
            language=agent.language,
        )
        self._turn = Turn()
        self._over = asyncio.Event()
        self._tasks: asyncio.TaskGroup
        self._running: set[asyncio.Task[Any]] = set()
        self._failed: TalkError | None = None
        self._handed_to: Destination | None = None
        self._captions = Captions(line)
        self._minutes = Minutes(record, clock)
        self._troubles = Troubles(line)
        longest_s = min(limits.conversation_s, agent.longest_s or inf)
        self._hourglass = Hourglass(longest_s, limits.warning_s, clock)
        page = PageTools(line.post)
        self._hands = self._make_hands(page, limits.filler_after_s)
        self._intake = Intake(line.hears, clock, self._troubles.report_sound, reel)
        mirror = Mirror(rooms.tts.sample_rate_hz)
        self._listener = self._make_listener(rooms, limits, mirror)
        self._speaker = self._make_speaker(rooms, limits, reel, mirror)
        self._reception = Reception(
            line, self._intake, self._listener, self._speaker, page, self._troubles
        )

    # Who carries commands out ------------------------------------------------------------------

    def _make_hands(self, page: PageTools, filler_after_s: float) -> Hands:
        agent = self._agent
        allowed = agent.allowed if self._line.hands_on else replace(agent.allowed, destinations=())
        actions = Actions(allowed, self._clock, self._minutes.take_message, self._switch)
        return Hands(
            agent.llm,
            join([agent.tools, page, actions]),
            ledger=self._ledger,
            clock=self._clock,
            manners=make_manners(agent, filler_after_s),
            start=self._start_lasting,
            settled=self._minutes.write_down,
        )

    def _make_listener(self, rooms: Rooms, limits: Limits, mirror: Mirror) -> Listener:
        hearing = Hearing(
            vad=rooms.vad,
            stt=rooms.stt,
            eot=rooms.eot,
            language=self._agent.language,
            utterance_s=limits.utterance_s,
            stt_timeout_s=limits.stt_timeout_s,
            ahead=self._policy.speculates,
        )
        around = listener.Around(
            tell=self._happen,
            start=self._start,
            is_over=self._over.is_set,
            saying=lambda: self._ledger.text(self._turn.number),
            report=partial(self._troubles.report, code=TalkCode.INTERNAL),
            note=self._troubles.note,
            follow=self._follow if self._line.details else None,
        )
        return Listener(hearing, self._line, self._intake, mirror, self._clock, around)

    def _make_speaker(self, rooms: Rooms, limits: Limits, reel: Reel, mirror: Mirror) -> Speaker:
        agent = self._agent
        mouth = Mouth(
            tts=rooms.tts,
            voice=agent.voice,
            speed=agent.speed,
            line=self._line,
            ledger=self._ledger,
            clock=self._clock,
            codecs=rooms.codecs,
            ahead_s=limits.pacing_ahead_s,
            mirror=mirror,
            language=agent.language,
            reading=agent.reading,
            broke_off=agent.phrases.llm_broke_off,
            reel=reel,
        )
        return Speaker(
            Composer(agent, mouth, self._hands, self._troubles),
            self._hands,
            mouth,
            listener=self._listener,
            minutes=self._minutes,
            captions=self._captions,
            around=speaker.Around(self._happen, self._start_reply, self._end_greeting),
        )

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

    @property
    def ended_with(self) -> TalkError | None:
        """What broke the conversation off, if anything did."""
        return self._failed

    async def _converse(self) -> None:
        around = reception.Around(self._happen, self.hang_up, self._take_back)
        silent = partial(self._troubles.report, code=TalkCode.SILENT)
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._start(self._reception.receive(around))
                self._start(self._listener.listen())
                self._start(self._intake.mind_gaps(silent))
                self._start(self._watch_time())
                self._open()
                await self._over.wait()
                for task in tuple(self._running):
                    task.cancel()
        finally:
            self._intake.close()
            self._listener.close()
            self._hands.close()
            self._speaker.close()

    def _start(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        """Run `work` as a part of this conversation: it ends with it at the latest."""
        task = self._tasks.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    def _start_lasting(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        """Run `work` as a part of this conversation, which waits for its end."""
        return self._tasks.create_task(work)

    def _start_reply(self, number: int, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work`, and take down what LLMs are asked in it for reply `number`."""
        if self._exchanged is None:
            return self._start(work)
        with watched_by(partial(self._exchanged, number)):
            return self._start(work)

    def _open(self) -> None:
        greeting = self._agent.greeting
        self._line.post(GreetingBegan(greeting))
        if not greeting:
            self._end_greeting()
        self._happen(Opened(0.0, greeting=bool(greeting)))

    def _end_greeting(self) -> None:
        self._line.post(GreetingEnded(self._agent.greeting))
        self._intake.microphone.open(self._clock.now_s())

    async def _watch_time(self) -> None:
        await self._hourglass.run(
            near=lambda: self._happen(TimeNear(self._listener.now_s)),
            up=lambda: self._happen(TimeUp(self._listener.now_s)),
        )

    def _break_off(self, error: TalkError) -> None:
        """Something failed that the conversation cannot go on without."""
        log.warning("conversation_broken_off", code=error.code, reason=error.message)
        self._failed = error
        self.hang_up(EndedBy.ERROR)

    def _end(self, by: EndedBy) -> None:
        self._minutes.write_down(self._ledger.conclude(self._turn.words))
        code = self._failed.code if self._failed else None
        reason = self._reason(by)
        self._minutes.close(by, code, reason)
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

    # The core and its commands -----------------------------------------------------------------

    def _happen(self, event: Event) -> None:
        self._minutes.note(event, wordless=not self._turn.words)
        self._turn, commands = step(self._turn, event, self._policy)
        self._troubles.turn = self._turn.number
        self._listener.wake_at(self._turn.deadline_s)
        answered = any(isinstance(command, Answer) for command in commands)
        if isinstance(event, Heard) and self._line.details and not answered:
            self._follow("")
        for command in commands:
            self._obey(command)

    def _follow(self, words: str) -> None:
        """Show what the caller has said this turn, and the `words` that they are just saying."""
        self._captions.follow(f"{self._turn.words} {words}".strip())

    def _obey(self, command: Command) -> None:
        match command:
            case Attend():
                self._line.post(CallerStarted())
            case Draft(number, words, notes):
                self._speaker.draft(number, words, notes)
            case Drop():
                self._speaker.drop()
            case Answer(number, words, notes):
                self._speaker.answer(number, words, notes)
            case Say(number, fixed):
                nudged, left_s = self._turn.quiet.nudged, self._hourglass.left_s
                self._speaker.say(number, fixed, nudged=nudged, left_s=left_s)
            case Hold() | Resume() | Hush():
                self._speaker.turn_down(command)
            case Glimpse():
                self._listener.glimpse()
            case Transfer(number):
                self._transfer(number)
            case End(by):
                self._end(by)
            case _:
                assert_never(command)

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
        self._policy = replace(self._policy, language=language)
        self._listener.switch(language)
        self._speaker.switch(language)
        log.info("language_switched", language=language)


def _first(group: BaseExceptionGroup[TalkError]) -> TalkError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if not isinstance(error, TalkError):  # pragma: no cover - except* has filtered
        raise error
    return error
