from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import pytest

from sayso.audio.formats import EAR_RATE_HZ, pcm16_of
from sayso.clock import SystemClock
from sayso.errors import AudioError, SaysoError, SpeechError
from sayso.stt import Transcript
from sayso.talk.ears import Utterance
from sayso.talk.events import (
    Event,
    Glimpsed,
    Heard,
    Judged,
    Missed,
    SpeechStarted,
    SpeechStopped,
    Tick,
)
from sayso.talk.intake import Intake
from sayso.talk.listener import Around, Hearing, Listener
from sayso.talk.mirror import Mirror
from stage import PCM, RAW, ListedEot, ListedStt, LoudVad, MemoryLine

Told = TypeVar("Told", bound=Event)


@dataclass(eq=False)
class Talk:
    """The conversation around a listener: it notes what it is told."""

    said: str = ""
    over: bool = False
    told: list[Event] = field(default_factory=list)
    reported: list[SpeechError] = field(default_factory=list)
    followed: list[str] = field(default_factory=list)
    noted: list[tuple[str, SaysoError]] = field(default_factory=list)

    def note(self, name: str, error: SaysoError) -> None:
        self.noted.append((name, error))

    def of(self, kind: type[Told]) -> list[Told]:
        return [event for event in self.told if isinstance(event, kind)]


@dataclass
class Booth:
    """A listener at work, and everything it works with."""

    listener: Listener
    line: MemoryLine
    intake: Intake
    stt: ListedStt
    eot: ListedEot
    talk: Talk

    async def speak(self, seconds: float, pause_s: float = 0.6) -> None:
        """Speak, and be silent, and wait until all of it was listened to."""
        parts = [(0.5, seconds), (0.0, pause_s)]
        sound = [np.full(int(s * EAR_RATE_HZ), level, np.float32) for level, s in parts]
        until_s = self.listener.now_s + sum(map(len, sound)) / EAR_RATE_HZ
        self.intake.put(pcm16_of(np.concatenate(sound)).tobytes())
        async with asyncio.timeout(5):
            while self.listener.now_s < until_s - 0.01:  # noqa: ASYNC110 - it has no event to tell
                await asyncio.sleep(0)
        for _ in range(10):  # what was started by the last of it
            await asyncio.sleep(0)


def fail(error: AudioError | SpeechError) -> None:
    raise error


@asynccontextmanager
async def listening(
    heard: Sequence[str | Exception] = (),
    judged: Sequence[float | Exception] = (),
    *,
    ahead: bool = False,
    followed: bool = False,
) -> AsyncIterator[Booth]:
    line, clock, talk = MemoryLine(RAW, PCM), SystemClock(), Talk()
    stt, eot, intake = ListedStt(list(heard)), ListedEot(list(judged)), Intake(PCM, clock, fail)
    hearing = Hearing(LoudVad(), stt, eot, "english", 10.0, 5.0, ahead)
    async with asyncio.TaskGroup() as tasks:
        around = Around(
            tell=talk.told.append,
            start=tasks.create_task,
            is_over=lambda: talk.over,
            saying=lambda: talk.said,
            report=talk.reported.append,
            note=talk.note,
            follow=talk.followed.append if followed else None,
        )
        listener = Listener(hearing, line, intake, Mirror(24_000), clock, around)
        work = tasks.create_task(listener.listen())
        yield Booth(listener, line, intake, stt, eot, talk)
        work.cancel()
    listener.close()


