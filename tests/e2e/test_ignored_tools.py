"""An agent with a function, whose LLM server ignores `tools`: saved, looked into, and talked to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

import speech
from endpoints import running_endpoint
from sayso.llm.fake import FakeConfig, Received, running_fake
from served import REHEARSED, Served, ask, microphone, serving

WORDS = "What are the opening hours on Monday?"
HOURS = {
    "name": "opening_hours",
    "description": "Says the opening hours of a day.",
    "endpointUrl": "/hours",
    "method": "GET",
    "parameters": [{"type": "string", "name": "day", "parameterPosition": "query"}],
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = {**REHEARSED, "stt_options": {"text": WORDS}, "llm_deep_check": True}
    with serving(tmp_path_factory.mktemp("ignored"), **settings) as server:
        yield server


async def wait_for_the_whole_check(served: Served, agent: str) -> dict[str, Any]:
    async with served.rest() as rest, asyncio.timeout(60):
        while True:
            found: dict[str, Any] = (await rest.get(f"/agents/{agent}/llm-check")).json()
            if found["state"] == "complete":
                return found
            await asyncio.sleep(0.05)


VOICE = pytest.param(True, marks=pytest.mark.speech, id="voice")


@pytest.mark.parametrize("by_voice", [pytest.param(False, id="text"), VOICE])
async def test_its_function_is_called_all_the_same(desk: Served, by_voice: bool) -> None:
    received: list[Received] = []
    config = FakeConfig("tools", (), 0.0, 0.0, listen=received.append)
    async with running_endpoint() as endpoint, running_fake(config) as url:
        async with desk.rest() as rest:
            body = {**HOURS, "endpointUrl": f"{endpoint.url}/hours"}
            made = await rest.post("/external-functions", json=body)
            assert made.status_code == 201, made.text
        ignoring = f"{url}/quirk/ignores_tools"
        agent = await desk.make_agent(ignoring, actions=[made.json()["id"]])
        found = await wait_for_the_whole_check(desk, agent)
        assert [one["code"] for one in found["findings"]] == ["tools.ignored"]
        assert found["profile"]["tools"] is False
        received.clear()
        async with desk.call(agent) as caller:
            if by_voice:
                async with microphone(caller) as mic:
                    await mic.say(speech.sentences()[0].samples)
                    reply = await caller.answer(0, within_s=30)
                    await caller.hear_out(reply)
            else:
                reply = await ask(caller, WORDS)
        assert reply.text.startswith("The function says:")
        assert "tool_call" not in reply.text
        (asked,) = endpoint.asked
        assert asked.query == [("day", "Monday")]
        assert not any("tools" in one.body for one in received)
        assert "<tool_call>" in json.dumps(received[0].body)
