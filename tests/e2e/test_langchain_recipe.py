"""The guide's own program, LangChain behind FastAPI: started as the page says, checked, talked to.

Once with `ChatOpenAI` itself, asked to call a stand-in for OpenAI, and once with a model of
LangChain's own in its place. Both run the code of the page as it stands.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import repeat
from pathlib import Path
from types import ModuleType
from typing import Any

import langchain_openai
import pytest
import uvicorn
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from ports import free_port
from recipes import (
    LANGCHAIN,
    PERSONA,
    QUESTION,
    block_of,
    hold_a_turn,
    issues_of,
    llm_of,
    messages_of,
    save,
)
from sayso.llm.tolerance import SMOKE_SENTENCE
from served import START_WITHIN_S, Served
from vendors import KEY, OPENAI, Door, running_vendor

PROGRAM = block_of(LANGCHAIN, "python")


# As the page says ------------------------------------------------------------------------------


def script_of(port: int) -> str:
    """The recipe's commands for a free port, without the installation; then they wait."""
    text = block_of(LANGCHAIN, "bash")
    for shown, actual in (
        ("9000", str(port)),
        ("sk-your-key", KEY),
        ("localhost", "127.0.0.1"),
        ("pip install fastapi uvicorn langchain-openai\n", ""),
    ):
        assert shown in text, f"the recipe has {shown} no more"
        text = text.replace(shown, actual)
    return f"set -e\ntrap 'kill $(jobs -p)' EXIT\n{text}\necho started\nread -r _\n"


@asynccontextmanager
async def pasted(folder: Path, door: Door, port: int) -> AsyncIterator[str]:
    """The recipe's program, started by the recipe's commands; gives what they printed."""
    (folder / "my_llm.py").write_text(PROGRAM, "utf-8")
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "OPENAI_BASE_URL": f"{door.origin}/v1",
    }
    shell = await asyncio.create_subprocess_exec(
        *("bash", "-c", script_of(port)),
        cwd=folder,
        env=environment,
        stdin=PIPE,
        stdout=PIPE,
        stderr=STDOUT,
    )
    assert shell.stdout is not None
    told = ""
    try:
        async with asyncio.timeout(START_WITHIN_S):
            while (line := (await shell.stdout.readline()).decode()) not in ("started\n", ""):
                told += line
        yield told
    finally:
        await shell.communicate(b"\n")


async def test_it_runs_as_the_page_says(rehearsed: Served, tmp_path: Path) -> None:
    async with running_vendor(OPENAI) as door:
        port = free_port()
        async with pasted(tmp_path, door, port) as told:
            assert f"passed  http://127.0.0.1:{port}/chat/completions" in told
            agent = await save(rehearsed, llm_of(LANGCHAIN, f"http://127.0.0.1:{port}"))
            assert not issues_of(agent)
            await hold_a_turn(rehearsed, agent["id"])
    asked = next(one for one in door.received if messages_of(one)[-1] == ("user", QUESTION))
    assert asked.body["model"] == "gpt-4o-mini"
    assert PERSONA in messages_of(asked)[0][1]


# With another model ----------------------------------------------------------------------------


@contextmanager
def serving_program() -> Iterator[str]:
    """Run the page's program in this process; gives its URL."""
    module: Any = ModuleType("my_llm")
    exec(compile(PROGRAM, "my_llm.py", "exec"), vars(module))
    server = uvicorn.Server(uvicorn.Config(module.app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until_s = time.monotonic() + START_WITHIN_S
    while not server.started and time.monotonic() < until_s:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(START_WITHIN_S)


def make_fake(model: str) -> GenericFakeChatModel:
    """LangChain's own fake; it says one thing, word by word."""
    return GenericFakeChatModel(messages=repeat(AIMessage(SMOKE_SENTENCE)))


async def test_it_runs_with_any_model(rehearsed: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(langchain_openai, "ChatOpenAI", make_fake)
    with serving_program() as url:
        agent = await save(rehearsed, llm_of(LANGCHAIN, url))
        assert not issues_of(agent)
        await hold_a_turn(rehearsed, agent["id"], SMOKE_SENTENCE)
