"""What agents do by themselves, in whole conversations."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from sayso.caller import Caller
from sayso.llm.fake import FakeConfig, Received, Rule, running_fake
from sayso.talk.actions import LEFT
from sayso.telephone import Call, place_call
from served import Served, ask, first_of

RULES = (
    Rule("bye", "end_call", {"farewell": "Good night!"}),
    Rule("time", "current_time", {}),
    Rule("speak (?P<language>[a-z]+)", "switch_language", {"language": r"\g<language>"}),
    Rule("tell them (?P<what>.*)", "leave_message", {"message": r"\g<what>", "name": "Anna"}),
)
ALL = ["end-call", "current-time", "leave-message"]


@asynccontextmanager
async def talking(
    served: Served, quirk: str = "", actions: list[str] = ALL
) -> AsyncGenerator[tuple[Caller, str, list[Received]]]:
    received: list[Received] = []
    config = FakeConfig("tools", (), 0.0, 0.0, quirk=quirk, rules=RULES, listen=received.append)
    async with running_fake(config) as llm:
        agent = await served.make_agent(llm, builtInActions=actions, timeZone="europe/vienna")
        received.clear()
        async with served.call(agent) as caller:
            yield caller, agent, received


@pytest.mark.parametrize("quirk", ["", "no_tools"])
async def test_the_agent_says_goodbye_and_hangs_up(rehearsed: Served, quirk: str) -> None:
    async with talking(rehearsed, quirk) as (caller, agent, _):
        reply = await ask(caller, "That was all, bye.")
        assert reply.text == "Good night!"
        assert (await first_of(caller, "hangup"))["endedBy"] == "agent"
        await caller.until(lambda: caller.ended, within_s=10, what="the end")
        conversation_id = caller.conversation_id
    stored = await rehearsed.stored(agent, conversation_id, lines=2)
    assert (stored.conversation["endedBy"], stored.conversation["endReason"]) == (
        "agent",
        "agent_done",
    )
    assert stored.lines[-1] == ("assistant", "Good night!")


async def test_the_terminal_lets_the_agent_hang_up(
    rehearsed: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    config = FakeConfig("tools", (), 0.0, 0.0, rules=RULES)
    async with running_fake(config) as llm:
        agent = await rehearsed.make_agent(llm, builtInActions=ALL)
        assert await place_call(Call(rehearsed.url, agent, None, None, "Bye.", None)) == 0
    told = capsys.readouterr().out
    assert "the agent hung up" in told
    conversation_id = told.partition("conversation ")[2].split()[0]
    stored = await rehearsed.stored(agent, conversation_id, lines=2)
    assert stored.conversation["endReason"] == "agent_done"


async def test_the_time_is_told_in_the_agents_zone(rehearsed: Served) -> None:
    async with talking(rehearsed) as (caller, _, _):
        said = (await ask(caller, "What time is it?")).text
    assert said.startswith("The function says: It is ")
    assert "in Europe/Vienna (UTC+0" in said


async def test_a_message_is_kept_with_the_conversation(rehearsed: Served) -> None:
    async with talking(rehearsed) as (caller, agent, _):
        assert LEFT in (await ask(caller, "Tell them I am late")).text
        await ask(caller, "Tell them I am here\0")
        conversation_id = caller.conversation_id
    stored = await rehearsed.stored(agent, conversation_id)
    left = stored.conversation["messages"]
    assert [(one["message"], one["name"], one["phoneNumber"]) for one in left] == [
        ("I am late", "Anna", ""),
        ("I am here", "Anna", ""),
    ]
    assert left[0]["timestamp"] <= left[1]["timestamp"]


async def test_the_conversation_goes_over_to_another_language(rehearsed: Served) -> None:
    actions = ["switch-language", "end-call"]
    async with talking(rehearsed, actions=actions) as (caller, _, received):
        said = (await ask(caller, "Please speak German")).text
        assert said.endswith("From now on you hear and speak German. Go on in German.")
        assert (await ask(caller, "Danke")).text == "Danke"
    first, *_, last = [str(one.body["messages"]) for one in received]
    assert "Speak English." in first
    assert "Speak German." in last


async def test_an_agent_without_them_is_offered_nothing(rehearsed: Served) -> None:
    async with talking(rehearsed, actions=[]) as (caller, agent, received):
        assert (await ask(caller, "Good bye")).text == "Good bye"
        conversation_id = caller.conversation_id
    assert all("tools" not in one.body for one in received)
    assert (await rehearsed.stored(agent, conversation_id)).conversation["messages"] == []
