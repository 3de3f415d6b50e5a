"""A caller whose microphone hears the loudspeaker: the agent must not listen to itself.

The echo is what was really sent, half as loud and 0.2 s late, without any cancelling: the worst
that a speakerphone does.
"""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

import speech
from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.audio.resample import resample
from sayso.caller import ANSWER_RATE_HZ, Caller
from served import FRAME_S, Served, fake_llm, hear_greeting, linear16

pytestmark = pytest.mark.speech

STORY = (
    "Once upon a time there was a small house at the edge of a large forest. In it lived an old "
    "woman who knew the name of every tree. One winter a stranger knocked at her door. He asked "
    "her for the way to the sea."
)
DELAY_S, LOUDNESS = 0.2, 0.5


class Speakerphone:
    """Plays what comes, and records that, and what the caller says."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._played: dict[int, int] = {}
        self._to_say: Samples = np.zeros(0, np.float32)
        frames = round(DELAY_S / FRAME_S)
        self._air = [np.zeros(int(FRAME_S * EAR_RATE_HZ), np.float32)] * frames

    def say(self, samples: Samples) -> None:
        self._to_say = samples

    async def run(self) -> None:
        due_s = time.monotonic()
        while not self._caller.ended:
            self._air.append(LOUDNESS * self._play())
            frame = self._air.pop(0)
            piece, self._to_say = self._to_say[: len(frame)], self._to_say[len(frame) :]
            frame[: len(piece)] += piece
            due_s += FRAME_S
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            await self._caller.send_encoded(linear16(frame))

    def _play(self) -> Samples:
        """The next moment of the reply that sounds; silence once it is taken back."""
        silence = np.zeros(int(FRAME_S * EAR_RATE_HZ), np.float32)
        if not self._caller.replies or self._caller.replies[-1].interrupted is not None:
            return silence
        reply, number = self._caller.replies[-1], len(self._caller.replies)
        begin = self._played.get(number, 0)
        piece = reply.samples[begin : begin + int(FRAME_S * ANSWER_RATE_HZ)]
        self._played[number] = begin + len(piece)
        sound = resample(piece, ANSWER_RATE_HZ, EAR_RATE_HZ)[: len(silence)]
        silence[: len(sound)] = sound
        return silence


async def test_the_agent_tells_its_story_to_the_end(served: Served) -> None:
    async with fake_llm(STORY, "Nobody asked.") as llm:
        agent_id = await served.make_agent(llm.url)
        async with served.call(agent_id) as caller:
            phone = Speakerphone(caller)
            playing = asyncio.create_task(phone.run())
            await hear_greeting(caller)
            await caller.write("Tell me a story.")
            story = await caller.reply(0, within_s=40)
            await caller.hear_out(story)
            await asyncio.sleep(1.5)
            playing.cancel()
            conversation_id = caller.conversation_id
        stored = await served.stored(agent_id, conversation_id)
    assert story.text == STORY
    assert story.interrupted is None
    assert len(llm.prompts) == 1, "it answered itself"
    assert caller.said == ["Tell me a story."]
    assert stored.lines[-2:] == [("user", "Tell me a story."), ("assistant", STORY)]
    print(f"\n  held {stored.turns[-1]['timings'].get('holds', 0)} times")


async def test_the_caller_can_still_stop_it(served: Served) -> None:
    question = next(p for p in speech.sentences() if 2.5 <= p.seconds <= 4.0)
    async with fake_llm(STORY * 2, "Very well.") as llm:
        agent_id = await served.make_agent(llm.url)
        async with served.call(agent_id) as caller:
            phone = Speakerphone(caller)
            playing = asyncio.create_task(phone.run())
            await hear_greeting(caller)
            await caller.write("Tell me a story.")
            await caller.until(
                lambda: bool(caller.replies and len(caller.replies[0].samples) > 96_000),
                within_s=30,
                what="four seconds of the story",
            )
            phone.say(question.samples)
            await caller.until(lambda: len(caller.replies) > 1, within_s=20, what="another answer")
            playing.cancel()
    assert caller.replies[0].interrupted is not None
    assert llm.prompts[1][-1][0] == "user"
