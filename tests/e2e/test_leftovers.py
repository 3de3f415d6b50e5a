"""Callers come and go in every way; nothing of them stays, collector of garbage or not."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Iterator

import pytest

from child import count_descriptors
from sayso.caller import Caller
from served import Served, ask, fake_llm, hear_greeting

ROUNDS = 2
STORY = "Once upon a time there was a small house at the edge of a large forest. "
OTHERS = ("sayso.llm.fake.", "sayso.caller", "sayso.transport.breath", "sayso.store.tables.Label")
"""Not the server's: the fake LLM remembers what it was asked. And uvicorn's connections refer to
themselves: they wait for the collector, with nothing of a conversation. And SQLAlchemy
keeps the types of statements that it has compiled."""


@pytest.fixture
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def count_objects() -> Counter[str]:
    """The server's own objects, by name of their class."""
    names = Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.get_objects())
    return Counter(
        {
            name: count
            for name, count in names.items()
            if name.startswith("sayso.") and not name.startswith(OTHERS)
        }
    )


async def hear_out(caller: Caller) -> None:
    await ask(caller, "Hello?")


async def leave_over_a_reply(caller: Caller) -> None:
    await caller.write("Tell me a story.")
    await caller.until(
        lambda: bool(caller.replies and caller.replies[-1].first_sound_s),
        within_s=20,
        what="the story",
    )


async def interrupt(caller: Caller) -> None:
    await leave_over_a_reply(caller)
    await caller.write("No, another one.")
    await caller.until(lambda: len(caller.replies) > 1, within_s=20, what="the other story")


async def lose_the_line(caller: Caller) -> None:
    await leave_over_a_reply(caller)
    transport = caller._socket._response.connection.transport  # type: ignore[union-attr]
    transport.abort()  # type: ignore[union-attr]


async def make_calls(served: Served, agent_id: str, rounds: int) -> None:
    """One call in each way, one after the other, until all are stored."""
    for _ in range(rounds):
        for behave in (hear_out, leave_over_a_reply, interrupt, lose_the_line):
            async with served.call(agent_id) as caller:
                await hear_greeting(caller)
                await behave(caller)
                conversation_id = caller.conversation_id
            del caller
            await served.stored(agent_id, conversation_id)


async def settle(served: Served, tasks: int) -> None:
    """Wait until the sockets are closed and their tasks are over."""
    async with asyncio.timeout(10):
        while len(served.tasks()) > tasks:  # noqa: ASYNC110 - nobody says when
            await asyncio.sleep(0.02)


async def test_nothing_is_left_of_a_conversation(
    rehearsed: Served, without_collector: None
) -> None:
    async with fake_llm(STORY, token_s=0.001) as llm:
        agent_id = await rehearsed.make_agent(llm.url, greeting="")
        await make_calls(rehearsed, agent_id, 1)
        tasks = len(rehearsed.tasks())
        await settle(rehearsed, tasks)
        objects, descriptors = count_objects(), count_descriptors()
        await make_calls(rehearsed, agent_id, ROUNDS)
        await settle(rehearsed, tasks)
        for _ in range(100):  # the writer of recordings looks twice a second; then they are encoded
            left = count_objects() - objects
            more = count_descriptors() - descriptors
            if not left and more <= ROUNDS:
                break
            await asyncio.sleep(0.1)
        assert left == Counter()
        assert more <= ROUNDS, "of eight calls, each with a socket and a recording"
