"""One reply on its way to a caller, with a hummed voice and a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sayso.audio.formats import InputAudio, OutputAudio, OutputFormat
from sayso.engines import EngineConfig
from sayso.errors import SaysoError
from sayso.llm import Spare
from sayso.talk.history import Ledger
from sayso.talk.record import Stopwatch
from sayso.talk.reply import Mouth, Reply, Write
from sayso.transport.line import Incoming, Left, Outgoing, ReplyEnded, ReplySound
from sayso.tts.scripted import ScriptedTts


class StillClock:
    """A clock that stands still: nothing has been played as far as it knows."""

    def now_s(self) -> float:
        return 0.0

    def utc(self) -> datetime:
        return datetime(2024, 5, 1, tzinfo=UTC)


class OpenLine:
    """A line that keeps what it is given."""

    hears = InputAudio()
    speaks = OutputAudio(OutputFormat.RAW, 24_000)

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []

    async def receive(self) -> Incoming:
        return Left(cleanly=True)

    def post(self, out: Outgoing) -> None:
        self.sent.append(out)

    async def send(self, sound: ReplySound) -> None:
        self.sent.append(sound)

    def breathe(self, seconds: float) -> None:
        raise AssertionError("nobody listens here")

    def hush(self, number: int) -> None:
        raise AssertionError("nothing is hushed here")


async def speak(write: Write, chars_per_s: float) -> tuple[Reply, Ledger, OpenLine]:
    """A reply from its beginning to its end, by a voice that costs no time."""
    line, ledger, faults = OpenLine(), Ledger(), list[SaysoError]()
    tts = ScriptedTts(EngineConfig(Path(), options={"chars_per_s": str(chars_per_s)}))
    with ThreadPoolExecutor(1) as codecs:
        mouth = Mouth(
            tts=tts,
            voice="hum",
            speed=1.0,
            line=line,
            ledger=ledger,
            clock=StillClock(),
            codecs=codecs,
            ahead_s=1.0,
        )
        ledger.open(1, "Hi.")
        watch = Stopwatch(0.0)
        reply = Reply(1, write, mouth, watch, on_start=lambda: None, on_fault=faults.append)
        await reply.run()
    assert not faults
    return reply, ledger, line


async def test_a_reply_that_was_played_out_was_heard_to_its_last_word() -> None:
    async def write(_: Spare) -> AsyncGenerator[str, None]:
        yield "It will "
        yield "rain tomorrow."

    reply, ledger, line = await speak(write, chars_per_s=1000)
    assert ledger.heard(1, reply.heard_s()) == "It will rain tomorrow."
    assert line.sent[-1] == ReplyEnded(1, "It will rain tomorrow.")


async def test_words_can_be_spared_once_there_is_sound_to_hear() -> None:
    spared = []

    async def write(spare: Spare) -> AsyncGenerator[str, None]:
        spared.append(spare())
        yield "It will rain tomorrow, they say. "
        while not spare():  # noqa: ASYNC110 the voice is another task
            await asyncio.sleep(0)
        spared.append(spare())
        yield "Yes."

    await speak(write, chars_per_s=1000)
    assert spared == [0.0, pytest.approx(len("It will rain tomorrow,") / 1000)]
