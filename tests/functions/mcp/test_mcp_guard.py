"""The MCP client connects to allowed addresses only, whatever a URL, a name or a server says."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from mcp_world import make_server, open_pool
from sayso.functions.mcp.check import check_server
from sayso.functions.mcp.findings import FINDINGS, McpError
from sayso.functions.mcp.pool import McpPool
from sayso.llm.fake import running_app

METADATA = "169.254.169.254"
LOOPBACK = "127.0.0.1"


async def refusal(pool: McpPool, url: str, **more: Any) -> McpError:  # noqa: ANN401
    with pytest.raises(McpError) as refused:
        await pool.connect(make_server(url, **more))
    assert refused.value.finding in FINDINGS
    return refused.value


@asynccontextmanager
async def answering(
    status: int = 200, kind: str = "text/html", body: str = "<h1>Hi</h1>", **headers: str
) -> AsyncGenerator[tuple[str, list[web.Request]]]:
    """A web server that answers everything alike; its URL, and what it was asked."""
    asked: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, content_type=kind, text=body, headers=sent)

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    async with running_app(app) as url:
        yield url, asked


@pytest.fixture
def connects(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that are connected to; those that are not ours are not really."""
    seen: list[str] = []
    really = asyncio.SelectorEventLoop.sock_connect

    async def connect(
        self: asyncio.SelectorEventLoop, sock: socket.socket, address: tuple[Any, ...]
    ) -> None:
        seen.append(str(address[0]))
        if address[0] != LOOPBACK:
            raise ConnectionRefusedError(111, "noted")
        await really(self, sock, address)

    monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_connect", connect)
    return seen


class Script(AbstractResolver):
    """Gives a name these addresses, one after the other."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = list(addresses)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = self._addresses.pop(0) if len(self._addresses) > 1 else self._addresses[0]
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        """Nothing is open."""


def resolve_with(pool: McpPool, addresses: Sequence[str]) -> None:
    assert pool._session is not None
    connector: Any = pool._session.connector
    connector._resolver = Script(*addresses)
    connector._use_dns_cache = False


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254", "2852039166", "0xa9fea9fe", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]",
        "[fd00:ec2::254]", "100.100.100.200", "0", "0.0.0.0", "[fe80::1]",
    ],
)  # fmt: skip
async def test_metadata_and_the_like_are_never_called(host: str, connects: list[str]) -> None:
    async with open_pool() as pool:
        error = await refusal(pool, f"http://{host}/mcp")
        assert error.finding in {"outbound.refused", "url.invalid"}
    assert connects == []


async def test_private_addresses_are_the_operators_choice(connects: list[str]) -> None:
    async with open_pool(private=False) as pool:
        for url in ("http://127.0.0.1:9/mcp", "http://[::1]:9/mcp", "http://10.0.0.1/mcp"):
            assert (await refusal(pool, url)).finding == "outbound.refused"
        resolve_with(pool, ["127.0.0.1"])
        assert (await refusal(pool, "http://mcp.example.com/")).finding == "outbound.refused"
    assert connects == []


async def test_a_name_that_changes_its_mind_gains_nothing(connects: list[str]) -> None:
    async with open_pool(private=False) as pool:
        resolve_with(pool, ["8.8.8.8", METADATA, LOOPBACK])
        found = [(await refusal(pool, "http://rebind.example.com/")).finding for _ in range(3)]
    assert found == ["connect.failed", "outbound.refused", "outbound.refused"]
    assert connects == ["8.8.8.8"]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize(
    "target", [f"http://{METADATA}/latest", "http://2852039166/", "file:///etc/passwd", "//0/"]
)
async def test_no_redirect_leads_anywhere_else(
    status: int, target: str, connects: list[str]
) -> None:
    async with answering(status, Location=target) as (url, _), open_pool() as pool:
        error = await refusal(pool, f"{url}/mcp", headers={"X-Key": "sesame"})
        assert error.finding == "redirect.refused"
    assert set(connects) == {LOOPBACK}


async def test_headers_do_not_follow_to_another_origin() -> None:
    async with answering() as (elsewhere, asked):
        async with answering(307, Location=f"{elsewhere}/mcp") as (url, first), open_pool() as pool:
            error = await refusal(pool, f"{url}/mcp", headers={"X-Key": "sesame"})
            assert error.finding == "redirect.refused"
        assert first[0].headers["X-Key"] == "sesame"
    assert asked == []


async def test_the_environments_proxy_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, connects: list[str]
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with open_pool(private=False) as pool:
        await refusal(pool, "http://8.8.8.8/mcp")
    assert set(connects) == {"8.8.8.8"}


async def test_requests_are_ours_and_hold_no_more_than_needed() -> None:
    async with answering() as (url, asked), open_pool() as pool:
        await refusal(pool, f"{url}/mcp?key=k1", headers={"Authorization": "Bearer sesame"})
    sent = asked[0]
    assert sent.headers["User-Agent"].startswith("sayso/")
    assert sent.headers["Authorization"] == "Bearer sesame"
    assert sent.query_string == "key=k1"
    assert "Cookie" not in sent.headers


@pytest.mark.parametrize(
    ("status", "kind", "finding"),
    [
        (200, "text/html", "mcp.not_mcp"),
        (200, "application/json", "mcp.not_mcp"),
        (202, "text/plain", "mcp.not_mcp"),
        (401, "text/plain", "mcp.refused"),
        (403, "application/json", "mcp.refused"),
        (404, "text/html", "mcp.not_mcp"),
        (405, "text/plain", "mcp.not_mcp"),
        (500, "text/plain", "mcp.error"),
        (501, "text/html", "mcp.not_mcp"),
        (503, "text/html", "mcp.error"),
    ],
)
async def test_what_is_no_mcp_server_is_named(status: int, kind: str, finding: str) -> None:
    async with answering(status, kind, "{}") as (url, _), open_pool() as pool:
        assert (await refusal(pool, f"{url}/mcp")).finding == finding


class QuietFiles(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is there
        """Write nothing."""


async def test_a_plain_web_server_is_no_mcp_server(tmp_path: Path) -> None:
    """The one of Python's library, which many try things with."""
    files = partial(QuietFiles, directory=str(tmp_path))
    with ThreadingHTTPServer((LOOPBACK, 0), files) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        try:
            async with open_pool() as pool:
                found = await check_server(
                    pool, make_server(f"http://{LOOPBACK}:{site.server_port}")
                )
        finally:
            site.shutdown()
            thread.join()
    (one,) = found.findings
    assert (one.code, one.evidence, one.field, found.ok) == (
        "mcp.not_mcp",
        "HTTP 501",
        "url",
        False,
    )
    assert "does not answer as an MCP server" in one.message


