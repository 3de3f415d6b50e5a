"""Who stands by for an agent's LLM: stored sealed, shown masked, each key with its own server."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from rest_world import World
from sayso.agents.issues import LlmIssue
from sayso.llm import Tell, Timeouts
from sayso.store.tables import AgentRow

AGENTS = "/api/v1/agents"
KEYS = ("sk-canary-main-000000", "sk-canary-first-11111", "sk-canary-second-2222")
MASKS = tuple(f"••••{key[-4:]}" for key in KEYS)
FIRST: dict[str, Any] = {
    "baseURL": "https://first.example/v1",
    "apiKey": KEYS[1],
    "baseParams": {
        "model": "m1",
        "defaultHeaders": {"x-canary": "canary-header"},
        "query": {"api-version": "canary-query", "code": "canary-code-0123456789"},
    },
}
SECOND: dict[str, Any] = {"baseURL": "https://second.example/v1", "apiKey": KEYS[2]}
LLM: dict[str, Any] = {
    "baseURL": "https://main.example/v1",
    "apiKey": KEYS[0],
    "baseParams": {"extra_body": {"seed": 7, "messages": []}, "top_p": 0.5},
    "timeouts": {"connectMs": 500, "firstTokenMs": 1500},
    "fallbacks": [FIRST, {"type": "built-in"}, SECOND],
    "failureMessage": " Please call again. ",
    "hedgeAfterMs": 800,
    "tell": "headers",
}


async def create(client: httpx2.AsyncClient, **llm: object) -> dict[str, Any]:
    response = await client.post(AGENTS, json={"displayName": "Desk", "llm": {**LLM, **llm}})
    assert response.status_code == 201, response.text
    return dict(response.json())


async def patch(
    client: httpx2.AsyncClient, agent: dict[str, Any], llm: dict[str, Any]
) -> httpx2.Response:
    return await client.patch(f"{AGENTS}/{agent['id']}", json={"llm": llm})


async def keys(world: World, agent: dict[str, Any]) -> list[str | None]:
    """The keys a conversation would use, in order."""
    loaded = await world.agents.load(agent["id"])
    return [
        one.api_key.get_secret_value() if one and one.api_key else None
        for one in (loaded.llm, *loaded.fallbacks)
    ]


async def test_everything_is_kept_and_shown_with_masks(
    world: World, client: httpx2.AsyncClient
) -> None:
    agent = await create(client)
    shown = agent["llm"]
    assert shown["apiKey"] == MASKS[0]
    assert shown["timeouts"] == {
        "connectMs": 500, "firstTokenMs": 1500, "betweenTokensMs": None,
    }  # fmt: skip
    assert (shown["failureMessage"], shown["hedgeAfterMs"]) == ("Please call again.", 800)
    assert shown["tell"] == "headers"
    first, built_in, second = shown["fallbacks"]
    assert first == {
        **FIRST,
        "type": "openai-compatible",
        "apiKey": MASKS[1],
        "baseParams": {
            "model": "m1",
            "defaultHeaders": {"x-canary": "••••"},
            "query": {"api-version": "canary-query", "code": "••••6789"},
        },
        "model": None,
        "timeouts": None,
        "tell": "off",
    }
    assert (built_in["type"], second["apiKey"]) == ("built-in", MASKS[2])
    assert (await client.get(f"{AGENTS}/{agent['id']}")).json() == agent


async def test_a_conversation_is_given_all_of_it(world: World, client: httpx2.AsyncClient) -> None:
    loaded = await world.agents.load((await create(client))["id"])
    assert loaded.llm is not None
    assert loaded.llm.timeouts == Timeouts(0.5, 1.5, None)
    assert loaded.llm.tell is Tell.HEADERS
    assert loaded.llm.extra == {"seed": 7, "top_p": 0.5}
    assert (loaded.failure_message, loaded.hedge_after_s) == ("Please call again.", 0.8)
    first, built_in, second = loaded.fallbacks
    assert first is not None
    assert (first.model, first.headers) == ("m1", {"x-canary": "canary-header"})
    assert first.query == {"api-version": "canary-query", "code": "canary-code-0123456789"}
    assert built_in is None
    assert second is not None
    assert await keys(world, {"id": loaded.id}) == [KEYS[0], KEYS[1], None, KEYS[2]]
    assert world.check.asked == [loaded.llm, first, second]


async def test_no_secret_is_plain_in_the_database(world: World, client: httpx2.AsyncClient) -> None:
    await create(client)
    await world.database.close()
    stored = b"".join(path.read_bytes() for path in world.settings.data_dir.glob("sayso.db*"))
    assert b"first.example" in stored
    assert b"canary" not in stored


async def test_a_failing_fallback_is_named_and_nothing_saved(
    world: World, client: httpx2.AsyncClient
) -> None:
    world.check.issues = (LlmIssue("http.html", "It answered HTML", "Check the path.", "error"),)
    world.check.only_at = "second"
    answer = await client.post(AGENTS, json={"displayName": "Desk", "llm": LLM})
    body = answer.json()
    assert (answer.status_code, body["field"]) == (400, "llm.fallbacks.2")
    assert "Fallback 3 (llm.fallbacks.2): It answered HTML." in body["errorMessage"]
    (detail,) = body["details"]
    assert detail["message"] == "Fallback 3 (llm.fallbacks.2): It answered HTML"
    assert detail["field"] == "llm.fallbacks.2"
    assert (await client.get(AGENTS)).json() == []


class TestKeysOfFallbacks:
    async def test_what_was_read_can_be_written_back(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        agent = await create(client)
        answer = await patch(client, agent, agent["llm"])
        assert answer.json()["llm"] == agent["llm"]
        assert await keys(world, agent) == [KEYS[0], KEYS[1], None, KEYS[2]]

    async def test_they_follow_their_servers_through_any_order(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        agent = await create(client)
        bare = [
            {"baseURL": SECOND["baseURL"]},
            {"baseURL": FIRST["baseURL"], "apiKey": MASKS[1]},
        ]
        assert (await patch(client, agent, {**LLM, "fallbacks": bare})).status_code == 200
        assert await keys(world, agent) == [KEYS[0], KEYS[2], KEYS[1]]

    async def test_main_and_fallback_can_change_places_by_their_masks(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        agent = await create(client)
        swapped = {
            "baseURL": FIRST["baseURL"],
            "apiKey": MASKS[1],
            "fallbacks": [{"baseURL": LLM["baseURL"], "apiKey": MASKS[0]}],
        }
        assert (await patch(client, agent, swapped)).status_code == 200
        assert await keys(world, agent) == [KEYS[1], KEYS[0]]

    async def test_the_same_place_and_server_with_another_path_keeps_its_key(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        agent = await create(client)
        moved = {**LLM, "fallbacks": [{"baseURL": "https://first.example/v2"}]}
        assert (await patch(client, agent, moved)).status_code == 200
        assert await keys(world, agent) == [KEYS[0], KEYS[1]]

    @pytest.mark.parametrize("key", [{}, {"apiKey": MASKS[1]}, {"apiKey": MASKS[0]}])
    async def test_none_follows_to_another_server(
        self, client: httpx2.AsyncClient, key: dict[str, str]
    ) -> None:
        agent = await create(client)
        evil = {**LLM, "fallbacks": [{"baseURL": "https://evil.example/v1", **key}]}
        answer = await patch(client, agent, evil)
        assert (answer.status_code, answer.json()["field"]) == (400, "llm.fallbacks.0.apiKey")
        assert "another server" in answer.json()["errorMessage"]

    async def test_a_mask_of_nothing_is_refused(self, client: httpx2.AsyncClient) -> None:
        agent = await create(client)
        strange = {**LLM, "fallbacks": [{**FIRST, "apiKey": "••••9999"}]}
        answer = await patch(client, agent, strange)
        assert (answer.status_code, answer.json()["field"]) == (400, "llm.fallbacks.0.apiKey")

    async def test_a_new_one_needs_no_key(self, world: World, client: httpx2.AsyncClient) -> None:
        agent = await create(client, fallbacks=[])
        local = {**LLM, "fallbacks": [{"baseURL": "http://127.0.0.1:11434/v1"}]}
        assert (await patch(client, agent, local)).status_code == 200
        assert await keys(world, agent) == [KEYS[0], None]

    async def test_null_takes_it_away(self, world: World, client: httpx2.AsyncClient) -> None:
        agent = await create(client)
        without = {**LLM, "fallbacks": [{**FIRST, "apiKey": None}]}
        assert (await patch(client, agent, without)).status_code == 200
        assert await keys(world, agent) == [KEYS[0], None]


@pytest.mark.parametrize(
    ("llm", "field"),
    [
        ({"fallbacks": [FIRST] * 4}, "llm.fallbacks"),
        ({"fallbacks": [{"baseURL": "nowhere"}]}, "llm.fallbacks.0.baseURL"),
        ({"fallbacks": [FIRST, {"type": "other"}]}, "llm.fallbacks.1.type"),
        ({"timeouts": {"connectMs": 99}}, "llm.timeouts.connectMs"),
        ({"timeouts": {"firstTokenMs": 60_001}}, "llm.timeouts.firstTokenMs"),
        ({"timeouts": {"betweenTokensMs": 1.5}}, "llm.timeouts.betweenTokensMs"),
        ({"failureMessage": "x" * 251}, "llm.failureMessage"),
        ({"hedgeAfterMs": 0}, "llm.hedgeAfterMs"),
        ({"tell": "all"}, "llm.tell"),
        ({"baseParams": {"query": {"a": 1}}}, "llm.baseParams.query.a"),
        ({"baseParams": {"query": {"": "x"}}}, "llm.baseParams.query"),
    ],
)
async def test_limits(client: httpx2.AsyncClient, llm: dict[str, Any], field: str) -> None:
    answer = await client.post(AGENTS, json={"displayName": "Desk", "llm": {**LLM, **llm}})
    assert answer.status_code == 400, answer.text
    assert answer.json()["field"].startswith(field), answer.text


async def test_a_failure_message_without_words_is_the_usual_sentence(
    client: httpx2.AsyncClient,
) -> None:
    body = {"displayName": "Desk", "llm": {**LLM, "failureMessage": " ... "}}
    answer = await client.post(AGENTS, json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["llm"]["failureMessage"] is None


async def test_an_agent_stored_before_there_were_fallbacks(
    world: World, client: httpx2.AsyncClient
) -> None:
    agent = await create(client)
    async with world.database.write() as session:
        row = await session.get(AgentRow, agent["id"])
        assert row is not None
        row.llm = {"type": "openai-compatible", "baseURL": LLM["baseURL"], "baseParams": None}
    shown = (await client.get(f"{AGENTS}/{agent['id']}")).json()["llm"]
    assert (shown["apiKey"], shown["fallbacks"], shown["tell"]) == (MASKS[0], [], "off")
    assert await keys(world, agent) == [KEYS[0]]
