"""Keys nobody reads: refused where only Sayso has them, named where old clients send their own."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from rest_world import World
from sayso.agents.ignored import list_ignored
from sayso.agents.schema import AgentChanges, NewAgent
from sayso.bodies import MAX_NAMED, MAX_NAMED_CHARS

AGENTS = "/api/v1/agents"
URL = "https://llm.example/v1"


async def create(client: httpx2.AsyncClient, **body: object) -> httpx2.Response:
    return await client.post(AGENTS, json={"displayName": "Desk", **body})


def ignored(**body: object) -> list[tuple[str, str | None]]:
    made = NewAgent.model_validate({"displayName": "Desk", **body})
    return [(one.field, one.meant) for one in list_ignored(made)]


class TestNaming:
    def test_unknown_keys_are_named_with_the_known_ones_they_resemble(self) -> None:
        llm = {"baseURL": URL, "modle": "x", "fallbacks": [{"baseURL": URL, "apikey": "k"}]}
        assert ignored(greting="Hi", customer=7, llm=llm) == [
            ("greting", "greeting"),
            ("customer", None),
            ("llm.modle", None),
            ("llm.fallbacks.0.apikey", "llm.fallbacks.0.apiKey"),
        ]

    def test_what_only_answers_have_is_no_mistake(self) -> None:
        assert ignored(id="x", answeredBy="llm", llm={"type": "built-in", "baseURL": None}) == []

    def test_what_is_passed_through_is_no_mistake(self) -> None:
        assert ignored(llm={"baseURL": URL, "baseParams": {"top_p": 1, "anything": {}}}) == []

    def test_a_sentence_says_what_happened(self) -> None:
        first, second = list_ignored(AgentChanges.model_validate({"greting": "Hi", "zzz": 1}))
        assert first.message == "greting is not known and was ignored; did you mean greeting?"
        assert second.message == "zzz is not known and was ignored."

    def test_there_is_an_end_to_it(self) -> None:
        found = ignored(**{f"{n:03}{'x' * 200}": n for n in range(MAX_NAMED + 5)})
        assert len(found) == MAX_NAMED
        assert all(len(name) == MAX_NAMED_CHARS for name, _ in found)


class TestAnswers:
    async def test_ignored_keys_are_in_the_answer_and_nowhere_else(
        self, client: httpx2.AsyncClient
    ) -> None:
        answer = await create(client, greting="Hi", llm={"baseURL": URL, "urll": 1})
        agent = answer.json()
        assert answer.status_code == 201
        assert [one["field"] for one in agent["warnings"]] == ["greting", "llm.urll"]
        assert {one["code"] for one in agent["warnings"]} == {"field.ignored"}
        assert agent["llmIssues"] == []
        path = f"{AGENTS}/{agent['id']}"
        answer = await client.patch(path, json={"greting": "Hi"})
        assert answer.status_code == 200
        assert answer.json()["warnings"] == agent["warnings"][:1]
        assert (await client.get(path)).json() == {**agent, "warnings": []}

    async def test_what_was_read_is_written_back_without_a_warning(
        self, client: httpx2.AsyncClient
    ) -> None:
        llm = {"baseURL": URL, "timeouts": {"connectMs": 500}}
        for own in (None, {**llm, "fallbacks": [llm, {"type": "built-in"}]}):
            plan = {"idleTimeoutSeconds": 3}
            agent = (await create(client, llm=own, messagePlan=plan)).json()
            answer = await client.patch(f"{AGENTS}/{agent['id']}", json=agent)
            assert (answer.status_code, answer.json()) == (200, agent)


class TestRefusals:
    @pytest.mark.parametrize(
        ("body", "field", "says"),
        [
            (
                {"llm": {"baseURL": URL, "timeouts": {"firstToken": 3}}},
                "llm.timeouts.firstToken",
                "llm.timeouts.firstToken is not known; firstTokenMs is.",
            ),
            (
                {"messagePlan": {"idleMessage": ["Hello?"], "when": 3}},
                "messagePlan.idleMessage",
                (
                    "messagePlan.idleMessage is not known; idleMessages is. "
                    "messagePlan.when is not known; "
                    "idleMessageMaxSpokenCount, idleMessages, idleTimeoutSeconds are."
                ),
            ),
            (
                {"llm": {"baseURL": URL, "model": "x"}},
                "llm.model",
                "llm.model is not read; send llm.baseParams.model.",
            ),
            (
                {"llm": {"baseURL": URL, "model": "x", "baseParams": {"model": "y"}}},
                "llm.model",
                "llm.model is not read; send llm.baseParams.model.",
            ),
            (
                {"llm": {"baseURL": URL, "fallbacks": [{"baseURL": URL, "model": "x"}]}},
                "llm.fallbacks.0.model",
                "llm.fallbacks.0.model is not read; send llm.fallbacks.0.baseParams.model.",
            ),
            (
                {"llm": {"baseUrl": URL}},
                "llm.baseURL",
                "llm.baseURL is required; you sent baseUrl.",
            ),
        ],
    )
    async def test_a_mistake_that_changes_what_is_called_is_refused(
        self,
        world: World,
        client: httpx2.AsyncClient,
        body: dict[str, Any],
        field: str,
        says: str,
    ) -> None:
        answer = await create(client, **body)
        assert (answer.status_code, answer.json()["field"]) == (400, field)
        assert answer.json()["errorMessage"] == says
        assert world.check.asked == []

    async def test_a_model_in_both_places_is_taken_when_it_is_the_same(
        self, client: httpx2.AsyncClient
    ) -> None:
        llm = {"baseURL": URL, "model": "x", "baseParams": {"model": "x"}}
        answer = await create(client, llm=llm)
        assert (answer.status_code, answer.json()["warnings"]) == (201, [])

    async def test_a_check_that_saves_nothing_says_the_same(
        self, client: httpx2.AsyncClient
    ) -> None:
        answer = await client.post("/api/v1/llm-checks", json={"baseURL": URL, "model": "x"})
        assert answer.status_code == 400
        assert answer.json()["errorMessage"] == "model is not read; send baseParams.model."

    async def test_the_display_name_is_recognised_too(self, client: httpx2.AsyncClient) -> None:
        answer = await client.post(AGENTS, json={"display_name": "Desk"})
        assert answer.json()["errorMessage"] == "displayName is required; you sent display_name."
