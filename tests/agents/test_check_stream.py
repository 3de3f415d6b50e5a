"""Checks as events, while they go on."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import httpx2
import pytest

from rest_world import World
from sayso.agents import check_stream
from sayso.agents.check_stream import watch
from sayso.agents.issues import LlmIssue
from sayso.agents.reports import LlmCheckView, LlmStageView, Tell
from sayso.errors import NotFoundError
from served import REHEARSED, fake_llm, serving

CHECKS = "/api/v1/llm-checks"
AGENTS = "/api/v1/agents"
LLM = {"baseURL": "https://llm.example.com/v1", "apiKey": "sk-canary-0123456789"}
EVENTS = {"Accept": "text/event-stream"}
SLOW = LlmIssue("answer.late", "The first word took 2.1 s", "Set llm.baseURL.", "warning")
STAGE = LlmStageView(name="dns", state="ok", ms=1.5)


def read(text: str) -> list[tuple[str, Any]]:
    found = []
    for block in text.strip().split("\n\n"):
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


async def test_a_check_is_watched(world: World, client: httpx2.AsyncClient) -> None:
    world.check.steps = (STAGE, SLOW)
    answer = await client.post(CHECKS, json=LLM, headers=EVENTS)
    assert answer.headers["content-type"].startswith("text/event-stream")
    (stage, first), (finding, second), (report, last) = read(answer.text)
    assert (stage, first) == ("stage", {"name": "dns", "state": "ok", "ms": 1.5})
    assert (finding, second["code"], second["field"]) == ("finding", "answer.late", None)
    plain = (await client.post(CHECKS, json=LLM)).json()
    assert report == "report"
    assert last | {"checkedAt": None} == plain | {"checkedAt": None}


async def test_an_agents_llms_are_watched_and_kept(
    world: World, client: httpx2.AsyncClient
) -> None:
    llm = {**LLM, "fallbacks": [{"baseURL": "https://other.example"}, {"type": "built-in"}]}
    agent = (await client.post(AGENTS, json={"displayName": "Desk", "llm": llm})).json()
    world.check.steps = (STAGE, SLOW)
    answer = await client.post(f"{AGENTS}/{agent['id']}/llm-check", headers=EVENTS)
    told = read(answer.text)
    assert [name for name, _ in told] == ["stage", "finding", "finding", "report"]
    assert told[2][1]["message"].startswith("Fallback 1 (llm.fallbacks.0): ")
    kept = (await client.get(f"{AGENTS}/{agent['id']}/llm-check")).json()
    assert kept["fallbacks"][1] is None
    assert told[3][1]["url"] == kept["url"]


async def test_a_refusal_is_answered_as_ever(world: World, client: httpx2.AsyncClient) -> None:
    assert (await client.post(CHECKS, json={}, headers=EVENTS)).status_code == 400
    unknown = await client.post(f"{AGENTS}/nobody/llm-check", headers=EVENTS)
    assert (unknown.status_code, unknown.json()["errorId"]) == (404, "NOT_FOUND")
    agent = (await client.post(AGENTS, json={"displayName": "Desk"})).json()
    async with world.client(key=await world.make_stranger()) as foreign:
        body = {**LLM, "agentId": agent["id"]}
        assert (await foreign.post(CHECKS, json=body, headers=EVENTS)).status_code == 403


@pytest.mark.parametrize(
    ("error", "said"),
    [(NotFoundError("it is gone"), "it is gone"), (ValueError("secret"), "its log says what")],
)
async def test_a_failure_amid_the_stream_is_its_last_event(error: Exception, said: str) -> None:
    async def check(tell: Tell) -> LlmCheckView:
        tell(STAGE)
        raise error

    response = await watch(check)
    events = read("".join([str(piece) async for piece in response.body_iterator]))
    assert [name for name, _ in events] == ["stage", "error"]
    assert said in events[1][1]["errorMessage"]
    assert "secret" not in events[1][1]["errorMessage"]


async def test_the_answer_begins_before_anything_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_stream, "FIRST_S", 0.0)
    ended = asyncio.Event()

    async def check(_: Tell) -> LlmCheckView:
        try:
            await asyncio.Event().wait()
            raise AssertionError
        finally:
            ended.set()

    response = await watch(check)
    pieces = aiter(response.body_iterator)
    waiting = asyncio.ensure_future(anext(pieces))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert ended.is_set()


async def test_who_leaves_ends_the_check(tmp_path: Path) -> None:
    async with fake_llm("Yes.", first_token_s=600.0) as llm:
        with serving(tmp_path, **REHEARSED, llm_check_timeout_s=60) as served:
            url, headers = f"{served.url}{CHECKS}", {"Authorization": f"Bearer {served.key}"}
            async with aiohttp.ClientSession(headers={**headers, **EVENTS}) as session:
                response = await session.post(url, json={"baseURL": llm.url, "apiKey": "x"})
                assert (await response.content.readline()).startswith(b"event: stage")
                response.close()
            async with asyncio.timeout(20):
                while any("_watched" in name for name in served.tasks()):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
