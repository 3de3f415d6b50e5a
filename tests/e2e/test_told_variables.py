"""Variables from a client to the caller's ear, the LLM and the log, with a whole server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from sayso.caller import call
from sayso.cli import app as command_line
from sayso.errors import TalkError
from sayso.llm.fake import Received
from sayso.llm.tolerance import PROMPT
from sayso.variables import Variable
from served import FakeLlm, Served, ask, fake_llm, hear_greeting

GREETING = "Hello {{name}}, this is {{ agentName }} about order {{orderId}}."


@pytest.fixture
async def llm() -> AsyncGenerator[FakeLlm]:
    async with fake_llm() as llm:
        yield llm


@pytest.fixture
def log() -> Iterator[list[dict[str, Any]]]:
    merge = structlog.contextvars.merge_contextvars
    with structlog.testing.capture_logs(processors=[merge]) as lines:
        yield lines  # type: ignore[misc]


def own_llm(llm: FakeLlm, **fields: object) -> dict[str, object]:
    params = {
        "defaultHeaders": {"X-Order": "{{callerId}}/{{orderId}}", "X-Late": "{{late}}"},
        "query": {"call": "{{conversationId}}"},
    }
    return {"baseURL": llm.url, "apiKey": "sk-test", "baseParams": params, **fields}


def asked(llm: FakeLlm) -> Received:
    """The last request of a conversation."""
    return next(
        one for one in reversed(llm.received)
        if one.body and one.body["messages"][-1]["content"] != PROMPT  # type: ignore[index]
    )  # fmt: skip


def missing(log: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    return [line for line in log if line["event"] == "variables_missing"]


async def test_they_are_spoken_prompted_and_sent(
    rehearsed: Served, llm: FakeLlm, log: list[dict[str, Any]]
) -> None:
    agent = await rehearsed.make_agent(
        displayName="Nonna",
        greeting=GREETING,
        prompt="Be {{tone}} to {{name}}.",
        criticalKnowledge='Delivery takes {{minutes}} minutes. JSON: {"a": {{}}',
        variables={"tone": "kind", "minutes": 45, "late": "no", "name": "nobody"},
        llm=own_llm(llm, tell="headers"),
    )
    variables: dict[str, Variable] = {
        "name": "Ann",
        "orderId": 42,
        "conversationId": "forged",
        "x": "{{orderId}}",
    }
    async with call(
        rehearsed.url, agent, caller_id="+15550100", variables=variables, prompt="Say {{x}}!"
    ) as caller:
        await hear_greeting(caller)
        assert caller.replies[0].text == "Hello Ann, this is Nonna about order 42."
        await ask(caller, "When?")
    request = asked(llm)
    assert request.headers["X-Order"] == "+15550100/42"
    assert request.headers["X-Late"] == "no"
    assert request.path.endswith(f"?call={caller.conversation_id}")
    assert request.headers["X-Conversation-Id"] == caller.conversation_id
    assert request.headers["X-Caller-Id"] == "+15550100"
    system = llm.prompts[-1][0][1]
    assert "Be kind to Ann." in system
    assert 'Delivery takes 45 minutes. JSON: {"a": {{}}' in system
    assert "Say {{orderId}}!" in system
    assert missing(log) == []
    stored = await rehearsed.stored(agent, caller.conversation_id)
    assert stored.conversation["callerId"] == "+15550100"


async def test_what_has_no_value_is_not_heard_and_is_said_once_in_the_log(
    rehearsed: Served, llm: FakeLlm, log: list[dict[str, Any]]
) -> None:
    agent = await rehearsed.make_agent(greeting="Unused.", llm=own_llm(llm))
    greeting = "Hello {{name}}, your order {{orderId}} is ready."
    async with rehearsed.call(agent, customGreeting=greeting, variables={"x": "canary"}) as caller:
        await hear_greeting(caller)
        assert caller.replies[0].text == "Hello, your order is ready."
        await ask(caller, "Is it?")
        await ask(caller, "Sure?")
    assert asked(llm).headers["X-Order"] == "/"
    (line,) = missing(log)
    assert line["names"] == ["callerId", "late", "name", "orderId"]
    assert (line["agent"], line["conversation"]) == (agent, caller.conversation_id)
    assert "canary" not in str(log)


async def test_by_body_they_are_metadata(rehearsed: Served, llm: FakeLlm) -> None:
    agent = await rehearsed.make_agent(llm=own_llm(llm, tell="body"), variables={"shop": "main"})
    variables = {"orderId": 42, "vip": True, "note": "x" * 600}
    async with rehearsed.call(agent, callerId="ann", variables=variables) as caller:
        await hear_greeting(caller)
        await ask(caller, "Hello?")
    body = asked(llm).body
    assert body["user"] == "ann"
    assert body["metadata"] == {
        "conversation_id": caller.conversation_id,
        "agent_id": agent,
        "caller_id": "ann",
        "orderId": "42",
        "vip": "true",
        "shop": "main",
    }


async def test_the_sentence_for_a_failure_is_filled_in_too(rehearsed: Served) -> None:
    async with fake_llm() as llm:
        failing = own_llm(llm, failureMessage="Sorry {{name}}, please call {{phone}} {{late}}.")
        agent = await rehearsed.make_agent(llm=failing, variables={"phone": "us"})
    async with rehearsed.call(agent, variables={"name": "Ann"}) as caller:
        await hear_greeting(caller)
        assert (await ask(caller, "Hello?")).text == "Sorry Ann, please call us."


async def test_the_terminal_sends_them(rehearsed: Served, llm: FakeLlm) -> None:
    agent = await rehearsed.make_agent(llm=own_llm(llm), greeting="Hi {{name}}.")
    words = ["talk", agent, "--url", rehearsed.url, "--text", "Well?", "--caller-id", "ann"]
    words += ["--variable", "name=Ann", "--variable", "orderId=a=b"]
    told = await asyncio.to_thread(CliRunner().invoke, command_line, words)
    assert told.exit_code == 0, told.output
    assert "agent:  Hi Ann." in told.output
    assert asked(llm).headers["X-Order"] == "ann/a=b"


async def test_a_bad_one_is_refused_with_a_sentence(rehearsed: Served) -> None:
    agent = await rehearsed.make_agent()
    with pytest.raises(TalkError) as refused:
        async with rehearsed.call(agent, variables={"a b": 1}):
            pass
    assert refused.value.code == 4400
    assert "variables holds the name 'a b'" in refused.value.message
