"""Whatever a URL looks like, only allowed addresses are connected, and all of those are.

Requests go through the guarded connector as the LLM client's do; the last step, the connect itself,
is noted in place of being made, so that the whole internet can be a target.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from sayso.llm import Endpoint, Message
from sayso.llm.client import LlmClient
from sayso.llm.deadlines import Deadlines
from sayso.llm.fake import running_app
from sayso.llm.findings import FindingError
from sayso.security.outbound import MARK, guarded_connector

METADATA = "169.254.169.254"
LOOPBACK = "127.0.0.1"

# What stands in a URL, and the address behind it. ----------------------------------------------

NEVER = {
    "169.254.169.254": METADATA,
    "2852039166": METADATA,  # decimal
    "0xa9fea9fe": METADATA,  # hexadecimal
    "0xA9FEA9FE": METADATA,
    "025177524776": METADATA,  # octal
    "0251.0376.0251.0376": METADATA,
    "0xa9.0xfe.0xa9.0xfe": METADATA,
    "169.0376.43518": METADATA,  # mixed, and three parts
    "169.16689662": METADATA,  # two parts
    "１６９.２５４.１６９.２５４": METADATA,  # full-width digits
    "169。254。169。254": METADATA,  # ideographic stops
    "①⑥⑨.②⑤④.①⑥⑨.②⑤④": METADATA,
    "[::ffff:169.254.169.254]": METADATA,  # mapped
    "[::ffff:a9fe:a9fe]": METADATA,
    "[0:0:0:0:0:ffff:a9fe:a9fe]": METADATA,
    "[::ffff:0:a9fe:a9fe]": METADATA,  # translated
    "[::a9fe:a9fe]": METADATA,  # compatible
    "[64:ff9b::a9fe:a9fe]": METADATA,  # NAT64
    "[64:ff9b:1::a9fe:a9fe]": METADATA,  # NAT64 of a network
    "[2002:a9fe:a9fe::1]": METADATA,  # 6to4
    "[2001:0:5ef5:79fd::1]": METADATA,  # Teredo
    "[fe80::a9fe:a9fe%25lo]": METADATA,  # link-local, with a zone
    "[fd00:ec2::254]": METADATA,  # Amazon over IPv6
    "[fd20:ce::254]": METADATA,  # Google over IPv6
    "100.100.100.200": METADATA,  # Alibaba
    "168.63.129.16": METADATA,  # Azure
    "192.0.0.192": METADATA,  # Oracle
    "0": "0.0.0.0",
    "0.0.0.0": "0.0.0.0",
    "0x0": "0.0.0.0",
    "[::]": "::",
    "[::ffff:0:0]": "0.0.0.0",
    "255.255.255.255": "255.255.255.255",
    "224.0.0.1": "224.0.0.1",
    "[ff02::1]": "ff02::1",
}
PRIVATE = {
    "127.0.0.1": LOOPBACK,
    "0x7f000001": LOOPBACK,
    "0x7f.1": LOOPBACK,
    "127.255.255.254": "127.255.255.254",
    "１２７.０.０.１": LOOPBACK,
    "127。0。0。1": LOOPBACK,
    "[::1]": "::1",
    "[0:0:0:0:0:0:0:1]": "::1",
    "[::ffff:127.0.0.1]": "::ffff:127.0.0.1",
    "[::ffff:7f00:1]": "::ffff:127.0.0.1",
    "[64:ff9b::7f00:1]": "64:ff9b::7f00:1",
    "[2002:7f00:1::1]": "2002:7f00:1::1",
    "10.0.0.1": "10.0.0.1",
    "172.16.0.1": "172.16.0.1",
    "192.168.0.1": "192.168.0.1",
    "0xc0a80001": "192.168.0.1",
    "100.64.0.1": "100.64.0.1",
    "[fd12:3456:789a::1]": "fd12:3456:789a::1",
    "user-of-8.8.8.8@127.0.0.1": LOOPBACK,
}
PUBLIC = {
    "8.8.8.8": "8.8.8.8",
    "0x08080808": "8.8.8.8",
    "127.0.0.1@8.8.8.8": "8.8.8.8",
    "1.1.1.1": "1.1.1.1",
    "[2606:4700::1111]": "2606:4700::1111",
    "[64:ff9b::808:808]": "64:ff9b::808:808",
    "[::ffff:8.8.8.8]": "::ffff:8.8.8.8",
    "[2002:808:808::1]": "2002:808:808::1",
}
UNREAD = ("2130706433", "0177.0.0.1", "017700000001", "127.1", "127.0.1", "167772161", "134744072")
"""Digits that are no address by today's rules: not called, whatever others make of them."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Watched:
    """A session whose connects are noted, not made."""

    session: aiohttp.ClientSession
    connects: list[str] = field(default_factory=list)

    async def get(self, url: str) -> str:
        """Why it failed; it always does."""
        try:
            async with self.session.get(url) as response:
                return f"answered {response.status}"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return str(error)


