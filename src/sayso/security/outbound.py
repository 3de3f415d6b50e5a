"""Which addresses this server may call on somebody's behalf, decided at each connect.

An agent's `baseURL` is a fetch to a host its owner chose (SSRF). A name is resolved first and
judged after, on the very address the socket is about to use, so neither spellings (`0x7f.1`,
`2130706433`) nor a name that changes its mind leave a gap. Three tiers:

- never: metadata services, link-local, unspecified, multicast, reserved and documentation;
- private and loopback: by the setting `outbound_private`, on by default, because an LLM next
  door is the point of self-hosting;
- public: always.

The table is our own: Python 3.11.7's `is_global` calls `64:ff9b::7f00:1` (NAT64 of 127.0.0.1),
`2002:7f00:1::` (6to4 of it), `fec0::1` and multicast global.
"""

from __future__ import annotations

import asyncio
import errno
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, TypeAlias

import aiohttp
import structlog

from sayso import __version__
from sayso.security.sockets import Sockets

USER_AGENT = f"sayso/{__version__}"
CLOSE_S = 1.0
"""How long the closing of all connections of a session is waited for, in seconds."""

log = structlog.get_logger("sayso.outbound")

MARK = "refused by the outbound policy"
"""Is part of every refusal's text: where several addresses fail, only texts survive."""
_REFUSAL = re.compile(rf"the (?:private )?address \S{{1,100}} is {MARK} \([^()]{{1,100}}\)")

AddressInfo: TypeAlias = tuple[int, int, int, str, tuple[Any, ...]]
"""Family, type, protocol, canonical name, socket address: an item of `getaddrinfo`."""


class Reach(IntEnum):
    """How far away an address is; a higher one is never stricter."""

    NEVER = 0
    PRIVATE = 1
    PUBLIC = 2


_NEVER_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # unspecified; Linux connects it to itself
        "100.100.100.200/32",  # Alibaba's metadata service, inside carrier-grade NAT
        "168.63.129.16/32",  # Azure's platform service, a public number
        "169.254.0.0/16",  # link-local, and the usual metadata service
        "192.0.0.0/24",  # protocol assignments, and Oracle's metadata service
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays, retired
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_PRIVATE_4 = tuple(
    IPv4Network(text)
    for text in (
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, and overlay networks such as Tailscale
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks, and the fake addresses of some VPNs
    )
)
_NEVER_6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # Teredo, ORCHID and other protocol assignments
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
        "fd00:ec2::254/128",  # Amazon's metadata service
        "fd20:ce::254/128",  # Google's metadata service
    )
)
_PRIVATE_6 = tuple(
    IPv6Network(text)
    for text in (
        "::1/128",
        "fc00::/7",  # unique local
        "fec0::/10",  # site-local, retired
    )
)
_PUBLIC_6 = IPv6Network("2000::/3")
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")

# Ranges that carry an IPv4 address, and how far its last bit is from the right.
_CARRIES_4 = (
    (IPv6Network("::ffff:0:0/96"), 0),  # mapped
    (IPv6Network("::ffff:0:0:0/96"), 0),  # translated
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (_LOCAL_NAT64, 0),  # NAT64 within a network
    (IPv6Network("2002::/16"), 80),  # 6to4
    (IPv6Network("::/96"), 0),  # compatible, retired; after ::1 was looked at
)


def judge(address: str) -> Reach:
    """How far away `address` is: a literal IPv4 or IPv6 address, with or without a zone.

    Anything that is not an address is `NEVER`.
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return Reach.NEVER
    return _judge_4(parsed) if isinstance(parsed, IPv4Address) else _judge_6(parsed)


def is_allowed(address: str, *, private: bool) -> bool:
    """Whether `address` may be called; `private` is the setting `outbound_private`."""
    reach = judge(address)
    return reach is Reach.PUBLIC or (private and reach is Reach.PRIVATE)


def _judge_4(address: IPv4Address) -> Reach:
    if any(address in network for network in _NEVER_4):
        return Reach.NEVER
    if any(address in network for network in _PRIVATE_4):
        return Reach.PRIVATE
    return Reach.PUBLIC


def _judge_6(address: IPv6Address) -> Reach:
    if any(address in network for network in _NEVER_6):
        return Reach.NEVER
    if any(address in network for network in _PRIVATE_6):
        return Reach.PRIVATE
    for network, shift in _CARRIES_4:
        if address in network:
            inner = _judge_4(IPv4Address((int(address) >> shift) & 0xFFFF_FFFF))
            return min(inner, Reach.PRIVATE) if network is _LOCAL_NAT64 else inner
    return Reach.PUBLIC if address in _PUBLIC_6 else Reach.NEVER


class OutboundError(OSError):
    """A connection the policy refuses; an OSError, so that the next address is still tried."""

    def __str__(self) -> str:
        """The sentence alone: sentences quote it, and `[Errno 13]` means nothing to who reads."""
        return str(self.strerror)


def explain_refusal(address: str) -> str:
    """Why `address` is refused, naming the setting that would allow it if one does."""
    if judge(address) is Reach.PRIVATE:
        return (
            f"the private address {address} is {MARK} (the setting SAYSO_OUTBOUND_PRIVATE is off)"
        )
    return f"the address {address} is {MARK} (link-local, metadata, multicast or reserved)"


def find_refusal(error: BaseException) -> str:
    """The refusal's sentence within an error, alone or among those of other addresses; else ""."""
    found = _REFUSAL.search(str(error))
    return found[0] if found else ""


