"""MCP servers: tools others have made, which an agent's LLM may call by the Model Context Protocol.

Nothing here but `link.py`, `guard.py` and `pipe.py` needs the package `mcp`, and those are read
from disk when a server is first used: its import takes a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

DEFAULT_TIMEOUT_S: Final = 10.0
"""How long a call may take in all, as for external functions."""


@dataclass(frozen=True, slots=True)
class McpServer:
    """One MCP server of an agent, its secrets in plain.

    Attributes:
        name: what the owner calls it.
        url: where it is, over streamable HTTP; "" for a command.
        command: which of the operator's commands starts it; "" for a URL.
        headers: are sent with each request.
        tools: its tools that the LLM is offered, by the server's names.
        timeout_s: how long a call may take, in seconds.
    """

    name: str
    url: str = field(default="", repr=False)
    command: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    tools: tuple[str, ...] = ()
    timeout_s: float = DEFAULT_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class ServerTool:
    """One tool as its server describes it.

    Attributes:
        name: the server's name of it; any text.
        description: what it does.
        parameters: a JSON schema.
        safe: the server says that it changes nothing.
        destructive: the server says that it may destroy something.
    """

    name: str
    description: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    safe: bool = False
    destructive: bool = False


@dataclass(frozen=True, slots=True)
class Hello:
    """What a server says of itself when it is connected to.

    Attributes:
        name: its name; "" if it has none.
        version: its version; "" if it has none.
        protocol: the protocol's version that both speak.
    """

    name: str = ""
    version: str = ""
    protocol: str = ""
