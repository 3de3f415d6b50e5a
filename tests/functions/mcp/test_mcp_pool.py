"""Connections to MCP servers: shared, kept for a while, made anew, and nothing left of them."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from structlog.testing import capture_logs

from mcp_world import PIPE, make_server, open_pool, running_server
from sayso.functions.mcp import pool as pool_module
from sayso.functions.mcp.findings import McpError
from sayso.functions.mcp.pool import KEPT_S, McpPool
from sayso.functions.mcp.tools import McpTools
from sayso.llm import ToolCall

NEVER = make_server("http://127.0.0.1:9/mcp")


async def call(box: McpTools, tool: str, **arguments: object) -> tuple[bool, str]:
    outcome = await box.call(ToolCall("1", tool, json.dumps(arguments)))
    return outcome.ok, outcome.finding


async def test_conversations_of_one_agent_share_a_connection() -> None:
    server = make_server(command="parrot", tools=("echo",))
    async with open_pool(commands={"parrot": PIPE}) as pool:
        first, second = await asyncio.gather(*(pool.fetch("a", server) for _ in range(2)))
        assert first is second
        assert await pool.fetch("a", replace(server, tools=("add",))) is first


async def test_headers_that_differ_part_conversations() -> None:
    with running_server() as url:
        async with open_pool() as pool:
            server = make_server(url, headers={"X-Call": "{{conversationId}}"})
            boxes = [McpTools(pool, "a", [server], {"conversationId": one}) for one in "12"]
            links = [await pool.fetch("a", one) for box in boxes for one in box._servers.values()]
            assert links[0] is not links[1]
            told = await boxes[1].call(ToolCall("1", "show_header", '{"name": "x-call"}'))
            assert told.text == "2"


async def test_what_nobody_uses_is_closed() -> None:
    with running_server() as url:
        async with open_pool() as pool:
            link = await pool.fetch("a", make_server(url))
            now_s = asyncio.get_running_loop().time()
            pool.drop_unused(now_s + KEPT_S - 1)
            assert link.alive
            pool.drop_unused(now_s + KEPT_S + 1)
            await asyncio.gather(*pool._closers)
            assert link.failure is not None
            assert await pool.fetch("a", make_server(url)) is not link


async def test_a_server_that_is_started_anew_is_used_again() -> None:
    with running_server("--legacy") as url:
        port = str(urlsplit(url).port)
        server = make_server(url, tools=("echo", "crash"))
        async with open_pool() as pool:
            await pool.fetch("a", server)
            box = McpTools(pool, "a", [server])
            assert await call(box, "crash") in {(False, "http.broken"), (False, "mcp.ended")}
            with running_server("--legacy", port):
                assert await call(box, "echo", text="again") == (True, "")


async def test_a_server_that_is_down_costs_one_line_and_is_left_alone() -> None:
    with capture_logs() as lines:
        async with open_pool() as pool:
            box = McpTools(pool, "a", [NEVER])
            assert list(box.tools) == []
            with pytest.raises(McpError):
                await pool.fetch("a", NEVER)
            for _ in range(20):
                assert list(box.tools) == []
                await asyncio.sleep(0)
            assert (await call(box, "add"))[1] == "connect.failed"
    told = [line["event"] for line in lines if line["log_level"] == "warning"]
    assert told == ["mcp_server_unusable"]


async def test_who_waits_for_tools_has_them_or_knows_that_there_are_none() -> None:
    here, gone = (
        make_server(command="parrot", tools=("echo",)),
        replace(NEVER, name="gone", tools=("other",)),
    )
    async with open_pool(commands={"parrot": PIPE}) as pool:
        box = McpTools(pool, "a", [here, gone])
        assert list(box.tools) == []
        await box.arrive()
        assert [tool.name for tool in box.tools] == ["echo"]
        await box.arrive()  # the one that is gone is left alone for a while
        full = McpTools(pool, "b", [])
        await full.arrive()


async def test_it_is_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "RETRY_S", 0.0)
    with capture_logs() as lines:
        async with open_pool() as pool:
            for _ in range(2):
                with pytest.raises(McpError):
                    await pool.fetch("a", NEVER)
    assert [line["event"] for line in lines] == ["mcp_server_unusable"] * 2


async def test_one_who_takes_the_connection_and_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    link = await pool_module.load_client()
    monkeypatch.setattr(link, "OPEN_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/mcp"
        async with open_pool() as pool:
            with pytest.raises(McpError) as refused:
                await pool.connect(make_server(url))
            assert refused.value.finding == "timeout"


@pytest.mark.parametrize("heard", [False, True], ids=["before a word", "while it is silent"])
async def test_who_waits_for_a_connection_when_the_pool_closes_is_refused(heard: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.setblocking(False)
        server = make_server(f"http://127.0.0.1:{silent.getsockname()[1]}/mcp")
        async with open_pool() as pool:
            waiting = asyncio.create_task(pool.fetch("a", server))
            await asyncio.sleep(0)
            if heard:
                taken, _ = await asyncio.get_running_loop().sock_accept(silent)
                taken.setblocking(False)
        with pytest.raises(McpError) as refused:
            await waiting
        if heard:
            taken.close()
    assert refused.value.finding == "mcp.ended"
    assert pool.touch("a", server) is None


async def test_a_connection_that_is_closed_before_it_began_is_over() -> None:
    async with open_pool() as pool:
        link = await pool._make(NEVER)
        link.start()
        await link.close()
    assert not link.alive
    assert link.ready.is_set()
    assert link.failure is not None


async def test_no_more_connections_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "MAX_LINKS", 1)
    async with open_pool() as pool:
        assert pool.touch("a", NEVER) is None
        with pytest.raises(McpError) as refused:  # the first is being opened, and stays
            await pool.fetch("b", NEVER)
        assert refused.value.finding == "mcp.too_many"
        with pytest.raises(McpError):
            await pool.fetch("a", NEVER)
        with pytest.raises(McpError) as refused:  # now it is idle, and goes
            await pool.fetch("b", NEVER)
        assert refused.value.finding == "connect.failed"


async def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sayso.functions.mcp.link", None)
    async with open_pool() as pool:
        with pytest.raises(McpError) as refused:
            await pool.connect(NEVER)
    assert refused.value.finding == "mcp.not_installed"


async def test_a_pool_that_is_closed_connects_nobody() -> None:
    pool = McpPool(private=True)
    assert pool.touch("a", NEVER) is None
    with pytest.raises(McpError):
        await pool.connect(NEVER)


async def test_a_process_that_fails_leaves_its_words_in_the_log(tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text("import sys; sys.exit('no database here')")
    server = make_server(command="broken")
    with capture_logs() as lines:
        async with open_pool(commands={"broken": (sys.executable, str(script))}) as pool:
            with pytest.raises(McpError) as refused:
                await pool.fetch("a", server)
    assert refused.value.finding == "mcp.ended"
    (line,) = lines
    assert "no database here" in line["stderr"]


async def test_a_process_that_will_not_end_is_killed_with_its_children(tmp_path: Path) -> None:
    script = tmp_path / "stubborn.py"
    script.write_text(
        "import os, runpy, signal, subprocess, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen(['sleep', '600'], stdin=subprocess.DEVNULL)\n"
        f"open({str(tmp_path / 'pids')!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        f"sys.argv = [{PIPE[1]!r}]\n"
        f"runpy.run_path({PIPE[1]!r}, run_name='__main__')\n"
        "import time; time.sleep(600)\n"
    )
    async with open_pool(commands={"stubborn": (sys.executable, str(script))}) as pool:
        await pool.fetch("a", make_server(command="stubborn"))
    for pid in (tmp_path / "pids").read_text().split():
        assert not _is_running(int(pid))


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]
