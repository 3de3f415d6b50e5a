"""The guide's commands, pasted into a shell in their order; its recipes, taken as they are."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import uvicorn

from documents import ROOT, Block, blocks
from sayso.agents.schema import AgentChanges
from sayso.llm import Endpoint
from sayso.llm.check import LlmCheck
from sayso.llm.client import LlmClient
from sayso.llm.deadlines import Deadlines
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
        ("sleep 2", f"until curl --silent http://127.0.0.1:{port} > page.html; do sleep 0.1; done"),
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


# The recipes -----------------------------------------------------------------------------------

ANSWERS = [block for block in guide("json") if block.line > RECIPES]


@pytest.mark.parametrize("block", ANSWERS, ids=str)
def test_recipes_are_valid_changes(block: Block) -> None:
    changes = AgentChanges.model_validate(json.loads(block.text))
    assert changes.llm is not None


def test_there_are_recipes() -> None:
    text = (ROOT / GUIDE).read_text("utf-8")
    for name in ("Ollama", "llama.cpp", "vLLM", "LM Studio", "OpenAI", "Azure"):
        assert f"\n### {name}\n" in text
    assert len(ANSWERS) >= 7


@dataclass(frozen=True)
class _Piece:
    content: str


class _Model:
    """Stands in for LangChain's model."""

    def __init__(self, **_: object) -> None:
        pass

    async def astream(self, messages: list[dict[str, str]]) -> AsyncIterator[_Piece]:
        for word in ("The ", "smoke test ", "has passed."):
            yield _Piece(word if messages else "")


@contextmanager
def serving_program(text: str) -> Iterator[str]:
    """Run the guide's own program; gives its URL."""
    module: Any = ModuleType("my_llm")
    exec(compile(text, "my_llm.py", "exec"), vars(module))
    server = uvicorn.Server(uvicorn.Config(module.app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until_s = time.monotonic() + 20
    while not server.started and time.monotonic() < until_s:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


async def test_the_program_of_the_recipe_passes_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    langchain: Any = ModuleType("langchain_openai")
    langchain.ChatOpenAI = _Model
    monkeypatch.setitem(sys.modules, "langchain_openai", langchain)
    client = LlmClient(Deadlines())
    await client.open()
    try:
        with serving_program(guide("python")[0].text) as url:
            report = await LlmCheck(client).check(Endpoint(url))
    finally:
        await client.close()
    assert report.ok, report.findings
    assert report.answer == "The smoke test has passed."
