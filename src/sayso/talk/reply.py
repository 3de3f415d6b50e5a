"""One reply on its way to the caller.

    text pieces ─► clauses ─► voice ─► codec ─► pacing ─► line

Three stages run beside each other: while one clause sounds, the next is spoken and the one after
is still being written. The text runs ahead of the voice (`backlog.py`), so that the client can show
all of it while its beginning sounds. A reply can be held, resumed, and cancelled at any point; it
decides nothing itself.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeAlias

from sayso.audio.encode import Encoder, open_encoder
from sayso.audio.formats import Samples
from sayso.audio.pacing import Pacer
from sayso.clock import Clock
from sayso.errors import LlmError, SaysoError, SpeechError
from sayso.llm import Spare
from sayso.talk.backlog import Backlog
from sayso.talk.history import Ledger
from sayso.talk.mirror import Mirror
from sayso.talk.phrases import ENGLISH
from sayso.talk.record import Stopwatch
from sayso.talk.reel import UNRECORDED, Reel
from sayso.transport.line import AgentText, Line, ReplyBegan, ReplyEnded, ReplySound
from sayso.tts import Tts
from sayso.tts.edges import Edges, pause_after
from sayso.tts.sentences import ELLIPSIS, Sentences, ends_sentence
from sayso.tts.spoken import Reading, speakable

PAUSE_S: Final = 0.2
"""A writer silent for so long, in seconds, pauses: what stands complete is spoken."""

PIECES_AHEAD: Final = 100
"""Pieces of sound spoken but not yet sent before the voice is left waiting."""

ROUNDING_S: Final = 0.02
"""By how much a client's count of seconds may differ from ours, and still be all of them."""

PIECE_S: Final = 0.1
"""Sound sent at a time, in seconds: wake-ups cost more than bytes."""


@dataclass(frozen=True, slots=True)
class Mouth:
    """What every reply of a conversation is spoken with; `broke_off` if its text does so."""

    tts: Tts
    voice: str
    speed: float
    line: Line
    ledger: Ledger
    clock: Clock
    codecs: Executor
    ahead_s: float
    mirror: Mirror
    language: str = "english"
    reading: Reading = "auto"
    broke_off: str = ENGLISH.llm_broke_off
    reel: Reel = UNRECORDED


Write: TypeAlias = Callable[[Spare], AsyncGenerator[str, None]]
"""Begins the text of a reply; is given `spare`, which tells how urgent more of it is."""


class Aside(str):
    """Words of ours in the text of a reply: heard and written down, but the LLM is not told."""

    __slots__ = ()


