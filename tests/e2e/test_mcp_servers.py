"""MCP servers in whole conversations: a ready-made public server, used by voice."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcp_world import running_server
from sayso.llm.fake import FakeConfig, running_fake
from sayso.talk import arrivals
from served import REHEARSED, Served, ask, serving

WORDS = "Convert the time in Tokyo, please."
TIME = f"{sys.executable} -m mcp_server_time --local-timezone UTC"
CANARY = "canary-header-0123456789"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    commands = {"time": TIME}
    folder = tmp_path_factory.mktemp("mcp")
    options = {**REHEARSED, "stt_options": {"text": WORDS}, "mcp_commands": commands}
    with serving(folder, **options) as server:
        yield server


async def until_offered(server: Served, agent: str) -> None:
    """Wait until the agent's server is connected to: its tools come when they come."""
    kept = server.server._mcp._kept
    async with asyncio.timeout(30):
        while not any(  # noqa: ASYNC110 - on another thread
            key[0] == agent and one.link is not None and one.link.ready.is_set()
            for key, one in list(kept.items())
        ):
            await asyncio.sleep(0.05)


async def test_a_ready_made_server_answers_by_voice(server: Served) -> None:
    """`mcp-server-time`, over pipes, from the package registry."""
    entry = {"name": "time", "command": "time", "tools": ["get_current_time"]}
    async with running_fake(FakeConfig("tools", (), 0.0, 0.0)) as url:
        agent = await server.make_agent(url, mcpServers=[entry])
        async with server.call(agent) as caller:
            await until_offered(server, agent)
            reply = await ask(caller, "What is the current time in Asia/Tokyo?")
            conversation_id = caller.conversation_id
    assert "The function says" in reply.text
    stored = await server.stored(agent, conversation_id)
    (call,) = [one for turn in stored.turns for one in turn["timings"].get("calls", [])]
    assert call["name"] == "get_current_time"


async def test_the_first_question_waits_for_tools_that_are_under_way(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "MAX_ARRIVAL_S", 60.0)
    with running_server() as url:
        entry = {"name": "p", "url": url, "tools": ["add"]}
        async with running_fake(FakeConfig("tools", (), 0.0, 0.0)) as llm:
            agent = await server.make_agent(llm, mcpServers=[entry], greeting="")
            async with server.call(agent) as caller:
                reply = await ask(caller, "Add the numbers two and three.")
    assert reply.text == "The function says: 5"


async def test_a_server_that_is_gone_costs_only_its_tools(
    server: Served, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with running_server() as url:
        entry = {"name": "p", "url": url, "tools": ["add"], "headers": {"X-Key": CANARY}}
        async with running_fake(FakeConfig("tools", (), 0.0, 0.0)) as llm:
            agent = await server.make_agent(llm, mcpServers=[entry])
    async with running_fake(FakeConfig()) as llm:
        async with server.rest() as rest:
            changed = await rest.patch(
                f"/agents/{agent}", json={"llm": {"baseURL": llm, "apiKey": "sk-x"}}
            )
            assert changed.status_code == 200, changed.text
        async with server.call(agent) as caller:
            assert (await ask(caller, "Hello?")).text
            assert (await ask(caller, "Still there?")).text
    written = capfd.readouterr()
    assert CANARY not in written.out + written.err
