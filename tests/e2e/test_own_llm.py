"""The operator's own LLM is looked at when the server starts, and never in its way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, MutableMapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from sayso.llm import grounded
from sayso.llm.builtin import REFUSED
from sayso.llm.fake import FakeConfig, running_fake
from sayso.llm.tolerance import SMOKE_SENTENCE
from served import REHEARSED, Served, ask, hear_greeting, serving

Lines = Sequence[MutableMapping[str, Any]]


@contextmanager
def server_with(folder: Path, url: str, **settings: object) -> Iterator[tuple[Served, Lines]]:
    """A server whose operator has an LLM at `url`, and its log."""
    own = {**REHEARSED, "builtin_llm_url": url, **settings}
    with capture_logs() as lines, serving(folder, **own) as served:
        yield served, lines


async def until_told(lines: Lines) -> MutableMapping[str, Any]:
    """The line about the check, once it is there."""
    async with asyncio.timeout(20):
        while not (found := told(lines)):  # noqa: ASYNC110 nobody says when a line is logged
            await asyncio.sleep(0.02)
    return found[0]


def told(lines: Lines) -> list[MutableMapping[str, Any]]:
    return [line for line in lines if line["event"].startswith("builtin_llm")]


async def test_one_that_works_is_said_to(tmp_path: Path) -> None:
    async with running_fake(FakeConfig(first_token_s=0, token_s=0)) as url:
        with server_with(tmp_path, url) as (_, lines):
            line = await until_told(lines)
        assert (line["log_level"], line["result"]) == ("info", "passed")
        assert len(told(lines)) == 1


async def test_one_that_is_not_there_is_a_warning_and_the_server_runs(tmp_path: Path) -> None:
    url = "http://127.0.0.1:1/v1"
    with server_with(tmp_path, url, builtin_llm_key="sk-canary-0001") as (served, lines):
        line = await until_told(lines)
        assert (line["log_level"], line["result"]) == ("warning", "failed")
        assert line["findings"] == ["connect.refused"]
        assert len(line["fixes"]) == 1
        await served.make_agent()
    assert len(told(lines)) == 1
    assert "canary" not in repr(lines)


async def test_one_that_hangs_holds_up_neither_start_nor_end(tmp_path: Path) -> None:
    async with running_fake(FakeConfig()) as url:
        with server_with(tmp_path, f"{url}/quirk/silent") as (served, lines):
            await served.make_agent()
            assert any("look_at_own_llm" in task for task in served.tasks())
            assert told(lines) == []
        assert told(lines) == []


@asynccontextmanager
async def thinking() -> AsyncIterator[str]:
    """A server whose template opens the thoughts, so that only their end is sent."""

    async def complete(request: web.Request) -> web.StreamResponse:
        asked = (await request.json())["messages"][-1]["content"]
        said = SMOKE_SENTENCE if SMOKE_SENTENCE in asked else asked
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        for piece in ("They want", " words.", "</think>", said):
            event = {"choices": [{"delta": {"content": piece}}]}
            await answer.write(f"data: {json.dumps(event)}\n\n".encode())
        await answer.write(b"data: [DONE]\n\n")
        return answer

    app = web.Application()
    app.router.add_post("/chat/completions", complete)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_the_first_caller_hears_no_thoughts(tmp_path: Path) -> None:
    async with thinking() as url:
        with server_with(tmp_path, url) as (served, lines):
            line = await until_told(lines)
            assert line["findings"] == ["stream.reasoning"]
            agent_id = await served.make_agent()
            async with served.call(agent_id) as caller:
                await hear_greeting(caller)
                assert (await ask(caller, "Good morning.")).text == "Good morning."


async def test_an_agent_is_held_to_its_knowledge_there_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grounded, "WEIGH_S", 20.0)  # this machine may be busy
    config = FakeConfig("scripted", ["Emmanuel Macron."], 0, 0)
    async with running_fake(config) as url:
        with server_with(tmp_path, url) as (served, _):
            engines = served.server._engines
            agent_id = await served.make_agent(
                criticalKnowledge="A ticket for the zoo costs twelve euros.",
                answerOnlyFromCriticalKnowledge=True,
            )
            assert not engines.embedder.is_open
            async with served.call(agent_id) as caller, asyncio.timeout(30):
                while not engines.mind._learned:  # noqa: ASYNC110 nobody says when notes are read
                    await asyncio.sleep(0.02)
                said = (await ask(caller, "Who is the president of France?")).text
                assert said.endswith(REFUSED)
                assert (await ask(caller, "What does a ticket cost?")).text == "Emmanuel Macron."


def test_the_built_in_mind_is_not_loaded_where_nobody_can_meet_it(tmp_path: Path) -> None:
    with server_with(tmp_path / "own", "http://127.0.0.1:1/v1") as (served, _):
        assert served.server._engines.embedder._session is None
    with serving(tmp_path / "none", **REHEARSED) as served:
        assert served.server._engines.embedder._session is not None
