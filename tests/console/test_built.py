"""The console's one page, its files, and what is said where it was not built."""

from __future__ import annotations

import json
import os
import re
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette

from sayso.console import built
from sayso.console.built import ADDRESSES, PLAIN, console_routes

ROOT = Path(__file__).parents[2]
PAGE = "<!doctype html><head></head><body></body>"
MANIFEST = {
    "index.html": {"file": "assets/index-1.js", "imports": ["_shared"]},
    "_shared": {"file": "assets/shared-1.js", "imports": ["index.html"]},
    "_panel": {"file": "assets/panel-1.js", "imports": ["_shared"]},
    "src/pages/home/home.tsx": {"file": "assets/home-1.js", "imports": ["_shared", "_panel"]},
    "src/pages/editor/editor.tsx": {"file": "assets/editor-1.js"},
}
COOKIE = {"Cookie": "sayso_session=s3cret"}
LINK = re.compile(r'<link rel="(\w+)"(?: as="\w+")? crossorigin href="([^"]+)">')


@pytest.fixture
async def client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[httpx2.AsyncClient]:
    """A console of one page."""
    (tmp_path / "index.html").write_text(PAGE)
    monkeypatch.setattr(built, "CONSOLE", tmp_path)
    transport = httpx2.ASGITransport(Starlette(routes=console_routes()))
    async with httpx2.AsyncClient(transport=transport, base_url="http://sayso.test") as one:
        yield one


@pytest.fixture
def manifest(tmp_path: Path) -> None:
    """What the build writes down of its scripts."""
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))


def links_of(html: str) -> list[tuple[str, str]]:
    """(kind, address) of what a page has a browser fetch ahead of time."""
    return LINK.findall(html)


@pytest.mark.parametrize("address", ADDRESSES)
async def test_every_address_shows_the_same_page(client: httpx2.AsyncClient, address: str) -> None:
    at = re.sub(r"{[^}]+}", "a1", address.replace("{path:path}", "a1/llm/more"))
    response = await client.get(at)
    assert (response.status_code, response.text.replace("\n", "")) == (200, PAGE)
    assert response.headers["cache-control"] == "no-cache"


@pytest.mark.usefixtures("manifest")
async def test_a_page_names_all_its_scripts_and_what_it_asks_first(
    client: httpx2.AsyncClient,
) -> None:
    assert links_of((await client.get("/", headers=COOKIE)).text) == [
        ("modulepreload", "/static/console/assets/home-1.js"),
        ("modulepreload", "/static/console/assets/shared-1.js"),
        ("modulepreload", "/static/console/assets/index-1.js"),
        ("modulepreload", "/static/console/assets/panel-1.js"),
        ("preload", "/api/v1/session"),
        ("preload", "/api/v1/agents?pageSize=500"),
    ]
    editor = links_of((await client.get("/my-agents/desk-1/llm", headers=COOKIE)).text)
    assert editor == [
        ("modulepreload", "/static/console/assets/editor-1.js"),
        ("preload", "/api/v1/session"),
        ("preload", "/api/v1/agents/desk-1"),
    ]


@pytest.mark.usefixtures("manifest")
async def test_what_the_page_has_already_is_not_named_again(
    client: httpx2.AsyncClient, tmp_path: Path
) -> None:
    page = PAGE.replace("<head>", '<head><script src="/static/console/assets/shared-1.js">')
    (tmp_path / "index.html").write_text(page)
    names = [name for _, name in links_of((await client.get("/")).text)]
    assert "/static/console/assets/home-1.js" in names
    assert "/static/console/assets/shared-1.js" not in names


@pytest.mark.usefixtures("manifest")
async def test_nothing_is_asked_for_visitors_nor_for_what_is_no_id(
    client: httpx2.AsyncClient,
) -> None:
    for address, headers in (("/", {}), ("/my-agents/%22%3E%3Cb%3E/llm", COOKIE)):
        html = (await client.get(address, headers=headers)).text
        assert {kind for kind, _ in links_of(html)} == {"modulepreload"}
        assert "<b>" not in html
    assert not PLAIN.fullmatch("../agents")


async def test_a_new_build_is_shown_at_once(client: httpx2.AsyncClient, tmp_path: Path) -> None:
    assert "fresh" not in (await client.get("/")).text
    index = tmp_path / "index.html"
    before = index.stat().st_mtime_ns
    index.write_text(PAGE.replace("<body>", "<body>fresh"))
    os.utime(index, ns=(before + 1, before + 1))
    assert "fresh" in (await client.get("/")).text


def test_every_page_is_one_of_the_console() -> None:
    app = (ROOT / "console/src/app.tsx").read_text("utf-8")
    imported = set(re.findall(r'lazy\(\(\) => import\("\./([^"]+)"\)', app))
    assert {f"{script}.tsx" for script in imported} == {page.script for page in ADDRESSES.values()}
    assert all((ROOT / "console/src" / page.script).is_file() for page in ADDRESSES.values())


async def test_a_page_may_load_our_own_files_only(client: httpx2.AsyncClient) -> None:
    policy = (await client.get("/")).headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert rules["frame-ancestors"] == "'none'"


@pytest.mark.parametrize("path", ["/nowhere", "/shared/", "/api"])
async def test_there_is_nothing_elsewhere(client: httpx2.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


async def test_a_console_that_is_not_built_says_so(
    client: httpx2.AsyncClient, tmp_path: Path
) -> None:
    (tmp_path / "index.html").unlink()
    response = await client.get("/my-agents")
    assert response.status_code == 503
    assert "make console" in response.text
