"""An agent's own retrieval server: checked before it is saved, its secrets kept."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from rest_world import World
from sayso.errors import KnowledgeError
from sayso.knowledge.place import PROBE, Place
from sayso.store.tables import AgentRow

AGENTS = "/api/v1/agents"
CHECKS = "/api/v1/knowledge-checks"
KNOWLEDGE: dict[str, Any] = {
    "baseURL": "https://search.example/v1?code=sk-canary-code-0000",
    "apiKey": "sk-canary-key-11112222",
    "topK": 3,
    "timeoutMs": 800,
    "headers": {"X-Team": "sk-canary-team-3333", "X-Shop": "{{shop}}", "X-None": None},
    "knowledgeId": "menu",
}
SHOWN: dict[str, Any] = {
    **KNOWLEDGE,
    "baseURL": "https://search.example/v1?code=••••0000",
    "apiKey": "••••2222",
    "headers": {"X-Team": "••••3333", "X-Shop": "{{shop}}", "X-None": None},
}
DOWN = KnowledgeError(
    "the retrieval server at https://search.example/v1 answered 401: no",
    finding="retrieval.status",
    hint="Look into its log; check knowledge.apiKey and knowledge.headers.",
)


async def create(client: httpx2.AsyncClient, **fields: object) -> dict[str, Any]:
    body = {
        "displayName": "Desk",
        "knowledge": KNOWLEDGE,
        "variables": {"shop": "Nonna's"},
        **fields,
    }
    answer = await client.post(AGENTS, json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def patch(
    client: httpx2.AsyncClient, agent: dict[str, Any], **fields: object
) -> httpx2.Response:
    return await client.patch(f"{AGENTS}/{agent['id']}", json=fields)


async def place_of(world: World, agent: dict[str, Any]) -> Place:
    place = (await world.agents.load(agent["id"])).knowledge
    assert place is not None
    return place


class TestSaving:
    async def test_it_is_asked_as_a_conversation_would(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        agent = await create(client)
        assert (agent["knowledge"], agent["knowledgeIssues"]) == (SHOWN, [])
        ((place, query),) = world.retrieval.asked
        assert query == PROBE
        assert (place.url, place.timeout_s, place.top_k, place.knowledge_id) == (
            "https://search.example/v1/retrieval?code=sk-canary-code-0000",
            0.8,
            3,
            "menu",
        )
        assert place.headers == {"X-Team": "sk-canary-team-3333", "X-Shop": "Nonna's"}
        assert place.token == KNOWLEDGE["apiKey"]

    async def test_only_the_address_is_needed(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        agent = await create(client, knowledge={"baseURL": "https://search.example"})
        assert agent["knowledge"] == {
            "baseURL": "https://search.example",
            "apiKey": None,
            "topK": 4,
            "timeoutMs": 1000,
            "headers": None,
            "knowledgeId": None,
        }
        place = await place_of(world, agent)
        assert (place.knowledge_id, place.token) == (agent["id"], "")

    async def test_nothing_is_saved_when_it_fails(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        world.retrieval.error = DOWN
        with capture_logs() as logs:
            answer = await client.post(AGENTS, json={"displayName": "D", "knowledge": KNOWLEDGE})
        told = answer.json()
        assert (answer.status_code, told["field"]) == (400, "knowledge")
        assert told["errorMessage"].startswith(
            "The agent's retrieval server did not pass the check, so nothing was saved. The "
            "retrieval server at https://search.example/v1 answered 401: no."
        )
        assert told["hint"] == DOWN.hint
        assert told["details"] == [
            {
                "code": "retrieval.status",
                "message": "The retrieval server at https://search.example/v1 answered 401: no",
                "fix": DOWN.hint,
                "severity": "error",
                "evidence": "",
                "field": "knowledge.apiKey",
            }
        ]
        assert (await client.get(AGENTS)).json() == []
        assert [one["findings"] for one in logs] == [["retrieval.status"]]
        assert "canary" not in answer.text + repr(logs)

    async def test_an_llm_is_not_asked_when_it_fails(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        world.retrieval.error = DOWN
        llm = {"baseURL": "https://llm.example/v1"}
        body = {"displayName": "D", "knowledge": KNOWLEDGE, "llm": llm}
        assert (await client.post(AGENTS, json=body)).status_code == 400
        assert world.check.asked == []

    async def test_what_is_odd_is_kept_and_shown(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        world.retrieval.found = ()
        agent = await create(client, knowledge={**KNOWLEDGE, "timeoutMs": 5000})
        issues = {one["code"]: one for one in agent["knowledgeIssues"]}
        assert set(issues) == {"retrieval.capped", "retrieval.empty"}
        assert {one["severity"] for one in issues.values()} == {"warning"}
        assert issues["retrieval.capped"]["field"] == "knowledge.timeoutMs"
        assert "5000 ms" in issues["retrieval.capped"]["message"]
        assert world.retrieval.asked[0][0].timeout_s == 2.0
        again = (await client.get(f"{AGENTS}/{agent['id']}")).json()
        assert again["knowledgeIssues"] == agent["knowledgeIssues"]

    async def test_a_row_holds_no_secret_in_plain(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        agent = await create(client)
        async with world.database.read() as session:
            row = await session.get(AgentRow, agent["id"])
            assert row is not None
            assert "canary" not in json.dumps(row.knowledge)
            assert row.knowledge is not None
            assert row.knowledge["baseURL"] == "https://search.example/v1"

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"baseURL": "search.example"}, "knowledge.baseURL"),
            ({"baseURL": "https://me:pass@search.example"}, "knowledge.baseURL"),
            ({"apiKey": "has blanks"}, "knowledge.apiKey"),
            ({"topK": 0}, "knowledge.topK"),
            ({"topK": 21}, "knowledge.topK"),
            ({"timeoutMs": 49}, "knowledge.timeoutMs"),
            ({"timeoutMs": 5001}, "knowledge.timeoutMs"),
            ({"headers": {"a b": "c"}}, "knowledge.headers"),
            ({"headers": {"a": "b\nc"}}, "knowledge.headers"),
            ({"knowledgeId": ""}, "knowledge.knowledgeId"),
            ({"topk": 3}, "knowledge.topk"),
        ],
    )
    async def test_what_it_may_not_be(
        self, world: World, client: httpx2.AsyncClient, wrong: dict[str, Any], field: str
    ) -> None:
        body = {"displayName": "D", "knowledge": {**KNOWLEDGE, **wrong}}
        answer = await client.post(AGENTS, json=body)
        assert (answer.status_code, answer.json()["field"]) == (400, field)
        assert world.retrieval.asked == []
        assert "canary" not in answer.text
        assert "pass@" not in answer.text


class TestChanging:
    async def test_what_was_read_is_written_back_while_it_is_down(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        world.retrieval.found = ()
        agent = await create(client)
        before = await place_of(world, agent)
        world.retrieval.error = DOWN
        answer = await patch(client, agent, **{**agent, "greeting": "Hi"})
        assert (answer.status_code, answer.json()) == (200, {**agent, "greeting": "Hi"})
        assert [one["code"] for one in agent["knowledgeIssues"]] == ["retrieval.empty"]
        assert len(world.retrieval.asked) == 1
        assert await place_of(world, agent) == before

    @pytest.mark.parametrize(
        "change",
        [
            {"baseURL": "https://search.example/v2?code=••••0000"},
            {"apiKey": "another"},
            {"apiKey": None},
            {"topK": 5},
            {"timeoutMs": 900},
            {"headers": None},
            {"knowledgeId": None},
        ],
    )
    async def test_whatever_is_changed_is_checked(
        self, world: World, client: httpx2.AsyncClient, change: dict[str, Any]
    ) -> None:
        agent = await create(client)
        world.retrieval.error = DOWN
        answer = await patch(client, agent, knowledge={**agent["knowledge"], **change})
        assert answer.status_code == 400
        assert len(world.retrieval.asked) == 2
        assert (await client.get(f"{AGENTS}/{agent['id']}")).json() == agent

    @pytest.mark.parametrize(
        ("variables", "asks"), [({"shop": "Nonno's"}, 2), ({"shop": "Nonna's", "more": "x"}, 1)]
    )
    async def test_variables_count_where_they_are_sent(
        self, world: World, client: httpx2.AsyncClient, variables: dict[str, str], asks: int
    ) -> None:
        agent = await create(client)
        answer = await patch(client, agent, knowledge=agent["knowledge"], variables=variables)
        assert answer.status_code == 200
        assert len(world.retrieval.asked) == asks

    async def test_a_key_that_is_left_away_is_kept(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        agent = await create(client)
        answer = await patch(client, agent, knowledge={"baseURL": "https://search.example/v3"})
        assert answer.status_code == 200
        place = await place_of(world, agent)
        assert (place.token, place.headers) == (KNOWLEDGE["apiKey"], {})

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            (
                {"baseURL": "https://evil.example?code=••••0000", "apiKey": None},
                "knowledge.baseURL",
            ),
            ({"baseURL": "http://search.example/v1", "headers": None}, "knowledge.apiKey"),
            ({"baseURL": "https://evil.example", "apiKey": None}, "knowledge.headers.X-Team"),
            ({"apiKey": "••••9999"}, "knowledge.apiKey"),
            ({"headers": {"X-Team": "••••9999"}}, "knowledge.headers.X-Team"),
            ({"headers": {"X-Else": "••••3333"}}, "knowledge.headers.X-Else"),
        ],
    )
    async def test_no_secret_follows_to_another_server(
        self, world: World, client: httpx2.AsyncClient, change: dict[str, Any], field: str
    ) -> None:
        agent = await create(client)
        sent = {**agent["knowledge"], **change}
        for answer in (
            await patch(client, agent, knowledge=sent),
            await client.post(CHECKS, json={**sent, "agentId": agent["id"]}),
        ):
            assert (answer.status_code, answer.json()["field"]) == (400, field)
        assert len(world.retrieval.asked) == 1

    async def test_null_goes_back_to_the_built_in_search(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        world.retrieval.found = ()
        agent = await create(client)
        answer = await patch(client, agent, knowledge=None)
        assert (answer.json()["knowledge"], answer.json()["knowledgeIssues"]) == (None, [])
        assert (await world.agents.load(agent["id"])).knowledge is None

    async def test_other_changes_leave_it_alone(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        agent = await create(client)
        world.retrieval.error = DOWN
        answer = await patch(client, agent, greeting="Hi")
        assert answer.json()["knowledge"] == SHOWN

    async def test_somebody_elses_change_during_the_check_is_not_lost(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        agent = await create(client)

        async def change_it() -> None:
            world.retrieval.before_answer = None
            assert (await patch(client, agent, knowledge=None)).status_code == 200

        world.retrieval.before_answer = change_it
        answer = await patch(client, agent, knowledge={**agent["knowledge"], "topK": 9})
        assert (answer.status_code, answer.json()["field"]) == (409, "knowledge")
        assert (await client.get(f"{AGENTS}/{agent['id']}")).json()["knowledge"] is None


class TestTrying:
    async def test_one_is_tried_without_saving(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        answer = await client.post(CHECKS, json={**KNOWLEDGE, "query": "When?"})
        assert answer.status_code == 200
        assert answer.json() == {
            "ok": True,
            "url": "https://search.example/v1/retrieval",
            "totalMs": 0.0,
            "findings": [],
            "passages": [{"text": "Nine to five.", "source": "hours.pdf", "page": 3, "score": 0.8}],
        }
        assert world.retrieval.asked[0][1] == "When?"

    async def test_a_failure_is_a_report(self, world: World, client: httpx2.AsyncClient) -> None:
        world.retrieval.error = DOWN
        answer = await client.post(CHECKS, json=KNOWLEDGE)
        found = answer.json()
        assert (answer.status_code, found["ok"], found["passages"]) == (200, False, [])
        assert [one["code"] for one in found["findings"]] == ["retrieval.status"]
        assert "canary" not in answer.text

    async def test_it_may_use_what_an_agent_stores(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        agent = await create(client)
        await client.post(CHECKS, json={**agent["knowledge"], "agentId": agent["id"]})
        stored, tried = (place for place, _ in world.retrieval.asked)
        assert stored == tried

    async def test_another_account_has_no_use_of_it(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        body = {**SHOWN, "agentId": "nobody-12345678"}
        assert (await client.post(CHECKS, json=body)).status_code == 404
        assert (await client.post(CHECKS, json=SHOWN)).status_code == 400
        assert world.retrieval.asked == []
