"""The messages of a conversation, their keys and their order (contract §4.6, §4.7)."""

from __future__ import annotations

import json
import time
from typing import Any

import aiohttp
import pytest

import speech
from served import FakeLlm, Served, ask, fake_llm, first_of, hear_greeting, microphone, types_of

SETUP: dict[str, Any] = {
    "type": "setup",
    "inputEncoding": "mulaw",
    "inputSampleRate": 16_000,
    "outputFormat": "raw",
    "outputSampleRate": 24_000,
}
ANSWER_ORDER = [
    "newAudioStream",
    "audioStreamStart",
    "audioStream",
    "onAgentTranscript",
    "audioStreamEnd",
]


def order_of(types: list[str]) -> list[str]:
    """Message types with all sound of a reply in one place: its text comes amid the sound."""
    order: list[str] = []
    for kind in types:
        if not (kind == "audioStream" and kind in order[order.index("audioStreamStart") :]):
            order.append(kind)
    return order


async def receive(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    message: dict[str, Any] = json.loads((await socket.receive(10)).data)
    return message


async def test_an_agent_with_a_greeting_says_it_first(rehearsed: Served) -> None:
    async with fake_llm() as llm:
        agent_id = await rehearsed.make_agent(llm.url, greeting="Hello there!")
        async with rehearsed.call(agent_id) as caller:
            await hear_greeting(caller)
            assert order_of(types_of(caller)) == [
                "onAgentGreeting",
                *ANSWER_ORDER,
                "onAgentGreetingEnd",
            ]
            assert caller.told[0].message == {"type": "onAgentGreeting", "message": "Hello there!"}
            end = caller.told[-1].message
            assert end == {"type": "onAgentGreetingEnd", "message": "Hello there!"}
            assert caller.replies[0].text == "Hello there!"
    assert not llm.prompts, "nobody is asked for a greeting"


async def test_an_agent_without_a_greeting_opens_the_microphone_at_once(rehearsed: Served) -> None:
    async with fake_llm() as llm:
        agent_id = await rehearsed.make_agent(llm.url)
        async with rehearsed.call(agent_id) as caller:
            await hear_greeting(caller)
            assert [told.message for told in caller.told] == [
                {"type": "onAgentGreeting", "message": " "},  # old clients wait for a non-empty one
                {"type": "onAgentGreetingEnd", "message": ""},
            ]


@pytest.mark.speech
async def test_a_spoken_turn_in_the_contracts_order(rehearsed: Served) -> None:
    async with fake_llm("It will rain.") as llm:
        agent_id = await rehearsed.make_agent(llm.url)
        async with rehearsed.call(agent_id) as caller, microphone(caller) as mic:
            await hear_greeting(caller)
            await mic.say(speech.sentences()[0].samples)
            await caller.reply(0, within_s=20)
            told = [t.message for t in caller.told][2:]
        assert order_of([m["type"] for m in told]) == [
            "voiceActivityStart",
            "onUserTranscript",
            "voiceActivityEnd",
            *ANSWER_ORDER,
        ]
        by_type = {message["type"]: message for message in told}
        assert {kind: set(message) - {"type"} for kind, message in by_type.items()} == {
            "voiceActivityStart": set(),
            "onUserTranscript": {"message"},
            "voiceActivityEnd": set(),
            "newAudioStream": set(),
            "audioStreamStart": set(),
            "audioStream": set(),  # `data` was taken out by the caller
            "onAgentTranscript": {"message"},
            "audioStreamEnd": {"message", "jobId"},
        }
        assert isinstance(by_type["audioStreamEnd"]["jobId"], int)


@pytest.mark.parametrize(
    ("asked", "told"), [(True, {"language": "english"}), (False, {}), (None, {})]
)
async def test_init_has_exactly_the_contracts_keys(
    rehearsed: Served, asked: bool | None, told: dict[str, str]
) -> None:
    agent_id = await rehearsed.make_agent()
    extra = {} if asked is None else {"shouldSendLanguage": asked}
    async with rehearsed.socket(agent_id) as socket:
        await socket.send_str(json.dumps({**SETUP, **extra, "agentId": agent_id, "x": {"y": 1}}))
        init = await receive(socket)
    assert init.pop("recordingPresignedUrl")
    assert init.pop("conversationId")
    assert init == {"type": "init", "agentOwnerId": rehearsed.user_id, **told}


async def test_the_first_published_url_takes_the_agent_from_the_query(rehearsed: Served) -> None:
    agent_id = await rehearsed.make_agent(greeting="Hello.")
    url = f"{rehearsed.url}/v1/agent-conversation?agentId={agent_id}"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        await socket.send_str(json.dumps({"type": "setup", "apiKey": rehearsed.key}))
        types = [(await receive(socket))["type"] for _ in range(5)]
    assert types[:2] == ["init", "onAgentGreeting"]
    assert "audioStream" in types


async def test_a_custom_greeting_replaces_the_agents(rehearsed: Served) -> None:
    agent_id = await rehearsed.make_agent(greeting="Hello there!")
    async with rehearsed.call(agent_id, customGreeting="Welcome back, Ada!") as caller:
        await hear_greeting(caller)
        assert caller.replies[0].text == "Welcome back, Ada!"
        assert caller.told[0].message["message"] == "Welcome back, Ada!"


async def test_the_clients_prompt_is_appended_to_the_agents(rehearsed: Served) -> None:
    async with fake_llm("Fine.") as llm:
        agent_id = await rehearsed.make_agent(
            llm.url, prompt="You run the front desk.", greeting="Hello there!"
        )
        async with rehearsed.call(agent_id, prompt="The caller is Ada.") as caller:
            await hear_greeting(caller)
            await ask(caller, "How are you?")
        role, system = llm.prompts[0][0]
        assert role == "system"
        assert system.index("You run the front desk.") < system.index("The caller is Ada.")
        assert "Hello there!" in system, "the LLM knows how the agent opened"
        assert llm.prompts[0][1:] == [("user", "How are you?")]


async def test_custom_input_makes_the_agent_respond(rehearsed: Served) -> None:
    async with fake_llm("Your table is booked.") as llm:
        agent_id = await rehearsed.make_agent(llm.url)
        async with rehearsed.call(agent_id) as caller:
            await hear_greeting(caller)
            await caller.send({"type": "customInput", "data": "The booking was made: 7 pm."})
            reply = await caller.reply(0, within_s=20)
            assert reply.text == "Your table is booked."
            assert not caller.said, "nobody said it"
        role, content = llm.prompts[0][-1]
        assert role == "user"
        assert "The booking was made: 7 pm." in content


async def answer_delay_s(served: Served, llm: FakeLlm, **setup: object) -> float:
    """From the end of speech to `voiceActivityEnd`."""
    agent_id = await served.make_agent(llm.url)
    async with served.call(agent_id, **setup) as caller, microphone(caller) as mic:
        await hear_greeting(caller)
        await mic.say(speech.sentences()[0].samples)
        ended_s = time.monotonic()
        await first_of(caller, "voiceActivityEnd")
        return caller.told[-1].at_s - ended_s


@pytest.mark.speech
async def test_a_client_may_ask_for_more_patience(rehearsed: Served) -> None:
    async with fake_llm("Yes.") as llm:
        usual_s = await answer_delay_s(rehearsed, llm)
        patient_s = await answer_delay_s(rehearsed, llm, utteranceEndThreshold=2_000)
    assert usual_s < 1.2
    assert 1.0 < patient_s - usual_s < 2.1, f"{usual_s=:.2f} {patient_s=:.2f}"


async def test_the_close_says_why(rehearsed: Served) -> None:
    async with fake_llm("Good-bye!") as llm, aiohttp.ClientSession() as session:
        agent_id = await rehearsed.make_agent(llm.url, endCallPhrases=["good bye"])
        url = f"{rehearsed.url}/v1/agents/{agent_id}/start-conversation"
        async with session.ws_connect(url, autoclose=False) as socket:
            await socket.send_json(SETUP)
            await socket.send_json({"type": "textIn", "data": "That is all."})
            seen = [await socket.receive(30)]
            while seen[-1].type is aiohttp.WSMsgType.TEXT:
                seen.append(await socket.receive(30))
        assert json.loads(seen[-2].data) == {"type": "hangup", "endedBy": "agent"}
        assert (seen[-1].data, seen[-1].extra) == (1000, "agent_done")
        async with session.get(f"{rehearsed.url}/agent/{agent_id}") as page:
            assert "<h1>Tester</h1>" in await page.text()