class Reply:
    """Speaks the text that `write` makes, as reply `number`.

    Args:
        number: the reply's number.
        write: begins its text, and is told how long the voice can do without more of it; what
            it gives is closed when the reply is over.
        mouth: what it is spoken with.
        watch: notes when each step was reached.
        on_start: called when its first sound leaves.
        on_fault: called when a part of it failed; the reply goes on as well as it can.
        if_silent: what is said when the text has nothing to speak; "" for nothing.
    """

    def __init__(
        self,
        number: int,
        write: Write,
        mouth: Mouth,
        watch: Stopwatch,
        *,
        on_start: Callable[[], None],
        on_fault: Callable[[SaysoError], None],
        if_silent: str = "",
    ) -> None:
        self.number = number
        self.watch = watch
        self._pieces = write(self.spare_s)
        self._mouth = mouth
        self._on_start = on_start
        self._on_fault = on_fault
        self._if_silent = if_silent
        self._pacer = Pacer(mouth.ahead_s)
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._played_out = asyncio.Event()
        self._ending: asyncio.Timeout | None = None
        self._clauses = Backlog()
        self._sound: asyncio.Queue[Samples | None] = asyncio.Queue(PIECES_AHEAD)
        self._encoder: Encoder | None = None
        self._written: list[str] = []
        self._apology = ""
        self._text_complete = False
        self._text_posted = False
        self._sounds = False
        self._all_sent = False
        self._holds = 0
        self.began = False

    # What the conversation does with it ------------------------------------------------------

    async def run(self) -> None:
        """Speak it, and return once the caller has heard the end of it."""
        try:
            await self._run_stages()
        except asyncio.CancelledError as cancelled:
            # Its traceback holds the frame of the task group, and that frame the error: the whole
            # conversation would stay in memory until the collector of garbage comes by.
            raise cancelled.with_traceback(None)  # noqa: B904 - it is this very one
        finally:
            await self._pieces.aclose()  # frees the LLM's server at once

    async def _run_stages(self) -> None:
        async with asyncio.TaskGroup() as stages:
            stages.create_task(self._write())
            stages.create_task(self._voice())
            stages.create_task(self._send())

    def hold(self) -> None:
        """Stop sending, keep what is left."""
        self._holds += self.began
        self.stop()

    def stop(self) -> None:
        """Send nothing from now on: cancelled stages could say a last word in their last moment."""
        self._flowing.clear()
        self._pacer.hold(self._mouth.clock.now_s())

    def resume(self) -> None:
        """Go on where `hold` stopped."""
        self._pacer.resume(self._mouth.clock.now_s())
        self._flowing.set()

    def switch(self, *, voice: str, language: str, broke_off: str) -> None:
        """Speak on in another language."""
        self._mouth = replace(self._mouth, voice=voice, language=language, broke_off=broke_off)

    def played_out(self) -> None:
        """The client says that all it was sent has been heard."""
        self._played_out.set()

    def played(self, up_to_s: float) -> None:
        """The client says that so many seconds of its sound have been heard."""
        self._pacer.report(up_to_s, self._mouth.clock.now_s())
        left_s = self._pacer.sent_s - self.heard_s()
        if self._all_sent and left_s <= ROUNDING_S:
            self._played_out.set()
        elif self._ending is not None and not self._ending.expired():
            self._ending.reschedule(asyncio.get_running_loop().time() + left_s)

    def heard_s(self) -> float:
        """Seconds of its sound the caller has heard by now."""
        if self._all_sent and self._played_out.is_set():
            return self._pacer.sent_s
        return self._pacer.played_s(self._mouth.clock.now_s())

    def unheard_s(self, heard_s: float) -> float:
        """Seconds of sound that were sent, and not heard when only `heard_s` were."""
        return self._pacer.sent_s - heard_s

    def spare_s(self) -> float:
        """Seconds the caller can do without more text: unheard sound, and text that waits."""
        unheard_s = self._mouth.ledger.made_s(self.number) - self.heard_s()
        return unheard_s + self._clauses.lasts_s

    def note_sound(self, heard_s: float) -> None:
        """Note how much of its sound was made, sent and heard."""
        made_s = self._mouth.ledger.made_s(self.number)
        for key, seconds in (
            ("sound_made_s", made_s),
            ("sound_sent_s", self._pacer.sent_s),
            ("sound_heard_s", heard_s),
        ):
            self.watch.note(key, round(seconds, 2))
        if self._holds:
            self.watch.note("holds", self._holds)

    def post_text(self, text: str) -> None:
        """Tell the client the reply's text, once."""
        if text and not self._text_posted:
            self._text_posted = True
            self._mouth.line.post(AgentText(self.number, text))

    # Text ------------------------------------------------------------------------------------

    async def _write(self) -> None:
        """Cut the text into clauses as it comes; a failure becomes a sentence of its own.

        Where the text breaks off, that shows, and what is said of it is kept apart (`Ledger`).
        """
        sentences = Sentences()
        try:
            await self._write_pieces(sentences)
        except LlmError as error:
            self._fail(error)
            await self._put_clauses(sentences.break_off())
            if self._written:
                self._apologize()
            else:
                await self._put_clauses([self._if_silent])
        else:
            await self._put_clauses(sentences.finish())
        self._text_complete = True
        self._post_complete_text()
        await self._clauses.put(None)

    def _apologize(self) -> None:
        """Say that the text broke off, once all of it was spoken."""
        whole = ends_sentence(self._written[-1])
        self._apology = self._mouth.broke_off if whole else f"{ELLIPSIS} {self._mouth.broke_off}"
        self._written.append(self._apology)

    async def _write_pieces(self, sentences: Sentences) -> None:
        loop = asyncio.get_running_loop()
        pause = loop.call_later(PAUSE_S, self._use_pause, sentences)
        try:
            async for piece in self._pieces:
                pause.cancel()
                self._mark("llm_first_token")
                await self._put_clauses(_cut(piece, sentences))
                pause = loop.call_later(PAUSE_S, self._use_pause, sentences)
        finally:
            pause.cancel()

    def _use_pause(self, sentences: Sentences) -> None:
        """The LLM is silent: say "One moment, please." now, if the voice has nothing else."""
        if self._clauses.empty() and (text := " ".join(sentences.pause())):
            self._note_clause(text)
            self._clauses.put_nowait(text)

    async def _put_clauses(self, clauses: Iterable[str]) -> None:
        for text in filter(str.strip, clauses):
            self._note_clause(text)
            await self._clauses.put(text)
            await asyncio.sleep(0)  # the voice begins with it before more is read

    def _note_clause(self, text: str) -> None:
        self._mark("first_clause")
        self._written.append(text)

    # Voice -------------------------------------------------------------------------------------

    async def _voice(self) -> None:
        """Speak each clause; one that cannot be spoken is left out, and said so."""
        uttered = False
        while (clause := await self._clauses.get()) is not None:
            aside = isinstance(clause, Aside)
            uttered = await self._utter(clause, aside=aside) or uttered
        if self._apology:
            uttered = await self._utter(self._apology, aside=True)
        if self._if_silent and not uttered:
            self._fail(LlmError("the answer has no words to speak", finding="answer.unspeakable"))
            self._written.append(self._if_silent)
            await self._utter(self._if_silent)
        await self._sound.put(None)

    async def _utter(self, clause: str, *, aside: bool = False) -> bool:
        """Speak one clause if there are words in it; whether there were."""
        words = speakable(clause.removeprefix(ELLIPSIS), self._mouth.language, self._mouth.reading)
        self._mouth.ledger.clause(self.number, clause, words, aside=aside)
        if words:
            try:
                await self._speak(words)
            except SpeechError as error:
                self._fail(error)
        self._mouth.ledger.finish(self.number)
        return bool(words)

    async def _speak(self, words: str) -> None:
        mouth = self._mouth
        edges = Edges(mouth.tts.sample_rate_hz, pause_after(words))
        async for samples in mouth.tts.speak(words, voice=mouth.voice, speed=mouth.speed):
            self._mark("tts_first_sound")
            await self._put_sound(edges.feed(samples))
        await self._put_sound(edges.finish())

    async def _put_sound(self, samples: Samples) -> None:
        rate_hz = self._mouth.tts.sample_rate_hz
        step = int(rate_hz * PIECE_S)
        self._mouth.ledger.sound(self.number, len(samples) / rate_hz)
        for begin in range(0, len(samples), step):
            await self._sound.put(samples[begin : begin + step])

    # Sound -------------------------------------------------------------------------------------

    async def _send(self) -> None:
        """Encode and send each piece when its time comes, then wait until all is heard."""
        while (piece := await self._sound.get()) is not None:
            await self._await_turn()
            if self._encoder is None:
                self._encoder = self._begin()
            data = await self._encode(self._encoder, partial(self._encoder.encode, piece))
            await self._flowing.wait()
            self._pacer.send(len(piece) / self._mouth.tts.sample_rate_hz, self._mouth.clock.now_s())
            self._mouth.reel.said(piece, self._pacer.ends_at_s)
            self._mouth.mirror.said(piece)
            await self._emit(data)
            self._post_complete_text()
        if self._encoder is not None:
            await self._end(self._encoder)

    async def _await_turn(self) -> None:
        """Wait until the next piece is due; a hold in the meantime starts the wait anew."""
        while True:
            await self._flowing.wait()
            wait_s = self._pacer.wait_s(self._mouth.clock.now_s())
            if wait_s <= 0:
                return
            await asyncio.sleep(wait_s)

    def _begin(self) -> Encoder:
        self.began = True
        self._mouth.line.post(ReplyBegan(self.number))
        self._on_start()
        return open_encoder(self._mouth.line.speaks, self._mouth.tts.sample_rate_hz)

    async def _encode(self, encoder: Encoder, work: Callable[[], bytes]) -> bytes:
        """Do codec `work`: here if it is cheap, else beside the loop."""
        if not encoder.heavy:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._mouth.codecs, work)

    async def _emit(self, data: bytes) -> None:
        if data:
            await self._mouth.line.send(ReplySound(self.number, data))
            self._sounds = True
            self._mark("first_sound_sent")

    async def _end(self, encoder: Encoder) -> None:
        data = await self._encode(encoder, encoder.finish)
        await self._flowing.wait()
        await self._emit(data)
        await self._flowing.wait()
        self._sounds = True
        self._post_complete_text()
        text = self._mouth.ledger.text(self.number)
        self._played_out.clear()  # a player that ran dry earlier had only run out of sound
        self._all_sent = True
        self._mouth.line.post(ReplyEnded(self.number, text))
        await self._await_played()
        self._mark("played")

    def _post_complete_text(self) -> None:
        """Tell the text once all of it is there and some of it was sent, unless it is held.

        A reply that was stopped tells what was heard, and no more.
        """
        if self._text_complete and self._sounds and self._flowing.is_set():
            self._mark("text_complete")
            self.post_text(" ".join(self._written))

    async def _await_played(self) -> None:
        """Until the client says so, or the sound it has must be over."""
        left_s = self._pacer.sent_s - self.heard_s()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, left_s)) as self._ending:
                await self._played_out.wait()
        # Timers fire up to a millisecond early: the clock alone would cut off the last word.
        self._played_out.set()

    # Bookkeeping ---------------------------------------------------------------------------------

    def _mark(self, step: str) -> None:
        self.watch.mark(step, self._mouth.clock.now_s())

    def _fail(self, error: SaysoError) -> None:
        self.watch.note("failure", str(getattr(error, "finding", type(error).__name__)))
        self.watch.note("blame", error.blame.value)
        self._on_fault(error)


def _cut(piece: str, sentences: Sentences) -> list[str]:
    """The clauses that are complete with `piece`; one of ours stands apart from the LLM's."""
    if not isinstance(piece, Aside):
        return sentences.feed(piece)
    ours = Sentences()
    return [*sentences.finish(), *map(Aside, ours.feed(piece)), *map(Aside, ours.finish())]
