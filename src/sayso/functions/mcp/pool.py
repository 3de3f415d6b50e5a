"""The connections of all agents to their MCP servers: made when needed, kept for a while.

Conversations of one agent share a connection, unless its headers differ by conversation. It is
opened when a conversation begins, and closed when nobody has used it for a while.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import aiohttp
import structlog

from sayso.functions.mcp import McpServer
from sayso.functions.mcp.findings import McpError
from sayso.security.outbound import open_session

if TYPE_CHECKING:
    from sayso.functions.mcp.link import Link

MAX_LINKS: Final = 256
"""Connections at once, of all agents."""
MAX_SOCKETS: Final = 1024
"""Of all connections: each may listen, and make several calls at once."""
KEPT_S: Final = 300.0
"""How long a connection nobody uses is kept, in seconds; each turn of a conversation uses it."""
SWEEP_S: Final = 15.0
"""How often unused ones are looked for, in seconds."""
RETRY_S: Final = 60.0
"""How long a server that failed is left alone, in seconds."""

Key: TypeAlias = tuple[str, str, str, str, frozenset[tuple[str, str]]]

_log = structlog.get_logger("sayso.mcp")


@dataclass(slots=True)
class _Kept:
    """A connection, and when it was used last."""

    link: Link | None
    used_s: float
    opening: asyncio.Task[None] | None = None
    failed_s: float = 0.0
    failure: McpError | None = None


class McpPool:
    """Connects to MCP servers, for all conversations of this process."""

    def __init__(
        self, *, private: bool, commands: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        """Nothing is opened yet.

        Args:
            private: whether private and loopback addresses may be called (`outbound_private`).
            commands: what may be started, by name (`mcp_commands`).
        """
        self._private = private
        self._commands = dict(commands or {})
        self._session: aiohttp.ClientSession | None = None
        self._kept: dict[Key, _Kept] = {}
        self._sweeper: asyncio.Task[None] | None = None
        self._closers: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Make what connections are made with; nobody is called yet."""
        self._session = open_session(private=self._private, limit=MAX_SOCKETS)
        self._sweeper = asyncio.create_task(self._sweep())

    async def close(self) -> None:
        """End every connection, and wait until nothing of them is left."""
        session, self._session = self._session, None  # from here on nobody connects
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.wait([self._sweeper])
        kept, self._kept = list(self._kept.values()), {}
        await asyncio.gather(*(self._end(one) for one in kept))
        while self._closers:
            await asyncio.wait(self._closers)
        if session is not None:
            await session.close()

    async def connect(self, server: McpServer) -> Link:
        """A connection for the caller alone, with the tools known. Raises McpError.

        Whoever calls this closes it.
        """
        link = await self._make(server)
        link.start()
        try:
            await link.ready.wait()
        except asyncio.CancelledError:
            await link.close()
            raise
        if link.failure is not None:
            await link.close()
            raise link.failure
        return link

    def touch(self, agent_id: str, server: McpServer) -> Link | None:
        """The connection for conversations of an agent, if it stands; else it is on its way."""
        key, now_s = _key_of(agent_id, server), asyncio.get_running_loop().time()
        kept = self._kept.get(key)
        if kept is None:
            if self._session is None or not self._make_room():
                return None
            kept = self._kept[key] = _Kept(None, now_s)
        kept.used_s = now_s
        if kept.link is not None and kept.link.alive:
            return kept.link if kept.link.usable else None
        if kept.opening is None and not (kept.failure and now_s < kept.failed_s + RETRY_S):
            kept.opening = asyncio.create_task(self._open(agent_id, server, kept))
        return None

    async def fetch(self, agent_id: str, server: McpServer) -> Link:
        """The connection, as soon as it stands. Raises McpError."""
        link = self.touch(agent_id, server)
        if link is not None:
            return link
        kept = await self.settle(agent_id, server)
        if kept is None:
            raise McpError("mcp.too_many", untouched=True)
        if kept.link is None or not kept.link.usable:
            raise kept.failure or McpError("mcp.ended", untouched=True)
        return kept.link

    async def settle(self, agent_id: str, server: McpServer) -> _Kept | None:
        """Wait until the connection stands, or could not be made; None where there is no room."""
        self.touch(agent_id, server)
        kept = self._kept.get(_key_of(agent_id, server))
        if kept is not None and kept.opening is not None:
            await asyncio.wait([kept.opening])
        return kept

    # Keeping -----------------------------------------------------------------------------------

    async def _make(self, server: McpServer) -> Link:
        """A connection that is not started. Raises McpError."""
        module = await load_client()
        if self._session is None:
            raise McpError("mcp.ended", "the server is closing", untouched=True)
        link: Link = module.Link(server, module.Ways(self._session, self._private, self._commands))
        return link

    async def _open(self, agent_id: str, server: McpServer, kept: _Kept) -> None:
        """Connect, or note why not; one line of the log says how it went."""
        old, kept.link = kept.link, None
        try:
            if old is not None:
                self._close_beside(old.close())
            kept.link = await self._make(server)
            kept.link.start()
            await kept.link.ready.wait()
            if kept.link.failure is not None:
                raise kept.link.failure
        except McpError as error:
            kept.failed_s, kept.failure = asyncio.get_running_loop().time(), error
            words = kept.link.last_words if kept.link else ""
            _tell_failure(agent_id, server, error, words)
        else:
            kept.failure = None
            _tell_success(agent_id, server, kept.link.tools)
        finally:
            kept.opening = None

    def _make_room(self) -> bool:
        """Whether one more may be kept; the one unused for longest goes if it must."""
        if len(self._kept) < MAX_LINKS:
            return True
        idle = [(one.used_s, key) for key, one in self._kept.items() if not _is_busy(one)]
        if not idle:
            return False
        self._drop(min(idle, key=lambda item: item[0])[1])
        return True

    def _drop(self, key: Key) -> None:
        self._close_beside(self._end(self._kept.pop(key)))

    def _close_beside(self, work: Coroutine[Any, Any, None]) -> None:
        closer = asyncio.create_task(work)
        self._closers.add(closer)
        closer.add_done_callback(self._closers.discard)

    async def _end(self, kept: _Kept) -> None:
        if kept.opening is not None:
            kept.opening.cancel()
            await asyncio.wait([kept.opening])
        if kept.link is not None:
            await kept.link.close()

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_S)
            self.drop_unused(loop.time())

    def drop_unused(self, now_s: float) -> None:
        """End what nobody has used for KEPT_S, at `now_s` of the loop's time."""
        for key, kept in list(self._kept.items()):
            if now_s >= kept.used_s + KEPT_S and not _is_busy(kept):
                self._drop(key)


