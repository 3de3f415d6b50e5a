"""An agent's MCP servers: sealed for the store, masked for answers, and what masks stand for.

A stored value never follows to another server: whoever may edit the agent could otherwise read it
by pointing `url` at a server of their own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from sayso.errors import BadRequestError
from sayso.functions.mcp import DEFAULT_TIMEOUT_S, McpServer
from sayso.functions.mcp.schema import McpServerBody, McpServerView, NewMcpCheck
from sayso.security.masks import (
    is_mask,
    is_mask_of,
    join_query,
    mask_url,
    mask_value,
    number,
    origin,
    read_query,
    split_query,
)
from sayso.security.secrets import Secrets

Plain: TypeAlias = list[dict[str, Any]]
"""What is stored of servers that is no secret, in the order they were sent."""


@dataclass(frozen=True, slots=True)
class OwnMcp:
    """One MCP server of an owner: as it was sent and meant, or stored and opened.

    Attributes:
        name: what the owner calls it.
        url: where it is, with its query; None for a command.
        command: which of the operator's commands starts it; None for a URL.
        headers: are sent with each request.
        tools: what the LLM may call.
        timeout_s: how long a call may take, in seconds; None for the usual.
    """

    name: str
    url: str | None = field(default=None, repr=False)
    command: str | None = None
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    tools: tuple[str, ...] = ()
    timeout_s: float | None = None

    def server(self) -> McpServer:
        """As it is called."""
        return McpServer(
            name=self.name,
            url=self.url or "",
            command=self.command or "",
            headers=dict(self.headers or {}),
            tools=self.tools,
            timeout_s=self.timeout_s or DEFAULT_TIMEOUT_S,
        )

    def view(self) -> McpServerView:
        """As it is answered."""
        headers = self.headers
        return McpServerView(
            name=self.name,
            url=None if self.url is None else mask_url(self.url),
            command=self.command,
            headers=None
            if headers is None
            else {name: mask_value(name, value) for name, value in headers.items()},
            tools=list(self.tools),
            timeout_seconds=self.timeout_s,
        )


def read_body(body: McpServerBody | NewMcpCheck) -> OwnMcp:
    """A server exactly as it was sent, masks and all."""
    tools = tuple(dict.fromkeys(body.tools))
    return OwnMcp(body.name, body.url, body.command, body.headers, tools, body.timeout_seconds)


# Masks ------------------------------------------------------------------------------------------


def restore(sent: OwnMcp, stored: Sequence[OwnMcp], at: str) -> OwnMcp:
    """What a server means: its masks stand for values of the stored one of its name, else of any.

    Args:
        sent: the server as it was sent.
        stored: the agent's servers.
        at: its path in errors, with a dot at its end; "" for none.

    Raises:
        BadRequestError: a mask stands for nothing, or for a value of another server.
    """
    if sent.url is None:
        return sent
    known = sorted(stored, key=lambda one: one.name != sent.name)
    headers = sent.headers and {
        name: _restore(value, name.lower(), known, sent.url, f"{at}headers.{name}", _headers_of)
        for name, value in sent.headers.items()
    }
    return replace(sent, url=_restore_url(sent.url, known, f"{at}url"), headers=headers)


def _restore_url(url: str, known: Sequence[OwnMcp], at: str) -> str:
    base, query = split_query(url)
    pairs = read_query(query)
    values = [
        _restore(value, slot, known, url, at, _query_of) for slot, value in number(pairs).items()
    ]
    return join_query(base, zip((name for name, _ in pairs), values, strict=True))


def _restore(
    value: str,
    slot: object,
    known: Sequence[OwnMcp],
    url: str,
    at: str,
    slots_of: Callable[[OwnMcp], Mapping[Any, str]],
) -> str:
    """`value`, or what it stands for if it is a mask."""
    if not is_mask(value):
        return value
    found = [
        (one, secret)
        for one in known
        if (secret := slots_of(one).get(slot)) is not None and is_mask_of(value, secret)
    ]
    if not found:
        raise BadRequestError(
            f"{at} holds a mask, as responses show it, and not the mask of the value stored there",
            field=at,
            hint="Send the value itself.",
        )
    here = [secret for one, secret in found if one.url and origin(one.url) == origin(url)]
    if not here:
        raise BadRequestError(
            f"{at} stands for a value stored for another server, and is not sent to one it was not "
            "given for",
            field=at,
            hint=f"Send {at} again for the new server.",
        )
    return here[0]


def _headers_of(one: OwnMcp) -> dict[str, str]:
    return {name.lower(): value for name, value in (one.headers or {}).items()}


def _query_of(one: OwnMcp) -> Mapping[Any, str]:
    return number(read_query(split_query(one.url or "")[1]))


# The store --------------------------------------------------------------------------------------


class McpSafe:
    """Where the secrets of MCP servers are sealed and opened."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def seal(self, agent_id: str, servers: Sequence[OwnMcp]) -> tuple[Plain, str | None]:
        """Servers for the store: what may be read, and the rest sealed."""
        plain: Plain = []
        secret: Plain = []
        for one in servers:
            base, query = split_query(one.url or "")
            plain.append(
                {
                    "name": one.name,
                    "url": base or None,
                    "command": one.command,
                    "tools": list(one.tools),
                    "timeoutSeconds": one.timeout_s,
                }
            )
            secret.append({"query": query, "headers": one.headers and dict(one.headers)})
        if not servers:
            return [], None
        return plain, self._secrets.seal(json.dumps(secret), _at(agent_id))

    def open(self, agent_id: str, plain: Plain, sealed: str | None) -> list[OwnMcp]:
        """Servers out of the store. Raises InstallationError."""
        if not plain or sealed is None:
            return []
        secret = json.loads(self._secrets.open(sealed, _at(agent_id)))
        return list(_join(plain, secret))


def _join(plain: Plain, secret: Plain) -> Iterator[OwnMcp]:
    for one, hidden in zip(plain, secret, strict=True):
        url, query = one["url"], hidden["query"]
        yield OwnMcp(
            name=one["name"],
            url=f"{url}?{query}" if query else url,
            command=one["command"],
            headers=hidden["headers"],
            tools=tuple(one["tools"]),
            timeout_s=one["timeoutSeconds"],
        )


def _at(agent_id: str) -> str:
    return f"agents:mcp_servers:{agent_id}"
