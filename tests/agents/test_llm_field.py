"""An agent's `llm` is checked before it is saved; its key stays with its server."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from agents.agent_api import AGENTS, create, patch
from rest_world import World
from sayso.agents.issues import LlmIssue

LLM: dict[str, Any] = {
    "baseURL": "https://llm.example.com/v1",
    "apiKey": "sk-canary-0123456789",
    "baseParams": {"model": "m", "temperature": 0, "top_p": 0.5, "defaultHeaders": {"x-a": "head"}},
}
MASKED = "••••6789"
BROKEN = LlmIssue("http.html", "It answered HTML", "Check the path.", "error")
SLOW = LlmIssue("late.first", "The first word took 2.1 s", "Use a faster model.", "warning")


async def test_an_llm_is_checked_then_kept_with_its_key_masked(
    world: World, client: httpx2.AsyncClient
) -> None:
    world.check.issues = (SLOW,)
    agent = await create(client, llm=LLM)
    assert agent["llm"] == {
        "type": "openai-compatible",
        **LLM,
        "apiKey": MASKED,
        "baseParams": {**LLM["baseParams"], "defaultHeaders": {"x-a": "••••"}},
        "model": None,
        "timeouts": None,
        "tell": "off",
        "fallbacks": [],
        "failureMessage": None,
        "hedgeAfterMs": None,
    }
    assert agent["answeredBy"] == "llm"
    assert [issue["code"] for issue in agent["llmIssues"]] == ["late.first"]
    (asked,) = world.check.asked
    assert asked.api_key is not None
    assert asked.api_key.get_secret_value() == LLM["apiKey"]
    assert (asked.headers, asked.extra) == ({"x-a": "head"}, {"top_p": 0.5})
    loaded = await world.agents.load(agent["id"])
    assert loaded.llm == asked
    assert loaded.owner_id == world.user_id


async def test_an_llm_that_fails_its_check_saves_nothing(
    world: World, client: httpx2.AsyncClient
) -> None:
    agent = await create(client)
    world.check.issues = (SLOW, BROKEN)
    answers = [
        await client.post(AGENTS, json={"displayName": "B", "llm": LLM}),
        await patch(client, agent["id"], llm=LLM, displayName="B"),
    ]
    for answer in answers:
        body = answer.json()
        assert answer.status_code == 400
        assert (body["field"], body["errorId"]) == ("llm", "BAD_REQUEST")
        assert "It answered HTML." in body["errorMessage"]
        assert "2.1 s" not in body["errorMessage"]
        assert body["hint"] == "Check the path."
        assert [one["code"] for one in body["details"]] == ["late.first", "http.html"]
    assert (await client.get(AGENTS)).json() == [agent]


async def test_a_built_in_llm_is_not_checked(world: World, client: httpx2.AsyncClient) -> None:
    agent = await create(client, llm={"type": "built-in", "model": "gpt-4o"})
    assert (agent["llm"]["type"], agent["llm"]["model"]) == ("built-in", "gpt-4o")
    assert agent["answeredBy"] == "built-in-extractive"
    assert (await world.agents.load(agent["id"])).llm is None
    assert world.check.asked == []


@pytest.mark.parametrize("key", [{}, {"apiKey": MASKED}])
async def test_without_a_key_or_with_its_mask_the_stored_key_stays(
    world: World, client: httpx2.AsyncClient, key: dict[str, str]
) -> None:
    agent = await create(client, llm=LLM)
    answer = await patch(
        client, agent["id"], llm={"baseURL": "https://llm.example.com:443/v2", **key}
    )
    assert answer.json()["llm"]["apiKey"] == MASKED
    assert answer.json()["llm"]["baseParams"] is None
    loaded = await world.agents.load(agent["id"])
    assert loaded.llm is not None
    assert loaded.llm.api_key is not None
    assert loaded.llm.api_key.get_secret_value() == LLM["apiKey"]
    assert world.check.asked[-1] == loaded.llm


@pytest.mark.parametrize("key", [{}, {"apiKey": MASKED}])
@pytest.mark.parametrize(
    "url", ["https://evil.example/v1", "http://llm.example.com/v1", "https://llm.example.com:1/v1"]
)
async def test_a_stored_key_never_follows_to_another_server(
    world: World, client: httpx2.AsyncClient, key: dict[str, str], url: str
) -> None:
    agent = await create(client, llm=LLM)
    answer = await patch(client, agent["id"], llm={"baseURL": url, **key})
    assert answer.status_code == 400
    assert answer.json()["field"] == "llm.apiKey"
    assert "another server" in answer.json()["errorMessage"]
    assert len(world.check.asked) == 1


@pytest.mark.parametrize("key", ["••••", "••••0000", "•"])
async def test_a_mask_is_never_taken_for_a_key(client: httpx2.AsyncClient, key: str) -> None:
    agent = await create(client, llm=LLM)
    for answer in (
        await client.post(AGENTS, json={"displayName": "B", "llm": {**LLM, "apiKey": key}}),
        await patch(client, agent["id"], llm={**LLM, "apiKey": key}),
    ):
        assert answer.status_code == 400
        assert answer.json()["field"] == "llm.apiKey"


@pytest.mark.parametrize("key", [None, "", "  "])
async def test_a_key_can_be_taken_away(client: httpx2.AsyncClient, key: str | None) -> None:
    agent = await create(client, llm=LLM)
    answer = await patch(
        client, agent["id"], llm={"baseURL": "https://other.example", "apiKey": key}
    )
    assert answer.json()["llm"]["apiKey"] is None


async def test_a_new_key_replaces_the_old_one_and_a_short_one_shows_nothing(
    client: httpx2.AsyncClient,
) -> None:
    agent = await create(client, llm=LLM)
    answer = await patch(
        client, agent["id"], llm={"baseURL": "https://other.example", "apiKey": "dummy"}
    )
    assert answer.json()["llm"]["apiKey"] == "••••"


async def test_no_transaction_is_open_during_a_check(
    world: World, client: httpx2.AsyncClient
) -> None:
    agent = await create(client)

    async def write_meanwhile() -> None:
        async with asyncio.timeout(1):
            answer = await patch(client, agent["id"], greeting="Meanwhile")
        assert answer.status_code == 200

    world.check.before_answer = write_meanwhile
    answer = await patch(client, agent["id"], llm=LLM, prompt="Be kind.")
    assert answer.status_code == 200
    assert (answer.json()["greeting"], answer.json()["prompt"]) == ("Meanwhile", "Be kind.")


async def test_of_two_who_change_the_llm_the_later_is_told(
    world: World, client: httpx2.AsyncClient
) -> None:
    agent = await create(client)

    async def change_meanwhile() -> None:
        world.check.before_answer = None
        other = {**LLM, "baseURL": "https://other.example"}
        assert (await patch(client, agent["id"], llm=other)).status_code == 200

    world.check.before_answer = change_meanwhile
    answer = await patch(client, agent["id"], llm=LLM)
    assert answer.status_code == 409
    assert answer.json()["errorId"] == "CONFLICT"
    read = (await client.get(f"{AGENTS}/{agent['id']}")).json()
    assert read["llm"]["baseURL"] == "https://other.example"
