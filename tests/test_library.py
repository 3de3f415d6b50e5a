"""The real thing: documents read in a child, a site visited, both embedded and found."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from rest_world import World, open_world
from sayso.errors import InstallationError
from sayso.knowledge.embed import Embedder
from sayso.library import make_library
from sayso.llm.fake import running_app
from shelf_world import files, make_agent, upload


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def until_done(world: World, agent: str) -> None:
    """Look until nothing of the agent is under way."""
    async with world.client() as client, asyncio.timeout(120):
        url = f"/api/v1/agents/{agent}"
        while True:
            states = [
                one["state"]
                for kind in ("critical-knowledge-files", "knowledge-pages")
                for one in (await client.get(f"{url}/{kind}")).json()
            ]
            if {"ready", "failed"} >= set(states):
                return
            await asyncio.sleep(0.05)


async def site(request: web.Request) -> web.Response:
    pages = {
        "/": '<title>Inn</title><h1>Welcome</h1><p>We have rooms.</p><a href="/pool">Pool</a>',
        "/pool": "<h1>Swimming</h1><p>The pool opens at seven in the morning.</p>",
    }
    if request.path not in pages:
        return web.Response(status=404)
    return web.Response(text=pages[request.path], content_type="text/html")


async def test_files_and_sites_are_found_by_meaning(tmp_path: Path) -> None:
    app = web.Application()
    app.router.add_get("/{path:.*}", site)
    embedder = Embedder()
    async with open_world(tmp_path) as world, running_app(app) as url:
        library = make_library(world.settings, world.database, world.clock, embedder)
        try:
            await embedder.open()
        except InstallationError as missing:
            pytest.skip(str(missing))
        async with world.client() as client:
            agent = await make_agent(client)
            await upload(client, agent, "menu.csv", b"dish,price\nsoup,5 euros\n")
            await client.post(
                f"/api/v1/agents/{agent}/knowledge-pages", json={"url": url, "crawl": True}
            )
        async with library.live():
            await until_done(world, agent)
        passages, meanings, _ = await library.knowledge.load(agent)
        (asked,) = await embedder.embed(["When can I go for a swim?"])
        best = passages[int((meanings.whole @ asked).argmax())]
        await embedder.close()
        assert (best.url, best.source_name) == (f"{url}/pool", url.removeprefix("http://"))
        assert "seven in the morning" in best.text
        assert any("soup" in one.text for one in passages)
        assert len(files(world)) == 1
