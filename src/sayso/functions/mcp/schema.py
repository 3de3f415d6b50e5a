"""The fields of an agent's MCP servers by REST; all of them extend the contract."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from sayso.bodies import EXTENSION, HEADER_NAME, HEADER_VALUE, Body, View
from sayso.security.masks import HARMLESS, MASK

MAX_SERVERS = 8
MAX_SERVER_TOOLS = 64
MAX_TOOL_NAME_CHARS = 200
MAX_URL_CHARS = 2048
MAX_HEADERS = 50
MAX_HEADER_NAME_CHARS = 200
MAX_HEADER_CHARS = 8192
MAX_COMMAND_CHARS = 100
SHORTEST_TIMEOUT_S, LONGEST_TIMEOUT_S = 0.5, 30.0
"""How long a call may take: a caller who waits longer has hung up."""
SERVER_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}"
_CLOSED: dict[str, JsonValue] = {
    **EXTENSION,
    "additionalProperties": False,
    "oneOf": [
        {
            "required": ["url"],
            "properties": {
                "url": {"type": "string", "format": "uri"},
                "command": {"type": "null"},
            },
        },
        {
            "required": ["command"],
            "properties": {
                "command": {"type": "string"},
                "url": {"type": "null"},
                "headers": {"type": ["object", "null"], "maxProperties": 0},
            },
        },
    ],
}


def _check_url(text: str) -> str:
    """Refuse what is not an http(s) URL, and what would be read differently by another parser."""
    url = text.strip()
    if re.search(r"[\s\\\x00-\x1f\x7f]", url):
        raise PydanticCustomError("url", "must be a URL without spaces or backslashes")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise PydanticCustomError("url", "is not a valid URL") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise PydanticCustomError("url", "must be a full URL that begins with https:// or http://")
    if "@" in parts.netloc:
        raise PydanticCustomError(
            "url", "must not carry a user name or password; use the header Authorization"
        )
    if parts.fragment:
        raise PydanticCustomError("url", "must not have a part after #")
    return url.removesuffix("#")


def _check_headers(headers: dict[str, str] | None) -> dict[str, str] | None:
    for name, value in (headers or {}).items():
        if not re.fullmatch(HEADER_NAME, name):
            raise PydanticCustomError("headers", "has a name that is not a valid header name")
        # A mask goes by: the stored value is put in its place.
        if not re.fullmatch(f"[{MASK[0]} -~]*", value):
            raise PydanticCustomError(
                "headers", "has a value with line breaks or characters outside ASCII"
            )
    return headers


McpUrl = Annotated[
    str,
    AfterValidator(_check_url),
    Field(max_length=MAX_URL_CHARS, json_schema_extra={"format": "uri"}),
]
Headers = Annotated[
    dict[
        Annotated[str, Field(max_length=MAX_HEADER_NAME_CHARS)],
        Annotated[str, Field(max_length=MAX_HEADER_CHARS)],
    ],
    Field(
        max_length=MAX_HEADERS,
        json_schema_extra={
            "propertyNames": {"pattern": f"^{HEADER_NAME}$", "maxLength": MAX_HEADER_NAME_CHARS},
            "additionalProperties": {
                "type": "string",
                "maxLength": MAX_HEADER_CHARS,
                "pattern": f"^{HEADER_VALUE}$",
            },
        },
    ),
    AfterValidator(_check_headers),
]


class _Server(Body):
    """Where an MCP server is."""

    closed = True

    name: Annotated[
        str,
        Field(
            pattern=f"^{SERVER_NAME}$",
            description="Yours to choose. It stands before a tool's name where two servers have "
            "one of the same name.",
        ),
    ]
    url: McpUrl | None = Field(
        default=None,
        description="Its streamable HTTP endpoint. Values in its query are sealed, shown and kept "
        "as headers are.",
        examples=["https://mcp.example.com/mcp"],
    )
    command: Annotated[str, Field(min_length=1, max_length=MAX_COMMAND_CHARS)] | None = Field(
        default=None,
        description="Instead of `url`: one of the names in the operator's `SAYSO_MCP_COMMANDS`.",
    )
    headers: Headers | None = Field(
        default=None,
        description="Sent with each request to `url`. A value may hold `{{variables}}`; with "
        "`{{conversationId}}` in one, each conversation has a connection of its own. Sealed at "
        "rest and shown as masks, except a value of nothing but variables, and those named "
        + ", ".join(f"`{name}`" for name in sorted(HARMLESS))
        + ". On PATCH, a mask keeps the stored value of that name, on the same server.",
    )
    tools: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=MAX_TOOL_NAME_CHARS)]],
        Field(max_length=MAX_SERVER_TOOLS),
    ] = Field(
        default=[],
        description="The server's tools that the LLM may call, one by one; none listed, none "
        "offered.",
    )
    timeout_seconds: Annotated[float, Field(ge=SHORTEST_TIMEOUT_S, le=LONGEST_TIMEOUT_S)] | None = (
        Field(default=None, description="How long a call may take; null is 10.")
    )

    @model_validator(mode="after")
    def _one_place(self) -> _Server:
        if (self.url is None) == (self.command is None):
            raise PydanticCustomError("mcp_server", "must have either url or command")
        if self.command is not None and self.headers:
            raise PydanticCustomError("mcp_server", "can have headers only with url")
        return self


class McpServerBody(_Server):
    """One MCP server of an agent."""

    model_config = ConfigDict(json_schema_extra=_CLOSED)


class NewMcpCheck(_Server):
    """The body of `POST /api/v1/mcp-checks`: a server to be tried, which nothing is saved of."""

    model_config = ConfigDict(json_schema_extra=_CLOSED)

    name: Annotated[str, Field(pattern=f"^{SERVER_NAME}$")] = "server"
    agent_id: str | None = Field(
        default=None, description="An agent of yours whose stored values masks stand for."
    )


def _check_names(servers: list[McpServerBody] | None) -> list[McpServerBody]:
    names = [one.name.lower() for one in servers or []]
    if len(names) != len(set(names)):
        raise PydanticCustomError("mcp_servers", "has two servers of one name")
    return servers or []


McpServers = Annotated[
    Annotated[list[McpServerBody], Field(max_length=MAX_SERVERS)] | None,
    AfterValidator(_check_names),
]


# What is answered -------------------------------------------------------------------------


class McpServerView(View):
    """One MCP server as it is answered, its secrets masked."""

    name: str
    url: str | None = None
    command: str | None = None
    headers: dict[str, str] | None = None
    tools: list[str] = Field(default=[])
    timeout_seconds: float | None = None


class McpToolView(View):
    """One tool of a server, for people who choose."""

    name: str
    description: str
    parameters: dict[str, Any] = Field(description="A JSON schema of what it takes.")
    read_only: bool = Field(description="The server says that it changes nothing.")
    destructive: bool = Field(
        description="The server says that it may destroy something: the caller is asked first."
    )


class McpFindingView(View):
    """One thing the check of a server found."""

    code: str
    message: str
    fix: str
    severity: Literal["error", "warning"]
    evidence: str = ""
    field: str | None = None


class McpCheckView(View):
    """What a check of an MCP server found."""

    ok: bool
    server: str = Field(description="What it calls itself.")
    version: str
    protocol: str = Field(description="The protocol's version that is spoken.")
    ms: float = Field(description="How long connecting took, until its tools were known.")
    tools: list[McpToolView]
    findings: list[McpFindingView]
