"""One reply on its way to a caller, with a hummed voice and a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from sayso.audio.formats import InputAudio, OutputAudio, OutputFormat
from sayso.clock import Clock
from sayso.engines import EngineConfig
from sayso.errors import SaysoError
from sayso.llm import Spare
from sayso.talk.history import Ledger
from sayso.talk.mirror import Mirror
from sayso.talk.record import Stopwatch
from sayso.talk.reply import Mouth, Reply, Write
from sayso.transport.line import (
    AgentText,
    Incoming,
    Left,
    Outgoing,
    ReplyBegan,
    ReplyEnded,
    ReplySound,
)
from sayso.tts.scripted import ScriptedTts


class StillClock:
    """A clock that stands still: nothing has been played as far as it knows."""

    def now_s(self) -> float:
        return 0.0

    def utc(self) -> datetime:
        return datetime(2024, 5, 1, tzinfo=UTC)


class HandClock(StillClock):
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def now_s(self) -> float:
        return self.at_s


class OpenLine:
    """A line that keeps what it is given."""

    hears = InputAudio()
    speaks = OutputAudio(OutputFormat.RAW, 24_000)

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []

    hands_on = False

    @property
    def details(self) -> bool:
        return False

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
    async with speaking(write, chars_per_s, StillClock(), ahead_s=1.0) as made:
        await made[0].run()
    return made


@asynccontextmanager
async def speaking(
    write: Write, chars_per_s: float, clock: Clock, ahead_s: float
) -> AsyncGenerator[tuple[Reply, Ledger, OpenLine]]:
    """A reply that is yet to run."""
    line, ledger, faults = OpenLine(), Ledger(), list[SaysoError]()
    tts = ScriptedTts(EngineConfig(Path(), options={"chars_per_s": str(chars_per_s)}))
    with ThreadPoolExecutor(1) as codecs:
        mouth = Mouth(
            tts=tts,
            voice="hum",
            speed=1.0,
            line=line,
            ledger=ledger,
            clock=clock,
            codecs=codecs,
            ahead_s=ahead_s,
            mirror=Mirror(tts.sample_rate_hz),
        )
        ledger.open(1, "Hi.")
        watch = Stopwatch(0.0)
        reply = Reply(1, write, mouth, watch, on_start=lambda: None, on_fault=faults.append)
        yield reply, ledger, line
    assert not faults


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


STORY = "Once upon a time there was a house. A woman lived in it. She knew every tree. " * 4


@asynccontextmanager
async def beginning_to_sound(
    write: Write, holds: Callable[[OpenLine], object], clock: Clock | None = None
) -> AsyncGenerator[tuple[Reply, Ledger, OpenLine]]:
    """A reply of which a second is sent, at the moment at which something `holds` of its line."""
    async with speaking(write, 10.0, clock or StillClock(), ahead_s=1.0) as made:
        running = asyncio.create_task(made[0].run())
        async with asyncio.timeout(5.0):
            while not holds(made[2]):  # noqa: ASYNC110
                await asyncio.sleep(0)
        yield made
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def tells(line: OpenLine) -> list[str]:
    return [out.text for out in line.sent if isinstance(out, AgentText)]


class TestItsText:
    async def test_is_told_while_its_beginning_sounds(self) -> None:
        async def write(_: Spare) -> AsyncGenerator[str, None]:
            for word in STORY.split():
                yield f"{word} "

        async with beginning_to_sound(write, tells) as (_, ledger, line):
            kinds = [type(out) for out in line.sent]
            assert kinds[:2] == [ReplyBegan, ReplySound]
            sound_bytes = sum(len(out.data) for out in line.sent if isinstance(out, ReplySound))
            assert sound_bytes / 4 / line.speaks.sample_rate_hz <= 1.2
            assert tells(line) == [STORY.strip()]
            assert len(ledger.text(1)) < len(STORY) / 2, "the voice is not there yet"

    async def test_is_told_after_the_first_sound_though_it_was_there_before(self) -> None:
        async def write(_: Spare) -> AsyncGenerator[str, None]:
            yield "Yes."

        _, _, line = await speak(write, chars_per_s=1000)
        kinds = [type(out) for out in line.sent]
        assert kinds == [ReplyBegan, ReplySound, AgentText, ReplyEnded]

    @pytest.mark.parametrize("text", [STORY, "👋 Hello! ``` x = 1 ``` That is it.", "So, 1. this"])
    async def test_is_what_the_ledger_says_at_the_end(self, text: str) -> None:
        async def write(_: Spare) -> AsyncGenerator[str, None]:
            for at in range(0, len(text), 3):
                yield text[at : at + 3]

        _, ledger, line = await speak(write, chars_per_s=10_000)
        assert tells(line) == [ledger.text(1)]
        assert line.sent[-1] == ReplyEnded(1, ledger.text(1))

    async def test_waits_where_its_length_is_out_of_all_bounds(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sayso.talk.backlog.CHARS_AHEAD", 100)
        written = 0

        async def write(_: Spare) -> AsyncGenerator[str, None]:
            nonlocal written
            for word in STORY.split():
                written += len(word) + 1
                yield f"{word} "

        sent = partial(count_sounds, at_least=5)
        async with beginning_to_sound(write, sent) as (_, _, line):
            await asyncio.sleep(0.05)
            assert 100 < written < len(STORY)
            assert not tells(line)

    async def test_is_kept_back_while_the_reply_is_held(self) -> None:
        goes_on, clock = asyncio.Event(), HandClock()

        async def write(_: Spare) -> AsyncGenerator[str, None]:
            yield STORY[:100]
            await goes_on.wait()
            yield STORY[100:]

        sent = partial(count_sounds, at_least=5)
        async with beginning_to_sound(write, sent, clock) as (reply, _, line):
            reply.hold()
            goes_on.set()
            while not reply._text_complete:  # noqa: ASYNC110
                await asyncio.sleep(0)
            assert not tells(line)
            clock.at_s = 1.0
            reply.resume()
            async with asyncio.timeout(5.0):
                while not tells(line):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

    async def test_is_not_told_once_what_was_heard_is(self) -> None:
        """Cut off before all of it was written: what comes in the last moment is nobody's."""
        goes_on = asyncio.Event()

        async def write(_: Spare) -> AsyncGenerator[str, None]:
            yield STORY[:100]
            await goes_on.wait()
            yield STORY[100:]

        sent = partial(count_sounds, at_least=5)
        async with beginning_to_sound(write, sent) as (reply, _, line):
            reply.stop()
            goes_on.set()
            while not reply._text_complete:  # noqa: ASYNC110
                await asyncio.sleep(0)
            reply.post_text("Once upon")
            assert tells(line) == ["Once upon"]

    async def test_that_waits_to_be_spoken_can_wait_for_more(self) -> None:
        spared = []

        async def write(spare: Spare) -> AsyncGenerator[str, None]:
            yield STORY
            spared.append(spare())

        async with beginning_to_sound(write, tells):
            assert spared[0] > 5.0


