"""The built-in mind from outside: as a server of its own, and when an LLM dies."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from dataclasses import replace

import openai
import pytest
from openai.types.chat import ChatCompletion

from sayso.agents.agent import Agent as StoredAgent
from sayso.knowledge.passages import Found, Passage
from sayso.llm import grounded
from sayso.llm.builtin import REFUSED
from sayso.llm.fake import FakeConfig, running_fake
from sayso.talk.agent import Agent
from sayso.talk.lookup import NOWHERE, Lookup
from sayso.transport.playai import Setup
from served import Served, ask

KNOWN = "The museum opens at ten. Tickets for adults cost twelve euros."
NOTES = f"You are a museum's guide.\n\n{KNOWN}"


async def test_openais_client_can_ask_it(rehearsed: Served) -> None:
    url = f"{rehearsed.url}/builtin/v1"
    messages = [
        {"role": "system", "content": NOTES},
        {"role": "user", "content": [{"type": "text", "text": "What is a ticket?"}]},
    ]
    async with openai.AsyncOpenAI(base_url=url, api_key=rehearsed.key, max_retries=0) as client:
        whole = await client.chat.completions.create(model="sayso-extractive", messages=messages)  # type: ignore[arg-type]
        assert isinstance(whole, ChatCompletion)
        assert "twelve euros" in (whole.choices[0].message.content or "")
        stream = await client.chat.completions.create(
            model="sayso-extractive",
            messages=messages,  # type: ignore[arg-type]
            stream=True,
        )
        assert isinstance(stream, openai.AsyncStream)
        pieces = [chunk.choices[0].delta.content or "" async for chunk in stream]
        assert "".join(pieces) == whole.choices[0].message.content
        assert [one.id async for one in client.models.list()] == ["sayso-extractive"]


async def test_it_answers_for_an_agent(rehearsed: Served) -> None:
    agent_id = await rehearsed.make_agent(criticalKnowledge=KNOWN, greeting="Welcome.")
    body = {"messages": [{"role": "user", "content": "When do you open?"}]}
    async with rehearsed.rest() as rest:
        path = f"{rehearsed.url}/builtin/v1/chat/completions"
        answer = await rest.post(path, json=body | {"model": f"sayso-extractive:{agent_id}"})
        assert answer.json()["choices"][0]["message"]["content"] == "The museum opens at ten."
        other = await rest.post(path, json=body | {"model": "sayso-extractive:nobody"})
        assert other.status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"messages": []}, 400),
        ({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}, 404),
        ({"model": "sayso-extractive:", "messages": [{"role": "user", "content": "Hi"}]}, 404),
        ({"messages": [{"role": "user", "content": "x" * 70_000}]}, 400),
    ],
)
async def test_what_it_refuses(rehearsed: Served, body: dict[str, object], status: int) -> None:
    path = f"{rehearsed.url}/builtin/v1/chat/completions"
    async with rehearsed.rest() as rest:
        assert (await rest.post(path, json=body)).status_code == status
    async with rehearsed.rest("wrong") as rest:
        assert (await rest.post(path, json=body)).status_code == 401


async def test_a_stream_ends_as_openai_ends_it(rehearsed: Served) -> None:
    body = {"messages": [{"role": "user", "content": "Hello"}], "stream": True}
    async with rehearsed.rest() as rest:
        answer = await rest.post(f"{rehearsed.url}/builtin/v1/chat/completions", json=body)
    *events, done = [line for line in answer.text.split("\n\n") if line]
    assert done == "data: [DONE]"
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert {chunk["model"] for chunk in chunks} == {"sayso-extractive"}


class Shelf:
    """A retriever that always finds the same."""

    async def find(self, asked: str, context: object, limit: int) -> list[Found]:
        del asked, context, limit
        text = "The planetarium shows films about stars at three o'clock."
        return [Found(Passage("p", text, "s", "stars.pdf"), 0.7)]


def let_look_up(rehearsed: Served, monkeypatch: pytest.MonkeyPatch, lookup: Lookup) -> None:
    """All agents look things up by this `lookup`."""
    make_ready = rehearsed.server.door.ready

    async def make_knowing(stored: StoredAgent, setup: Setup, conversation_id: str) -> Agent:
        agent = await make_ready(stored, setup, conversation_id)
        return replace(agent, lookup=lookup)

    monkeypatch.setattr(rehearsed.server.door, "ready", make_knowing)


async def test_when_the_llm_dies_the_notes_and_files_answer(
    rehearsed: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_look_up(rehearsed, monkeypatch, Lookup((Shelf(),), deadline_s=5))
    async with AsyncExitStack() as main:
        config = FakeConfig("scripted", ["Main here."], 0, 0)
        url = await main.enter_async_context(running_fake(config))
        llm = {"baseURL": url, "apiKey": "sk-main", "fallbacks": [{"type": "built-in"}]}
        agent_id = await rehearsed.make_agent(llm=llm, criticalKnowledge=KNOWN)
        async with rehearsed.call(agent_id) as caller:
            assert (await ask(caller, "One?")).text == "Main here."
            await main.aclose()
            assert "twelve euros" in (await ask(caller, "What does a ticket cost?")).text
            films = await ask(caller, "When is the film about the stars on?")
            assert "three o'clock" in films.text
            conversation_id = caller.conversation_id or ""
        stored = await rehearsed.stored(agent_id, conversation_id, lines=6)
    assert [turn["timings"]["llm"] for turn in stored.turns] == [url, "built-in", "built-in"]
    assert stored.turns[-1]["timings"]["passages"][0]["source"] == "stars.pdf"


async def test_an_agent_held_to_its_knowledge_does_not_ask_its_llm(
    rehearsed: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grounded, "WEIGH_S", 20.0)  # this machine may be busy
    let_look_up(rehearsed, monkeypatch, NOWHERE)
    config = FakeConfig("scripted", ["Emmanuel Macron."], 0, 0)
    async with running_fake(config) as url:
        agent_id = await rehearsed.make_agent(
            url, criticalKnowledge=KNOWN, answerOnlyFromCriticalKnowledge=True
        )
        async with rehearsed.call(agent_id) as caller:
            assert (await ask(caller, "Hello.")).text == "Emmanuel Macron."
            said = (await ask(caller, "Who is the president of France?")).text
            assert said.endswith(REFUSED)
            assert (await ask(caller, "What does a ticket cost?")).text == "Emmanuel Macron."
            conversation_id = caller.conversation_id or ""
        stored = await rehearsed.stored(agent_id, conversation_id, lines=6)
    grounds = [turn["timings"]["grounds"] for turn in stored.turns]
    assert grounds[:2] == ["unknown", "none"]
    assert "llm" not in stored.turns[1]["timings"]


async def test_an_llm_that_is_asked_because_the_scales_were_late_may_not_guess(
    rehearsed: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grounded, "WEIGH_S", 0.0)
    let_look_up(rehearsed, monkeypatch, NOWHERE)
    async with running_fake(FakeConfig("echo", [], 0, 0)) as url:
        agent_id = await rehearsed.make_agent(
            url, criticalKnowledge=KNOWN, answerOnlyFromCriticalKnowledge=True
        )
        async with rehearsed.call(agent_id) as caller:
            said = (await ask(caller, "Who is the president of France?")).text
            assert "Never answer from what you know otherwise" in said
            conversation_id = caller.conversation_id or ""
        stored = await rehearsed.stored(agent_id, conversation_id, lines=2)
    assert stored.turns[0]["timings"]["grounds"] == "late"
