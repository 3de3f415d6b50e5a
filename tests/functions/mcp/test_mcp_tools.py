"""Calling tools of a real MCP server: by HTTP in both ways of the protocol, and by pipes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator

import pytest
from structlog.testing import capture_logs

from mcp_world import PIPE, make_server, open_pool, running_server
from sayso.functions import Outcome
from sayso.functions.mcp import McpServer
from sayso.functions.mcp.pool import McpPool
from sayso.functions.mcp.results import CUT_NOTE, MAX_COMPLAINT_CHARS
from sayso.functions.mcp.tools import McpTools
from sayso.llm import ToolCall

SESAME = "sesame-canary-0123"
WAYS = ["newer", "older", "json", "pipe"]
FLAGS = {"newer": (), "older": ("--legacy",), "json": ("--json",)}


@pytest.fixture(scope="module", params=WAYS)
def server(request: pytest.FixtureRequest) -> Iterator[McpServer]:
    if request.param == "pipe":
        yield make_server(command="parrot")
        return
    with running_server(*FLAGS[request.param]) as url:
        yield make_server(url, headers={"X-Key": SESAME})


@pytest.fixture
async def pool() -> AsyncGenerator[McpPool]:
    async with open_pool(commands={"parrot": PIPE}) as pool:
        yield pool


@pytest.fixture
async def box(pool: McpPool, server: McpServer) -> McpTools:
    box = McpTools(pool, "agent-1", [server])
    await pool.fetch("agent-1", server)
    return box


async def call(box: McpTools, tool: str, **arguments: object) -> Outcome:
    return await box.call(ToolCall("1", tool, json.dumps(arguments)))


def names(box: McpTools) -> set[str]:
    return {tool.name for tool in box.tools}


async def test_tools_are_offered_and_carried_out(box: McpTools, server: McpServer) -> None:
    assert {"add", "echo", "picture"} <= names(box)
    (add,) = (tool for tool in box.tools if tool.name == "add")
    assert (add.description, add.safe, add.parameters["required"]) == (
        "Add two numbers.",
        True,
        ["a", "b"],
    )
    (wipe,) = (tool for tool in box.tools if tool.name == "wipe")
    assert wipe.confirm
    outcome = await call(box, "add", a=2, b=3)
    assert (outcome.ok, outcome.text, outcome.finding) == (True, "5", "")
    assert outcome.ms > 0
    assert (await call(box, "weather", city="Graz")).text == '{"city":"Graz","celsius":21}'
    assert (await call(box, "picture")).text == "[a picture (image/png), left out]"


async def test_failures_are_told(box: McpTools) -> None:
    closed = await call(box, "fail")
    assert (closed.ok, closed.finding) == (False, "mcp.error")
    assert closed.text.startswith("The call failed: the tool reports an error. It said: ")
    assert "the shop is closed" in closed.text
    ramble = await call(box, "complain", chars=20_000)
    assert (ramble.ok, ramble.finding) == (False, "mcp.error")
    assert len(ramble.text) <= MAX_COMPLAINT_CHARS + 60
    bad = await call(box, "add", a="x")
    assert (bad.ok, bad.finding) == (False, "mcp.error")
    damaged = await box.call(ToolCall("1", "add", "[1"))
    assert (damaged.ok, damaged.finding) == (False, "arguments.bad")
    assert (await call(box, "echo", text="still here")).text == "still here"


async def test_what_is_not_allowed_is_not_called(pool: McpPool, server: McpServer) -> None:
    only = McpServer("p", server.url, server.command, server.headers, ("echo", "nope"), 5.0)
    await pool.fetch("agent-1", only)
    box = McpTools(pool, "agent-1", [only])
    assert names(box) == {"echo"}
    outcome = await call(box, "wipe")
    assert (outcome.ok, outcome.finding) == (False, "function.unknown")
    assert "You have: echo." in outcome.text
    assert (await call(box, "nope")).finding == "mcp.tool_missing"


async def test_calls_run_side_by_side(box: McpTools) -> None:
    told = await asyncio.gather(*(call(box, "add", a=n, b=n) for n in range(8)))
    assert [one.text for one in told] == [str(2 * n) for n in range(8)]


async def test_who_does_not_answer_is_given_up(pool: McpPool, server: McpServer) -> None:
    hasty = McpServer("p", server.url, server.command, server.headers, ("hang", "echo"), 0.5)
    await pool.fetch("agent-1", hasty)
    box = McpTools(pool, "agent-1", [hasty])
    outcome = await call(box, "hang")
    assert (outcome.ok, outcome.finding) == (False, "timeout")
    assert (await call(box, "echo", text="next")).ok


async def test_a_call_that_is_given_up_leaves_nothing(box: McpTools) -> None:
    waiting = asyncio.create_task(call(box, "hang"))
    await call(box, "echo", text="behind it")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (await call(box, "echo", text="on")).ok


async def test_long_answers_are_cut_and_huge_ones_refused(box: McpTools) -> None:
    assert (await call(box, "huge", chars=20_000)).text.endswith(CUT_NOTE)
    outcome = await call(box, "huge", chars=3_000_000)
    assert (outcome.ok, outcome.finding) == (False, "answer.large")
    assert (await call(box, "echo", text="after it")).ok


async def test_a_tool_that_comes_later_is_offered_later(box: McpTools) -> None:
    assert (await call(box, "grow")).ok
    async with asyncio.timeout(10):
        while "late" not in names(box):  # noqa: ASYNC110 - another process tells
            await asyncio.sleep(0.01)
    assert (await call(box, "late")).text == "here I am"


async def test_no_secret_is_told_or_logged(box: McpTools, server: McpServer) -> None:
    if server.command:
        seen = (await call(box, "show_environment")).text
        assert "PATH" in seen
        assert "SAYSO" not in seen
        return
    with capture_logs() as lines:
        outcome = await call(box, "show_header", name="x-key")
    assert outcome.text == "[secret]"
    assert SESAME not in repr((outcome, lines, server, box.tools))