async def test_nobody_there_and_no_such_name() -> None:
    with socket.create_server((LOOPBACK, 0)) as probe:
        port = probe.getsockname()[1]
    async with open_pool() as pool:
        assert (await refusal(pool, f"http://127.0.0.1:{port}/mcp")).finding == "connect.failed"
        assert (await refusal(pool, f"https://127.0.0.1:{port}/")).finding == "connect.failed"
        assert (await refusal(pool, "http://nobody.invalid/mcp")).finding == "dns.failed"


async def test_whoever_hangs_up_or_speaks_no_http_is_broken() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()

    server = await asyncio.start_server(hang_up, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    async with server, open_pool() as pool:
        assert (await refusal(pool, f"http://127.0.0.1:{port}/mcp")).finding == "http.broken"
        assert (await refusal(pool, f"https://127.0.0.1:{port}/mcp")).finding == "tls.failed"


async def test_a_version_nobody_speaks_is_named() -> None:
    async def answer(request: web.Request) -> web.Response:
        asked = json.loads(await request.text())
        if asked.get("method") != "initialize":
            return web.Response(status=400)
        said = {
            "protocolVersion": "1999-01-01",
            "capabilities": {},
            "serverInfo": {"name": "old", "version": "0"},
        }
        return web.json_response({"jsonrpc": "2.0", "id": asked["id"], "result": said})

    app = web.Application()
    app.router.add_route("POST", "/mcp", answer)
    async with running_app(app) as url, open_pool() as pool:
        assert (await refusal(pool, f"{url}/mcp")).finding == "mcp.version"


async def test_a_redirect_within_the_server_is_followed() -> None:
    """Many servers send /mcp to /mcp/; that is judged as every connection is."""

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/mcp":
            raise web.HTTPTemporaryRedirect("/mcp/")
        return web.Response(status=401)

    app = web.Application()
    app.router.add_route("POST", "/mcp{rest:.*}", answer)
    async with running_app(app) as url, open_pool() as pool:
        assert (await refusal(pool, f"{url}/mcp")).finding == "mcp.refused"