class Script(AbstractResolver):
    """A resolver that changes its mind: each look-up gives the next answer, the last one again."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        addresses = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        pass


@asynccontextmanager
async def watched(
    monkeypatch: pytest.MonkeyPatch, *, private: bool, resolver: Script | None = None
) -> AsyncIterator[Watched]:
    connector = guarded_connector(private=private, limit=4)
    connector._use_dns_cache = False
    if resolver is not None:
        connector._resolver = resolver
    async with aiohttp.ClientSession(connector=connector, trust_env=False) as session:
        found = Watched(session)

        async def connect(_: socket.socket, address: tuple[Any, ...]) -> None:
            found.connects.append(address[0])
            raise ConnectionRefusedError(111, "noted")

        monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", connect)
        yield found


# Spellings -------------------------------------------------------------------------------------


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("host", NEVER)
async def test_what_is_never_called_is_not_called_by_any_spelling(
    monkeypatch: pytest.MonkeyPatch, host: str, private: bool
) -> None:
    async with watched(monkeypatch, private=private) as session:
        await session.get(f"http://{host}:8080/")
        assert session.connects == []


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("host", UNREAD)
async def test_digits_that_are_no_address_are_not_guessed_at(
    monkeypatch: pytest.MonkeyPatch, host: str, private: bool
) -> None:
    async with watched(monkeypatch, private=private) as session:
        await session.get(f"http://{host}:8080/")
        assert session.connects == []


@pytest.mark.parametrize("host", PRIVATE)
async def test_private_addresses_are_refused_where_the_operator_says_so(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    async with watched(monkeypatch, private=False) as session:
        assert "SAYSO_OUTBOUND_PRIVATE" in await session.get(f"http://{host}:8080/")
        assert session.connects == []


@pytest.mark.parametrize(("host", "address"), PRIVATE.items())
async def test_private_addresses_are_called_where_they_are_allowed(
    monkeypatch: pytest.MonkeyPatch, host: str, address: str
) -> None:
    async with watched(monkeypatch, private=True) as session:
        await session.get(f"http://{host}:8080/")
        assert [ip_address(one) for one in session.connects] == [ip_address(address)]


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize(("host", "address"), PUBLIC.items())
async def test_public_addresses_are_called(
    monkeypatch: pytest.MonkeyPatch, host: str, address: str, private: bool
) -> None:
    async with watched(monkeypatch, private=private) as session:
        await session.get(f"http://{host}:8080/")
        assert [ip_address(one) for one in session.connects] == [ip_address(address)]


def test_there_are_many_spellings() -> None:
    assert len(NEVER) + len(PRIVATE) + len(UNREAD) >= 60


# Names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize(
    "address", [host.strip("[]") for host in NEVER if ":" in host or "." in host]
)
async def test_a_name_is_judged_by_its_address(
    monkeypatch: pytest.MonkeyPatch, address: str, private: bool
) -> None:
    try:
        socket.getaddrinfo(address, 0, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        address = METADATA
    async with watched(monkeypatch, private=private, resolver=Script([address])) as session:
        assert MARK in await session.get("http://llm.example.com/")
        assert session.connects == []


async def test_of_many_addresses_only_the_allowed_ones_are_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mixed = Script([METADATA, "8.8.8.8", LOOPBACK, "2606:4700::1111", "fe80::1"])
    async with watched(monkeypatch, private=False, resolver=mixed) as session:
        await session.get("http://llm.example.com/")
        assert set(session.connects) == {"8.8.8.8", "2606:4700::1111"}


async def test_a_name_that_changes_its_mind_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was looked up is what is connected; there is no second look-up in between."""
    rebinding = Script(["8.8.8.8"], [LOOPBACK], ["8.8.4.4"], [METADATA])
    async with watched(monkeypatch, private=False, resolver=rebinding) as session:
        told = [await session.get("http://rebind.example.com/") for _ in range(4)]
        assert session.connects == ["8.8.8.8", "8.8.4.4"]
    assert MARK in told[1]
    assert MARK in told[3]


