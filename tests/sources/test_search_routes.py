"""Asking by REST what an agent knows."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx2
import pytest

from rest_world import World, open_world
from sayso.knowledge.passages import Found, Passage
from sayso.sources.search_routes import MAX_QUERY_CHARS, MAX_TOP_K, view_found

pytestmark = pytest.mark.usefixtures("both_databases")

SITE = Found(Passage("q", "Closed.", "", "site", None, "Hours", "https://shop.example/"), 0.5)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with open_world(tmp_path) as world:
        yield world


@pytest.fixture
async def client(world: World) -> AsyncGenerator[httpx2.AsyncClient]:
    async with world.client() as client:
        yield client


async def make(client: httpx2.AsyncClient) -> str:
    made = await client.post("/api/v1/agents", json={"displayName": "Desk"})
    return str(made.json()["id"])


async def ask(client: httpx2.AsyncClient, agent_id: str, **body: object) -> httpx2.Response:
    return await client.post(f"/api/v1/agents/{agent_id}/knowledge/search", json=body)


async def test_passages_are_answered_with_where_they_are_from(
    world: World, client: httpx2.AsyncClient
) -> None:
    agent_id = await make(client)
    world.search.found += (SITE,)
    answer = await ask(client, agent_id, query="When do you open?")
    assert answer.json() == [
        {"text": "Nine to five.", "source": "hours.pdf", "page": 3, "url": None, "score": 0.8},
        {
            "text": "Closed.",
            "source": "site",
            "page": None,
            "url": "https://shop.example/",
            "score": 0.5,
        },
    ]
    assert len((await ask(client, agent_id, query="When?", topK=1)).json()) == 1
    assert world.search.asked == [(agent_id, "When do you open?", None), (agent_id, "When?", 1)]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": ""},
        {"query": "x" * (MAX_QUERY_CHARS + 1)},
        {"query": "a\x00"},
        {"query": "When?", "topK": 0},
        {"query": "When?", "topK": MAX_TOP_K + 1},
    ],
)
async def test_odd_questions_are_refused(
    client: httpx2.AsyncClient, body: dict[str, object]
) -> None:
    agent_id = await make(client)
    assert (await ask(client, agent_id, **body)).status_code == 400


async def test_only_the_owner_asks(world: World, client: httpx2.AsyncClient) -> None:
    agent_id = await make(client)
    assert (await ask(client, "nobody", query="When?")).status_code == 404
    async with world.client(key="") as stranger:
        assert (await ask(stranger, agent_id, query="When?")).status_code == 401
    async with world.client(key=await world.make_stranger()) as foreign:
        assert (await ask(foreign, agent_id, query="When?")).status_code == 403
    assert world.search.asked == []


def test_no_url_is_null() -> None:
    assert view_found(SITE).url == "https://shop.example/"
    assert view_found(Found(Passage("p", "x", "", "y"), 1.0)).url is None
