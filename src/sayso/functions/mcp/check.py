"""Tries an MCP server before an agent is saved: connect, ask for its tools, hang up."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sayso.functions.mcp import Hello, McpServer, ServerTool
from sayso.functions.mcp.findings import FINDINGS, McpError
from sayso.functions.mcp.offers import is_fit
from sayso.functions.mcp.pool import McpPool
from sayso.spelling import nearest
from sayso.variables import fill_header

MAX_TOLD_TOOLS = 50
"""Names of a server's tools in one finding."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Attributes:
        code: of `FINDINGS`.
        message: a sentence.
        evidence: what was seen, such as the server's own words.
        field: which part of the server's fields it is about.
    """

    code: str
    message: str
    evidence: str = ""
    field: str = ""

    @property
    def forbids(self) -> bool:
        """Whether an agent with it is not saved."""
        return FINDINGS[self.code].severity == "error"


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found.

    Attributes:
        findings: what is wrong.
        hello: what the server says of itself.
        tools: what it has.
        ms: how long connecting took, in milliseconds.
    """

    findings: Sequence[Finding]
    hello: Hello = field(default_factory=Hello)
    tools: Sequence[ServerTool] = ()
    ms: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether an agent may be saved with this server."""
        return not any(one.forbids for one in self.findings)


async def check_server(
    pool: McpPool, server: McpServer, variables: Mapping[str, str] | None = None
) -> Report:
    """Connect to a server and look at its tools; `variables` fill its headers."""
    filled = {name: fill_header(one, variables or {}) for name, one in server.headers.items()}
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    try:
        link = await pool.connect(replace(server, headers=filled))
    except McpError as error:
        return Report([_report(server, error)], ms=_since(began_s))
    ms = _since(began_s)
    await link.close()
    return Report(list(find_problems(server, link.tools)), link.hello, [*link.tools.values()], ms)


def _since(began_s: float) -> float:
    return round((asyncio.get_running_loop().time() - began_s) * 1000, 1)


def _report(server: McpServer, error: McpError) -> Finding:
    field = "command" if server.command else "url"
    if error.finding == "mcp.refused":
        field = "headers"
    message = f"The MCP server {server.name!r} {FINDINGS[error.finding].message}."
    return Finding(error.finding, message, error.evidence, field)


def find_problems(server: McpServer, tools: Mapping[str, ServerTool]) -> Iterator[Finding]:
    """What is wrong with the names in `tools` of a server, given the tools it has."""
    if not server.tools:
        message = f"The MCP server {server.name!r} {FINDINGS['mcp.no_tools'].message}."
        yield Finding("mcp.no_tools", message, _list_names(tools), "tools")
    for n, name in enumerate(server.tools):
        if name not in tools:
            near = nearest(name, tools)
            meant = f" Did you mean {near!r}?" if near else ""
            message = f"{name!r} {FINDINGS['mcp.tool_missing'].message} {server.name!r}.{meant}"
            yield Finding("mcp.tool_missing", message, _list_names(tools), f"tools.{n}")
        elif not is_fit(tools[name]):
            message = f"{name!r} {FINDINGS['mcp.tool_unfit'].message}."
            yield Finding("mcp.tool_unfit", message, "", f"tools.{n}")


def _list_names(tools: Collection[str]) -> str:
    shown = ", ".join(sorted(tools)[:MAX_TOLD_TOOLS])
    return f"it has: {shown or 'none'}" + (", …" if len(tools) > MAX_TOLD_TOOLS else "")
