"""Stored external functions, called in conversations: over REST, the talk socket and HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

import speech
from endpoints import Endpoint, running_endpoint
from sayso.caller import Caller
from sayso.llm.fake import FakeConfig, Rule, running_fake
from sayso.talk.phrases import ENGLISH
from served import REHEARSED, Served, ask, microphone, serving

WORDS = "Please order three large ones of number 1001."
KEY = "Bearer shop-key-1234567890"
ORDER: Mapping[str, Any] = {
    "name": "Order more",
    "description": "Orders something again.",
    "endpointUrl": "/orders/{orderId}",
    "method": "POST",
    "parameters": [
        {"type": "string", "name": "orderId", "parameterPosition": "url"},
        {"type": "number", "name": "count", "parameterPosition": "query"},
        {"type": "boolean", "name": "X-Urgent", "parameterPosition": "header"},
        {"type": "enum", "name": "size", "values": ["small", "large"]},
        {"type": "string", "name": "note", "parameterPosition": "body"},
        {"type": "string", "name": "coupon", "required": False},
        {"type": "const", "name": "Authorization", "parameterPosition": "header", "value": KEY},
        {"type": "const", "name": "caller", "value": "{{callerId}}"},
        {
            "type": "const",
            "name": "version",
            "parameterPosition": "query",
            "value": "2",
            "constType": "number",
        },
        {"type": "const", "name": "spoken", "value": "true", "constType": "boolean"},
    ],
}
ORDERS = Rule(
    r"number (?P<id>\d+)",
    "Order_more",
    {
        "orderId": r"\g<id>",
        "count": "3",
        "X-Urgent": "yes",
        "size": "LARGE",
        "note": "Grüß Gott / & co",
    },
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = {
        **REHEARSED,
        "stt_options": {"text": WORDS},
        "tts_options": {"chars_per_s": "600"},
        "filler_after_s": 0.5,
    }
    with serving(tmp_path_factory.mktemp("external"), **settings) as server:
        yield server


@asynccontextmanager
async def calling(
    served: Served, rule: Rule, quirk: str = "", **function: object
) -> AsyncGenerator[tuple[Caller, Endpoint, str]]:
    """A caller of an agent with one external function, which `rule` has its LLM call."""
    config = FakeConfig("tools", (), 0.0, 0.0, quirk=quirk, rules=(rule,))
    async with running_endpoint() as endpoint, running_fake(config) as llm:
        body = {**function, "endpointUrl": f"{endpoint.url}{function['endpointUrl']}"}
        async with served.rest() as rest:
            made = await rest.post("/external-functions", json=body)
        assert made.status_code == 201, made.text
        agent = await served.make_agent(llm, actions=[made.json()["id"]])
        async with served.call(agent, caller_id="+15550100") as caller:
            yield caller, endpoint, agent


async def rows(served: Served, agent: str, conversation_id: str) -> list[dict[str, Any]]:
    """The calls on the record of a conversation that is over."""
    stored = await served.stored(agent, conversation_id)
    return [call for turn in stored.turns for call in turn["timings"].get("calls", [])]


def check_order(endpoint: Endpoint) -> None:
    (asked,) = endpoint.asked
    assert (asked.method, asked.path) == ("POST", "/orders/1001")
    assert sorted(asked.query) == [("count", "3"), ("version", "2")]
    assert asked.headers["x-urgent"] == "true"
    assert asked.headers["authorization"] == KEY
    assert json.loads(asked.body) == {
        "size": "large",
        "note": "Grüß Gott / & co",
        "caller": "+15550100",
        "spoken": True,
    }


@pytest.mark.speech
async def test_every_position_and_type_is_called_by_voice(shop: Served) -> None:
    async with (
        calling(shop, ORDERS, **ORDER) as (caller, endpoint, agent),
        microphone(caller) as mic,
    ):
        await mic.say(speech.sentences()[0].samples)
        reply = await caller.answer(0, within_s=30)
        await caller.hear_out(reply)
        check_order(endpoint)
        conversation_id = caller.conversation_id
    assert reply.text.startswith("The function says: ")
    assert "shop-key" not in reply.text
    (row,) = await rows(shop, agent, conversation_id)
    assert (row["name"], row["ok"]) == ("Order_more", 1.0)
    assert "shop-key" not in json.dumps(row)


@pytest.mark.parametrize("quirk", ["", "no_tools", "tool_object_arguments"])
async def test_llms_with_and_without_tools_call_the_same(shop: Served, quirk: str) -> None:
    async with calling(shop, ORDERS, quirk, **ORDER) as (caller, endpoint, _):
        assert (await ask(caller, WORDS)).text.startswith("The function says: ")
        check_order(endpoint)


async def test_what_is_missing_is_asked_for(shop: Served) -> None:
    rule = Rule("number", "Order_more", {"orderId": "1001", "size": "huge"})
    async with calling(shop, rule, **ORDER) as (caller, endpoint, _):
        said = (await ask(caller, WORDS)).text
    assert not endpoint.asked
    assert 'Still missing: "count"' in said


BAD: Mapping[str, tuple[str, str]] = {
    "/hang": ("timeout", "did not answer within"),
    "/give?status=500&text=Out+of+stock": ("http.status", "the service failed"),
    "/redirect?to=http://169.254.169.254/latest/meta-data": ("redirect.refused", "a redirect"),
    "/give?kind=image/png": ("answer.binary", "The call"),
    "/drip": ("timeout", "did not answer within"),
}


@pytest.mark.parametrize("path", BAD)
async def test_whatever_an_endpoint_does_ends_in_a_sentence(shop: Served, path: str) -> None:
    rule = Rule("number", "Ask", {})
    function: dict[str, Any] = {
        "name": "Ask",
        "description": "Asks.",
        "endpointUrl": path,
        "timeoutSeconds": 1,
    }
    async with calling(shop, rule, **function) as (caller, _, agent):
        said = (await ask(caller, WORDS)).text
        conversation_id = caller.conversation_id
    (row,) = await rows(shop, agent, conversation_id)
    finding, _told = BAD[path]
    assert row["finding"] == finding
    assert "The function says: " in said
    assert "169.254" not in said
    assert said.startswith(ENGLISH.one_moment) is (finding == "timeout")


async def test_a_huge_answer_is_cut(shop: Served) -> None:
    rule = Rule("number", "Ask", {})
    function: dict[str, Any] = {"name": "Ask", "description": "Asks.", "endpointUrl": "/flood"}
    async with calling(shop, rule, **function) as (caller, endpoint, agent):
        await caller.write(WORDS)
        await caller.until(
            lambda: caller.replies and caller.replies[0].encoded, within_s=20, what="a sound"
        )
        async with asyncio.timeout(10):
            await endpoint.gave_up.wait()
        conversation_id = caller.conversation_id
    (row,) = await rows(shop, agent, conversation_id)
    assert (row["ok"], row["name"]) == (1.0, "Ask")
    assert row["result"].startswith("flood flood")


async def test_what_must_be_confirmed_is_asked_first(shop: Served) -> None:
    function: dict[str, Any] = {
        "name": "Call off",
        "description": "Calls an order off.",
        "endpointUrl": "/off",
        "method": "POST",
        "metadata": {"toolRequiresConfirmation": True},
    }
    async with calling(shop, Rule("off|yes", "Call_off", {}), **function) as (caller, endpoint, _):
        assert "Nothing was done yet" in (await ask(caller, "Call it off.")).text
        assert not endpoint.asked
        await ask(caller, "Yes, please.")
        assert [one.path for one in endpoint.asked] == ["/off"]
