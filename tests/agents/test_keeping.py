"""Copies, versions and second thoughts of agents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest

from agents.agent_api import AGENTS, create
from rest_world import World, open_world

pytestmark = pytest.mark.usefixtures("both_databases")

LLM: dict[str, Any] = {
    "baseURL": "https://llm.example.com/v1?tenant=canary-tenant-1",
    "apiKey": "sk-canary-0123456789",
    "baseParams": {"model": "m", "defaultHeaders": {"x-a": "canary-header-1"}},
    "fallbacks": [{"type": "built-in"}, {"baseURL": "https://b.example", "apiKey": "sk-b-987654"}],
}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


async def test_a_copy_has_everything_and_nothing_is_checked(
    world: World, client: httpx2.AsyncClient
) -> None:
    knowledge = {"baseURL": "https://search.example.com", "apiKey": "kb-canary-012345"}
    plan = {"idleMessages": ["Hello?"]}
    desk = {"name": "Desk", "phoneNumber": "+15550100123", "when": "they want a table"}
    agent = await create(
        client, llm=LLM, knowledge=knowledge, messagePlan=plan, transferDestinations=[desk]
    )
    form = {"file": ("hours.txt", b"Nine to five.", "text/plain")}
    path = f"{AGENTS}/{agent['id']}/critical-knowledge-files"
    assert (await client.post(path, files=form)).status_code == 201
    asked = len(world.check.asked)
    answer = await client.post(f"{AGENTS}/{agent['id']}/duplicate")
    assert answer.status_code == 201, answer.text
    copy = answer.json()
    assert len(world.check.asked) == asked
    assert copy["displayName"] == "Front desk (copy)"
    assert copy["knowledge"] == {**agent["knowledge"], "knowledgeId": agent["id"]}
    same = {"id", "displayName", "knowledge", "criticalKnowledgeFiles"}
    assert {k: v for k, v in copy.items() if k not in same} == {
        k: v for k, v in agent.items() if k not in same
    }
    [file] = copy["criticalKnowledgeFiles"]
    await client.delete(f"{AGENTS}/{agent['id']}/critical-knowledge-files/{file['id']}")
    copied = await client.get(f"{AGENTS}/{copy['id']}/critical-knowledge-files/{file['id']}")
    assert copied.content == b"Nine to five."
    first, second = await world.agents.load(agent["id"]), await world.agents.load(copy["id"])
    assert first.llm == second.llm
    assert first.fallbacks == second.fallbacks


async def test_a_deleted_agent_is_hidden_and_comes_back(
    world: World, client: httpx2.AsyncClient
) -> None:
    agent = await create(client, llm=LLM)
    here = f"{AGENTS}/{agent['id']}"
    assert (await client.post(f"{here}/undelete")).status_code == 404
    assert (await client.delete(here)).status_code == 204
    assert (await client.delete(here)).status_code == 404
    for path in ("", "/llm-check", "/versions", "/conversations", "/critical-knowledge-files"):
        assert (await client.get(here + path)).status_code == 404, path
    assert (await client.get(AGENTS)).json() == []
    assert await world.agents.name_for_visitors(agent["id"]) is None
    async with world.client(key=await world.make_stranger()) as foreign:
        assert (await foreign.post(f"{here}/undelete")).status_code == 403
    assert (await client.post(f"{here}/undelete")).json() == agent
    assert (await client.get(here)).json() == agent


async def test_after_some_minutes_it_is_gone(world: World, client: httpx2.AsyncClient) -> None:
    agent = await create(client)
    here = f"{AGENTS}/{agent['id']}"
    await client.put(f"{here}/avatar", content=PNG)
    await client.delete(here)
    assert await world.agents.deletion.purge() == 0
    world.clock.at_s += 601
    assert (await client.post(f"{here}/undelete")).status_code == 404
    assert await world.agents.deletion.purge() == 1
    assert await world.agents.deletion.purge() == 0
    assert not list((world.settings.data_dir / "avatars").glob("*/*"))


async def test_nothing_is_kept_where_the_operator_wants_so(tmp_path: Path) -> None:
    settings = {"keep_deleted_min": 0, "max_agents": 1}
    async with open_world(tmp_path, **settings) as world, world.client() as client:
        agent = await create(client)
        await client.delete(f"{AGENTS}/{agent['id']}")
        assert (await client.post(f"{AGENTS}/{agent['id']}/undelete")).status_code == 404
        await create(client)


async def test_versions_are_kept_and_restored_with_their_secrets(
    world: World, client: httpx2.AsyncClient
) -> None:
    agent = await create(client, llm=LLM, prompt="One.")
    here = f"{AGENTS}/{agent['id']}"
    await client.patch(here, json={"prompt": "Two."})
    await client.patch(here, json={"prompt": "Two."})
    await client.patch(here, json={"llm": None, "prompt": "Three."})
    listed = (await client.get(f"{here}/versions")).json()
    assert [(one["number"], one["changed"]) for one in listed] == [
        (3, ["llm", "prompt"]),
        (2, ["prompt"]),
        (1, []),
    ]
    then = (await client.get(f"{here}/versions/1")).json()
    assert then == agent
    assert "canary" not in str(then)
    assert (await client.get(f"{here}/versions/3")).json() == (await client.get(here)).json()
    asked = len(world.check.asked)
    back = await client.post(f"{here}/versions/2/restore")
    assert back.json() == {**agent, "prompt": "Two."}, back.text
    assert len(world.check.asked) == asked + 2, "an LLM that differs is checked"
    llm = (await world.agents.load(agent["id"])).llm
    assert llm is not None
    assert llm.api_key is not None
    assert llm.api_key.get_secret_value() == LLM["apiKey"]
    await client.post(f"{here}/versions/1/restore")
    assert len(world.check.asked) == asked + 2, "one that does not is not"
    assert (await client.get(f"{here}/versions/99")).status_code == 404
    async with world.client(key=await world.make_stranger()) as foreign:
        for path in ("/versions", "/versions/1"):
            assert (await foreign.get(here + path)).status_code == 403
        for path in ("/versions/1/restore", "/duplicate"):
            assert (await foreign.post(here + path)).status_code == 403
