from __future__ import annotations

import ast
import errno
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

import sayso
from sayso.llm.fake import running_app
from sayso.security.outbound import (
    MARK,
    USER_AGENT,
    OutboundError,
    Reach,
    explain_refusal,
    find_refusal,
    guard_sockets,
    guarded_connector,
    is_allowed,
    judge,
    open_session,
    refuse_literal,
)

NEVER = [
    "0.0.0.0",
    "0.1.2.3",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::ffff:169.254.169.254",
    "::ffff:0:169.254.169.254",
    "::169.254.169.254",
    "::ffff:0.0.0.0",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::",
    "2002:e000:1::1",
    "2001::1",
    "2001:db8::1",
    "3fff::1",
    "100::1",
    "4000::1",
    "5f00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fe80::1%eth0",
    "febf::1",
    "ff02::1",
    "ff0e::1",
]
PRIVATE = [
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "198.18.0.1",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::192.168.0.1",
    "64:ff9b:1::1.1.1.1",
    "2002:7f00:1::",
    "2002:c0a8:1::5",
    "fc00::1",
    "fd12:3456:789a::1",
    "fec0::1",
    "0:0:0:0:0:0:0:1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "169.253.255.255",
    "193.0.0.1",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
    "2001:4860:4860::8888",
    "2606:4700::1111",
    "2a00:1450::1",
]
# Spellings that only a resolver understands: here they are no addresses, and so refused.
SPELLINGS = ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "localhost", "", "1.2.3.4.5"]


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        *((address, Reach.NEVER) for address in NEVER + SPELLINGS),
        *((address, Reach.PRIVATE) for address in PRIVATE),
        *((address, Reach.PUBLIC) for address in PUBLIC),
    ],
)
def test_how_far_an_address_is(address: str, reach: Reach) -> None:
    assert judge(address) is reach
    assert is_allowed(address, private=True) is (reach is not Reach.NEVER)
    assert is_allowed(address, private=False) is (reach is Reach.PUBLIC)


@given(st.ip_addresses(v=4))
def test_wrapping_never_makes_an_address_freer(inner: IPv4Address) -> None:
    plain = judge(str(inner))
    bits = int(inner)
    for wrapped in (0xFFFF << 32 | bits, 0xFFFF << 48 | bits, 0x64FF9B << 96 | bits):
        assert judge(str(IPv6Address(wrapped))) is plain
    assert judge(str(IPv6Address(0x2002 << 112 | bits << 80))) is plain
    assert judge(str(IPv6Address(0x64FF9B0001 << 80 | bits))) is min(plain, Reach.PRIVATE)


@given(st.ip_addresses())
def test_what_python_calls_private_or_worse_is_not_public_here(
    address: IPv4Address | IPv6Address,
) -> None:
    if address.is_loopback or address.is_link_local or address.is_multicast:
        assert judge(str(address)) is not Reach.PUBLIC
    # These two are judged by the IPv4 address inside; Python 3.13 calls them all private.
    translated = str(address).startswith(("64:ff9b:1:", "2002:"))
    if address.is_private and not translated:
        assert judge(str(address)) is not Reach.PUBLIC


def test_a_refusal_names_the_setting_only_where_it_helps() -> None:
    assert "SAYSO_OUTBOUND_PRIVATE" in explain_refusal("127.0.0.1")
    assert "SAYSO_OUTBOUND_PRIVATE" not in explain_refusal("169.254.169.254")
    assert MARK in explain_refusal("127.0.0.1")
    assert MARK in explain_refusal("::")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "169.254.169.254", "fe80::1%lo"])
@pytest.mark.parametrize("around", ["{}", "Multiple exceptions: {}, [Errno 111] Refused", "[{}]"])
def test_a_refusal_is_found_among_other_errors(address: str, around: str) -> None:
    refusal = OutboundError(errno.EACCES, explain_refusal(address))
    assert str(refusal) == explain_refusal(address), "no number of the system's"
    assert find_refusal(OSError(around.format(refusal))) == explain_refusal(address)


def test_other_errors_are_no_refusal() -> None:
    assert find_refusal(OSError(errno.EACCES, "Permission denied")) == ""


def test_a_socket_is_made_only_for_what_is_allowed() -> None:
    private, public = guard_sockets(private=True), guard_sockets(private=False)
    info = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 80))
    private(info).close()
    with pytest.raises(OutboundError, match="refused by the outbound policy"):
        public(info)
    six = (socket.AF_INET6, socket.SOCK_STREAM, 0, "", ("fe80::1%lo", 80, 0, 1))
    with pytest.raises(OutboundError):
        private(six)


@pytest.mark.parametrize("host", ["localhost", "a.example", "2130706433", "8.8.8.8"])
def test_only_an_address_is_judged_before_it_is_called(host: str) -> None:
    refuse_literal(host, private=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "fe80::1%lo", "169.254.169.254"])
def test_an_address_that_may_not_be_called_is_refused_before(host: str) -> None:
    with pytest.raises(OutboundError, match=MARK):
        refuse_literal(host, private=False)


def test_nobody_else_makes_connections() -> None:
    """What calls out goes through the guard; a caller of our own server needs none."""
    made = {name for name, call in find_calls() if call in {"ClientSession", "TCPConnector"}}
    assert made == {"caller.py", "security/outbound.py"}


def find_calls() -> Iterator[tuple[str, str]]:
    """(file, name of what is called) of every call in our source."""
    root = Path(sayso.__file__).parent
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", "") or getattr(node.func, "id", "")
                yield path.relative_to(root).as_posix(), str(name)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def serving(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> AsyncGenerator[str]:
    app = web.Application()
    app.router.add_get("/", answer)
    async with running_app(app) as url:
        yield f"{url}/"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "0x7f000001",
        "2130706433",
        "127.1",
        "0",
        "0177.0.0.1",
        "127.0.0.1.",
        "LOCALHOST",
        "①②⑦.⓪.⓪.①",
    ],
)
async def test_no_spelling_of_loopback_gets_through(host: str) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.host)
        return web.Response(text="secret")

    connector = guarded_connector(private=False, limit=4)
    async with serving(answer) as url, aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises((aiohttp.ClientError, ValueError)):
            await session.get(f"http://{host}:{url.rpartition(':')[2]}/")
    assert asked == []


async def test_a_redirect_is_judged_as_well() -> None:
    async def answer(_: web.Request) -> web.Response:
        raise web.HTTPFound("http://169.254.169.254/latest/meta-data")

    connector = guarded_connector(private=True, limit=4)
    async with serving(answer) as url, aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(aiohttp.ClientConnectorError, match=MARK):
            await session.get(url)


async def test_a_session_says_who_we_are_and_keeps_no_cookies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    seen: list[dict[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(dict(request.headers))
        return web.Response(headers={"Set-Cookie": "a=b"})

    async with (
        serving(answer) as url,
        open_session(private=True, limit=1, headers={"X-Own": "1"}) as session,
    ):
        for _ in range(2):
            async with session.get(url) as response:
                assert response.status == 200
    for headers in seen:
        assert headers["User-Agent"] == USER_AGENT
        assert headers["X-Own"] == "1"
        assert "Cookie" not in headers
