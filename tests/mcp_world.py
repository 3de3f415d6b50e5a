"""MCP servers for tests: the real one of `mcp_server.py`, as a process, and what connects to it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from sayso.functions.mcp import McpServer
from sayso.functions.mcp.pool import McpPool

SCRIPT = Path(__file__).parent / "mcp_server.py"
PIPE = (sys.executable, str(SCRIPT))
PARROT = (
    *("add", "echo", "wipe", "weather", "fail", "complain", "hang", "crash", "huge", "picture"),
    *("show_header", "show_environment", "grow", "late"),
)
"""Tools of the real server; `late` comes later."""


@contextmanager
def running_server(*flags: str) -> Iterator[str]:
    """The real server over HTTP; gives its URL."""
    process = subprocess.Popen(
        [*PIPE, "http", *flags], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@asynccontextmanager
async def open_pool(
    *, private: bool = True, commands: Mapping[str, tuple[str, ...]] | None = None
) -> AsyncGenerator[McpPool]:
    """A pool; nothing of it is left behind when it is closed."""
    before = asyncio.all_tasks()
    pool = McpPool(private=private, commands=commands)
    await pool.open()
    try:
        yield pool
    finally:
        await pool.close()
    left = {task for task in asyncio.all_tasks() - before if "TestRunner" not in repr(task)}
    assert not left, f"tasks are left: {left}"


def make_server(url: str = "", **more: Any) -> McpServer:  # noqa: ANN401
    """The real server as an agent has it."""
    return McpServer("parrot", url=url, **{"tools": PARROT, "timeout_s": 20.0, **more})
