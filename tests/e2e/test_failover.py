"""An LLM that goes away in the middle of things: somebody else answers, or a sentence is spoken."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

from typer.testing import CliRunner

from sayso.cli import app as command_line
from sayso.llm.fake import FakeConfig, Received, running_fake
from served import Served, ask, fake_llm

QUICK: dict[str, Any] = {"connectMs": 1000, "firstTokenMs": 500}


def llm_of(url: str, **more: object) -> dict[str, Any]:
    return {"baseURL": url, "apiKey": "sk-main-0123456789", "timeouts": QUICK, **more}


def errors_of(told: list[Any]) -> list[str]:
    return [one.message["type"] for one in told if one.message["type"] == "error"]


async def test_a_fallback_answers_and_the_next_reply_begins_with_the_main_one_again(
    rehearsed: Served,
) -> None:
    received: list[Received] = []
    config = FakeConfig("scripted", ["Main here."], 0, 0, listen=received.append)
    async with AsyncExitStack() as main, fake_llm("Fallback here.") as other:
        url = await main.enter_async_context(running_fake(config))
        llm = llm_of(url, tell="headers", fallbacks=[{"baseURL": other.url, "apiKey": "sk-other"}])
        agent_id = await rehearsed.make_agent(llm=llm)
        other.received.clear()
        async with rehearsed.call(agent_id) as caller:
            assert (await ask(caller, "One?")).text == "Main here."
            await main.aclose()
            assert (await ask(caller, "Two?")).text == "Fallback here."
            async with running_fake(config, port=urlsplit(url).port or 0):
                assert (await ask(caller, "Three?")).text == "Main here."
            assert not errors_of(caller.told)
            conversation_id = caller.conversation_id or ""
        stored = await rehearsed.stored(agent_id, conversation_id, lines=6)
    assert received[-1].headers["X-Conversation-Id"] == conversation_id
    assert received[-1].headers["X-Agent-Id"] == agent_id
    (asked,) = other.received
    assert "X-Conversation-Id" not in asked.headers
    assert "sk-main" not in str(asked.headers)
    mishaps = [turn["timings"].get("mishaps") for turn in stored.turns]
    assert [one and one.split(" (")[1] for one in mishaps] == [None, "llm)", None]
    spoke = [turn["timings"]["llm"] for turn in stored.turns]
    assert spoke == [url, other.url, url]
    assert not any("failure" in turn["timings"] for turn in stored.turns)


async def test_the_built_in_one_stands_by(rehearsed: Served) -> None:
    async with AsyncExitStack() as main:
        url = await main.enter_async_context(running_fake(FakeConfig(first_token_s=0, token_s=0)))
        agent_id = await rehearsed.make_agent(
            llm=llm_of(url, baseParams={"model": "mine"}, fallbacks=[{"type": "built-in"}]),
            criticalKnowledge="We open at nine in the morning.",
        )
        await main.aclose()
        async with rehearsed.call(agent_id) as caller:
            for _ in range(3):
                assert "nine" in (await ask(caller, "When do you open?")).text
            assert not errors_of(caller.told)
            conversation_id = caller.conversation_id or ""
        turns = (await rehearsed.stored(agent_id, conversation_id, lines=6)).turns
    assert [turn["timings"].get("llm") for turn in turns] == ["built-in"] * 3
    assert turns[2]["timings"]["llm_resting"] == f"{url} (mine)"


async def test_when_everybody_fails_the_owners_sentence_is_spoken(rehearsed: Served) -> None:
    async with AsyncExitStack() as both:
        config = FakeConfig(first_token_s=0, token_s=0)
        urls = [await both.enter_async_context(running_fake(config)) for _ in range(2)]
        agent_id = await rehearsed.make_agent(
            llm=llm_of(
                urls[0],
                fallbacks=[{"baseURL": urls[1]}],
                failureMessage="Our lines are down, please call at noon.",
            )
        )
        await both.aclose()
        async with rehearsed.call(agent_id) as caller:
            reply = await ask(caller, "Hello?")
            assert reply.text == "Our lines are down, please call at noon."
            assert reply.encoded
            assert errors_of(caller.told) == ["error"]
            conversation_id = caller.conversation_id or ""
        (turn,) = (await rehearsed.stored(agent_id, conversation_id, lines=2)).turns
    assert turn["timings"]["failure"].startswith("connect.")
    assert turn["timings"]["mishaps"].startswith("connect.")


async def test_the_terminal_says_that_a_turn_failed(rehearsed: Served) -> None:
    async with running_fake(FakeConfig(first_token_s=0, token_s=0)) as url:
        agent_id = await rehearsed.make_agent(llm=llm_of(url))
    words = ["talk", agent_id, "--url", rehearsed.url, "--text", "Hello?"]
    told = await asyncio.to_thread(CliRunner().invoke, command_line, words)
    assert told.exit_code == 3, told.output
    assert "problem: the agent's LLM could not answer (connect.refused)\n" in told.stderr
    assert "agent:  " in told.stdout


async def test_a_slow_one_is_overtaken(rehearsed: Served) -> None:
    slow = FakeConfig(first_token_s=0.4, token_s=0)
    async with running_fake(slow) as url, fake_llm("Quick.") as other:
        llm = llm_of(url, fallbacks=[{"baseURL": other.url}], hedgeAfterMs=100)
        agent_id = await rehearsed.make_agent(llm=llm)
        async with rehearsed.call(agent_id) as caller:
            assert (await ask(caller, "Hello?")).text == "Quick."


async def test_a_fallback_that_fails_its_check_is_named(rehearsed: Served) -> None:
    async with fake_llm("Hi.") as main, rehearsed.rest() as rest:
        llm = llm_of(main.url, fallbacks=[{"baseURL": f"{main.url}/wrong"}])
        answer = await rest.post("/agents", json={"displayName": "Tester", "llm": llm})
    assert answer.status_code == 400
    assert answer.json()["field"] == "llm.fallbacks.0"
    assert "Fallback 1 (llm.fallbacks.0): POST" in answer.json()["errorMessage"]
