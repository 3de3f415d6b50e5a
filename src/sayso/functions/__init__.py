"""What an agent's LLM may do: by calling an HTTP endpoint of the owner's, or whatever else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from sayso.llm import Tool, ToolCall


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one call.

    Attributes:
        ok: whether it did what was asked.
        text: what the LLM is told, bounded and without secrets.
        ms: how long it took, in milliseconds.
        finding: why it failed, as a stable code; "" if it did not.
        farewell: what is said to the caller next, after which the conversation ends and the LLM
            is not asked again; "" if enough has been said. None where the conversation goes on.
        transfers_to: to whom the caller is handed on once that was said; "" for nobody.
    """

    ok: bool
    text: str
    ms: float = 0.0
    finding: str = ""
    farewell: str | None = None
    transfers_to: str = ""


class Toolbox(Protocol):
    """What an LLM may call in one conversation."""

    @property
    def tools(self) -> Sequence[Tool]:
        """What the LLM is offered."""
        ...

    async def call(self, call: ToolCall) -> Outcome:
        """Carry out one call, within its own deadline; never raises, whatever it does."""
        ...


Arrival: TypeAlias = Callable[[], Awaitable[None]]
"""Returns once no tool is on its way any more: each is there, or will not come for now."""


def refuse_unknown(tools: Sequence[Tool]) -> Outcome:
    """What comes of a call of something that is not among `tools`."""
    known = ", ".join(tool.name for tool in tools) or "none"
    return Outcome(
        ok=False,
        text=f"There is no such function. You have: {known}.",
        finding="function.unknown",
    )


@dataclass(frozen=True, slots=True)
class _Empty:
    """Nothing to offer."""

    tools: tuple[Tool, ...] = ()

    async def call(self, call: ToolCall) -> Outcome:  # noqa: ARG002 - the signature is Toolbox's
        return refuse_unknown(())


NO_TOOLS: Final[Toolbox] = _Empty()
