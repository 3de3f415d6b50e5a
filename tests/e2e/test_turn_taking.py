"""Agents that take turns in their own way: how patient they are, and who may interrupt them."""

from __future__ import annotations

from typing import Any

import pytest

import speech
from served import Served, fake_llm, microphone

STORY = "Once upon a time there was a small house at the edge of a large forest."


@pytest.mark.speech
@pytest.mark.parametrize(
    ("patience", "setup", "least_s"),
    [
        ("patient", {}, 0.9),
        ("eager", {"utteranceEndThreshold": 1500}, 1.5),
    ],
)
async def test_a_pause_is_as_long_as_the_agent_or_the_client_says(
    rehearsed: Served, patience: str, setup: dict[str, Any], least_s: float
) -> None:
    asked = next(prompt for prompt in speech.sentences() if prompt.seconds <= 3.0)
    async with fake_llm("Sunny.") as llm:
        agent_id = await rehearsed.make_agent(llm.url, patience=patience)
        async with rehearsed.call(agent_id, **setup) as caller, microphone(caller) as mic:
            await mic.say(asked.samples)
            await caller.answer(0, within_s=20)
    turns = (await rehearsed.stored(agent_id, caller.conversation_id)).turns
    assert turns[-1]["timings"]["endpoint_s"] >= least_s - 0.1


async def test_an_agent_that_cannot_be_interrupted_ends_its_story(rehearsed: Served) -> None:
    async with fake_llm(STORY, "The end.") as llm:
        agent_id = await rehearsed.make_agent(llm.url, interruptible=False)
        async with rehearsed.call(agent_id) as caller:
            await caller.write("Tell me a story.")
            await caller.until(lambda: bool(caller.replies), within_s=20, what="the story")
            await caller.write("Stop!")
            await caller.hear_out(await caller.reply(0, within_s=20))
            await caller.hear_out(await caller.reply(1, within_s=20))
    stored = await rehearsed.stored(agent_id, caller.conversation_id, lines=4)
    assert stored.lines == [
        ("user", "Tell me a story."),
        ("assistant", STORY),
        ("user", "Stop!"),
        ("assistant", "The end."),
    ]
