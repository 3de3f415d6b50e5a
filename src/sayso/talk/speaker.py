"""The agent's side of a conversation: the one reply under way, and the draft of the next.

    commands ─► speaker ─► composer ─► reply ─► line
                   └─► what begins to sound, what was heard to its end ─► tell

It is to the agent's voice what the listener is to the caller's: it decides nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sayso.talk.captions import Captions
from sayso.talk.composer import Composer
from sayso.talk.events import Event, FixedLine, Hold, Hush, ReplyPlayed, ReplyStarted, Resume
from sayso.talk.hands import Hands
from sayso.talk.listener import Listener
from sayso.talk.minutes import Minutes
from sayso.talk.record import Stopwatch
from sayso.talk.reply import Mouth, Reply
from sayso.transport.line import Interrupted, ReplyHeld, ReplyResumed

QUESTION_MARKS: Final = ("?", "？", "؟", ";")
"""Latin, Chinese and Japanese, Arabic, Greek."""


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


@dataclass(frozen=True, slots=True)
class Around:
    """The conversation around a speaker, as far as it needs one.

    Attributes:
        tell: takes each event, in order.
        start: runs the work of a reply, after its number, as a part of the conversation.
        greeted: is called once the greeting was heard, or cut off.
    """

    tell: Callable[[Event], None]
    start: Callable[[int, Coroutine[Any, Any, None]], asyncio.Task[None]]
    greeted: Callable[[], None]


class Speaker:
    """Speaks for the agent.

    Args:
        composer: makes the replies.
        hands: does what their LLM calls.
        mouth: what they are spoken with.
        listener: the caller's side; is told when a reply sounds.
        minutes: takes down what was heard.
        captions: shows the client which words are answered.
        around: the conversation.
    """

    def __init__(
        self,
        composer: Composer,
        hands: Hands,
        mouth: Mouth,
        *,
        listener: Listener,
        minutes: Minutes,
        captions: Captions,
        around: Around,
    ) -> None:
        self._composer = composer
        self._hands = hands
        self._line, self._ledger = mouth.line, mouth.ledger
        self._clock, self._reel = mouth.clock, mouth.reel
        self._listener = listener
        self._minutes = minutes
        self._captions = captions
        self._around = around
        self._reply: Reply | None = None
        self._reply_task: asyncio.Task[None] | None = None
        self._drafted: _Drafted | None = None
        self._dropped_drafts = 0
        self._unheard = 0
        self._greeting: int | None = None

    def close(self) -> None:
        """Let go of the conversation, whose tasks are over: nobody waits for the collector."""
        self._reply = self._drafted = self._reply_task = None
        del self._around

    # What the core commands --------------------------------------------------------------------

    def draft(self, number: int, words: str, notes: str) -> None:
        """Begin a reply that makes no sound until `answer` takes it up."""
        self.drop()
        self._ledger.open(number, words, notes)
        ready = asyncio.Event()
        reply = self._make_answer(number, words, ready)
        reply.hold()
        making = self._around.start(number, reply.run())
        self._drafted = _Drafted(words, notes, reply, making, ready)

    def drop(self) -> None:
        """The draft, if there is one, is in vain."""
        if self._drafted is not None:
            self._dropped_drafts += 1
            self._drafted.task.cancel()
            self._ledger.retract(self._drafted.reply.number)
            self._drafted = None

    def answer(self, number: int, words: str, notes: str) -> None:
        """Answer the caller's `words` and the program's `notes`, with the draft if it is theirs."""
        self._captions.settle(words)
        drafted = self._drafted
        if drafted is not None and drafted.is_for(number, words, notes):
            self._drafted = None
            reply, making = drafted.reply, drafted.task
            drafted.ready.set()
            reply.resume()
        else:
            self.drop()
            self._ledger.open(number, words, notes)
            ready = asyncio.Event()
            ready.set()
            reply, making = self._make_answer(number, words, ready), None
        reply.watch.mark("endpoint", self._clock.now_s())
        self._take_up(reply, making)

    def say(self, number: int, fixed: FixedLine, *, nudged: int, left_s: float) -> None:
        """Say what is known beforehand, as reply `number`; see `Agent.words_of`."""
        if fixed is FixedLine.GREETING:
            self._greeting = number
        text = self._composer.agent.words_of(fixed, nudged=nudged, left_s=left_s)
        self.drop()
        self._ledger.open(number)
        watch = Stopwatch(self._clock.now_s())
        watch.note("line", fixed.value)
        self._take_up(self._composer.say(number, text, watch, partial(self._begin, number)))

    def turn_down(self, command: Hold | Resume | Hush) -> None:
        """The sound of the reply under way stops, for now or for good, or goes on."""
        acts = {Hold: Reply.hold, Resume: Reply.resume, Hush: self._hush}
        if self._reply is not None and self._reply.number == command.number:
            acts[type(command)](self._reply)
        began = self._reply is not None and self._reply.began
        if self._line.details and began and not isinstance(command, Hush):
            self._line.post(ReplyHeld() if isinstance(command, Hold) else ReplyResumed())

    # What the client says, and the LLM ---------------------------------------------------------

    def played(self, number: int, up_to_s: float) -> None:
        """So many seconds of reply `number` have been heard."""
        if self._reply is not None and self._reply.number == number:
            self._reply.played(up_to_s)

    def played_out(self) -> None:
        """All that was sent has been heard."""
        if self._reply is not None:
            self._reply.played_out()

    def switch(self, language: str) -> None:
        """Go on in another language, from the rest of this reply on."""
        self._composer.switch(language)
        agent = self._composer.agent
        if self._reply is not None:
            broke_off = agent.phrases.llm_broke_off
            self._reply.switch(voice=agent.voice, language=language, broke_off=broke_off)

    # One reply, from its making to its end -----------------------------------------------------

    def _make_answer(self, number: int, words: str, ready: asyncio.Event) -> Reply:
        watch, begin = self._start_watch(), partial(self._begin, number)
        return self._composer.answer(number, words, watch, ready, begin)

    def _start_watch(self) -> Stopwatch:
        """The watch of a reply to what the caller has just said."""
        spoke_s, transcript_s = self._listener.spoke_s, self._listener.transcript_s
        watch = Stopwatch(spoke_s)
        if transcript_s is not None and transcript_s >= spoke_s:
            watch.mark("transcript", transcript_s)
        return watch

    def _take_up(self, reply: Reply, making: asyncio.Task[None] | None = None) -> None:
        """From here on `reply` is the one under way; `making` it has begun if it was a draft."""
        self._reply = reply
        self._reply_task = self._around.start(reply.number, self._speak(reply, making))

    async def _speak(self, reply: Reply, making: asyncio.Task[None] | None) -> None:
        await (making if making is not None else reply.run())
        text = self._ledger.text(reply.number)
        self._close_reply(reply, reply.heard_s())
        asks = text.endswith(QUESTION_MARKS)
        last = self._composer.agent.ends_with(text) or self._hands.is_last(reply.number)
        transfers = bool(self._hands.transfers_to(reply.number))
        now_s = self._listener.now_s
        self._around.tell(ReplyPlayed(now_s, reply.number, asks, last, transfers))

    def _begin(self, number: int) -> None:
        """The first sound of reply `number` leaves."""
        self._captions.clear()
        self._minutes.reply_sounds()
        self._listener.reply_began()
        self._minutes.write_down(self._ledger.begin(number))
        self._around.tell(ReplyStarted(self._listener.now_s, number))

    def _hush(self, reply: Reply) -> None:
        reply.stop()
        if self._reply_task is not None:
            self._reply_task.cancel()
            self._reply_task = None
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

    def _close_reply(self, reply: Reply, heard_s: float) -> None:
        reply.note_sound(heard_s)
        self._listener.reply_ended(self._ledger.text(reply.number))
        if reply.began:
            self._hands.heard(reply.number)
        self._minutes.write_down(self._ledger.close(reply.number, heard_s))
        for key, count in (
            ("drafts_dropped", self._dropped_drafts),
            ("transcripts_dropped", self._listener.take_dropped()),
            ("replies_unheard", self._unheard),
        ):
            if count:
                reply.watch.note(key, count)
        self._dropped_drafts = self._unheard = 0
        self._minutes.close_reply(reply.number, reply.watch)
        self._end_greeting(reply.number)
        self._captions.clear()
        self._reply = None

    def _end_greeting(self, number: int) -> None:
        if number == self._greeting:
            self._greeting = None
            self._around.greeted()
