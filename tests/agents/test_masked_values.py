"""Keys people put into headers, parameters and the base URL: shown as masks, kept by masks."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from rest_world import World
from sayso.llm import Endpoint
from sayso.store.tables import AgentRow

AGENTS = "/api/v1/agents"
URL_KEY = "sk-canary-url-00001111"
HEADER_KEY = "sk-canary-header-2222"
QUERY_KEY = "sk-canary-query-3333"
LLM: dict[str, Any] = {
    "baseURL": f"https://llm.example/v1?api_key={URL_KEY}&version=2",
    "baseParams": {
        "model": "m",
        "defaultHeaders": {
            "Api-Key": HEADER_KEY,
            "X-Title": "Front desk",
            "X-Call": "{{conversationId}}",
            "X-Nothing": None,
        },
        "query": {"code": QUERY_KEY, "api-version": "2024-10-21"},
    },
}
SHOWN: dict[str, Any] = {
    "baseURL": "https://llm.example/v1?api_key=••••1111&version=2",
    "baseParams": {
        "model": "m",
        "defaultHeaders": {
            "Api-Key": "••••2222",
            "X-Title": "Front desk",
            "X-Call": "{{conversationId}}",
            "X-Nothing": None,
        },
        "query": {"code": "••••3333", "api-version": "2024-10-21"},
    },
}


async def create(client: httpx2.AsyncClient, llm: dict[str, Any] = LLM) -> dict[str, Any]:
    response = await client.post(AGENTS, json={"displayName": "Desk", "llm": llm})
    assert response.status_code == 201, response.text
    return dict(response.json())


async def patch(
    client: httpx2.AsyncClient, agent: dict[str, Any], llm: dict[str, Any]
) -> httpx2.Response:
    return await client.patch(f"{AGENTS}/{agent['id']}", json={"llm": llm})


async def called(world: World, agent: dict[str, Any]) -> list[Endpoint | None]:
    """What a conversation would call, in order."""
    loaded = await world.agents.load(agent["id"])
    return [loaded.llm, *loaded.fallbacks]


def with_header(name: str, value: str | None, **llm: object) -> dict[str, Any]:
    return {"baseURL": LLM["baseURL"], "baseParams": {"defaultHeaders": {name: value}}, **llm}


def with_query(name: str, value: str, **llm: object) -> dict[str, Any]:
    return {"baseURL": LLM["baseURL"], "baseParams": {"query": {name: value}}, **llm}


async def test_secrets_are_shown_as_masks_and_called_in_plain(
    world: World, client: httpx2.AsyncClient
) -> None:
    agent = await create(client, {**LLM, "fallbacks": [LLM]})
    fallback = agent["llm"]["fallbacks"][0]
    for shown in (agent["llm"], fallback):
        assert {name: shown[name] for name in SHOWN} == SHOWN
    for endpoint in await called(world, agent):
        assert endpoint is not None
        assert endpoint.base_url == LLM["baseURL"]
        assert endpoint.headers["Api-Key"] == HEADER_KEY
        assert endpoint.query == LLM["baseParams"]["query"]
    assert world.check.asked == await called(world, agent)


async def test_what_was_read_can_be_written_back(world: World, client: httpx2.AsyncClient) -> None:
    agent = await create(client, {**LLM, "fallbacks": [LLM]})
    before = await called(world, agent)
    answer = await patch(client, agent, agent["llm"])
    assert answer.status_code == 200, answer.text
    assert answer.json()["llm"] == agent["llm"]
    assert await called(world, agent) == before == world.check.asked


async def test_a_row_holds_no_secret_in_plain(world: World, client: httpx2.AsyncClient) -> None:
    agent = await create(client, {**LLM, "fallbacks": [LLM]})
    async with world.database.read() as session:
        row = await session.get(AgentRow, agent["id"])
        assert row is not None
        assert row.llm is not None
        stored = json.dumps([row.llm, row.llm_key, row.llm_headers])
    assert row.llm["baseURL"] == "https://llm.example/v1"
    assert "sk-canary" not in stored


class TestUrls:
    @pytest.mark.parametrize(
        "sent",
        [
            "https://llm.example/v1?api_key=••••1111&version=2",
            "https://llm.example/v1?version=2&api_key=••••1111",
            "https://LLM.example:443/v2?api_key=••••1111",
            f"https://llm.example/v1?api%5Fkey={quote('••••1111')}",
        ],
    )
    async def test_a_mask_keeps_the_value_on_its_server(
        self, world: World, client: httpx2.AsyncClient, sent: str
    ) -> None:
        agent = await create(client)
        assert (await patch(client, agent, {"baseURL": sent})).status_code == 200
        (endpoint,) = await called(world, agent)
        assert endpoint is not None
        assert endpoint.base_url.replace("api%5Fkey", "api_key") == sent.replace(
            "api%5Fkey", "api_key"
        ).replace(quote("••••1111"), URL_KEY).replace("••••1111", URL_KEY)

    async def test_a_new_value_replaces_it_and_none_removes_it(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        agent = await create(client)
        for url in ("https://llm.example/v1?api_key=new", "https://other.example/v1"):
            assert (await patch(client, agent, {"baseURL": url})).status_code == 200
            (endpoint,) = await called(world, agent)
            assert endpoint is not None
            assert endpoint.base_url == url

    @pytest.mark.parametrize(
        ("url", "says"),
        [
            ("https://evil.example/v1?api_key=••••1111", "another server"),
            ("http://llm.example/v1?api_key=••••1111", "another server"),
            ("https://llm.example:8443/v1?api_key=••••1111", "another server"),
            ("https://llm.example/v1?api_key=••••9999", "holds a mask"),
            ("https://llm.example/v1?api_key=••••", "holds a mask"),
            ("https://llm.example/v1?other=••••1111", "holds a mask"),
            ("https://llm.example/v1?••••1111", "holds a mask"),
            ("https://llm.example/v1?api_key=••••1111&api_key=••••1111", "holds a mask"),
            (f"https://llm.example/v1?api_key={quote('•')}", "holds a mask"),
        ],
    )
    async def test_a_mask_of_nothing_there_is_refused(
        self, world: World, client: httpx2.AsyncClient, url: str, says: str
    ) -> None:
        agent = await create(client)
        answer = await patch(client, agent, {"baseURL": url})
        assert (answer.status_code, answer.json()["field"]) == (400, "llm.baseURL")
        assert says in answer.json()["errorMessage"]
        assert len(world.check.asked) == 1

    async def test_a_bare_key_is_kept_too(self, world: World, client: httpx2.AsyncClient) -> None:
        agent = await create(client, {"baseURL": f"https://llm.example/v1?{URL_KEY}"})
        assert agent["llm"]["baseURL"] == "https://llm.example/v1?••••1111"
        assert (await patch(client, agent, agent["llm"])).status_code == 200
        (endpoint,) = await called(world, agent)
        assert endpoint is not None
        assert endpoint.base_url.endswith(f"?{URL_KEY}")

    async def test_what_an_earlier_version_stored_is_masked_and_sealed_by_the_next_write(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        agent = await create(client, {**LLM, "fallbacks": [LLM, {"type": "built-in"}]})
        before = await called(world, agent)
        path = f"{AGENTS}/{agent['id']}"
        async with world.database.write() as session:
            row = await session.get(AgentRow, agent["id"])
            assert row is not None
            old = json.loads(json.dumps(row.llm))
            for one in (old, old["fallbacks"][0]):
                del one["urlQuery"]
                one["baseURL"] = LLM["baseURL"]
            row.llm = old
        assert (await client.get(path)).json() == agent
        assert await called(world, agent) == before
        assert (await client.patch(path, json={"greeting": "Hello"})).status_code == 200
        async with world.database.read() as session:
            row = await session.get(AgentRow, agent["id"])
            assert row is not None
            assert "sk-canary" not in json.dumps(row.llm)
        assert (await client.get(path)).json() == {**agent, "greeting": "Hello"}
        assert await called(world, agent) == before


class TestHeadersAndParameters:
    @pytest.mark.parametrize(
        ("sent", "headers"),
        [
            (with_header("Api-Key", "••••2222"), {"Api-Key": HEADER_KEY}),
            (with_header("api-key", "••••2222"), {"api-key": HEADER_KEY}),
            (with_header("Api-Key", "new"), {"Api-Key": "new"}),
            (with_header("Api-Key", None), {}),
            ({"baseURL": LLM["baseURL"]}, {}),
            (with_header("X-Title", "••••"), {"X-Title": "Front desk"}),
        ],
    )
    async def test_a_mask_keeps_the_header_and_what_is_left_away_goes(
        self,
        world: World,
        client: httpx2.AsyncClient,
        sent: dict[str, Any],
        headers: dict[str, str],
    ) -> None:
        agent = await create(client)
        assert (await patch(client, agent, sent)).status_code == 200
        (endpoint,) = await called(world, agent)
        assert endpoint is not None
        assert endpoint.headers == headers

    async def test_a_mask_keeps_the_parameter(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        agent = await create(client)
        assert (await patch(client, agent, with_query("code", "••••3333"))).status_code == 200
        (endpoint,) = await called(world, agent)
        assert endpoint is not None
        assert endpoint.query == {"code": QUERY_KEY}

    @pytest.mark.parametrize(
        ("sent", "field"),
        [
            (with_header("X-Other", "••••2222"), "defaultHeaders.X-Other"),
            (with_header("Api-Key", "••••9999"), "defaultHeaders.Api-Key"),
            (with_header("Api-Key", "Bearer ••••2222"), "defaultHeaders.Api-Key"),
            (with_header("X-Nothing", "••••"), "defaultHeaders.X-Nothing"),
            (with_header("code", "••••3333"), "defaultHeaders.code"),
            (with_query("Code", "••••3333"), "query.Code"),
            (with_query("code", "••••2222"), "query.code"),
            (with_query("api_key", "••••1111"), "query.api_key"),
        ],
    )
    async def test_a_mask_of_nothing_of_that_name_is_refused(
        self, client: httpx2.AsyncClient, sent: dict[str, Any], field: str
    ) -> None:
        agent = await create(client)
        for answer in (
            await patch(client, agent, sent),
            await client.post(AGENTS, json={"displayName": "B", "llm": sent}),
        ):
            assert answer.status_code == 400
            assert answer.json()["field"] == f"llm.baseParams.{field}"
            assert "holds a mask" in answer.json()["errorMessage"]

    @pytest.mark.parametrize(
        "sent", [with_header("Api-Key", "••••2222"), with_query("code", "••••3333")]
    )
    async def test_none_follows_to_another_server(
        self, world: World, client: httpx2.AsyncClient, sent: dict[str, Any]
    ) -> None:
        agent = await create(client)
        for answer in (
            await patch(client, agent, {**sent, "baseURL": "https://evil.example"}),
            await patch(
                client,
                agent,
                {
                    "baseURL": "https://x.example",
                    "fallbacks": [{**sent, "baseURL": "http://llm.example"}],
                },
            ),
            await client.post(
                "/api/v1/llm-checks",
                json={**sent, "baseURL": "https://evil.example", "agentId": agent["id"]},
            ),
        ):
            assert answer.status_code == 400
            assert "another server" in answer.json()["errorMessage"]
        assert len(world.check.asked) == 1

    @pytest.mark.parametrize("value", ["•\n", "ä", "x\ny"])
    async def test_a_mask_is_no_way_around_the_rules_for_headers(
        self, client: httpx2.AsyncClient, value: str
    ) -> None:
        agent = await create(client)
        assert (await patch(client, agent, with_header("Api-Key", value))).status_code == 400

    async def test_variables_in_a_secret_are_shown_and_the_rest_kept(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        secret = "Bearer SKEY-canary-0123 {{orderId}}"
        url = "https://llm.example/v1?code=key-0123456789-{{orderId}}"
        agent = await create(client, {**with_header("Authorization", secret), "baseURL": url})
        before = await called(world, agent)
        shown = agent["llm"]
        assert shown["baseParams"]["defaultHeaders"] == {"Authorization": "•••• {{orderId}}"}
        assert shown["baseURL"] == "https://llm.example/v1?code=••••{{orderId}}"
        answer = await patch(client, agent, {**shown, "timeouts": {"connectMs": 500}})
        assert answer.status_code == 200, answer.text
        (endpoint,) = await called(world, agent)
        assert before[0] is not None
        assert endpoint is not None
        assert (endpoint.headers, endpoint.base_url) == (before[0].headers, url)


class TestSeveralServers:
    async def test_values_follow_their_servers_when_they_change_places(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        other = {
            "baseURL": "https://other.example/v1?api_key=sk-canary-other-1111",
            "baseParams": {"defaultHeaders": {"Api-Key": "sk-canary-other-2222"}},
        }
        agent = await create(client, {**LLM, "fallbacks": [other]})
        main, first = await called(world, agent)
        shown = agent["llm"]
        (second,) = shown.pop("fallbacks")
        swapped = {**second, "fallbacks": [shown]}
        assert (await patch(client, agent, swapped)).status_code == 200
        assert await called(world, agent) == [first, main]

    async def test_two_on_one_server_keep_their_own(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        fallbacks = [
            {"baseURL": "https://same.example/v1", "baseParams": {"defaultHeaders": {"k": value}}}
            for value in ("a", "b")
        ]
        agent = await create(client, {**LLM, "fallbacks": fallbacks})
        before = await called(world, agent)
        assert (await patch(client, agent, agent["llm"])).status_code == 200
        assert await called(world, agent) == before

    async def test_a_check_may_use_what_the_agent_stores(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        other = {
            "baseURL": "https://other.example/v1?api_key=sk-canary-other-1111",
            "apiKey": "sk-canary-key-of-other",
        }
        agent = await create(client, {**LLM, "fallbacks": [other]})
        stored = list(world.check.asked)
        world.check.asked.clear()
        fallback = agent["llm"]["fallbacks"][0]
        for body in (agent["llm"], fallback, {"baseURL": fallback["baseURL"]}):
            answer = await client.post("/api/v1/llm-checks", json={**body, "agentId": agent["id"]})
            assert answer.status_code == 200, answer.text
        assert world.check.asked == [stored[0], stored[1], stored[1]]


async def test_of_two_who_change_only_headers_the_later_is_told(
    world: World, client: httpx2.AsyncClient
) -> None:
    agent = await create(client, with_header("Api-Key", "one"))

    async def change_meanwhile() -> None:
        world.check.before_answer = None
        assert (await patch(client, agent, with_header("Api-Key", "two"))).status_code == 200

    world.check.before_answer = change_meanwhile
    sent = with_header("Api-Key", "••••", timeouts={"connectMs": 500})
    assert (await patch(client, agent, sent)).status_code == 409
