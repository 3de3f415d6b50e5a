"""Several toolboxes as one: names are unique and stay, calls find their way."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from sayso.functions import NO_TOOLS, Outcome
from sayso.functions.naming import MAX_TOOL_NAME_CHARS
from sayso.functions.toolboxes import MAX_TOOLS, join
from sayso.llm import Tool, ToolCall


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Box:
    names: list[str]
    called: list[str] = field(default_factory=list)

    @property
    def tools(self) -> list[Tool]:
        return [Tool(name, "d", confirm=True) for name in self.names]

    async def call(self, call: ToolCall) -> Outcome:
        self.called.append(call.name)
        return Outcome(ok=True, text=call.name)


async def test_two_of_a_name_are_told_apart_and_each_is_called_by_its_own() -> None:
    shop, page = Box(["open", "book"]), Box(["Open", "close"])
    both = join([shop, page])
    assert [tool.name for tool in both.tools] == ["open", "book", "Open_2", "close"]
    assert all(tool.confirm for tool in both.tools)
    for name in ("open", "OPEN_2", "close"):
        assert (await both.call(ToolCall("1", name))).ok
    assert (shop.called, page.called) == (["open"], ["Open", "close"])


async def test_what_comes_late_renames_nothing() -> None:
    late, page = Box([]), Box(["open"])
    both = join([late, page])
    assert [tool.name for tool in both.tools] == ["open"]
    late.names = ["open"]
    assert [tool.name for tool in both.tools] == ["open_2", "open"]
    await both.call(ToolCall("1", "open_2"))
    assert late.called == ["open"]


async def test_what_nobody_has_is_said() -> None:
    outcome = await join([Box(["a"]), NO_TOOLS]).call(ToolCall("1", "b"))
    assert (outcome.ok, outcome.finding) == (False, "function.unknown")
    assert outcome.text == "There is no such function. You have: a."
    assert (await NO_TOOLS.call(ToolCall("1", "b"))).text.endswith("You have: none.")


def test_one_alone_stays_as_it_is_and_many_are_bounded() -> None:
    alone = Box(["a"])
    assert join([alone]) is alone
    many = join([Box([f"t{n}" for n in range(100)]), Box([f"t{n}" for n in range(100)])])
    assert len(many.tools) == MAX_TOOLS == len({tool.name for tool in many.tools})
    long = "x" * MAX_TOOL_NAME_CHARS
    assert [len(tool.name) for tool in join([Box([long]), Box([long])]).tools] == [64, 64]
