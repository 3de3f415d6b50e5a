"""The tools of an agent's MCP servers as its LLM is offered them. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from sayso.functions.mcp import McpServer, ServerTool
from sayso.functions.naming import make_names
from sayso.llm import Tool

MAX_SCHEMA_CHARS: Final = 20_000
"""Of one tool's parameters; an LLM reads them with each question."""
MAX_DESCRIPTION_CHARS: Final = 1024
"""OpenAI refuses longer ones."""
_LEFT_OUT: Final = frozenset({"$schema", "$id"})
"""Keys that say nothing to an LLM, and that some servers refuse."""

Place: TypeAlias = tuple[str, str]
"""A tool by the names of its server and its own."""


def name_tools(servers: Sequence[McpServer]) -> dict[Place, str]:
    """A name for each allowed tool that every LLM takes; with its server's where two clash.

    It needs no connection, so that a server that comes late renames nothing.
    """
    places = list(dict.fromkeys((one.name, tool) for one in servers for tool in one.tools))
    plain = Counter(tool.lower() for _, tool in places)
    wanted = [tool if plain[tool.lower()] == 1 else f"{name}_{tool}" for name, tool in places]
    return dict(zip(places, make_names(wanted, "tool"), strict=True))


def is_fit(tool: ServerTool) -> bool:
    """Whether an LLM can be offered `tool`."""
    parameters = tool.parameters
    return (
        parameters.get("type", "object") == "object"
        and isinstance(parameters.get("properties", {}), Mapping)
        and len(json.dumps(parameters)) <= MAX_SCHEMA_CHARS
    )


def make_tool(name: str, tool: ServerTool) -> Tool:
    """`tool` as an LLM is offered it."""
    described = " ".join(tool.description.split())[:MAX_DESCRIPTION_CHARS]
    return Tool(
        name=name,
        description=described or tool.name,
        parameters=make_schema(tool.parameters),
        confirm=tool.destructive and not tool.safe,
        safe=tool.safe,
    )


def make_schema(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A tool's parameters as LLMs take them: always an object with properties."""
    kept = {name: value for name, value in parameters.items() if name not in _LEFT_OUT}
    return {**kept, "type": "object", "properties": dict(kept.get("properties", {}))}
