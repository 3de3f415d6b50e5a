"""A cough, a door, a keyboard and "mm-hm" do not end a reply; "wait, stop" does.

The bundled ears listen over the real socket. Run with `-s` to see what was heard of it, and when;
`bench/noises.py` measures many more sounds.
"""

from __future__ import annotations

import asyncio

import pytest

import disturbances
import nods
from sayso.audio.formats import Samples
from sayso.caller import Caller
from served import Microphone, Served, fake_llm, hear_greeting, microphone

pytestmark = pytest.mark.speech

STORY = " ".join(
    f"In the {nth} village lived a woman who knew the name of every tree in the forest."
    for nth in "first second third fourth fifth sixth seventh".split()
)
APART_S = 0.9
"""Between two sounds, in seconds: each has had its effect before the next."""

NOISES = ("cough, dry", "cough, voiced, low", "a door", "knocking", "breath into the microphone")


def noise(name: str) -> Samples:
    return disturbances.at_level(disturbances.MADE[name](), disturbances.SPEECH_LEVEL)


async def spoken(served: Served, text: str, voice: str) -> Samples:
    """What the bundled voice makes of `text`."""
    tts = served.server._engines.rooms.tts
    return await asyncio.to_thread(served.run, nods.speak(tts, text, voice))


async def disturb(mic: Microphone, *sounds: Samples) -> None:
    for sound in sounds:
        await mic.say(sound)
        await asyncio.sleep(APART_S)


async def begin_story(caller: Caller) -> None:
    await caller.write("Tell me a story.")
    await caller.until(
        lambda: bool(caller.replies and caller.replies[0].first_sound_s),
        within_s=20,
        what="the story",
    )


async def test_only_words_that_mean_it_end_a_reply(served: Served) -> None:
    yeah, hum, stop = [
        await spoken(served, *said)
        for said in (("Yeah.", "heart"), ("Mm-hm.", "baritone"), ("Wait, stop.", "deep"))
    ]
    typing = disturbances.at_level(disturbances.typing(2.0), disturbances.SPEECH_LEVEL / 2)
    async with fake_llm(STORY, "As you wish.") as llm:
        agent_id = await served.make_agent(llm.url)
        async with served.call(agent_id) as caller, microphone(caller) as mic:
            await hear_greeting(caller)
            await disturb(mic, noise("a door"), noise("cough, dry"))
            assert caller.replies == [], "a noise in the silence is not answered"

            await begin_story(caller)
            await disturb(mic, *map(noise, NOISES), typing, hum, yeah)
            story = caller.replies[0]
            assert (story.interrupted, len(caller.replies), len(llm.prompts)) == (None, 1, 1)

            began_s = await mic.say(stop)
            answer = await caller.reply(1, within_s=20)
            await caller.hear_out(answer)

    assert story.interrupted
    assert STORY.startswith(story.interrupted)
    hushed_s = next(t.at_s for t in caller.told if t.message["type"] == "onAgentInterrupted")
    print(f"\n  {caller.said[-1]!r} ended it {hushed_s - began_s:.2f} s after it began")
    assert "stop" in caller.said[-1].lower()
    assert llm.prompts[1][1:] == [
        ("user", "Tell me a story."),
        ("assistant", story.interrupted),
        ("user", caller.said[-1]),
    ]
    stored = await served.stored(agent_id, caller.conversation_id)
    assert stored.lines == [*llm.prompts[1][1:], ("assistant", "As you wish.")]