def names(events: Sequence[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


async def test_speech_becomes_events_in_order() -> None:
    async with listening(["Hello there."], [0.9]) as booth:
        await booth.speak(1.0)
    talk = booth.talk
    assert names(talk.told) == ["SpeechStarted", "SpeechStopped", "Heard", "Judged"]
    (heard,), (judged,) = talk.of(Heard), talk.of(Judged)
    assert (heard.text, heard.echoed) == ("Hello there.", False)
    assert (judged.sounds_done, judged.since_s) == (0.9, talk.of(SpeechStopped)[0].since_s)


async def test_a_due_deadline_is_told() -> None:
    async with listening() as booth:
        booth.listener.wake_at(0.3)
        await booth.speak(0.0, 0.5)
        assert booth.talk.of(Tick)
        booth.listener.wake_at(None)
        booth.talk.told.clear()
        await booth.speak(0.0, 0.5)
    assert booth.talk.told == []


async def test_a_near_deadline_hastens_the_line() -> None:
    async with listening() as booth:
        await booth.speak(0.0, 0.5)
        assert booth.line.breath_s > 0
        booth.listener.wake_at(0.51)
        assert booth.line.breath_s == 0


async def test_a_stretch_that_cannot_be_written_down_is_missed_and_reported() -> None:
    error = SpeechError("no ears")
    async with listening([error], [0.5]) as booth:
        await booth.speak(1.0)
    assert len(booth.talk.of(Missed)) == 1
    assert (booth.talk.reported, booth.talk.of(Heard)) == ([error], [])
    assert booth.listener.transcript_s is None


async def test_words_are_told_in_the_order_they_were_said() -> None:
    slow = asyncio.Event()
    async with listening(["I want to leave a message", "for Peter."]) as booth:
        booth.stt.wait_for.append(slow)
        await booth.speak(1.0)
        await booth.speak(0.5)
        assert (len(booth.stt.heard), booth.talk.of(Heard)) == (2, [])
        slow.set()
        await booth.speak(0.0)
    told = [heard.text for heard in booth.talk.of(Heard)]
    assert told == ["I want to leave a message", "for Peter."]


async def test_what_is_missed_keeps_nothing_back() -> None:
    slow = asyncio.Event()
    async with listening([SpeechError("no ears"), "for Peter."]) as booth:
        booth.stt.wait_for.append(slow)
        await booth.speak(1.0)
        await booth.speak(0.5)
        slow.set()
        await booth.speak(0.0)
    assert names(booth.talk.told)[-2:] == ["Missed", "Heard"]


async def test_a_judge_that_fails_is_noted_only() -> None:
    error = SpeechError("no judge")
    async with listening(["Yes."], [error]) as booth:
        await booth.speak(1.0)
    assert booth.talk.noted == [("judge_failed", error)]
    assert (booth.talk.reported, booth.talk.of(Judged)) == ([], [])


async def test_nobody_waits_for_the_judgement_of_a_pause_that_is_over() -> None:
    async with listening(["One", "two."]) as booth:
        booth.eot.wait_for = asyncio.Event()
        await booth.speak(1.0)
        await booth.speak(1.0)
        assert booth.eot.given_up == 1
        booth.eot.wait_for.set()


async def test_the_agents_own_words_are_left_out() -> None:
    async with listening(["the weather is fine today"]) as booth:
        booth.talk.said = "Oh, the weather is fine today."
        booth.listener.reply_began()
        await booth.speak(1.0)
    (heard,) = booth.talk.of(Heard)
    assert (heard.text, heard.echoed) == ("", True)


async def test_after_a_reply_the_same_words_are_the_callers() -> None:
    async with listening(["the weather is fine today"]) as booth:
        booth.listener.reply_began()
        booth.listener.reply_ended("Oh, the weather is fine today.")
        await booth.speak(1.0)
    assert booth.talk.of(Heard)[0].text == "the weather is fine today"


async def test_a_reply_begins_a_new_turn_to_be_judged() -> None:
    async with listening(["One.", "Two.", "Three."]) as booth:
        await booth.speak(1.0)
        await booth.speak(1.0)
        booth.listener.reply_began()
        await booth.speak(1.0)
    one, two, three = (len(sound) for sound in booth.eot.asked)
    assert two > 2 * EAR_RATE_HZ > three
    assert abs(one - three) < EAR_RATE_HZ


async def test_a_transcript_may_be_begun_at_a_lull() -> None:
    async with listening(["Yes."], ahead=True) as booth:
        await booth.speak(1.0)
    assert (len(booth.stt.heard), booth.listener.take_dropped()) == (1, 0)


async def test_one_that_was_begun_in_vain_is_counted_once() -> None:
    async with listening(["Well.", "Well, yes."], ahead=True) as booth:
        await booth.speak(0.5, 0.15)
        await booth.speak(0.5)
    assert [heard.text for heard in booth.talk.of(Heard)] == ["Well, yes."]
    assert [booth.listener.take_dropped() for _ in range(2)] == [1, 0]


async def test_what_is_said_when_it_is_over_is_written_down_for_nobody() -> None:
    async with listening(["Hello?"]) as booth:
        booth.talk.over = True
        await booth.speak(1.0)
    assert names(booth.talk.told) == ["SpeechStarted", "SpeechStopped"]
    assert booth.stt.heard == booth.eot.asked == []


async def test_what_is_said_so_far_is_told_on_request() -> None:
    async with listening([Transcript("Actually, I", 0.7, 0.1), "Actually, I do."]) as booth:
        await booth.speak(0.0, 0.5)
        await booth.speak(0.8, 0.0)
        booth.listener.glimpse()
        for _ in range(10):
            await asyncio.sleep(0)
        assert names(booth.talk.told) == ["SpeechStarted", "Glimpsed"]
        await booth.speak(0.4)
    (seen,), (heard,) = booth.talk.of(Glimpsed), booth.talk.of(Heard)
    assert (seen.text, seen.confidence, seen.nod) == ("Actually, I", 0.7, 0.1)
    assert seen.spoken_s == pytest.approx(0.8, abs=0.1)
    assert heard.text == "Actually, I do."


async def test_a_glimpse_that_fails_is_told_to_nobody() -> None:
    async with listening([SpeechError("no ears"), "Wait."]) as booth:
        await booth.speak(0.8, 0.0)
        booth.listener.glimpse()
        await booth.speak(0.4)
    assert (booth.talk.of(Glimpsed), booth.talk.of(Missed), booth.talk.reported) == ([], [], [])
    assert booth.talk.of(Heard)[0].text == "Wait."


async def test_a_glimpse_of_speech_that_has_stopped_is_given_up() -> None:
    async with listening(["Wait."]) as booth:
        await booth.speak(0.8, 0.0)
        booth.intake.put(pcm16_of(np.zeros(EAR_RATE_HZ, np.float32)).tobytes())
        booth.listener.glimpse()
        booth.listener._notice(Utterance(SpeechStopped(0.9, 0.8), np.zeros(800, np.float32)))
        await booth.speak(0.0, 0.4)
    assert booth.talk.of(Glimpsed) == []


async def test_a_glimpse_leaves_out_the_agents_own_words() -> None:
    async with listening(["the weather is fine"]) as booth:
        booth.talk.said = "Oh, the weather is fine today."
        booth.listener.reply_began()
        await booth.speak(0.8, 0.0)
        booth.listener.glimpse()
        for _ in range(10):
            await asyncio.sleep(0)
    assert [seen.text for seen in booth.talk.of(Glimpsed)] == [""]


async def test_how_sure_the_ears_are_is_told() -> None:
    async with listening([Transcript("Yes.", 0.4, 0.2)]) as booth:
        await booth.speak(1.0)
    (heard,) = booth.talk.of(Heard)
    assert (heard.confidence, heard.nod) == (0.4, 0.2)


async def test_when_the_caller_last_spoke_is_known_by_the_clock() -> None:
    async with listening(["Yes."]) as booth:
        before_s = booth.listener.spoke_s
        await booth.speak(1.0)
        spoke_s, transcript_s = booth.listener.spoke_s, booth.listener.transcript_s
        assert transcript_s is not None
        assert transcript_s > spoke_s
        booth.listener.take_text()
        assert booth.listener.spoke_s > max(before_s, spoke_s)


async def test_the_conversation_is_let_go_of() -> None:
    gc.collect()
    gc.disable()
    try:
        async with listening(["Yes."], [0.9]) as booth:
            await booth.speak(1.0)
        listener, kept = booth.listener, weakref.ref(booth.talk)
        del booth
        await asyncio.sleep(0)
        assert (listener.now_s > 1, kept()) == (True, None)
    finally:
        gc.enable()


async def test_what_speech_began_with_is_dated() -> None:
    async with listening(["Yes."]) as booth:
        await booth.speak(0.0, 1.0)
        await booth.speak(1.0)
    (started,), (heard,) = booth.talk.of(SpeechStarted), booth.talk.of(Heard)
    assert started.since_s is not None
    assert abs(started.since_s - 1.0) < 0.1
    assert heard.spoken_s is not None
    assert abs(heard.spoken_s - 1.0) < 0.1


async def test_whoever_looks_on_sees_the_words_as_they_are_said() -> None:
    async with listening(["So I", "So I went", "So I went home."], followed=True) as booth:
        await booth.speak(0.8, pause_s=0.0)
        assert booth.talk.followed == ["So I"]
        await booth.speak(0.2, pause_s=0.0)
        assert len(booth.talk.followed) == 1, "not that often"
        await booth.speak(0.9)
    assert booth.talk.followed == ["So I", "So I went"]
    assert [heard.text for heard in booth.talk.of(Heard)] == ["So I went home."]


async def test_nobody_looks_on_and_nothing_more_is_written_down() -> None:
    async with listening(["So I went home."]) as booth:
        await booth.speak(2.0)
    assert len(booth.stt.heard) == 1


async def test_what_could_not_be_followed_is_not_shown() -> None:
    async with listening([SpeechError("no"), "So I went home."], followed=True) as booth:
        await booth.speak(0.8)
    assert (booth.talk.followed, booth.talk.reported) == ([], [])
