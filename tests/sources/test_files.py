"""Files, by REST: uploaded, listed, downloaded, replaced, deleted, and the limits of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from rest_world import World, open_world
from sayso.sources.indexing import KIND


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with open_world(tmp_path) as world:
        yield world


async def make_agent(client: httpx2.AsyncClient, **fields: object) -> str:
    answer = await client.post("/api/v1/agents", json={"displayName": "A", **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def upload(
    client: httpx2.AsyncClient, agent: str, name: str, data: bytes, status: int = 201
) -> dict[str, Any]:
    url = f"/api/v1/agents/{agent}/critical-knowledge-files"
    answer = await client.post(url, files={"file": (name, data)})
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def index(world: World) -> None:
    """Do all jobs there are."""
    while await world.library.jobs.run_one({KIND: world.library.indexing}):
        pass


async def texts(world: World, agent: str) -> list[str]:
    passages, vectors, _ = await world.library.knowledge.load(agent)
    assert len(passages) == len(vectors)
    return [passage.text for passage in passages]


async def test_a_file_is_taken_indexed_and_found(world: World) -> None:
    async with world.client() as client:
        agent = await make_agent(client)
        file = await upload(client, agent, "prices.md", b"# Prices\n\nSoup is 5 euros.\n")
        assert {name: file[name] for name in ("name", "size", "type", "state", "searchable")} == {
            "name": "prices.md",
            "size": 27,
            "type": "markdown",
            "state": "queued",
            "searchable": False,
        }
        url = f"/api/v1/agents/{agent}/critical-knowledge-files/{file['id']}"
        assert file["url"] == world.settings.url + url
        await index(world)
        status = (await client.get(f"{url}/status")).json()
        assert (status["state"], status["passages"], status["reason"]) == ("ready", 1, None)
        assert status["progress"] == {"done": 1, "total": 1}
        listed = (await client.get(f"/api/v1/agents/{agent}")).json()["criticalKnowledgeFiles"]
        assert listed == (await client.get(url.rpartition("/")[0])).json()
        assert [one["id"] for one in listed] == [file["id"]]
        bytes_ = await client.get(url)
    assert bytes_.content == b"# Prices\n\nSoup is 5 euros.\n"
    assert 'filename="prices.md"' in bytes_.headers["content-disposition"]
    passages, vectors, revision = await world.library.knowledge.load(agent)
    assert [(one.text, one.title, one.source_name) for one in passages] == [
        ("Soup is 5 euros.", "Prices", "prices.md")
    ]
    assert vectors.shape == (1, 8)
    assert revision == 1
