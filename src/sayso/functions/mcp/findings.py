"""What can be wrong with an MCP server, as a catalogue of stable codes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that can be wrong.

    Attributes:
        message: what it is; follows the name of a server or a tool.
        fix: what its owner can do.
        severity: an `error` keeps an agent from being saved.
    """

    message: str
    fix: str
    severity: Literal["error", "warning"] = "error"


class McpError(Exception):
    """A server that cannot be used, or a call that failed.

    Attributes:
        finding: why, as a code of `FINDINGS`.
        evidence: what was seen, for people; never a secret.
        untouched: whether the server certainly did not do what it was asked.
    """

    def __init__(self, finding: str, evidence: str = "", *, untouched: bool = False) -> None:
        super().__init__(f"{finding}: {evidence}" if evidence else finding)
        self.finding = finding
        self.evidence = evidence
        self.untouched = untouched


FINDINGS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "mcp.not_installed": Kind(
            "cannot be used: this server has no MCP client",
            "Ask the operator to install `sayso[mcp]`.",
        ),
        "mcp.command_refused": Kind(
            "cannot be started: the operator has not allowed this command",
            "Give one of the names in `SAYSO_MCP_COMMANDS`, or the `url` of a server.",
        ),
        "mcp.command_failed": Kind(
            "could not be started",
            "Ask the operator whether the command in `SAYSO_MCP_COMMANDS` is installed.",
        ),
        "mcp.ended": Kind(
            "ended, or closed the connection",
            "Look into the server's own log.",
        ),
        "mcp.not_mcp": Kind(
            "does not answer as an MCP server",
            "Give the URL of its streamable HTTP endpoint, which often ends in /mcp. The older "
            "HTTP+SSE transport is not supported.",
        ),
        "mcp.version": Kind(
            "speaks a version of the protocol that is not supported",
            "Update the MCP server.",
        ),
        "mcp.refused": Kind(
            "refuses the connection",
            "Check `headers`: many servers want `Authorization: Bearer …`.",
        ),
        "mcp.error": Kind("answered with an error", "Look into the server's own log."),
        "mcp.tool_missing": Kind(
            "is not a tool of the server", "Choose among the tools it has, spelled as they are."
        ),
        "mcp.tool_unfit": Kind(
            "cannot be offered to an LLM: its parameters are no object, or are too long",
            "Take it out of `tools`.",
        ),
        "mcp.no_tools": Kind(
            "offers the LLM nothing, for `tools` is empty",
            "Name the tools the LLM may call.",
            "warning",
        ),
        "mcp.too_many": Kind(
            "could not be connected to: this server holds as many connections as it may",
            "Try again later.",
        ),
        "mcp.input_wanted": Kind(
            "wants to ask somebody before it goes on, which no telephone call can answer",
            "Take the tool out of `tools`.",
        ),
        "outbound.refused": Kind(
            "may not be called: its address is private, link-local, metadata or reserved",
            "Give the URL of a server that may be called.",
        ),
        "url.invalid": Kind("has a URL that cannot be called", "Check its host and port."),
        "dns.failed": Kind("is not known by that name", "Check the host in its URL."),
        "connect.failed": Kind("cannot be reached", "Check that it runs, and its port."),
        "tls.failed": Kind(
            "could not be reached over an encrypted connection",
            "Check its certificate, and whether it speaks https at all.",
        ),
        "redirect.refused": Kind(
            "redirects to another server, and that is not followed",
            "Give the URL where it leads.",
        ),
        "http.broken": Kind("broke off, or did not answer as the web does", "Try again later."),
        "timeout": Kind(
            "did not answer in time", "See why it is slow; calls may have `timeoutSeconds`."
        ),
        "answer.large": Kind(
            "sent more than 1 MiB at once", "Ask it for less, or leave this tool out."
        ),
        "function.unknown": Kind("is no tool of the agent", "Name it in `tools`."),
        "arguments.bad": Kind("was called with something that is no JSON object", "Try again."),
    }
)
