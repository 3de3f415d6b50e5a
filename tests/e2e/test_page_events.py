"""Events of the page around a caller: declared, triggered by the LLM, answered by the page."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from sayso.llm.fake import FakeConfig, Received, Rule, running_fake
from sayso.talk.page import SENT
from served import Served, ask, first_of, types_of

CHANGE: Mapping[str, object] = {
    "name": "change-text",
    "when": "the user asks to change the text",
    "data": {
        "text": {"type": "string", "description": "the new text"},
        "size": {"type": "enum", "values": ["small", "large"]},
        "bold": {"type": "boolean"},
        "times": {"type": "number"},
        "source": {"type": "const-string", "value": "voice"},
    },
}
CHANGES = Rule(
    "^change", "change-text", {"text": "Hello!", "size": "Large", "bold": "yes", "times": "2"}
)
EVENT = {
    "type": "customEvent",
    "name": "change-text",
    "data": {"text": "Hello!", "size": "large", "bold": True, "times": 2, "source": "voice"},
}


def tools_of(received: list[Received]) -> list[list[str]]:
    """The names of the tools in each request that had any."""
    offers: list[Any] = [one.body["tools"] for one in received if "tools" in one.body]
    return [[tool["function"]["name"] for tool in offered] for offered in offers]


@pytest.mark.parametrize("quirk", ["", "no_tools"])
@pytest.mark.parametrize("late", [False, True])
async def test_an_event_goes_to_the_page_as_the_contract_has_it(
    rehearsed: Served, quirk: str, *, late: bool
) -> None:
    """Declared in `setup`, as browsers do, or only after `init`, as Flutter does."""
    config = FakeConfig("tools", (), 0.0, 0.0, quirk=quirk, rules=(CHANGES,))
    async with running_fake(config) as llm:
        agent = await rehearsed.make_agent(llm)
        declared = {} if late else {"events": [CHANGE]}
        async with rehearsed.call(agent, **declared) as caller:
            if late:
                await caller.send({"type": "extendConversationSetup", "events": [CHANGE]})
            reply = await ask(caller, "Change the text, please.")
            assert await first_of(caller, "customEvent") == EVENT
            assert reply.text == f"The function says: {SENT}"
            conversation_id = caller.conversation_id
    stored = await rehearsed.stored(agent, conversation_id)
    (row,) = stored.turns[0]["timings"]["calls"]
    assert (row["name"], row["ok"]) == ("change-text", 1.0)


async def test_the_page_answers_as_flutter_does_and_the_agent_goes_on(rehearsed: Served) -> None:
    """It says at once that the user is to wait, and later what came of it."""
    received: list[Received] = []
    config = FakeConfig("tools", (), 0.0, 0.0, rules=(CHANGES,), listen=received.append)
    async with running_fake(config) as llm:
        agent = await rehearsed.make_agent(llm)
        received.clear()
        async with rehearsed.call(agent) as caller:
            await caller.send({"type": "extendConversationSetup", "events": [CHANGE]})
            await caller.write("Change the text, please.")
            await first_of(caller, "customEvent")
            triggered = "The event change-text was triggered. Have the user wait."
            await caller.send({"type": "customInput", "data": triggered})
            await caller.reply(0, within_s=30)
            await caller.send({"type": "customInput", "data": "change-text completed: done"})

            def answered() -> bool:
                return any("completed: done" in reply.text for reply in caller.replies)

            async def hear() -> None:
                while True:
                    await caller.send({"type": "bufferEmpty"})
                    await asyncio.sleep(0.1)

            hearing = asyncio.create_task(hear())
            await caller.until(answered, within_s=30, what="an answer to the page")
            hearing.cancel()
            assert types_of(caller).count("customEvent") == 1
    last: Any = received[-1].body["messages"]
    assert [message["role"] for message in last][:2] == ["system", "user"]
    assert "tool" in [message["role"] for message in last]


async def test_odd_events_are_said_and_the_others_count(rehearsed: Served) -> None:
    received: list[Received] = []
    config = FakeConfig("tools", (), 0.0, 0.0, rules=(CHANGES,), listen=received.append)
    async with running_fake(config) as llm:
        agent = await rehearsed.make_agent(llm)
        odd = [{"name": "x", "data": {"f": {"type": "date"}}}, CHANGE]
        async with rehearsed.call(agent, events=odd) as caller:
            await ask(caller, "Change it.")
            (problem,) = caller.problems
            assert (problem.code, problem.fatal) == (4400, False)
            assert "events.0.data.f.type is none of" in problem.message
        async with rehearsed.call(agent, events=odd, shouldSendLanguage=True) as caller:
            await ask(caller, "Change it.")
            assert caller.problems == []  # this client would hang up
    assert tools_of(received)[0] == ["change-text"]


async def test_an_event_with_a_functions_name_goes_out_under_its_own(rehearsed: Served) -> None:
    received: list[Received] = []
    rule = Rule("^change", "change-text_2", CHANGES.arguments)
    config = FakeConfig("tools", (), 0.0, 0.0, rules=(rule,), listen=received.append)
    async with running_fake(config) as llm:
        async with rehearsed.rest() as rest:
            body = {"name": "change-text", "description": "d", "endpointUrl": "https://a.example/"}
            made = (await rest.post("/external-functions", json=body)).json()
        agent = await rehearsed.make_agent(llm, actions=[made["id"]])
        async with rehearsed.call(agent, events=[CHANGE]) as caller:
            await ask(caller, "Change it.")
            assert await first_of(caller, "customEvent") == EVENT
    assert tools_of(received)[0] == ["change-text", "change-text_2"]
