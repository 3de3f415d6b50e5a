"""Several toolboxes as one, no two tools of one name. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sayso.functions import Outcome, Toolbox, refuse_unknown
from sayso.functions.naming import MAX_TOOL_NAME_CHARS
from sayso.llm import Tool, ToolCall

MAX_TOOLS: Final = 128
"""So many an LLM is offered at most: OpenAI refuses more."""


class Toolboxes:
    """Toolboxes as one; the first of them have their names, and a name once given stays.

    What a toolbox offers may change while a conversation lasts: a tool that comes late renames
    none that an LLM has seen.
    """

    def __init__(self, boxes: Sequence[Toolbox]) -> None:
        self._boxes = boxes
        self._names: dict[tuple[int, str], str] = {}
        self._places: dict[str, tuple[int, str]] = {}

    @property
    def tools(self) -> Sequence[Tool]:
        """What the LLM is offered now, the first MAX_TOOLS of all."""
        return [
            replace(tool, name=self._name(n, tool.name))
            for n, box in enumerate(self._boxes)
            for tool in box.tools
        ][:MAX_TOOLS]

    async def call(self, call: ToolCall) -> Outcome:
        """Carry out one call; never raises, whatever it does."""
        place = self._places.get(call.name.lower())
        if place is None:
            return refuse_unknown(self.tools)
        n, name = place
        return await self._boxes[n].call(replace(call, name=name))

    def _name(self, n: int, name: str) -> str:
        """What the tool `name` of box `n` is called here."""
        known = self._names.get((n, name))
        if known is None:
            known = self._make_unique(name)
            self._names[n, name] = known
            self._places[known.lower()] = (n, name)
        return known

    def _make_unique(self, name: str) -> str:
        unique, count = name, 1
        while unique.lower() in self._places:
            count += 1
            end = f"_{count}"
            unique = name[: MAX_TOOL_NAME_CHARS - len(end)] + end
        return unique


def join(boxes: Sequence[Toolbox]) -> Toolbox:
    """`boxes` as one; a single one is left as it is."""
    return boxes[0] if len(boxes) == 1 else Toolboxes(boxes)
