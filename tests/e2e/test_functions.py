"""Functions in whole conversations: a server, a socket, and an LLM that calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

import speech
from sayso.agents.agent import Agent as StoredAgent
from sayso.caller import Caller
from sayso.functions import Outcome
from sayso.llm import Tool, ToolCall
from sayso.llm.fake import FakeConfig, Received, running_fake
from sayso.talk.agent import Agent
from sayso.talk.calls import FAILED
from sayso.talk.phrases import ENGLISH
from sayso.transport.playai import Setup
from served import REHEARSED, Served, ask, fake_llm, microphone, serving

HOURS = Tool(
    "opening_hours",
    "Says when the shop is open.",
    {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]},
    safe=True,
)
BOOK = Tool("book_table", "Books a table.")
SAID = "The function says: opening_hours: nine to five"
WORDS = "When are you open on Monday?"
SPOKEN: Mapping[str, object] = {
    **REHEARSED,
    "filler_after_s": 0.3,
    "stt_options": {"text": WORDS},
}


@dataclass
class Shop:
    """A toolbox whose functions take `slow_s`, and fail where they may take only `limit_s`."""

    slow_s: float = 0.0
    limit_s: float = 5.0
    tools: tuple[Tool, ...] = (HOURS, BOOK)
    called: list[ToolCall] = field(default_factory=list)
    given_up: int = 0
    ended: int = 0

    async def call(self, call: ToolCall) -> Outcome:
        self.called.append(call)
        try:
            async with asyncio.timeout(self.limit_s):
                await asyncio.sleep(self.slow_s)
        except TimeoutError:
            return Outcome(ok=False, text=FAILED, finding="call.timeout")
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        self.ended += 1
        return Outcome(ok=True, text=f"{call.name}: nine to five")


@pytest.fixture(scope="module")
def shop_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("functions"), **SPOKEN) as server:
        yield server


@dataclass
class Scene:
    """An agent with functions, and all who take part in its conversation."""

    caller: Caller
    shop: Shop
    received: list[Received]
    agent: str


@asynccontextmanager
async def scene(
    served: Served, patch: pytest.MonkeyPatch, shop: Shop, quirk: str = ""
) -> AsyncGenerator[Scene]:
    """A caller in a conversation whose agent has the functions of `shop`."""
    door = served.server.door
    ready = door.ready

    async def with_shop(stored: StoredAgent, setup: Setup, conversation_id: str) -> Agent:
        return replace(await ready(stored, setup, conversation_id), tools=shop)

    patch.setattr(door, "ready", with_shop)
    received: list[Received] = []
    config = FakeConfig("tools", (), 0.0, 0.0, quirk=quirk, listen=received.append)
    async with running_fake(config) as url:
        agent = await served.make_agent(url)
        received.clear()
        async with served.call(agent) as caller:
            yield Scene(caller, shop, received, agent)


async def calls_of(served: Served, agent: str, conversation_id: str) -> list[dict[str, Any]]:
    """The calls on the record of a conversation that is over."""
    stored = await served.stored(agent, conversation_id)
    return [call for turn in stored.turns for call in turn["timings"].get("calls", [])]


async def test_what_a_function_returns_is_spoken_and_known_later(
    shop_server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(shop_server, monkeypatch, Shop()) as play:
        assert (await ask(play.caller, WORDS)).text == SAID
        (call,) = play.shop.called
        assert call.arguments == '{"day": "Monday"}'
        conversation_id = play.caller.conversation_id
    (row,) = await calls_of(shop_server, play.agent, conversation_id)
    assert (row["name"], row["ok"], row["result"]) == (
        "opening_hours",
        1.0,
        "opening_hours: nine to five",
    )
    goes_on = {"continueConversation": conversation_id}
    async with fake_llm("Welcome back.") as llm:
        async with shop_server.rest() as rest:
            body = {"llm": {"baseURL": llm.url, "apiKey": "sk-test"}}
            assert (await rest.patch(f"/agents/{play.agent}", json=body)).status_code == 200
        llm.received.clear()
        async with shop_server.call(play.agent, **goes_on) as caller:
            await ask(caller, "Hello again.")
        asked = llm.received[-1].body["messages"]
    assert isinstance(asked, list)
    assert [message["role"] for message in asked] == [
        "system",
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
    ]
    assert asked[3]["content"] == "opening_hours: nine to five"


async def test_who_waits_long_is_told_so(
    shop_server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(shop_server, monkeypatch, Shop(slow_s=1.0)) as play:
        reply = await ask(play.caller, WORDS)
    assert reply.text == f"{ENGLISH.one_moment} {SAID}"


async def test_a_function_that_hangs_ends_in_a_sentence(
    shop_server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(shop_server, monkeypatch, Shop(slow_s=60.0, limit_s=0.2)) as play:
        reply = await ask(play.caller, WORDS)
        conversation_id = play.caller.conversation_id
    assert reply.text == f"The function says: {FAILED}"
    (row,) = await calls_of(shop_server, play.agent, conversation_id)
    assert row["finding"] == "call.timeout"


@pytest.mark.parametrize(
    ("words", "name", "given_up"),
    [(WORDS, "opening_hours", 1), ("Book a table.", "book_table", 0)],
)
async def test_a_caller_who_goes_on_stops_only_what_changes_nothing(
    shop_server: Served,
    monkeypatch: pytest.MonkeyPatch,
    words: str,
    name: str,
    given_up: int,
) -> None:
    """The turn's words are answered anew: what still goes on is joined, and not done twice."""
    async with scene(shop_server, monkeypatch, Shop(slow_s=0.5)) as play:
        await play.caller.write(words)
        async with asyncio.timeout(10):
            while not play.shop.called:  # noqa: ASYNC110 - on another thread
                await asyncio.sleep(0.01)
        reply = await ask(play.caller, "And quickly.")
        assert reply.text.endswith(f"{name}: nine to five")
    assert (play.shop.given_up, play.shop.ended, len(play.shop.called)) == (
        given_up,
        1,
        1 + given_up,
    )


@pytest.mark.parametrize("quirk", ["no_tools", "tool_in_words", "tool_no_index", "tool_fenced"])
async def test_llms_that_call_in_their_own_way(
    shop_server: Served, monkeypatch: pytest.MonkeyPatch, quirk: str
) -> None:
    async with scene(shop_server, monkeypatch, Shop(), quirk) as play:
        assert (await ask(play.caller, WORDS)).text == SAID
        assert [call.name for call in play.shop.called] == ["opening_hours"]


@pytest.mark.speech
async def test_a_draft_that_is_dropped_has_no_effect(
    shop_server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(shop_server, monkeypatch, Shop()) as play, microphone(play.caller) as mic:
        for sentence in speech.sentences()[:2]:
            await mic.say(sentence.samples)
            await asyncio.sleep(0.35)  # the LLM is asked, and the turn is not over
        reply = await play.caller.answer(0, within_s=30)
        await play.caller.hear_out(reply)
        conversation_id = play.caller.conversation_id
    stored = await shop_server.stored(play.agent, conversation_id)
    asked = sum(1 for one in play.received if "tools" in one.body)
    answered = len(stored.turns)
    assert len(play.shop.called) <= answered < asked
