"""What the page is served with, and that it brings everything it needs."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator
from html.parser import HTMLParser
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette

from sayso.console import pages as pages_module
from sayso.console.files import OFFICIAL, STATIC, WIDGET
from sayso.console.pages import LABEL, SHOWN_LABEL, framed_by, page_routes

SITE = "http://sayso.test"
PAGE = f"{SITE}/agent/front-desk-1"
EMBED = f"{SITE}/embed/talk/front-desk-1"
PREVIEW = f"{SITE}/embed/talk/preview"
MAX_ELEMENT_BYTES, MAX_TALK_PAGE_BYTES, MAX_LOADER_BYTES = 16_000, 14_000, 1_500
"""Gzipped. The element may weigh 25 kB; it does not, and that is not to change unnoticed."""


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


async def test_an_owner_who_is_signed_in_is_marked_on_a_private_agents_page_only() -> None:
    transport = httpx2.ASGITransport(Starlette(routes=page_routes(name_one)))
    cookie = {"Cookie": "sayso_session=s3cret"}
    async with httpx2.AsyncClient(transport=transport) as client:
        private = (await client.get(f"{SITE}/agent/other", headers=cookie)).text
        public = (await client.get(PAGE, headers=cookie)).text
        visitor = (await client.get(f"{SITE}/agent/other")).text
    assert '<html lang="en" data-visitor="signed-in">' in private
    assert "s3cret" not in private
    assert "data-visitor" not in public + visitor


async def test_an_embed_may_be_framed_by_any_website_or_by_those_the_agent_names() -> None:
    async def origins_of(agent_id: str) -> list[str]:
        return ["https://shop.test"] if agent_id == "front-desk-1" else []

    transport = httpx2.ASGITransport(Starlette(routes=page_routes(name_one, origins_of=origins_of)))
    async with httpx2.AsyncClient(transport=transport) as client:
        named, other = await client.get(EMBED), await client.get(f"{SITE}/embed/talk/other")
        page = await client.get(PAGE)
    assert 'data-agent="Front &lt;b&gt;desk&lt;/b&gt; &amp; &quot;Co&quot;"' in named.text
    assert "frame-ancestors 'self' https://shop.test" in named.headers["content-security-policy"]
    assert other.headers["content-security-policy"].endswith("frame-ancestors *")
    assert page.headers["content-security-policy"].endswith("frame-ancestors 'self'")


def test_what_is_no_origin_stays_out_of_the_policy() -> None:
    origins = ["https://a.test; script-src *", "javascript:", "http://[::1]:8080", "https://b.test"]
    policy = framed_by(origins)["Content-Security-Policy"]
    assert policy.endswith("frame-ancestors 'self' http://[::1]:8080 https://b.test")
    assert framed_by(["nonsense"])["Content-Security-Policy"].endswith("frame-ancestors 'self'")


async def test_a_server_without_a_build_says_so(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pages_module, "WIDGET", tmp_path)
    for url in (PAGE, EMBED, PREVIEW):
        response = await client.get(url)
        assert response.status_code == 503
        assert "make console" in response.text


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
    assert len(links.links) >= 4
    assert not links.refused
    for link in links.links:
        response = await client.get(httpx2.URL(PAGE).join(link))
        assert response.status_code == 200, link
        kept = "immutable" in response.headers["cache-control"]
        assert kept == ("/assets/" in link)


@pytest.mark.parametrize("url", [EMBED, PREVIEW])
async def test_embeds_bring_what_they_need(client: httpx2.AsyncClient, url: str) -> None:
    links = Links((await client.get(url)).text)
    assert len(links.links) >= 2
    assert not links.refused
    for link in links.links:
        assert (await client.get(httpx2.URL(url).join(link))).status_code == 200, link


@pytest.mark.parametrize("name", ["widget.js", "embed.js", "widget/sound.js"])
async def test_foreign_pages_may_load_our_scripts(client: httpx2.AsyncClient, name: str) -> None:
    response = await client.get(f"{SITE}/{name}")
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["cross-origin-resource-policy"] == "cross-origin"
    caching = "no-cache" if name.endswith("sound.js") else "public, max-age=300"
    assert response.headers["cache-control"] == caching


async def test_scripts_are_packed_for_whoever_can_unpack_them(client: httpx2.AsyncClient) -> None:
    url = f"{SITE}/widget.js"
    packed = await client.get(url, headers={"Accept-Encoding": "gzip"})
    plain = await client.get(url, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert packed.headers["content-type"].endswith("javascript; charset=utf-8")
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    # The client here cannot unpack Brotli, so only its size is looked at, and what it says it is.
    async with client.stream("GET", url, headers={"Accept-Encoding": "gzip, br"}) as smaller:
        assert smaller.headers["content-encoding"] == "br"
        assert smaller.headers["content-type"] == packed.headers["content-type"]
        assert smaller.headers["etag"] != packed.headers["etag"]
        length = int(smaller.headers["content-length"])
        assert length < int(packed.headers["content-length"])


@pytest.mark.parametrize("path", sorted(OFFICIAL))
async def test_what_the_official_client_wants_is_there_or_is_refused_in_a_sentence(
    client: httpx2.AsyncClient, path: str
) -> None:
    response = await client.get(SITE + path)
    assert response.headers["access-control-allow-origin"] == "*"
    if (STATIC / "official" / path[1:]).exists():
        assert response.status_code == 200
    else:
        assert response.status_code == 404
        assert "npm run official" in response.text


async def test_scripts_have_the_type_that_modules_need(client: httpx2.AsyncClient) -> None:
    scripts = list(WIDGET.rglob("*.js"))
    assert scripts
    for script in scripts:
        response = await client.get(f"{SITE}/static/{script.relative_to(STATIC)}")
        assert response.headers["content-type"].split(";")[0] in {
            "text/javascript",
            "application/javascript",
        }
        assert response.headers["x-content-type-options"] == "nosniff"


async def test_an_unchanged_file_is_not_sent_again(client: httpx2.AsyncClient) -> None:
    url = f"{SITE}/widget/sound.js"
    first = await client.get(url)
    again = await client.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert not again.content


@pytest.mark.parametrize("path", ["/static/none.js", "/static/../pages.py", "/static/", "/agent/"])
async def test_there_is_nothing_else(client: httpx2.AsyncClient, path: str) -> None:
    assert (await client.get(f"http://sayso.test{path}")).status_code == 404


def test_no_file_names_another_host() -> None:
    for file in [*WIDGET.rglob("*.js"), *WIDGET.rglob("*.css"), *WIDGET.rglob("*.html")]:
        hosts = set(re.findall(r"(?:https?|wss?):?//[^\s\"'<>)]+", file.read_text()))
        assert hosts <= set(), file.name


def test_everything_is_small() -> None:
    sizes = json.loads((WIDGET / "sizes.json").read_text())
    page = ("talk.html", "assets/talk.js", "assets/talk.css", "assets/theme.js", "assets/words.js")
    assert sizes["widget.js"] + sizes["sound.js"] < MAX_ELEMENT_BYTES
    assert sum(sizes[name] for name in page) < MAX_TALK_PAGE_BYTES
    assert sizes["embed.js"] < MAX_LOADER_BYTES
