"""The console's one page, its files, and what is said where it was not built."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette

from sayso.console import built
from sayso.console.built import ADDRESSES, console_routes

PAGE = '<!doctype html><div id="root"></div>'


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


@pytest.mark.parametrize("address", ADDRESSES)
async def test_every_address_shows_the_same_page(client: httpx2.AsyncClient, address: str) -> None:
    at = address.replace("{path:path}", "a1/llm").replace("{token}", "t1")
    response = await client.get(at)
    assert (response.status_code, response.text) == (200, PAGE)
    assert response.headers["cache-control"] == "no-cache"


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
