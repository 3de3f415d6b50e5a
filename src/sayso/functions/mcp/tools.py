"""An agent's MCP servers as a toolbox, for one conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from sayso.functions import Outcome
from sayso.functions.mcp import McpServer
from sayso.functions.mcp.findings import FINDINGS, McpError
from sayso.functions.mcp.offers import is_fit, make_tool, name_tools
from sayso.functions.mcp.pool import McpPool
from sayso.functions.mcp.results import complain
from sayso.llm import Tool, ToolCall
from sayso.llm.arguments import ArgumentsError, read_arguments
from sayso.variables import fill_header

_log = structlog.get_logger("sayso.mcp")


class McpTools:
    """What the LLM of one conversation may call of its agent's MCP servers.

    Connections are opened at once: a tool is offered from the moment its server is there. Whoever
    cannot do without it waits with `arrive`.
    """

    def __init__(
        self,
        pool: McpPool,
        agent_id: str,
        servers: Sequence[McpServer],
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """`variables` are what `{{names}}` in headers stand for in this conversation."""
        self._pool = pool
        self._agent_id = agent_id
        self._servers = {one.name: _fill(one, variables or {}) for one in servers if one.tools}
        self._names = name_tools(list(self._servers.values()))
        self._places = {name: place for place, name in self._names.items()}
        self._made: dict[str, tuple[int, int, list[Tool]]] = {}
        for server in self._servers.values():
            pool.touch(agent_id, server)

    @property
    def tools(self) -> Sequence[Tool]:
        """What the LLM is offered now; keeps the connections from being closed as unused."""
        return [tool for server in self._servers.values() for tool in self._offer(server)]

    def _offer(self, server: McpServer) -> list[Tool]:
        link = self._pool.touch(self._agent_id, server)
        if link is None:
            return []
        made = self._made.get(server.name)
        if made is None or made[:2] != (id(link), link.version):
            tools = [
                make_tool(self._names[server.name, name], link.tools[name])
                for name in dict.fromkeys(server.tools)
                if name in link.tools and is_fit(link.tools[name])
            ]
            made = self._made[server.name] = (id(link), link.version, tools)
        return made[2]

    async def arrive(self) -> None:
        """Wait until each server is there, or has turned out not to be."""
        servers = self._servers.values()
        await asyncio.gather(*(self._pool.settle(self._agent_id, one) for one in servers))

    async def call(self, call: ToolCall) -> Outcome:
        """Carry out one call; never raises, whatever it does."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        outcome = await self._call(call)
        ms = round((loop.time() - began_s) * 1000, 1)
        server, tool = self._places.get(call.name, ("", ""))
        _log.info(
            "mcp_tool_called",
            agent_id=self._agent_id,
            server=server,
            tool=tool,
            ok=outcome.ok,
            ms=ms,
            finding=outcome.finding,
        )
        return replace(outcome, ms=ms)

    async def _call(self, call: ToolCall) -> Outcome:
        place = self._places.get(call.name)
        if place is None:
            known = ", ".join(tool.name for tool in self.tools) or "none"
            return _fail(f"There is no such function. You have: {known}.", "function.unknown")
        server = self._servers[place[0]]
        try:
            arguments = read_arguments(call.arguments)
            async with asyncio.timeout(server.timeout_s):
                return await self._try(server, place[1], arguments)
        except ArgumentsError as error:
            return _fail(str(error), "arguments.bad")
        except McpError as error:
            return _explain(error)
        except TimeoutError:
            return _explain(McpError("timeout"))

    async def _try(self, server: McpServer, tool: str, arguments: dict[str, Any]) -> Outcome:
        """Call a tool; a second time where its server was not asked the first time."""
        try:
            return await self._try_once(server, tool, arguments)
        except McpError as error:
            if not error.untouched or error.finding not in _LOST:
                raise
        return await self._try_once(server, tool, arguments)

    async def _try_once(self, server: McpServer, tool: str, arguments: dict[str, Any]) -> Outcome:
        link = await self._pool.fetch(self._agent_id, server)
        if tool not in link.tools:
            raise McpError("mcp.tool_missing", untouched=True)
        result = await link.call(tool, arguments, server.timeout_s)
        finding = "" if result.ok else "mcp.error"
        text = result.text if result.ok else complain("the tool reports an error", result.text)
        return Outcome(ok=result.ok, text=text, ms=0.0, finding=finding)


_LOST = frozenset({"mcp.ended", "connect.failed"})
"""What another connection may help against: the server was started anew meanwhile."""


def _fill(server: McpServer, variables: Mapping[str, str]) -> McpServer:
    headers = {name: fill_header(value, variables) for name, value in server.headers.items()}
    return replace(server, headers=headers)


def _fail(text: str, finding: str) -> Outcome:
    return Outcome(ok=False, text=text, ms=0.0, finding=finding)


def _explain(error: McpError) -> Outcome:
    """A failure as the LLM is told it: never an address, never a value of a header."""
    if error.finding in _OF_TOOLS:
        return _fail(complain(_OF_TOOLS[error.finding]), error.finding)
    said = error.evidence if error.finding == "mcp.error" else ""
    what = f"the tool's server {FINDINGS[error.finding].message}"
    return _fail(complain(what, said), error.finding)


_OF_TOOLS = {
    "mcp.tool_missing": "its server does not have this tool at the moment",
    "mcp.input_wanted": "the tool wants to ask somebody before it goes on, and cannot",
}
"""What is wrong with a tool, and not with its server."""