def refuse_literal(host: str, *, private: bool) -> None:
    """Judge `host` before it is called, if it is an address and no name. Raises OutboundError."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return
    if not is_allowed(host, private=private):
        raise OutboundError(errno.EACCES, explain_refusal(host))


def guard_sockets(
    *, private: bool, opens: Callable[[int, int, int], socket.socket] = socket.socket
) -> Callable[[AddressInfo], socket.socket]:
    """Make a `socket_factory` for aiohttp that judges the resolved address of each connect.

    `opens` makes a socket of what is allowed.
    """

    def open_socket(info: AddressInfo) -> socket.socket:
        family, kind, protocol, _, target = info
        address = str(target[0])
        if not is_allowed(address, private=private):
            raise OutboundError(errno.EACCES, explain_refusal(address))
        return opens(family, kind, protocol)

    return open_socket


class GuardedConnector(aiohttp.TCPConnector):
    """aiohttp's connector with the guard in it; closed, it leaves no socket behind.

    The session it goes into must not trust the environment: a proxy would bypass the guard.
    """

    def __init__(self, *, private: bool, limit: int, reuses: bool = True) -> None:
        """Allow at most `limit` connections at once, each for one request unless it `reuses`."""
        self._sockets = Sockets()
        guard = guard_sockets(private=private, opens=self._sockets.open)
        super().__init__(socket_factory=guard, limit=limit, force_close=not reuses)

    async def close(self, *, abort_ssl: bool = True) -> None:
        """Close every connection, those too that were given up and linger, and wait for it."""
        self._sockets.shut_down()
        try:
            async with asyncio.timeout(CLOSE_S):
                await super().close(abort_ssl=abort_ssl)
                await self._sockets.wait_closed()
        except TimeoutError:
            log.warning("connections_left_open", count=len(self._sockets))


def guarded_connector(*, private: bool, limit: int, reuses: bool = True) -> aiohttp.TCPConnector:
    """Make the guarded connector, for at most `limit` connections at once."""
    return GuardedConnector(private=private, limit=limit, reuses=reuses)


def hang_up(response: aiohttp.ClientResponse) -> None:
    """Give up an answer at once; one that was read to its end keeps its connection for the next.

    aiohttp's `close` alone is polite: TLS says goodbye and waits up to 30 s for the answer, and a
    question still being sent is sent first, for as long as the server takes to read it.
    """
    if response.connection is not None and response.connection.transport is not None:
        response.connection.transport.abort()
    response.close()


def open_session(
    *,
    private: bool,
    limit: int,
    headers: Mapping[str, str] | None = None,
    traces: Sequence[aiohttp.TraceConfig] = (),
    reuses: bool = True,
) -> aiohttp.ClientSession:
    """Make the session that whatever calls out uses: guarded, without proxies and cookies.

    Redirects are each request's own affair: ask with `allow_redirects=False`.

    Args:
        private: whether private and loopback addresses may be called (`outbound_private`).
        limit: connections at once.
        headers: sent with each request, beside our name.
        traces: are told of every connection made.
        reuses: whether a connection is kept for the next request. A server may have closed a kept
            one meanwhile, and then nobody knows whether it did what it was asked.
    """
    return aiohttp.ClientSession(
        connector=guarded_connector(private=private, limit=limit, reuses=reuses),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": USER_AGENT, **(headers or {})},
        trust_env=False,
        trace_configs=list(traces),
    )
