"""What an LLM may do in a conversation, as the conversation sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from sayso.llm import Tool, ToolCall


class Outcome(Protocol):
    """What came of one call."""

    @property
    def ok(self) -> bool:
        """Whether it did what was asked."""
        ...

    @property
    def text(self) -> str:
        """What the LLM is told."""
        ...

    @property
    def ms(self) -> float:
        """How long it took, in milliseconds."""
        ...

    @property
    def finding(self) -> str:
        """Why it failed, as a code; "" if it did not."""
        ...


class Toolbox(Protocol):
    """What an LLM may do in one conversation."""

    @property
    def tools(self) -> Sequence[Tool]:
        """What it is offered."""
        ...

    async def call(self, call: ToolCall) -> Outcome:
        """Carry out one call of a tool, within its own deadline; never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Said:
    """An outcome of ours: nothing was carried out."""

    ok: bool
    text: str
    ms: float = 0.0
    finding: str = ""


@dataclass(frozen=True, slots=True)
class _Empty:
    """Nothing to offer."""

    tools: tuple[Tool, ...] = ()

    async def call(self, call: ToolCall) -> Outcome:
        return Said(ok=False, text=f"There is no function {call.name}.", finding="call.unknown")


NO_TOOLS: Final[Toolbox] = _Empty()
