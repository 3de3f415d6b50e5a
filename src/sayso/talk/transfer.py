"""To whom an agent may hand its caller on, and what its LLM is told of that. Pure.

The LLM knows names; numbers go from the agent's owner to the line, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sayso.llm import Tool

MAX_TRANSFERS: Final = 10
"""So often the LLM may try in one conversation: where nobody answers, it could go on for ever."""

CONNECTED: Final = (
    "The caller is told so now, and is then connected; you are out of the conversation. If the "
    "caller speaks meanwhile, or another function has just failed, nobody was connected: answer, "
    "and call this again if the caller still wants it. If the transfer fails, you are told."
)
TOO_MANY: Final = (
    "Nothing was done: it was tried as often as it may be in one conversation. Tell the caller "
    "that nobody can be reached now, and help them yourself."
)


@dataclass(frozen=True, slots=True)
class Destination:
    """Somebody a caller may be handed on to.

    Attributes:
        name: what the LLM calls them.
        phone_number: an E.164 number, or a SIP address; only the line is told.
        when: when the LLM is to do it.
        message: what the caller is told before; "" for the usual sentence.
    """

    name: str
    phone_number: str = field(repr=False)
    when: str
    message: str = ""


def make_tool(destinations: Sequence[Destination]) -> Tool:
    """What the LLM is offered."""
    listed = "\n".join(f"- {one.name}: {one.when}" for one in destinations)
    names = [one.name for one in destinations]
    return Tool(
        "transfer",
        "Connects the caller to somebody else, and ends your part of the call. Call it as soon as "
        "it is clear who they want or need. Do not announce it yourself: that is said for you. "
        f"Whom, and when:\n{listed}",
        {
            "type": "object",
            "properties": {
                "destination": {
                    "type": "string",
                    "enum": names,
                    "description": "who the caller is connected to",
                }
            },
            "required": ["destination"],
        },
        safe=True,
    )


def tell_failure(destination: Destination, reason: str) -> str:
    """What the LLM is told when the caller could not be connected; `reason` is the client's."""
    why = reason.replace(destination.phone_number, destination.name).rstrip(".")
    return (
        f"The transfer to {destination.name} failed{f': {why}' if why else ''}. The caller is "
        "still on the line. Tell them, and go on with them."
    )
