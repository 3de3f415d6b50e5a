"""Web pages and sites by REST: added, listed, refreshed, deleted, and what is refused."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from rest_world import World, open_world
from shelf_world import make_agent

pytestmark = pytest.mark.usefixtures("both_databases")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with open_world(tmp_path, max_crawl_pages=60, outbound_private=False) as world:
        yield world


async def test_a_page_is_taken_listed_and_deleted(world: World) -> None:
    async with world.client() as client:
        agent = await make_agent(client)
        url = f"/api/v1/agents/{agent}/knowledge-pages"
        answer = await client.post(url, json={"url": "https://example.com/help/"})
        assert answer.status_code == 201
        page = answer.json()
        assert (page["name"], page["crawl"], page["maxPages"], page["state"]) == (
            "example.com/help",
            False,
            1,
            "queued",
        )
        site = await client.post(url, json={"url": "https://example.com", "crawl": True})
        assert (site.json()["crawl"], site.json()["maxPages"]) == (True, 50)
        listed = (await client.get(url)).json()
        assert [one["id"] for one in listed] == [page["id"], site.json()["id"]]
        assert (await client.get(f"{url}/{page['id']}")).json() == page
        assert (await client.get(f"/api/v1/agents/{agent}")).json()["criticalKnowledgeFiles"] == []
        file = f"/api/v1/agents/{agent}/critical-knowledge-files/{page['id']}"
        assert (await client.get(file)).status_code == 404
        assert (await client.delete(f"{url}/{page['id']}")).status_code == 204
        assert (await client.post(f"{url}/{page['id']}/refresh")).status_code == 404
        assert [one["id"] for one in (await client.get(url)).json()] == [site.json()["id"]]


@pytest.mark.parametrize(
    "address",
    [
        "example.com",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://user:secret@example.com/",
        "https://exa mple.com/",
        "https:///help",
        "https://example.com:0/",
        "https://[::1/",
        "http://169.254.169.254/latest",
        "http://127.0.0.1:8400/",
        "http://[fd00:ec2::254]/",
    ],
)
async def test_what_is_no_public_web_address_is_refused(world: World, address: str) -> None:
    async with world.client() as client:
        agent = await make_agent(client)
        url = f"/api/v1/agents/{agent}/knowledge-pages"
        answer = await client.post(url, json={"url": address})
        assert answer.status_code == 400
        assert answer.json()["field"] == "url"
        assert "secret" not in answer.text
        assert (await client.get(url)).json() == []


async def test_the_limits_say_what_they_are(tmp_path: Path) -> None:
    async with open_world(tmp_path, max_sources=1) as world, world.client() as client:
        agent = await make_agent(client)
        url = f"/api/v1/agents/{agent}/knowledge-pages"
        body = {"url": "https://example.com", "crawl": True}
        many = await client.post(url, json={**body, "maxPages": 201})
        assert (many.status_code, many.json()["field"]) == (400, "maxPages")
        assert "SAYSO_MAX_CRAWL_PAGES" in many.json()["hint"]
        page = await client.post(url, json={**body, "maxPages": 200})
        assert page.status_code == 201
        full = await client.post(url, json={"url": "https://example.com/other"})
        assert (full.status_code, "SAYSO_MAX_SOURCES" in full.json()["hint"]) == (409, True)


async def test_the_same_page_twice_is_refused_with_the_way_out(world: World) -> None:
    async with world.client() as client:
        agent = await make_agent(client)
        url = f"/api/v1/agents/{agent}/knowledge-pages"
        page = (await client.post(url, json={"url": "https://example.com/"})).json()
        again = await client.post(url, json={"url": "https://example.com/"})
    assert again.status_code == 409
    assert page["id"] in again.json()["hint"]
