"""External functions: what an agent's LLM may do by calling an HTTP endpoint of the owner's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sayso.llm import Tool, ToolCall


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one call.

    Attributes:
        ok: whether it did what was asked.
        text: what the LLM is told, bounded and without secrets.
        ms: how long it took, in milliseconds.
        finding: why it failed, as a stable code; "" if it did not.
    """

    ok: bool
    text: str
    ms: float
    finding: str = ""


class Toolbox(Protocol):
    """What an LLM may call in one conversation."""

    @property
    def tools(self) -> Sequence[Tool]:
        """What the LLM is offered."""
        ...

    async def call(self, call: ToolCall) -> Outcome:
        """Carry out one call; never raises, whatever it does."""
        ...
