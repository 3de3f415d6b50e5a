"""What the page is served with, and that it brings everything it needs."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from html.parser import HTMLParser
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette

from sayso.console.pages import LABEL, SHOWN_LABEL, STATIC, page_routes

PAGE = "http://sayso.test/agent/front-desk-1"
MAX_SCRIPT_BYTES = 26_000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def client() -> AsyncGenerator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(Starlette(routes=page_routes()))
    async with httpx2.AsyncClient(transport=transport) as client:
        yield client


async def name_one(agent_id: str) -> str | None:
    return 'Front <b>desk</b> & "Co"' if agent_id == "front-desk-1" else None


async def test_the_page_bears_the_agents_name() -> None:
    transport = httpx2.ASGITransport(Starlette(routes=page_routes(name_one)))
    async with httpx2.AsyncClient(transport=transport) as client:
        named = (await client.get(PAGE)).text
        nameless = (await client.get(f"{PAGE}0")).text
    name = "Front &lt;b&gt;desk&lt;/b&gt; &amp; &quot;Co&quot;"
    assert f"<title>{name} · Sayso</title>" in named
    assert f"<h1>{name}</h1>" in named
    assert "<title>Talk · Sayso</title>" in nameless
    assert "<h1>Talk to this agent</h1>" in nameless


async def test_a_page_of_an_agent_without_a_language_model_says_so() -> None:
    async def ask(agent_id: str) -> str | None:
        return {"plain": "built-in-extractive", "own": "llm"}.get(agent_id)

    transport = httpx2.ASGITransport(Starlette(routes=page_routes(mind_of=ask)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://sayso.test") as client:
        pages = {name: await client.get(f"/agent/{name}") for name in ("plain", "own", "other")}
    assert SHOWN_LABEL in pages["plain"].text
    assert pages["plain"].headers["content-security-policy"]
    for name in ("own", "other"):
        assert LABEL in pages[name].text
        assert SHOWN_LABEL not in pages[name].text


class Links(HTMLParser):
    """Collects what a page refers to, and what its policy would refuse."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.refused: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in {"src", "href"} and value:
                self.links.append(value)
            if name == "style" or name.startswith("on"):
                self.refused.append(f"{tag} {name}")


async def test_the_page_may_load_only_our_own_files(client: httpx2.AsyncClient) -> None:
    response = await client.get(PAGE)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(
        part.strip().split(" ", 1)
        for part in response.headers["content-security-policy"].split(";")
    )
    assert policy.pop("default-src") == "'none'"
    assert set(policy.values()) == {"'self'", "'none'"}
    assert response.headers["permissions-policy"].startswith("microphone=(self)")
    assert response.headers["cache-control"] == "no-cache"


async def test_everything_the_page_refers_to_is_served(client: httpx2.AsyncClient) -> None:
    links = Links((await client.get(PAGE)).text)
    assert len(links.links) >= 5
    assert not links.refused
    for link in links.links:
        response = await client.get(httpx2.URL(PAGE).join(link))
        assert response.status_code == 200, link
        assert response.headers["cache-control"] == "no-cache"


async def test_scripts_have_the_type_that_modules_need(client: httpx2.AsyncClient) -> None:
    for script in STATIC.glob("*.js"):
        response = await client.get(f"http://sayso.test/static/{script.name}")
        assert response.headers["content-type"].split(";")[0] in {
            "text/javascript",
            "application/javascript",
        }
        assert response.headers["x-content-type-options"] == "nosniff"


async def test_an_unchanged_file_is_not_sent_again(client: httpx2.AsyncClient) -> None:
    first = await client.get("http://sayso.test/static/talk.js")
    again = await client.get(
        "http://sayso.test/static/talk.js", headers={"If-None-Match": first.headers["etag"]}
    )
    assert again.status_code == 304
    assert not again.content


@pytest.mark.parametrize("path", ["/static/none.js", "/static/../pages.py", "/static/", "/agent/"])
async def test_there_is_nothing_else(client: httpx2.AsyncClient, path: str) -> None:
    assert (await client.get(f"http://sayso.test{path}")).status_code == 404


def test_no_file_names_another_host() -> None:
    for file in filter(Path.is_file, STATIC.iterdir()):
        hosts = set(re.findall(r"(?:https?|wss?):?//[^\s\"'<>)]+", file.read_text()))
        assert hosts <= {"http://www.w3.org/2000/svg"}, file.name


def test_the_scripts_are_small() -> None:
    assert sum(script.stat().st_size for script in STATIC.glob("*.js")) < MAX_SCRIPT_BYTES
