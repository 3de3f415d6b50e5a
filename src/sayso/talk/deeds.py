"""What was done in a conversation, as LLMs are told it and as stores and records keep it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sayso.llm import Message, Tool, ToolCall
from sayso.llm.arguments import ArgumentsError, dump, read_arguments, redact
from sayso.talk.history import Deed, Line


def as_messages(lines: Sequence[Line]) -> list[Message]:
    """`lines` as an LLM is told them: what was done for a reply comes before its words."""
    messages: list[Message] = []
    for line in lines:
        for nth in sorted({deed.nth for deed in line.deeds}):
            deeds = [deed for deed in line.deeds if deed.nth == nth]
            calls = tuple(ToolCall(deed.id, deed.name, deed.arguments) for deed in deeds)
            messages.append(Message("assistant", "", calls))
            messages += [Message("tool", deed.result, call_id=deed.id) for deed in deeds]
        if line.content:
            messages.append(Message(line.role, line.content))
    return messages


def dump_deeds(deeds: Sequence[Deed]) -> list[dict[str, object]]:
    """`deeds` as a store keeps them."""
    return [
        {"id": d.id, "name": d.name, "arguments": d.arguments, "result": d.result, "nth": d.nth}
        for d in deeds
    ]


def read_deeds(stored: Sequence[Any] | None) -> tuple[Deed, ...]:
    """Deeds as `dump_deeds` wrote them."""
    return tuple(
        Deed(
            str(one.get("id")),
            str(one.get("name")),
            str(one.get("arguments", "{}")),
            str(one.get("result", "")),
            int(one.get("nth", 0)),
        )
        for one in stored or ()
        if isinstance(one, dict)
    )


def show_arguments(call: ToolCall, tool: Tool | None) -> str:
    """A call's arguments, as records may show them."""
    try:
        arguments = read_arguments(call.arguments)
    except ArgumentsError:
        # Nobody knows which part of it is secret.
        return "…" if tool is not None and tool.secret else call.arguments
    return dump(redact(arguments, tool.secret if tool is not None else ()))
