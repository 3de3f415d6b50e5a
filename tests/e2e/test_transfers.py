"""Callers who are handed on, in whole conversations over the real socket."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import speech
from sayso.caller import Caller
from sayso.errors import TalkError
from sayso.llm.fake import FakeConfig, Received, Rule, running_fake
from sayso.talk.phrases import ENGLISH
from served import REHEARSED, Served, ask, first_of, microphone, serving, types_of

RULES = (
    Rule("owner", "transfer", {"destination": "The owner"}),
    Rule("table|tomorrow", "transfer", {"destination": "Front desk"}),
)
DESTINATIONS = [
    {"name": "Front desk", "phoneNumber": "+1 (555) 010-0123", "when": "the caller wants a table"},
    {
        "name": "The owner",
        "phoneNumber": "sip:owner@example.com",
        "when": "the caller complains",
        "message": "Anna will talk to you herself.",
    },
]


@asynccontextmanager
async def talking(
    served: Served, quirk: str = "", destinations: object = DESTINATIONS, **setup: object
) -> AsyncGenerator[tuple[Caller, str, list[Received]]]:
    received: list[Received] = []
    config = FakeConfig("tools", (), 0.0, 0.0, quirk=quirk, rules=RULES, listen=received.append)
    async with running_fake(config) as llm:
        agent = await served.make_agent(llm, transferDestinations=destinations)
        received.clear()
        async with served.call(agent, **{"canTransfer": True, **setup}) as caller:
            yield caller, agent, received


@pytest.mark.parametrize("quirk", ["", "no_tools"])
async def test_a_caller_is_handed_on_once_they_were_told(rehearsed: Served, quirk: str) -> None:
    async with talking(rehearsed, quirk) as (caller, agent, received):
        reply = await ask(caller, "Give me the owner.")
        assert reply.text == "Anna will talk to you herself."
        assert await first_of(caller, "transfer") == {
            "type": "transfer",
            "destination": "The owner",
            "phoneNumber": "sip:owner@example.com",
        }
        told = [told.message["type"] for told in caller.told]
        assert told.index("transfer") > told.index("audioStreamEnd")
        await caller.hang_up()  # as a bridge does when its caller is somewhere else
        conversation_id = caller.conversation_id
    stored = await rehearsed.stored(agent, conversation_id, lines=2)
    assert (stored.conversation["endedBy"], stored.conversation["endReason"]) == (
        "agent",
        "transferred",
    )
    assert stored.lines[-1] == ("assistant", "Anna will talk to you herself.")
    assert "the caller complains" in str(received[0].body)
    for number in ("5550100123", "owner@example.com"):
        assert number not in str([one.body for one in received])
        assert number not in str(stored)


async def test_a_caller_who_cannot_be_handed_on_is_told(rehearsed: Served) -> None:
    async with talking(rehearsed) as (caller, agent, received):
        assert (await ask(caller, "A table, please.")).text == ENGLISH.connecting
        assert (await first_of(caller, "transfer"))["phoneNumber"] == "+15550100123"
        await caller.send({"type": "transferFailed", "reason": "+15550100123 is busy."})
        reply = await caller.reply(1, within_s=20)
        assert "The transfer to Front desk failed: Front desk is busy. The caller" in reply.text
        assert "555" not in str(received[-1].body)
        assert (await ask(caller, "Never mind then.")).text == "Never mind then."
        conversation_id = caller.conversation_id
    stored = await rehearsed.stored(agent, conversation_id, lines=5)
    assert stored.conversation["endReason"] == "caller_left"


@pytest.mark.speech
async def test_a_caller_is_handed_on_by_voice(rehearsed: Served) -> None:
    """Whatever is said, the scripted ears hear a question about tomorrow."""
    async with talking(rehearsed) as (caller, _, _), microphone(caller) as mic:
        await mic.say(speech.sentences()[0].samples)
        reply = await caller.answer(0, within_s=30)
        assert "transfer" not in types_of(caller)
        await caller.hear_out(reply)
        assert (await first_of(caller, "transfer"))["destination"] == "Front desk"
        assert reply.interrupted is None


async def test_who_says_nothing_about_it_has_done_it(tmp_path: Path) -> None:
    with serving(tmp_path, **REHEARSED, transfer_timeout_s=1.0) as served:
        async with talking(served) as (caller, agent, _):
            await ask(caller, "Give me the owner.")
            assert (await first_of(caller, "hangup"))["endedBy"] == "agent"
            await caller.until(lambda: caller.ended, within_s=10, what="the end")
            assert caller.close_code == 1000
            conversation_id = caller.conversation_id
        stored = await served.stored(agent, conversation_id)
    assert stored.conversation["endReason"] == "transferred"


@pytest.mark.parametrize("can", [None, False])
async def test_a_client_that_cannot_is_never_offered_it(
    rehearsed: Served, can: bool | None
) -> None:
    async with talking(rehearsed, canTransfer=can) as (caller, _, received):
        assert (await ask(caller, "A table, please.")).text == "A table, please."
    assert all("tools" not in one.body for one in received)


async def test_an_agent_without_anybody_is_offered_nothing(rehearsed: Served) -> None:
    async with talking(rehearsed, destinations=[]) as (caller, _, received):
        assert (await ask(caller, "A table, please.")).text == "A table, please."
    assert all("tools" not in one.body for one in received)


async def test_strangers_are_told_no_numbers(rehearsed: Served) -> None:
    agent = await rehearsed.make_agent(transferDestinations=DESTINATIONS)
    with pytest.raises(TalkError, match="needs the apiKey of the agent's owner") as refused:
        async with rehearsed.call_keyless(agent, canTransfer=True):
            raise AssertionError("admitted")
    assert refused.value.code == 4401
    async with rehearsed.call_keyless(agent) as caller:
        assert not caller.ended
