"""Several toolboxes as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from sayso.functions import Outcome
from sayso.functions.naming import MAX_TOOL_NAME_CHARS
from sayso.functions.toolboxes import MAX_TOOLS, Toolboxes, join
from sayso.llm import Tool, ToolCall


@dataclass
class Box:
    names: list[str]
    called: list[str] = field(default_factory=list)

    @property
    def tools(self) -> Sequence[Tool]:
        return [Tool(name) for name in self.names]

    async def call(self, call: ToolCall) -> Outcome:
        self.called.append(call.name)
        return Outcome(ok=True, text=f"{call.name}: {call.arguments}", ms=1.0)


def names(box: Toolboxes) -> list[str]:
    return [tool.name for tool in box.tools]


async def test_a_call_goes_to_its_box_under_its_own_name() -> None:
    one, two = Box(["a", "b"]), Box(["B", "c"])
    both = Toolboxes([one, two])
    assert names(both) == ["a", "b", "B_2", "c"]
    outcome = await both.call(ToolCall("1", "B_2", '{"x": 1}'))
    assert outcome.text == 'B: {"x": 1}'
    await both.call(ToolCall("2", "A"))
    assert (one.called, two.called) == (["a"], ["B"])


async def test_what_is_not_there_is_said_with_what_is() -> None:
    both = Toolboxes([Box(["a"]), Box([])])
    outcome = await both.call(ToolCall("1", "z"))
    assert (outcome.ok, outcome.finding) == (False, "function.unknown")
    assert outcome.text == "There is no such function. You have: a."
    assert "You have: none." in (await Toolboxes([]).call(ToolCall("1", "z"))).text


async def test_a_tool_that_comes_late_renames_none() -> None:
    one, two = Box([]), Box(["time"])
    both = Toolboxes([one, two])
    assert names(both) == ["time"]
    one.names.append("time")
    assert names(both) == ["time_2", "time"]
    await both.call(ToolCall("1", "time"))
    assert two.called == ["time"]


def test_one_box_is_left_as_it_is() -> None:
    box = Box(["a"])
    assert join([box]) is box
    assert [tool.name for tool in join([box, Box(["b"])]).tools] == ["a", "b"]


@given(st.lists(st.lists(st.text("ab", min_size=60, max_size=64), unique=True), max_size=5))
def test_names_differ_and_fit(given_: list[list[str]]) -> None:
    boxes = [Box(list(dict.fromkeys(one))) for one in given_]
    found = names(Toolboxes(boxes))
    assert len({one.lower() for one in found}) == len(found) <= MAX_TOOLS
    assert all(len(one) <= MAX_TOOL_NAME_CHARS for one in found)
