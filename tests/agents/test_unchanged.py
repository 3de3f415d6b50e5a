"""An LLM that is sent as it is stored is not checked again: it may be down just now."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from rest_world import World
from sayso.agents.issues import LlmIssue

AGENTS = "/api/v1/agents"
LLM: dict[str, Any] = {
    "baseURL": "https://llm.example/v1?code=sk-canary-code-0000",
    "apiKey": "sk-canary-key-11112222",
    "baseParams": {
        "model": "m",
        "top_p": 0.5,
        "defaultHeaders": {"X-Shop": "shop {{shop}}", "X-None": None},
    },
    "timeouts": {"connectMs": 500},
    "fallbacks": [{"baseURL": "https://other.example/v1"}, {"type": "built-in"}],
}
VARIABLES = {"shop": "Nonna's", "other": "a"}
DOWN = LlmIssue("connect.refused", "Nothing listens there", "Start it.", "error")
SLOW = LlmIssue("late.first", "It is slow", "Use a faster model.", "warning")


async def create_then_fail(
    world: World, client: httpx2.AsyncClient, **llm: object
) -> tuple[str, dict[str, Any]]:
    """An agent whose LLM goes down once it is saved: its path, and what was answered."""
    world.check.issues = (SLOW,)
    body = {"displayName": "Desk", "llm": {**LLM, **llm}, "variables": VARIABLES}
    answer = await client.post(AGENTS, json=body)
    assert answer.status_code == 201, answer.text
    world.check.issues = (DOWN,)
    world.check.asked.clear()
    return f"{AGENTS}/{answer.json()['id']}", answer.json()


async def test_what_was_read_is_written_back_with_other_changes(
    world: World, client: httpx2.AsyncClient
) -> None:
    path, agent = await create_then_fail(world, client)
    report = (await client.get(f"{path}/llm-check")).json()
    changed = {**agent, "greeting": "Hi"}
    changed["llm"] = {**agent["llm"], "failureMessage": "Sorry.", "hedgeAfterMs": 500}
    answer = await client.patch(path, json=changed)
    assert (answer.status_code, answer.json()) == (200, changed)
    assert world.check.asked == []
    assert agent["llmIssues"]
    assert (await client.get(f"{path}/llm-check")).json() == report


@pytest.mark.parametrize(
    ("variables", "tell", "status"),
    [
        ({**VARIABLES, "other": "b"}, "off", 200),
        ({**VARIABLES, "other": "b"}, "body", 400),
        ({**VARIABLES, "shop": "Nonno's"}, "off", 400),
        ({}, "off", 400),
    ],
)
async def test_variables_count_where_the_llm_is_sent_them(
    world: World, client: httpx2.AsyncClient, variables: dict[str, str], tell: str, status: int
) -> None:
    path, agent = await create_then_fail(world, client, tell=tell)
    answer = await client.patch(path, json={"llm": agent["llm"], "variables": variables})
    assert answer.status_code == status


@pytest.mark.parametrize(
    "change",
    [
        {"baseURL": "https://llm.example/v2?code=••••0000"},
        {"apiKey": "sk-another-key"},
        {"apiKey": None},
        {"baseParams": {"model": "other"}},
        {"timeouts": None},
        {"fallbacks": []},
        {"fallbacks": [{"type": "built-in"}, {"baseURL": "https://other.example/v1"}]},
    ],
)
async def test_whatever_else_is_changed_is_checked(
    world: World, client: httpx2.AsyncClient, change: dict[str, Any]
) -> None:
    path, agent = await create_then_fail(world, client)
    answer = await client.patch(path, json={"llm": {**agent["llm"], **change}})
    assert answer.status_code == 400
    assert world.check.asked
    assert (await client.get(path)).json() == agent


class TestCheckingAgain:
    async def test_a_stored_llm_is_checked_now_and_the_report_kept(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        path, agent = await create_then_fail(world, client)
        answer = await client.post(f"{path}/llm-check")
        report = answer.json()
        assert (answer.status_code, report["ok"]) == (200, False)
        assert [one["code"] for one in report["findings"]] == ["connect.refused"]
        first, built_in = report["fallbacks"]
        assert first["findings"][0]["field"] == "llm.fallbacks.0"
        assert built_in is None
        assert (await client.get(f"{path}/llm-check")).json() == report
        assert (await client.get(path)).json() == agent
        main, other = world.check.asked
        assert main.variables == other.variables == VARIABLES
        assert main.base_url == LLM["baseURL"]

    async def test_an_agent_without_an_llm_has_nothing_to_check(
        self, client: httpx2.AsyncClient
    ) -> None:
        agent = (await client.post(AGENTS, json={"displayName": "Desk"})).json()
        answer = await client.post(f"{AGENTS}/{agent['id']}/llm-check")
        assert answer.status_code == 404
        assert "no LLM of its own" in answer.json()["errorMessage"]

    async def test_the_report_of_an_llm_that_was_replaced_meanwhile_is_dropped(
        self, world: World, client: httpx2.AsyncClient
    ) -> None:
        path, _ = await create_then_fail(world, client)

        async def replace_it() -> None:
            world.check.before_answer, world.check.issues = None, ()
            new = {"llm": {"baseURL": "https://new.example/v1", "apiKey": None}}
            assert (await client.patch(path, json=new)).status_code == 200

        world.check.before_answer = replace_it
        assert (await client.post(f"{path}/llm-check")).status_code == 409
        report = (await client.get(f"{path}/llm-check")).json()
        assert "new.example" in report["url"]


async def test_a_save_and_a_refusal_are_in_the_log(
    world: World, client: httpx2.AsyncClient
) -> None:
    with capture_logs() as logs:
        path, _ = await create_then_fail(world, client)
        await client.patch(
            path, json={"llm": {"baseURL": "https://new.example/v1", "apiKey": None}}
        )
        await client.patch(path, json={"greeting": "Hi"})
    told = [(one["event"], one["fields"], one["findings"]) for one in logs]
    assert told == [
        ("agent_saved", ["displayName", "llm", "variables"], ["late.first", "late.first"]),
        ("agent_refused", ["llm"], ["connect.refused"]),
        ("agent_saved", ["greeting"], []),
    ]
    assert {one["account_id"] for one in logs} == {world.user_id}
