"""Watches the connections of one check: what resolving and connecting cost, who was reused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, TypeAlias

import aiohttp

from sayso.llm.stages import StageName

Reach: TypeAlias = Callable[[StageName, float | None], None]


def _ignore(_: StageName, __: float | None) -> None:
    """Nobody wants to know."""


class Trace:
    """What happened on the way to an endpoint.

    Attributes:
        dns_s: resolving its name the first time; None for an address.
        connect_s: the first connection, resolving and TLS included.
        headers_s: from the first request to the status of its answer.
        connected: how many connections were made.
        reused: how many requests found one that was open.
    """

    def __init__(self, reach: Reach = _ignore) -> None:
        """`reach` is told of each stage that went well, and how long it took in seconds."""
        self._reach = reach
        self.dns_s: float | None = None
        self.connect_s: float | None = None
        self.headers_s: float | None = None
        self.connected = 0
        self.reused = 0

    def config(self) -> aiohttp.TraceConfig:
        """What an aiohttp session is told of."""
        config = aiohttp.TraceConfig()
        config.on_request_start.append(_mark("sent"))
        config.on_request_end.append(self._answered)
        config.on_dns_resolvehost_start.append(_mark("asked"))
        config.on_dns_resolvehost_end.append(self._resolved)
        config.on_connection_create_start.append(_mark("began"))
        config.on_connection_create_end.append(self._connected)
        config.on_connection_reuseconn.append(self._reused)
        return config

    async def _answered(self, _: object, context: SimpleNamespace, ended: Any) -> None:  # noqa: ANN401
        if self.headers_s is None:
            self.headers_s = _now_s() - context.sent
        if ended.response.status == 200:
            self._reach(StageName.HTTP, self.headers_s)

    async def _resolved(self, _: object, context: SimpleNamespace, __: object) -> None:
        if self.dns_s is None:
            self.dns_s = _now_s() - context.asked
            self._reach(StageName.DNS, self.dns_s)

    async def _connected(self, _: object, context: SimpleNamespace, __: object) -> None:
        self.connected += 1
        if self.connect_s is None:
            self.connect_s = _now_s() - context.began
            self._reach(StageName.CONNECT, self.connect_s)

    async def _reused(self, _: object, __: object, ___: object) -> None:
        self.reused += 1


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _mark(name: str) -> Callable[[Any, Any, Any], Awaitable[None]]:
    """Write down when something begins."""

    async def mark(_: object, context: SimpleNamespace, __: object) -> None:
        setattr(context, name, _now_s())

    return mark
