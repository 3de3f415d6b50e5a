"""A stage for whole conversations without sockets, models or waiting for real speech.

The line, the ears and the LLM are scripted programs in memory; the session, the core and the
reply are the real ones. Sound is made of loud and quiet samples.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

import numpy as np

from sayso.audio.formats import (
    EAR_RATE_HZ,
    InputAudio,
    InputEncoding,
    OutputAudio,
    OutputFormat,
    Samples,
    pcm16_of,
)
from sayso.clock import SystemClock
from sayso.errors import LlmError, SpeechError, TalkError
from sayso.llm import Message, Mishap, Note, Piece, Spare, Tool, forget, ignore, no_spare
from sayso.talk.agent import Agent
from sayso.talk.deeds import as_messages
from sayso.talk.endpointing import Policy
from sayso.talk.events import EndedBy
from sayso.talk.history import Deed, Ledger, Line
from sayso.talk.ladder import NO_LADDER, Ladder
from sayso.talk.record import LeftMessage
from sayso.talk.rooms import Limits, Rooms
from sayso.talk.session import Session
from sayso.transport import line as wire
from sayso.tts import Voice
from sayso.vad import WINDOW_SAMPLES

Out = TypeVar("Out", bound=wire.Outgoing)


class LoudIsSpeech:
    """A detector that takes every loud window for speech."""

    def __init__(self) -> None:
        self._rest: Samples = np.zeros(0, np.float32)

    async def judge(self, samples: Samples, *, urgent: bool = True) -> list[float]:
        self._rest = np.concatenate([self._rest, samples])
        windows = len(self._rest) // WINDOW_SAMPLES
        judged, self._rest = np.split(self._rest, [windows * WINDOW_SAMPLES])
        return [float(np.abs(w).max() > 0.1) for w in judged.reshape(windows, WINDOW_SAMPLES)]


class LoudVad:
    async def open(self) -> None: ...

    async def close(self) -> None: ...

    def stream(self) -> LoudIsSpeech:
        return LoudIsSpeech()


@dataclass
class ListedStt:
    """Says the listed texts in turn, then nothing; an exception in the list is raised.

    The first transcripts come when the events of `wait_for`, one for each, are set.
    """

    texts: list[str | Exception] = field(default_factory=list)
    heard: list[Samples] = field(default_factory=list)
    wait_for: list[asyncio.Event] = field(default_factory=list)

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def transcribe(self, samples: Samples, language: str) -> str:
        self.heard.append(samples)
        text = self.texts.pop(0) if self.texts else ""
        if self.wait_for:
            await self.wait_for.pop(0).wait()
        if isinstance(text, Exception):
            raise text
        return text


@dataclass
class ListedEot:
    """Judges as listed, in turn, then not at all; an exception in the list is raised."""

    verdicts: list[float | Exception] = field(default_factory=list)
    asked: list[Samples] = field(default_factory=list)
    wait_for: asyncio.Event | None = None
    given_up: int = 0

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def judge(self, samples: Samples) -> float | None:
        self.asked.append(samples)
        try:
            if self.wait_for is not None:
                await self.wait_for.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        verdict = self.verdicts.pop(0) if self.verdicts else None
        if isinstance(verdict, Exception):
            raise verdict
        return verdict


@dataclass
class ToneTts:
    """Speaks 20 ms of tone a character; text with "unspeakable" in it cannot be spoken.

    Once a clause has been spoken, and its sound had time to be sent, `then` is called.
    """

    sample_rate_hz: int = 16_000
    voices: Sequence[Voice] = (Voice("tone", "Tone", "none", "english", "a tone"),)
    spoken: list[str] = field(default_factory=list)
    then: Callable[[], None] | None = None

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def speak(self, text: str, *, voice: str, speed: float = 1.0) -> AsyncIterator[Samples]:
        if "unspeakable" in text:
            raise SpeechError("the voice failed")
        self.spoken.append(text)
        yield np.full(int(len(text) * 0.02 * self.sample_rate_hz), 0.25, np.float32)
        if self.then is not None:
            await asyncio.sleep(0.02)
            self.then()


Step: TypeAlias = Piece | float | LlmError


@dataclass
class ListedLlm:
    """Gives the listed answers in turn, a piece at a time; waits for numbers, raises LlmErrors."""

    answers: list[list[Step]] = field(default_factory=list)
    offered: list[list[str]] = field(default_factory=list)
    prompts: list[list[Message]] = field(default_factory=list)
    closed: int = 0
    mishaps: list[LlmError] = field(default_factory=list)

    async def reply(
        self,
        messages: Sequence[Message],
        mishap: Mishap = ignore,
        spare: Spare = no_spare,
        note: Note = forget,
        tools: Sequence[Tool] = (),
    ) -> AsyncGenerator[Piece, None]:
        self.offered.append([tool.name for tool in tools])
        while self.mishaps:
            mishap(self.mishaps.pop(0))
        note("llm", "listed")
        self.prompts.append(list(messages))
        try:
            for piece in self.answers.pop(0):
                await asyncio.sleep(piece if isinstance(piece, float) else 0)
                if isinstance(piece, float):
                    continue
                if isinstance(piece, LlmError):
                    raise piece
                yield piece
        finally:
            self.closed += 1


class MemoryLine:
    """A line whose client is the test."""

    def __init__(self, speaks: OutputAudio, hears: InputAudio, *, transfers: bool = False) -> None:
        self.speaks = speaks
        self.hears = hears
        self.details = False
        self.sent: list[wire.Outgoing] = []
        self.hushed = 0
        self.transfers = transfers
        self._incoming: asyncio.Queue[wire.Incoming | TalkError] = asyncio.Queue()

    async def receive(self) -> wire.Incoming:
        incoming = await self._incoming.get()
        if isinstance(incoming, TalkError):
            raise incoming
        return incoming

    def post(self, out: wire.Outgoing) -> None:
        self.sent.append(out)

    async def send(self, sound: wire.ReplySound) -> None:
        self.sent.append(sound)

    def breathe(self, seconds: float) -> None:
        self.breath_s = seconds

    def hush(self, number: int) -> None:
        self.hushed = number

    @property
    def hands_on(self) -> bool:
        return self.transfers

    def client(self, incoming: wire.Incoming | TalkError) -> None:
        self._incoming.put_nowait(incoming)

    def of(self, kind: type[Out]) -> list[Out]:
        return [out for out in self.sent if isinstance(out, kind)]


@dataclass
class MemoryRecord:
    lines: list[tuple[str, str]] = field(default_factory=list)
    turns: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    end: tuple[EndedBy, int | None] | None = None
    reason: str = ""
    messages: list[LeftMessage] = field(default_factory=list)

    def message(self, left: LeftMessage, at: datetime) -> None:
        self.messages.append(left)

    def line(
        self,
        role: str,
        content: str,
        at: datetime,
        deeds: Sequence[Deed] = (),
        began_at: datetime | None = None,
    ) -> None:
        self.deeds += deeds
        if content:
            self.lines.append((role, content))

    def turn(self, number: int, timings: Mapping[str, Any], at: datetime) -> None:
        self.turns.append((number, dict(timings)))

    def ended(self, by: EndedBy, error_code: int | None, at: datetime, reason: str = "") -> None:
        self.end = (by, error_code)
        self.reason = reason


@dataclass
class Stage:
    """One conversation under way, and everything around it."""

    session: Session
    line: MemoryLine
    stt: ListedStt
    eot: ListedEot
    tts: ToneTts
    llm: ListedLlm
    record: MemoryRecord
    running: asyncio.Task[None]

    async def speak(self, seconds: float, pause_s: float = 0.8) -> None:
        """Speak at once, faster than real time: audio time is what counts.

        It is a hiss, which is no echo of the voice here.
        """
        signs = np.random.default_rng(0).choice((-1, 1), int(seconds * EAR_RATE_HZ))
        loud = (0.5 * signs).astype(np.float32)
        quiet = np.zeros(int(pause_s * EAR_RATE_HZ), np.float32)
        self.line.client(wire.Sound(pcm16_of(np.concatenate([loud, quiet])).tobytes()))
        await asyncio.sleep(0)

    async def be_quiet(self, seconds: float) -> None:
        quiet = np.zeros(int(seconds * EAR_RATE_HZ), np.float32)
        self.line.client(wire.Sound(pcm16_of(quiet).tobytes()))
        await asyncio.sleep(0)

    async def until(self, holds: Callable[[], object], within_s: float = 5.0) -> None:
        """Wait until the conversation came so far; fails when it does not."""
        async with asyncio.timeout(within_s):
            while not holds():  # noqa: ASYNC110 - whatever the test asks about may change
                await asyncio.sleep(0.002)

    async def until_sent(self, kind: type[wire.Outgoing], times: int = 1) -> None:
        await self.until(lambda: len(self.line.of(kind)) >= times)

    async def hang_up(self) -> None:
        self.line.client(wire.Left(cleanly=True))
        await self.running


POLICY = Policy(patience_s=0.5, unfinished_s=0.7, interruption_s=0.39)
"""Speech over a reply is so soon enough that nobody looks into it: that would take a line."""
PCM = InputAudio(InputEncoding.LINEAR16, EAR_RATE_HZ)
RAW = OutputAudio(OutputFormat.RAW, 16_000)


@asynccontextmanager
async def staged(
    *,
    answers: Sequence[Sequence[Step]] = (),
    heard: Sequence[str | Exception] = (),
    judged: Sequence[float | Exception] = (),
    greeting: str = "",
    mishaps: Sequence[LlmError] = (),
    failure_message: str = "",
    lines: Sequence[Line] = (),
    conversation_s: float = 60.0,
    speaks: OutputAudio = RAW,
    hears: InputAudio = PCM,
    policy: Policy = POLICY,
    ladder: Ladder = NO_LADDER,
    warning_s: float = 0.0,
    filler_after_s: float = 1.5,
    transfers: bool = False,
    details: bool = False,
    **manners: Any,  # noqa: ANN401 - fields of Agent
) -> AsyncIterator[Stage]:
    """Hold a conversation in memory; it is hung up on leaving."""
    line = MemoryLine(speaks, hears, transfers=transfers)
    line.details = details
    stt, eot = ListedStt(list(heard)), ListedEot(list(judged))
    tts, record = ToneTts(), MemoryRecord()
    llm = ListedLlm([list(answer) for answer in answers], mishaps=list(mishaps))

    def prompt(said: Sequence[Line]) -> list[Message]:
        return as_messages(said)

    with ThreadPoolExecutor(1) as codecs:
        session = Session(
            agent=Agent(
                "agent-1",
                greeting,
                "tone",
                1.0,
                "english",
                llm,
                prompt,
                failure_message,
                ladder=ladder,
                **manners,
            ),
            line=line,
            rooms=Rooms(LoudVad(), stt, tts, eot, codecs),
            limits=Limits(policy, 10.0, conversation_s, 5.0, 0.25, warning_s, filler_after_s),
            ledger=Ledger(lines),
            record=record,
            clock=SystemClock(),
        )
        running = asyncio.create_task(session.run())
        stage = Stage(session, line, stt, eot, tts, llm, record, running)
        try:
            yield stage
            if not running.done():
                await stage.hang_up()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
