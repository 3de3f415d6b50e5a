"""A conversation that is traced, from the caller's first word to a stand-in for a collector."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest
from httpx2 import AsyncClient

from collector import Collector, Got, collecting
from sayso.store.tables import AgentRow
from sayso.talk.phrases import ENGLISH
from served import REHEARSED, Served, ask, fake_llm, hear_greeting, serving

CANARY = "canary-4f1e"
LLM = {"apiKey": f"sk-{CANARY}-key", "defaultHeaders": {"X-Tenant": f"{CANARY}-header"}}
SECRETS = {
    "prompt": f"Know that {CANARY}-prompt.",
    "description": f"{CANARY} description",
    "greeting": f"Hello from {CANARY} greeting, this takes a while to say.",
}


async def converse(served: Served, llm_url: str) -> tuple[str, str]:
    """A greeting, an answer, an answer that is cut off, and one that fails."""
    agent_id = await served.make_agent(None, llm={"baseURL": llm_url, **LLM}, **SECRETS)
    told = {"caller_id": f"{CANARY}-caller", "variables": {"who": f"{CANARY}-variable"}}
    async with served.call(agent_id, **told) as caller:
        await hear_greeting(caller)
        await ask(caller, f"{CANARY} first question?")
        await caller.write(f"{CANARY} second question?")
        await caller.until(
            lambda: len(caller.replies) == 3 and bool(caller.replies[2].encoded),
            within_s=20,
            what="the second answer",
        )
        await caller.write(f"{CANARY} third question?")
        await caller.reply(3, within_s=20)
        await caller.hear_out(caller.replies[3])
        await until_turn(served, f"{agent_id}/conversations/{caller.conversation_id}", 4)
    assert caller.replies[2].interrupted is not None
    await served.stored(agent_id, caller.conversation_id)
    return agent_id, caller.conversation_id


async def until_turn(served: Served, conversation: str, number: int) -> None:
    """Wait until a turn is recorded: who leaves at its very end may be thought to cut it off."""
    async with served.rest() as rest, asyncio.timeout(20):
        while number not in await numbers_of_turns(rest, conversation):  # noqa: ASYNC110 - nobody says when
            await asyncio.sleep(0.05)


async def numbers_of_turns(rest: AsyncClient, conversation: str) -> set[int]:
    return {turn["number"] for turn in (await rest.get(f"/agents/{conversation}/turns")).json()}


async def trace(folder: Path) -> tuple[Collector, str, str]:
    """What the collector has of that conversation once the server has stopped."""
    answers = ("All is well.", f"Well, {CANARY} answer. " * 20)
    async with collecting() as collector, fake_llm(*answers, "So be it.") as llm:
        with serving(folder, traces_url=collector.url, **REHEARSED) as served:
            ids = await converse(served, llm.url)
            assert collector.refusal is None
            served.ask_to_stop()
            await collector.until(lambda: bool(collector.named("conversation")))
    return collector, *ids


@pytest.fixture(scope="module")
async def traced(tmp_path_factory: pytest.TempPathFactory) -> tuple[Collector, str, str]:
    return await trace(tmp_path_factory.mktemp("traced"))


Traced = tuple[Collector, str, str]


async def test_a_conversation_arrives_with_all_its_turns(traced: Traced) -> None:
    collector, agent_id, conversation_id = traced
    (conversation,) = collector.named("conversation")
    assert conversation.facts["sayso.ended_by"] == "user"
    turns = collector.children(conversation)
    assert [turn.name for turn in turns] == ["turn"] * 4
    assert [turn.facts["sayso.reply.number"] for turn in turns] == [1, 2, 3, 4]
    assert [turn.facts["sayso.interrupted"] for turn in (turns[0], *turns[2:])] == [
        False, True, False,
    ]  # fmt: skip
    for span in (conversation, *turns):
        assert span.facts["sayso.conversation.id"] == conversation_id
        assert span.facts["sayso.agent.id"] == agent_id
    assert {span.trace_id for span in collector.spans} == {conversation.trace_id}


async def test_an_answer_has_a_span_for_each_step(traced: Traced) -> None:
    collector, *_ = traced
    answer = collector.named("turn")[1]
    steps = collector.children(answer)
    assert {step.name for step in steps} >= {
        "endpoint", "llm_first_token", "first_clause", "tts_first_sound", "first_sound_sent",
        "heard",
    }  # fmt: skip
    heard = next(step for step in steps if step.name == "heard")
    assert heard.ends_ns == answer.ends_ns
    assert heard.begins_ns < heard.ends_ns


async def test_children_lie_within_their_parents(traced: Traced) -> None:
    collector, *_ = traced
    by_id: dict[str, Got] = {span.id: span for span in collector.spans}
    for span in collector.spans:
        assert span.begins_ns <= span.ends_ns
        if span.parent_id:
            parent = by_id[span.parent_id]
            assert parent.begins_ns <= span.begins_ns
            assert span.ends_ns <= parent.ends_ns


async def test_turns_do_not_overlap(traced: Traced) -> None:
    collector, *_ = traced
    heard = collector.named("heard")
    assert len(heard) == 4
    for before, after in pairwise(heard):
        assert before.ends_ns <= after.begins_ns


async def test_no_word_name_or_key_is_in_a_span(traced: Traced) -> None:
    collector, *_ = traced
    everything = b"".join(collector.bodies)
    for told in (CANARY, "All is well", "So be it", "question", ENGLISH.llm_failed[:10]):
        assert told.encode() not in everything


async def test_a_failure_names_its_code_and_who_must_act(tmp_path: Path) -> None:
    async with collecting() as collector, fake_llm() as llm:
        with serving(tmp_path, traces_url=collector.url, **REHEARSED) as served:
            agent_id = await served.make_agent(llm.url, greeting="")
            async with served.writing() as session:  # it broke after it was saved
                row = await session.get_one(AgentRow, agent_id)
                row.llm = {**(row.llm or {}), "baseURL": f"{llm.url}/quirk/html"}
            async with served.call(agent_id) as caller:
                await ask(caller, "Hello?")
            served.ask_to_stop()
            await collector.until(lambda: bool(collector.named("conversation")))
    (turn,) = collector.named("turn")
    assert turn.failed
    assert turn.facts["sayso.failure"] == turn.facts["error.type"] == "http.html"
    assert turn.facts["sayso.blame"] == "owner"
