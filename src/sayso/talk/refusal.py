"""Why a function that an LLM calls is not carried out, as the LLM is told it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sayso.functions import Outcome
from sayso.llm import Tool, ToolCall
from sayso.llm.arguments import ArgumentsError, canonical, read_arguments
from sayso.llm.written import UNREADABLE

MAX_CALLS_AT_ONCE: Final = 8
"""Calls of one round that are carried out; the LLM is told that the rest was too many."""

ASK_FIRST: Final = (
    "Nothing was done yet. Say to the caller what exactly you are about to do, and ask whether "
    "they agree. Once they have agreed, call the same function with the same arguments again."
)
TOO_MANY: Final = (
    f"Nothing was done: only {MAX_CALLS_AT_ONCE} functions can be called at once. Call it again."
)
UNREAD: Final = (
    "Nothing was done: what you wrote to call a function could not be read. Write the function's "
    "name, and its arguments as one JSON object."
)
DAMAGED: Final = (
    "The arguments were not a JSON object, so nothing was done. Call again with arguments that are "
    "one JSON object."
)


def find_tool(tools: Sequence[Tool], name: str) -> Tool | None:
    """The tool an LLM means, in whatever case it writes its name."""
    exact = (tool for tool in tools if tool.name == name)
    alike = (tool for tool in tools if tool.name.casefold() == name.strip().casefold())
    return next(exact, None) or next(alike, None)


def refuse(
    call: ToolCall, place: int, tools: Sequence[Tool], agreed: Callable[[str], bool]
) -> Outcome | None:
    """Why `call` is not carried out; None if it is.

    Args:
        call: a call, by the name of its tool.
        place: how many the LLM has written before it in the same round.
        tools: what may be called.
        agreed: whether the caller has agreed to what a key stands for; asked where it matters.
    """
    if place >= MAX_CALLS_AT_ONCE:
        return Outcome(ok=False, text=TOO_MANY, finding="call.too_many")
    if call.name == UNREADABLE:
        return Outcome(ok=False, text=UNREAD, finding="call.unreadable")
    if (tool := find_tool(tools, call.name)) is None:
        names = ", ".join(known.name for known in tools)
        text = f"There is no function {call.name!r}. You have: {names}."
        return Outcome(ok=False, text=text, finding="call.unknown")
    try:
        read_arguments(call.arguments)
    except ArgumentsError as error:
        text = DAMAGED if tool.secret else str(error)  # which quotes them
        return Outcome(ok=False, text=text, finding="call.damaged")
    if tool.confirm and not agreed(f"{tool.name}({canonical(call.arguments)})"):
        return Outcome(ok=False, text=ASK_FIRST, finding="call.unconfirmed")
    return None
