"""Functions offered to servers of all kinds: over a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

import pytest

from sayso.llm import Endpoint, Message, Piece, Tool, ToolCall
from sayso.llm.arguments import ArgumentsError, read_arguments
from sayso.llm.body import DEFAULT_MODEL, NOTHING
from sayso.llm.client import LlmClient
from sayso.llm.deadlines import Deadlines
from sayso.llm.fake import FakeConfig, Received, Rule, running_fake
from sayso.llm.fake.calling import CALLING
from sayso.llm.profile import STRANGER, key_of

HOURS = Tool(
    "opening_hours",
    "Says when we are open.",
    {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]},
)
WEATHER = Tool("weather", "Says what the weather is.")
ASKED = [Message("system", "Be kind."), Message("user", "When do you open on Monday?")]
DAMAGED = {"tool_apart", "tool_null_arguments"}
"""Quirks that lose the arguments."""


@pytest.fixture
async def fake(received: list[Received]) -> AsyncIterator[str]:
    config = FakeConfig("tools", first_token_s=0, token_s=0, listen=received.append)
    async with running_fake(config) as url:
        yield url


async def ask(
    client: LlmClient,
    endpoint: Endpoint,
    messages: Sequence[Message] = ASKED,
    tools: Sequence[Tool] = (WEATHER, HOURS),
) -> tuple[str, list[ToolCall]]:
    pieces: list[Piece] = [
        piece async for piece in client.bind(endpoint).reply(messages, tools=tools)
    ]
    words = "".join(piece for piece in pieces if isinstance(piece, str))
    return words, [piece for piece in pieces if isinstance(piece, ToolCall)]


def after(call: ToolCall, result: str = "9 to 5") -> list[Message]:
    return [*ASKED, Message("assistant", "", (call,)), Message("tool", result, call_id=call.id)]


async def test_a_call_and_its_result_as_openai_has_them(
    client: LlmClient, fake: str, received: list[Received]
) -> None:
    words, (call,) = await ask(client, Endpoint(fake))
    assert (words, call) == ("", ToolCall("call_1", "opening_hours", '{"day": "Monday"}'))
    offered = received[0].body["tools"]
    assert isinstance(offered, list)
    assert offered[1]["function"]["name"] == "opening_hours"
    assert offered[1]["function"]["parameters"] == HOURS.parameters
    assert await ask(client, Endpoint(fake), after(call)) == ("The function says: 9 to 5", [])
    messages = received[1].body["messages"]
    assert isinstance(messages, list)
    assert messages[2:] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "opening_hours", "arguments": '{"day": "Monday"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "9 to 5"},
    ]


async def test_nothing_changes_for_agents_without_functions(
    client: LlmClient, fake: str, received: list[Received]
) -> None:
    await ask(client, Endpoint(fake), tools=())
    assert set(received[0].body) == {"model", "messages", "stream"}


@pytest.mark.parametrize("quirk", sorted(set(CALLING) - {"tool_reason_only"}))
async def test_calls_in_every_shape(client: LlmClient, fake: str, quirk: str) -> None:
    endpoint = Endpoint(fake, model=f"quirk:{quirk}")
    words, (call,) = await ask(client, endpoint)
    assert (words.strip(), call.name) == ("", "opening_hours")
    if quirk == "tool_apart":
        with pytest.raises(ArgumentsError):
            read_arguments(call.arguments)
    else:
        wanted = {} if quirk in DAMAGED else {"day": "Monday"}
        assert read_arguments(call.arguments) == wanted
    words, calls = await ask(client, endpoint, after(call))
    assert (words, calls) == ("The function says: 9 to 5", [])


async def test_several_calls_at_once(client: LlmClient) -> None:
    rules = (
        Rule(r"open on (?P<day>\w+)", "opening_hours", {"day": r"\g<day>"}),
        Rule("open", "weather", {"celsius": True}),
        Rule("never said", "weather"),
        Rule("open", "not offered"),
    )
    for quirk in ("", "quirk:tool_interleaved", "quirk:tool_in_words", "quirk:json_tool_call"):
        config = FakeConfig("tools", first_token_s=0, token_s=0, rules=rules)
        async with running_fake(config) as url:
            _, calls = await ask(client, Endpoint(url, model=quirk or None))
        assert [(call.name, read_arguments(call.arguments)) for call in calls] == [
            ("opening_hours", {"day": "Monday"}),
            ("weather", {"celsius": True}),
        ]


async def test_a_refusal_teaches_to_call_in_words(
    client: LlmClient, fake: str, received: list[Received]
) -> None:
    endpoint = Endpoint(fake, model="quirk:no_tools")
    words, (call,) = await ask(client, endpoint)
    assert (words, call.name) == ("", "opening_hours")
    assert read_arguments(call.arguments) == {"day": "Monday"}
    await asyncio.sleep(0.01)
    profile = client.profiles.get(key_of(endpoint, DEFAULT_MODEL))
    assert profile.tools is False
    assert await ask(client, endpoint, after(call)) == ("The function says: 9 to 5", [])
    assert [("tools" in one.body) for one in received] == [True, False, False]


async def test_a_server_that_ignores_functions_can_be_known_to_do_so(
    client: LlmClient, fake: str
) -> None:
    endpoint = Endpoint(fake, model="quirk:ignores_tools")
    assert (await ask(client, endpoint))[1] == []
    await client.profiles.put(key_of(endpoint, DEFAULT_MODEL), STRANGER.__class__(tools=False))
    _, (call,) = await ask(client, endpoint)
    assert call.name == "opening_hours"


async def test_a_server_that_wants_an_empty_text_gets_one(
    client: LlmClient, fake: str, received: list[Received]
) -> None:
    endpoint = Endpoint(fake, model="quirk:no_null_content")
    _, (call,) = await ask(client, endpoint)
    assert await ask(client, endpoint, after(call)) == ("The function says: 9 to 5", [])
    messages = received[-1].body["messages"]
    assert isinstance(messages, list)
    assert messages[2]["content"] == ""


async def test_one_that_takes_neither_is_asked_in_words(
    client: LlmClient, fake: str, received: list[Received]
) -> None:
    endpoint = Endpoint(fake, model="quirk:text_only")
    call = ToolCall("c1", "opening_hours")
    assert (await ask(client, endpoint, after(call)))[0] == "The function says: 9 to 5"
    assert "tools" not in received[-1].body


async def test_without_functions_results_are_told_in_words(
    client: LlmClient, fake: str, received: list[Received]
) -> None:
    call = ToolCall("c1", "opening_hours", "{oh")
    assert (await ask(client, Endpoint(fake), after(call), ()))[0] == "The function says: 9 to 5"
    assert [one["role"] for one in received[0].body["messages"]] == ["system", "user"]  # type: ignore[attr-defined]


async def test_what_a_template_would_choke_on_is_not_sent(
    client: LlmClient, fake: str, received: list[Received]
) -> None:
    extra = {"extra_content": {"google": {"thought_signature": "x"}}}
    await ask(client, Endpoint(fake), after(ToolCall("c1", "opening_hours", "{oh", extra), ""))
    text = json.dumps(received[0].body)
    assert '"arguments": "{}"' in text
    assert "thought_signature" in text
    assert NOTHING in text


async def test_an_end_that_never_comes_holds_no_call_up() -> None:
    """Calls are there once the server has said why it ended, within the silence it may keep."""
    from aiohttp import web

    from sayso.llm.fake import running_app

    async def hang(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        entry = {"index": 0, "id": "c", "function": {"name": "weather", "arguments": "{}"}}
        choice = {"index": 0, "delta": {"tool_calls": [entry]}, "finish_reason": "tool_calls"}
        await response.write(f"data: {json.dumps({'choices': [choice]})}\n\n".encode())
        await asyncio.sleep(30)
        return response

    app = web.Application()
    app.router.add_post("/chat/completions", hang)
    client = LlmClient(Deadlines(2.0, 2.0, 0.1, 5.0))
    await client.open()
    try:
        async with running_app(app, "127.0.0.1", 0) as url:
            _, (call,) = await ask(client, Endpoint(url))
            assert call.name == "weather"
    finally:
        await client.close()
