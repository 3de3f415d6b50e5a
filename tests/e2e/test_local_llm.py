"""A real model, served by llama.cpp on this machine: checked, saved, and talked with."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import speech
from llama import find_weights, running_llama, what_is_missing
from recipes import issues_of, llm_of, save
from sayso.caller import HeardReply
from sayso.talk.phrases import ENGLISH
from served import REHEARSED, Served, ask, hear_greeting, microphone, serving

pytestmark = pytest.mark.skipif(what_is_missing() is not None, reason=str(what_is_missing()))

GREETING = "Hello, this is the front desk."
PROMPT = "You run the front desk of a small hotel. Breakfast is from seven to ten."
FAILURES = (ENGLISH.llm_failed, ENGLISH.llm_broke_off)


@pytest.fixture(scope="module")
def llama() -> Iterator[str]:
    with running_llama() as url:
        yield url


def test_it_passes_the_check(llama: str) -> None:
    """A wrong answer is a warning: a model may be as small as it likes."""
    program = [sys.executable, "-c", "from sayso.cli import main; main()"]
    command = [*program, "check-llm", llama, "--model", "smollm2"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "passed" in run.stdout


async def test_the_guides_recipe(rehearsed: Served, llama: str) -> None:
    recipe = llm_of("llama.cpp", llama.removesuffix("/v1"))
    assert recipe["baseURL"] == llama
    agent = await save(rehearsed, recipe)
    assert "params.rejected" not in issues_of(agent)
    async with rehearsed.call(agent["id"]) as caller:
        await hear_greeting(caller)
        reply = await ask(caller, "Thank you. Who are you?")
        assert reply.text
        assert not reply.text.endswith(FAILURES)


async def test_a_conversation_in_writing(rehearsed: Served, llama: str) -> None:
    agent_id = await make(rehearsed, llama)
    async with rehearsed.call(agent_id) as caller:
        await hear_greeting(caller)
        for question in ("When is breakfast?", "Thank you. Who are you?"):
            reply = await ask(caller, question)
            assert len(reply.text.split()) >= 2
            assert len(reply.samples)
            assert not reply.text.endswith(FAILURES)
    stored = await rehearsed.stored(agent_id, caller.conversation_id, lines=5)
    assert [role for role, _ in stored.lines] == ["assistant", *("user", "assistant") * 2]
    assert all("failure" not in turn["timings"] for turn in stored.turns)


@pytest.mark.speech
async def test_a_conversation_by_voice(served: Served, llama: str) -> None:
    agent_id = await make(served, llama)
    question = next(p for p in speech.sentences() if 2.0 <= p.seconds <= 3.5)
    async with served.call(agent_id) as caller, microphone(caller) as mic:
        await hear_greeting(caller)
        await mic.say(question.samples)
        await caller.until(lambda: heard(caller.replies, 1), within_s=20, what="the answer")
        assert caller.said
        assert not any(told.message["type"] == "error" for told in caller.told)


async def test_an_interruption_frees_the_model(rehearsed: Served, llama: str) -> None:
    """Whoever hangs up leaves no answer behind that others would wait for."""
    agent_id = await make(rehearsed, llama)
    for _ in range(3):
        async with rehearsed.call(agent_id) as caller:
            await hear_greeting(caller)
            await caller.write("Tell me a very long story about a fish.")
            await caller.until(lambda c=caller: heard(c.replies, 1), within_s=20, what="words")
    async with asyncio.timeout(10), rehearsed.call(agent_id) as caller:
        await hear_greeting(caller)
        await ask(caller, "Say hello.", within_s=10)


def heard(replies: Sequence[HeardReply], number: int) -> bool:
    return len(replies) > number and bool(replies[number].encoded)


async def test_the_operators_weights_answer_for_agents_without_an_llm(tmp_path: Path) -> None:
    with serving(tmp_path, **REHEARSED, builtin_llm_gguf=find_weights()) as served:
        agent_id = await served.make_agent(greeting=GREETING, prompt=PROMPT)
        async with served.rest() as rest:
            agent = (await rest.get(f"/agents/{agent_id}")).json()
        assert agent["answeredBy"] == "built-in-llm"
        async with served.call(agent_id) as caller:
            await hear_greeting(caller)
            reply = await ask(caller, "Thank you. Who are you?")
            assert reply.text
            assert not reply.text.endswith(FAILURES)


async def make(served: Served, llama: str) -> str:
    params = {"model": "smollm2", "temperature": 0, "maxTokens": 60}
    own = {"baseURL": llama, "apiKey": "none", "baseParams": params}
    return await served.make_agent(llm=own, greeting=GREETING, prompt=PROMPT)