async def load_client() -> Any:  # noqa: ANN401 a module that may be missing
    """The module `link`, read from disk beside the loop: it takes a second. Raises McpError."""
    try:
        return await asyncio.to_thread(importlib.import_module, "sayso.functions.mcp.link")
    except ImportError as missing:
        raise McpError("mcp.not_installed", missing.name or "", untouched=True) from None


def _is_busy(kept: _Kept) -> bool:
    return kept.opening is not None or (kept.link is not None and kept.link.busy)


def _key_of(agent_id: str, server: McpServer) -> Key:
    """What makes a connection another one; which of its tools are offered does not."""
    return agent_id, server.name, server.url, server.command, frozenset(server.headers.items())


def _tell_failure(agent_id: str, server: McpServer, error: McpError, last_words: str) -> None:
    _log.warning(
        "mcp_server_unusable",
        agent_id=agent_id,
        server=server.name,
        finding=error.finding,
        evidence=error.evidence,
        **({"stderr": last_words} if last_words else {}),
    )


def _tell_success(agent_id: str, server: McpServer, tools: Iterable[str]) -> None:
    missing = sorted(set(server.tools) - set(tools))
    tell = _log.warning if missing else _log.info
    tell("mcp_server_connected", agent_id=agent_id, server=server.name, missing_tools=missing)
