from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from endpoints import running_endpoint
from sayso.functions import Toolbox
from sayso.functions.call import HttpCalls
from sayso.functions.definition import Function, Kind, Parameter, Position
from sayso.functions.tools import FunctionTools, make_tool
from sayso.llm import ToolCall

BOOK = Function(
    "f1",
    "Book a table",
    "Books a  table",
    "https://a.example/{day}",
    "POST",
    (
        Parameter("day", position=Position.URL, description="Which day."),
        Parameter("guests", Kind.NUMBER),
        Parameter("outside", Kind.BOOLEAN, required=False),
        Parameter("room size", Kind.ENUM, choices=("small", "large")),
        Parameter("pin"),
        Parameter("Authorization", position=Position.HEADER, static="sk-123456"),
    ),
    timeout_s=5,
    filler="One moment.",
    confirm=True,
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def calls() -> AsyncGenerator[HttpCalls]:
    calls = HttpCalls(private=True)
    await calls.open()
    yield calls
    await calls.close()


def test_a_function_is_a_tool_without_its_secrets() -> None:
    tool = make_tool("Book_a_table", BOOK)
    assert tool.description == "Books a table"
    assert tool.parameters == {
        "type": "object",
        "properties": {
            "day": {"type": "string", "description": "Which day."},
            "guests": {"type": "number"},
            "outside": {"type": "boolean"},
            "room_size": {
                "type": "string",
                "enum": ["small", "large"],
                "description": "room size",
            },
            "pin": {"type": "string"},
        },
        "required": ["day", "guests", "room_size", "pin"],
    }
    assert "sk-123456" not in repr(tool)


def test_how_its_calls_are_treated() -> None:
    tool = make_tool("Book_a_table", BOOK)
    assert (tool.confirm, tool.safe, tool.secret, tool.filler) == (
        True,
        False,
        ("pin",),
        "One moment.",
    )
    assert make_tool("n", Function("f", "n", "d", "https://a.example")).safe


async def test_a_toolbox_calls_what_is_meant(calls: HttpCalls) -> None:
    async with running_endpoint() as endpoint:
        who = Parameter("who", static="{{callerId}}")
        functions = [
            Function("a", "Look up", "d", f"{endpoint.url}/one", parameters=(who,)),
            Function("b", "look-up!", "d", f"{endpoint.url}/two"),
            Function("c", "look_up", "d", f"{endpoint.url}/three"),
        ]
        box = FunctionTools(functions, calls, {"callerId": "anna"})
        toolbox: Toolbox = box
        assert [tool.name for tool in toolbox.tools] == ["Look_up", "look-up", "look_up_2"]
        for name in ("Look_up", "LOOK-UP", "look up", "look_up_2"):
            assert (await box.call(ToolCall("1", name, ""))).ok
        asked = [(one.path, one.query) for one in endpoint.asked]
        assert asked == [
            ("/one", [("who", "anna")]),
            ("/two", []),
            ("/one", [("who", "anna")]),
            ("/three", []),
        ]


async def test_what_is_not_there_is_said(calls: HttpCalls) -> None:
    box = FunctionTools([BOOK], calls)
    outcome = await box.call(ToolCall("1", "launch", "{}"))
    assert (outcome.ok, outcome.finding) == (False, "function.unknown")
    assert outcome.text == "There is no such function. You have: Book_a_table."
    none = await FunctionTools([], calls).call(ToolCall("1", "launch", "{}"))
    assert none.text == "There is no such function. You have: none."


def test_what_a_caller_said_is_not_in_a_repr() -> None:
    assert "4711" not in repr(ToolCall("1", "pay", '{"pin": "4711"}'))
