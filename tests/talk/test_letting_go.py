"""A conversation that is over is let go of at once, without the collector of garbage.

All that a conversation holds (sound, queues, its prompt) is about 130 KiB, and the collector looks
at what is long-lived only now and then: cycles in it once added up to 30 MiB at 20 callers.
"""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

import pytest

from sayso.talk.events import EndedBy
from sayso.transport.line import Interrupted, ReplyEnded, ReplySound
from stage import POLICY, Stage, staged

LONG = "This is an answer that takes a while to say, and it goes on and on for quite a bit. "


@pytest.fixture(autouse=True)
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def hear_out(stage: Stage) -> None:
    await stage.speak(0.6)
    await stage.until_sent(ReplyEnded)
    await stage.until(lambda: stage.record.turns)


async def leave_over_a_reply(stage: Stage) -> None:
    await stage.speak(0.6)
    await stage.until_sent(ReplySound)


async def interrupt(stage: Stage) -> None:
    await stage.speak(0.6)
    await stage.until_sent(ReplySound)
    await stage.speak(0.8)
    await stage.until_sent(Interrupted)
    await stage.until(lambda: len(stage.llm.prompts) == 2)


async def leave_over_a_draft(stage: Stage) -> None:
    await stage.speak(0.6, pause_s=0.2)
    await stage.until(lambda: stage.llm.prompts)


async def be_sent_home_over_the_greeting(stage: Stage) -> None:
    await stage.until_sent(ReplySound)
    stage.session.hang_up(EndedBy.SYSTEM)
    await stage.running


@pytest.mark.parametrize(
    ("greeting", "behave"),
    [
        ("", hear_out),
        ("", leave_over_a_reply),
        ("", interrupt),
        ("", leave_over_a_draft),
        (LONG, be_sent_home_over_the_greeting),
    ],
)
async def test_a_conversation_is_let_go_of(
    greeting: str, behave: Callable[[Stage], Awaitable[None]]
) -> None:
    async with staged(
        greeting=greeting,
        answers=[["Yes."] if behave is hear_out else [LONG, 5.0], [LONG, 5.0]],
        heard=["What is it?", "No, wait, something else."],
        policy=replace(POLICY, speculates=True),
    ) as stage:
        held = (stage.session, stage.line, stage.llm, stage.record)
        kept = [weakref.ref(one) for one in held]
        del held
        await behave(stage)
    del stage
    await asyncio.sleep(0)
    assert [one() for one in kept] == [None] * 4