# Redirects -------------------------------------------------------------------------------------

TARGETS = [
    f"http://{METADATA}/latest/meta-data",
    "http://2852039166/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "//169.254.169.254/",
    "http://0xa9fea9fe/",
    "http://0/",
    "file:///etc/passwd",
    "ftp://169.254.169.254/",
    "gopher://169.254.169.254/",
]


@asynccontextmanager
async def redirecting(target: str, hops: int) -> AsyncIterator[str]:
    """A server of ours that redirects to itself so often, and then to `target`."""

    async def answer(request: web.Request) -> web.Response:
        left = int(request.match_info["left"])
        return web.Response(status=307, headers={"Location": f"/{left - 1}" if left else target})

    app = web.Application()
    app.router.add_route("*", "/{left:\\d+}{rest:.*}", answer)
    async with running_app(app) as url:
        yield f"{url}/{hops}"


@pytest.mark.parametrize("hops", [0, 3])
@pytest.mark.parametrize("target", TARGETS)
async def test_no_chain_of_redirects_leads_anywhere_else(
    monkeypatch: pytest.MonkeyPatch, target: str, hops: int
) -> None:
    loop = asyncio.get_running_loop()
    really, connects = loop.sock_connect, []

    async def connect(sock: socket.socket, address: tuple[Any, ...]) -> None:
        connects.append(address[0])
        await really(sock, address)

    monkeypatch.setattr(loop, "sock_connect", connect)
    async with redirecting(target, hops) as url:
        connector = guarded_connector(private=True, limit=4)
        async with aiohttp.ClientSession(connector=connector) as session:
            with pytest.raises((aiohttp.ClientError, ValueError)):
                await session.get(url)
        assert set(connects) == {LOOPBACK}

        client = LlmClient(Deadlines())
        await client.open()
        try:
            with pytest.raises(FindingError) as refused:
                await anext(client.bind(Endpoint(url)).reply([Message("user", "Hi")]))
        finally:
            await client.close()
    assert refused.value.finding == "redirect.refused", "an LLM's redirects are not followed at all"
    assert set(connects) == {LOOPBACK}


async def test_the_environments_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would connect on our behalf, and judge nothing."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    connects: list[str] = []

    async def connect(_: socket.socket, address: tuple[Any, ...]) -> None:
        connects.append(address[0])
        raise ConnectionRefusedError(111, "noted")

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", connect)
    client = LlmClient(Deadlines(), private=False)
    await client.open()
    try:
        with pytest.raises(FindingError):
            await anext(client.bind(Endpoint("http://8.8.8.8/v1")).reply([Message("user", "Hi")]))
    finally:
        await client.close()
    assert set(connects) == {"8.8.8.8"}
