"""The guide's commands, pasted into a shell in their order."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
from pathlib import Path

from documents import ROOT, Block, blocks
from served import Served

GUIDE = "docs/guide/bring-your-own-llm.md"
RECIPES = next(
    number
    for number, line in enumerate((ROOT / GUIDE).read_text("utf-8").splitlines(), 1)
    if line == "## Recipes"
)


def guide(language: str) -> list[Block]:
    return [block for block in blocks(language) if block.page == GUIDE]


# The tutorial ----------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def script_of(served: Served) -> str:
    """All that is pasted, for the server and the port at hand; each block after a mark."""
    pasted = [
        f"echo '@@ {block.line}'\n{block.text}" for block in guide("bash") if block.line < RECIPES
    ]
    text = "\n".join(pasted)
    for shown, actual in (
        (". .venv/bin/activate", f"export PATH={Path(sys.executable).parent}:$PATH"),
        ("http://127.0.0.1:8400", served.url),
        ("ak-…    # yours", served.key),
        ("--port 3000", f"--port {(port := free_port())}"),
        ("127.0.0.1:3000", f"127.0.0.1:{port}"),
    ):
        assert shown in text, f"the guide has {shown} no more"
        text = text.replace(shown, actual)
    return f"set -eu\ntrap 'kill $(jobs -p)' EXIT\n{text}\n"


async def test_the_tutorial_can_be_pasted(rehearsed: Served, tmp_path: Path) -> None:
    """Once, and in its order; `set -e` stops at the first command that fails."""
    run = await asyncio.to_thread(
        subprocess.run,
        ["bash"],
        input=script_of(rehearsed),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
        check=False,
    )
    told = run.stdout
    assert run.returncode == 0, f"{told}\n{run.stderr}"
    assert told.count("@@") == len([b for b in guide("bash") if b.line < RECIPES])
    assert '"content": "Hello"' in told
    assert re.search(r"passed  http://127.0.0.1:\d+/chat/completions", told)
    assert "it was tried and works" in told
    for finding in ("http.html", "body.json_not_sse", "max_tokens.renamed", "auth.refused"):
        assert finding in told
    assert "stream.reasoning_only" in told
    assert "agent:  Can you hear me?" in told
    assert '"field":"llm"' in told, "the refused change says where"
    assert re.search(r"x-call: \w{12,}", told), "the LLM was told the conversation"
    assert "agent:  Who answers?" in told
    assert "stream.buffered" in told
    assert "sk-my-own-key-0001" not in (tmp_path / "agent.json").read_text()
    assert "…0001" in (tmp_path / "requests.txt").read_text()
