"""An agent's MCP servers by REST: checked when saved, stored sealed, shown masked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mcp_world import PIPE, running_server
from rest_world import World, open_world
from sayso.functions.mcp import McpServer
from sayso.store.tables import AgentRow

AGENTS = "/api/v1/agents"
CHECKS = "/api/v1/mcp-checks"
KEY = "Bearer canary-header-0123456789"
QUERY = "canary-query-0123456789"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_server() as url:
        yield url


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    unlimited = {"create_agent_per_min": 0, "update_agent_per_min": 0, "check_mcp_per_min": 0}
    commands = {"parrot": " ".join(PIPE), "gone": "/no/such/program"}
    async with open_world(tmp_path, mcp_commands=commands, **unlimited) as world:
        yield world


def entry(url: str, **more: object) -> dict[str, Any]:
    headers = {"Authorization": KEY, "X-Call": "{{conversationId}}"}
    server = {"name": "parrot", "url": f"{url}?key={QUERY}", "headers": headers}
    return {**server, "tools": ["add"], **more}


async def create(client: httpx2.AsyncClient, *servers: object) -> httpx2.Response:
    return await client.post(AGENTS, json={"displayName": "Desk", "mcpServers": servers})


async def test_a_server_is_kept_sealed_and_shown_masked(
    world: World, client: httpx2.AsyncClient, url: str
) -> None:
    made = await create(client, entry(url, timeoutSeconds=2.5))
    assert made.status_code == 201, made.text
    assert made.json()["mcpServers"] == [
        {
            "name": "parrot",
            "url": f"{url}?key=••••6789",
            "command": None,
            "headers": {"Authorization": "••••6789", "X-Call": "{{conversationId}}"},
            "tools": ["add"],
            "timeoutSeconds": 2.5,
        }
    ]
    agent_id = made.json()["id"]
    read = await client.get(f"{AGENTS}/{agent_id}")
    assert read.json()["mcpServers"] == made.json()["mcpServers"]
    assert "canary" not in made.text + read.text
    async with world.database.read() as session:
        row = await session.get(AgentRow, agent_id)
    assert row is not None
    assert "canary" not in repr((row.mcp_servers, row.mcp_sealed))
    agent = await world.agents.load(agent_id)
    assert agent.mcp_servers == (
        McpServer(
            "parrot",
            f"{url}?key={QUERY}",
            headers={"Authorization": KEY, "X-Call": "{{conversationId}}"},
            tools=("add",),
            timeout_s=2.5,
        ),
    )
    assert "canary" not in repr(agent)


async def test_an_agent_without_has_none(world: World, client: httpx2.AsyncClient) -> None:
    made = (await client.post(AGENTS, json={"displayName": "Desk", "mcpServers": None})).json()
    assert made["mcpServers"] == []
    assert (await world.agents.load(made["id"])).mcp_servers == ()


async def test_a_command_is_one_of_the_operators(client: httpx2.AsyncClient) -> None:
    made = await create(client, {"name": "p", "command": "parrot", "tools": ["echo"]})
    assert made.status_code == 201, made.text
    for command, code in (("python", "mcp.command_refused"), ("gone", "mcp.command_failed")):
        refused = await create(client, {"name": "p", "command": command, "tools": ["echo"]})
        assert refused.status_code == 400
        (detail,) = refused.json()["details"]
        assert (detail["code"], detail["field"]) == (code, "mcpServers.0.command")


async def test_what_cannot_be_used_is_refused_with_findings(
    client: httpx2.AsyncClient, url: str
) -> None:
    refused = await create(
        client,
        entry(url, tools=["add", "ad", "nothing"]),
        {"name": "far", "url": "http://169.254.169.254/mcp", "tools": ["x"]},
        {"name": "down", "url": "http://127.0.0.1:9/mcp", "tools": ["x"]},
    )
    assert refused.status_code == 400
    found = [(one["code"], one["field"]) for one in refused.json()["details"]]
    assert found == [
        ("mcp.tool_missing", "mcpServers.0.tools.1"),
        ("mcp.tool_missing", "mcpServers.0.tools.2"),
        ("outbound.refused", "mcpServers.1.url"),
        ("connect.failed", "mcpServers.2.url"),
    ]
    assert "'ad' is not a tool of the server 'parrot'" in refused.json()["message"]
    assert all(one["fix"] for one in refused.json()["details"])
    assert (await client.get(AGENTS)).json() == []


async def test_none_listed_is_none_offered_and_said(client: httpx2.AsyncClient, url: str) -> None:
    made = await create(client, {"name": "parrot", "url": url})
    assert made.status_code == 201
    (warning,) = made.json()["warnings"]
    assert (warning["code"], warning["field"]) == ("mcp.no_tools", "mcpServers.0.tools")
    assert "it has: add, " in warning["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"name": "a"},
        {"name": "a", "url": "http://a.example", "command": "b"},
        {"name": "a", "command": "b", "headers": {"X": "y"}},
        {"name": "a b", "url": "http://a.example"},
        {"name": "", "url": "http://a.example"},
        {"name": "a", "url": "ftp://a.example"},
        {"name": "a", "url": "http://u:p@a.example"},
        {"name": "a", "url": "http://a.example:99999"},
        {"name": "a", "url": "http://a.example/#x"},
        {"name": "a", "url": "http://a.example/ b"},
        {"name": "a", "url": "http://a.example", "headers": {"X Y": "z"}},
        {"name": "a", "url": "http://a.example", "headers": {"X": "a\nb"}},
        {"name": "a", "url": "http://a.example", "timeoutSeconds": 31},
        {"name": "a", "url": "http://a.example", "tools": [""]},
        {"name": "a", "url": "http://a.example", "args": ["x"]},
        {"name": "a", "url": "http://a.example", "env": {}},
    ],
)
async def test_what_is_not_valid_is_refused(
    client: httpx2.AsyncClient, body: dict[str, object]
) -> None:
    refused = await create(client, body)
    assert refused.status_code == 400
    assert "mcpServers.0" in refused.json()["message"]
    assert (await client.post(CHECKS, json=body)).status_code == 400


async def test_two_servers_of_one_name_are_refused(client: httpx2.AsyncClient) -> None:
    refused = await create(client, *[{"name": n, "url": "http://a.example"} for n in ("a", "A")])
    assert refused.status_code == 400


async def test_masks_keep_what_is_stored_on_the_same_server_only(
    world: World, client: httpx2.AsyncClient, url: str
) -> None:
    made = (await create(client, entry(url))).json()
    at = f"{AGENTS}/{made['id']}"
    (shown,) = made["mcpServers"]
    kept = await client.patch(at, json={"mcpServers": [{**shown, "tools": ["add", "echo"]}]})
    assert kept.status_code == 200, kept.text
    (server,) = (await world.agents.load(made["id"])).mcp_servers
    assert (server.tools, server.headers["Authorization"]) == (("add", "echo"), KEY)
    assert server.url.endswith(QUERY)
    other = {**shown, "url": "http://evil.example/mcp"}
    refused = await client.patch(at, json={"mcpServers": [other]})
    assert (refused.status_code, refused.json()["field"]) == (
        400,
        "mcpServers.0.headers.Authorization",
    )
    strange = {**shown, "headers": {"X-Other": shown["headers"]["Authorization"]}}
    assert (await client.patch(at, json={"mcpServers": [strange]})).status_code == 400
    bent = {**shown, "headers": {"authorization": "••••0000"}}
    assert (await client.patch(at, json={"mcpServers": [bent]})).status_code == 400
    cleared = await client.patch(at, json={"mcpServers": []})
    assert cleared.json()["mcpServers"] == []


async def test_what_is_unchanged_is_not_checked_again(client: httpx2.AsyncClient) -> None:
    with running_server() as url:
        made = (await create(client, entry(url))).json()
    at = f"{AGENTS}/{made['id']}"
    again = await client.patch(at, json={"mcpServers": made["mcpServers"], "greeting": "Hi"})
    assert again.status_code == 200, again.text
    fewer = [{**made["mcpServers"][0], "timeoutSeconds": 3}]
    assert (await client.patch(at, json={"mcpServers": fewer})).status_code == 200
    more = [{**made["mcpServers"][0], "tools": ["add", "echo"]}]
    assert (await client.patch(at, json={"mcpServers": more})).status_code == 400


async def test_a_check_lists_what_can_be_chosen(client: httpx2.AsyncClient, url: str) -> None:
    found = (await client.post(CHECKS, json={"url": url})).json()
    assert (found["ok"], found["server"], found["version"]) == (True, "parrot", "1.2.3")
    add = next(tool for tool in found["tools"] if tool["name"] == "add")
    assert (add["description"], add["readOnly"]) == ("Add two numbers.", True)
    assert set(add["parameters"]["properties"]) == {"a", "b"}
    assert [one["code"] for one in found["findings"]] == ["mcp.no_tools"]
    down = (await client.post(CHECKS, json={"url": "http://127.0.0.1:9/mcp"})).json()
    assert (down["ok"], down["findings"][0]["code"]) == (False, "connect.failed")


async def test_a_check_knows_an_agents_masks(client: httpx2.AsyncClient, url: str) -> None:
    made = (await create(client, entry(url))).json()
    (shown,) = made["mcpServers"]
    body = {"url": shown["url"], "headers": shown["headers"]}
    assert (await client.post(CHECKS, json=body)).status_code == 400
    found = await client.post(CHECKS, json={**body, "agentId": made["id"]})
    assert found.json()["ok"], found.text
    assert "canary" not in found.text