def count_sounds(line: OpenLine, at_least: int) -> bool:
    return sum(isinstance(out, ReplySound) for out in line.sent) >= at_least


async def forecast(_: Spare) -> AsyncGenerator[str, None]:
    yield "It will rain tomorrow, they say."


@asynccontextmanager
async def sent_at_once() -> AsyncGenerator[tuple[Reply, Ledger, HandClock, asyncio.Task[None]]]:
    """A reply of 32 s whose sound has all been sent, and which plays on a clock moved by hand."""
    clock = HandClock()
    async with speaking(forecast, 1.0, clock, ahead_s=100.0) as (reply, ledger, line):
        running = asyncio.create_task(reply.run())
        while not any(isinstance(out, ReplyEnded) for out in line.sent):  # noqa: ASYNC110
            await asyncio.sleep(0)
        yield reply, ledger, clock, running
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_what_the_client_reports_was_heard_and_no_more() -> None:
    async with sent_at_once() as (reply, ledger, clock, _):
        clock.at_s = 20.0
        reply.played(18.5)
        assert ledger.heard(1, reply.heard_s()) == "It will rain"
        clock.at_s = 24.0
        assert ledger.heard(1, reply.heard_s()) == "It will rain tomorrow,"


async def test_a_report_of_all_of_it_ends_the_reply() -> None:
    async with sent_at_once() as (reply, ledger, _, running):
        assert not running.done()
        reply.played(ledger.made_s(1))
        await asyncio.wait_for(running, 5.0)
        assert ledger.heard(1, reply.heard_s()) == "It will rain tomorrow, they say."


async def test_a_client_that_lags_behind_is_waited_for() -> None:
    """By the times of sending the reply would be over; by its reports a tenth of it is to come."""
    async with sent_at_once() as (reply, ledger, clock, running):
        made_s = ledger.made_s(1)
        clock.at_s = made_s
        reply.played(made_s - 0.1)
        assert reply.heard_s() == pytest.approx(made_s - 0.1)
        assert not running.done()
        clock.at_s += 0.1
        await asyncio.wait_for(running, 5.0)
        assert reply.heard_s() == pytest.approx(made_s)


async def test_a_report_after_the_end_is_nothing() -> None:
    async with sent_at_once() as (reply, ledger, _, running):
        reply.played_out()
        await running
        reply.played(1.0)
        assert reply.heard_s() == pytest.approx(ledger.made_s(1))
