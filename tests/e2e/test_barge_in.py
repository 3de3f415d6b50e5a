"""The caller speaks, or coughs, while the agent speaks.

Run with `-s` to see how soon it falls silent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

import speech
from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.caller import ANSWER_RATE_HZ, Caller
from sayso.engines import EngineConfig
from sayso.models import MODELS_DIR
from sayso.tts.edges import STOP_S, Edges
from sayso.vad.gate import Gate, SpeechStarted
from sayso.vad.silero import Silero
from served import (
    REHEARSED,
    FakeLlm,
    Microphone,
    Served,
    fake_llm,
    hear_greeting,
    microphone,
    serving,
)

pytestmark = pytest.mark.speech

STORY = (
    "Once upon a time there was a small house at the edge of a large forest. In it lived an old "
    "woman who knew the name of every tree. One winter a stranger knocked at her door. He asked "
    "her for the way to the sea. She told him to follow the birch trees until he heard the gulls."
)
SILENT_WITHIN_S = 0.3
"""From the moment at which speech can be told from noise to the last sound sent."""


@asynccontextmanager
async def a_story(
    served: Served, *, after_s: float = 3.0
) -> AsyncGenerator[tuple[FakeLlm, Caller, Microphone, str]]:
    """A conversation in which the agent has been telling a story for `after_s` seconds."""
    async with fake_llm(STORY, "The sea is to the west.") as llm:
        agent_id = await served.make_agent(llm.url)
        async with served.call(agent_id) as caller, microphone(caller) as mic:
            await hear_greeting(caller)
            await caller.write("Tell me a story.")
            await caller.until(
                lambda: bool(caller.replies and caller.replies[0].first_sound_s),
                within_s=20,
                what="the story",
            )
            await asyncio.sleep(after_s)
            yield llm, caller, mic, agent_id


async def detectable_s(samples: Samples) -> float:
    """Seconds into `samples` at which the detector knows that somebody speaks."""
    vad, gate = Silero(EngineConfig(MODELS_DIR)), Gate()
    await vad.open()
    sound = np.concatenate([np.zeros(4096, np.float32), samples])
    for probability in await vad.stream().judge(sound):
        if isinstance(gate.step(probability), SpeechStarted):
            return gate.now_s - 4096 / EAR_RATE_HZ
    raise AssertionError("the detector hears nothing")


def question() -> speech.Recording:
    """Over two seconds of speech that starts at once."""
    return next(p for p in speech.sentences() if 2.5 <= p.seconds <= 4.0)


def played_s(caller: Caller, until_s: float) -> float:
    """Seconds of the first reply a player had played by then: all sound comes in real time."""
    reply = caller.replies[0]
    assert reply.first_sound_s is not None
    return min(len(reply.samples) / ANSWER_RATE_HZ, until_s - reply.first_sound_s)


async def test_speech_over_an_answer_stops_it(served: Served) -> None:
    asked = question()
    known_s = await detectable_s(asked.samples)
    async with a_story(served) as (llm, caller, mic, agent_id):
        began_s = await mic.say(asked.samples)
        answer = await caller.reply(1, within_s=20)
        await caller.hear_out(answer)
        story = caller.replies[0]

    # Silence.
    assert story.last_sound_s is not None
    after_s = story.last_sound_s - (began_s + known_s)
    hushed_s = next(
        told.at_s for told in caller.told if told.message["type"] == "onAgentInterrupted"
    )
    print(
        f"\n  speech can be detected {known_s * 1000:.0f} ms after its first sample; "
        f"the last sound came {after_s * 1000:.0f} ms after that, "
        f"`onAgentInterrupted` {(hushed_s - began_s - known_s) * 1000:.0f} ms after it"
    )
    assert after_s <= SILENT_WITHIN_S

    # What was heard.
    heard = story.interrupted
    assert heard
    assert STORY.startswith(heard)
    assert heard != STORY
    sound_s = played_s(caller, hushed_s)
    told_s = len(heard) / len(STORY) * await story_lasts_s(served)
    print(f"  {sound_s:.1f} s of it were played; its text is {told_s:.1f} s long: {heard!r}")
    assert abs(told_s - sound_s) <= 1.0

    # What the LLM is told of it, and what is kept.
    assert llm.prompts[1][1:] == [
        ("user", "Tell me a story."),
        ("assistant", heard),
        ("user", caller.said[-1]),
    ]
    stored = await served.stored(agent_id, caller.conversation_id)
    assert stored.lines == [*llm.prompts[1][1:], ("assistant", "The sea is to the west.")]
    assert speech.count_errors(asked.text, caller.said[-1]).rate <= 0.3

    # No sound of the story comes after the answer began.
    kinds = [told.message["type"] for told in caller.told]
    second = [at for at, kind in enumerate(kinds) if kind == "newAudioStream"][1]
    assert "audioStream" not in kinds[kinds.index("onAgentInterrupted") : second]
    assert "audioStreamEnd" not in kinds[:second], "the story was not completed"
    assert len(answer.samples) / ANSWER_RATE_HZ < 4.0, "the answer's sound is the answer's only"


async def story_lasts_s(served: Served) -> float:
    """How long the whole story is when nobody interrupts, from the engine itself."""
    tts = served.server._engines.rooms.tts

    async def speak() -> float:
        samples = 0
        async for sentence in tts.speak(STORY, voice=tts.voices[0].id):
            edges = Edges(tts.sample_rate_hz, STOP_S)
            samples += len(edges.feed(sentence)) + len(edges.finish())
        return samples / tts.sample_rate_hz

    return await asyncio.to_thread(served.run, speak())


# Noises ----------------------------------------------------------------------------------------


def cough() -> Samples:
    """A fifth of a second of noise, as loud as speech."""
    rng = np.random.default_rng(7)
    length = int(0.2 * EAR_RATE_HZ)
    return np.asarray(rng.normal(0, 0.25, length) * np.hanning(length), np.float32)


def vowel() -> Samples:
    """A fifth of a second that is speech to the detector."""
    loud, length = question().samples, int(0.2 * EAR_RATE_HZ)
    at = int(np.argmax(np.convolve(loud**2, np.ones(length), mode="valid")))
    return np.asarray(loud[at : at + length] * np.hanning(length), np.float32)


def longest_pause_s(caller: Caller) -> float:
    """The longest time between two pieces of sound."""
    at_s = [told.at_s for told in caller.told if told.message["type"] == "audioStream"]
    return float(max(np.diff(at_s)))


def is_undisturbed(caller: Caller, llm: FakeLlm) -> bool:
    """The story was told to its end, and nobody was asked anything else."""
    story = caller.replies[0]
    return (
        story.text == STORY
        and story.interrupted is None
        and len(caller.replies) == 1
        and len(llm.prompts) == 1
    )


async def test_a_cough_does_not_stop_an_answer(served: Served) -> None:
    async with a_story(served) as (llm, caller, mic, agent_id):
        await mic.say(cough())
        story = await caller.reply(0, within_s=40)
        await caller.hear_out(story)
        assert is_undisturbed(caller, llm)
    assert abs(len(story.samples) / ANSWER_RATE_HZ - await story_lasts_s(served)) < 1.0
    stored = await served.stored(agent_id, caller.conversation_id)
    assert stored.lines == [("user", "Tell me a story."), ("assistant", STORY)]


@pytest.fixture
def murmurs(tmp_path: Path) -> Iterator[Served]:
    """A server that hears nothing in the first sound, and "Mm-hm." in those after it."""
    heard = {"text": '["", "Mm-hm."]'}
    tts = {"chars_per_s": "30"}
    with serving(tmp_path, **{**REHEARSED, "stt_options": heard, "tts_options": tts}) as server:
        yield server


async def test_an_answer_is_held_while_a_noise_is_in_doubt(murmurs: Served) -> None:
    """Twice: a sound without words, and a sign of listening. Nothing of the answer is lost."""
    async with a_story(murmurs, after_s=1.0) as (llm, caller, mic, agent_id):
        for _ in range(2):
            await mic.say(vowel())
            await asyncio.sleep(1.5)
        story = await caller.reply(0, within_s=40)
        await caller.hear_out(story)
        print(f"\n  longest pause of the story: {longest_pause_s(caller) * 1000:.0f} ms")
        assert longest_pause_s(caller) > 0.2, "it was held"
        assert is_undisturbed(caller, llm)
    assert len(story.samples) / ANSWER_RATE_HZ == pytest.approx(len(STORY) / 30, abs=0.3)
    stored = await murmurs.stored(agent_id, caller.conversation_id)
    assert stored.lines == [("user", "Tell me a story."), ("assistant", STORY)]
