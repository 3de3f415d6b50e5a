"""An LLM that is sent as it is stored is not checked again: it may be down just now."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from rest_world import World, open_world
from sayso.agents.schema import LlmIssue

AGENTS = "/api/v1/agents"
LLM: dict[str, Any] = {
    "baseURL": "https://llm.example/v1?code=sk-canary-code-0000",
    "apiKey": "sk-canary-key-11112222",
    "baseParams": {
        "model": "m",
        "top_p": 0.5,
        "defaultHeaders": {"X-Shop": "shop {{shop}}", "X-None": None},
    },
    "timeouts": {"connectMs": 500},
    "fallbacks": [{"baseURL": "https://other.example/v1"}, {"type": "built-in"}],
}
VARIABLES = {"shop": "Nonna's", "other": "a"}
DOWN = LlmIssue("connect.refused", "Nothing listens there", "Start it.", "error")
SLOW = LlmIssue("late.first", "It is slow", "Use a faster model.", "warning")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with open_world(tmp_path, create_agent_per_min=0, update_agent_per_min=0) as world:
        yield world


@pytest.fixture
async def client(world: World) -> AsyncGenerator[httpx2.AsyncClient]:
    async with world.client() as client:
        yield client


async def create_then_fail(
    world: World, client: httpx2.AsyncClient, **llm: object
) -> tuple[str, dict[str, Any]]:
    """An agent whose LLM goes down once it is saved: its path, and what was answered."""
    world.check.issues = (SLOW,)
    body = {"displayName": "Desk", "llm": {**LLM, **llm}, "variables": VARIABLES}
    answer = await client.post(AGENTS, json=body)
    assert answer.status_code == 201, answer.text
    world.check.issues = (DOWN,)
    world.check.asked.clear()
    return f"{AGENTS}/{answer.json()['id']}", answer.json()


async def test_what_was_read_is_written_back_with_other_changes(
    world: World, client: httpx2.AsyncClient
) -> None:
    path, agent = await create_then_fail(world, client)
    report = (await client.get(f"{path}/llm-check")).json()
    changed = {**agent, "greeting": "Hi"}
    changed["llm"] = {**agent["llm"], "failureMessage": "Sorry.", "hedgeAfterMs": 500}
    answer = await client.patch(path, json=changed)
    assert (answer.status_code, answer.json()) == (200, changed)
    assert world.check.asked == []
    assert agent["llmIssues"]
    assert (await client.get(f"{path}/llm-check")).json() == report


@pytest.mark.parametrize(
    ("variables", "tell", "status"),
    [
        ({**VARIABLES, "other": "b"}, "off", 200),
        ({**VARIABLES, "other": "b"}, "body", 400),
        ({**VARIABLES, "shop": "Nonno's"}, "off", 400),
        ({}, "off", 400),
    ],
)
async def test_variables_count_where_the_llm_is_sent_them(
    world: World, client: httpx2.AsyncClient, variables: dict[str, str], tell: str, status: int
) -> None:
    path, agent = await create_then_fail(world, client, tell=tell)
    answer = await client.patch(path, json={"llm": agent["llm"], "variables": variables})
    assert answer.status_code == status


@pytest.mark.parametrize(
    "change",
    [
        {"baseURL": "https://llm.example/v2?code=••••0000"},
        {"apiKey": "sk-another-key"},
        {"apiKey": None},
        {"baseParams": {"model": "other"}},
        {"timeouts": None},
        {"fallbacks": []},
        {"fallbacks": [{"type": "built-in"}, {"baseURL": "https://other.example/v1"}]},
    ],
)
async def test_whatever_else_is_changed_is_checked(
    world: World, client: httpx2.AsyncClient, change: dict[str, Any]
) -> None:
    path, agent = await create_then_fail(world, client)
    answer = await client.patch(path, json={"llm": {**agent["llm"], **change}})
    assert answer.status_code == 400
    assert world.check.asked
    assert (await client.get(path)).json() == agent
