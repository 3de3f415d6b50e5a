"""An agent's own variables: kept, changed, refused, and given to the check of its LLM."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from rest_world import World

AGENTS = "/api/v1/agents"
LLM = {"baseURL": "https://llm.example.com/v1", "baseParams": {"defaultHeaders": {"x": "{{t}}"}}}


async def create(client: httpx2.AsyncClient, **fields: object) -> httpx2.Response:
    return await client.post(AGENTS, json={"displayName": "Front desk", **fields})


async def patch(client: httpx2.AsyncClient, agent_id: str, **fields: object) -> dict[str, Any]:
    response = await client.patch(f"{AGENTS}/{agent_id}", json=fields)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def test_they_change_as_a_whole_and_only_when_sent(
    world: World, client: httpx2.AsyncClient
) -> None:
    made = (await create(client, variables={"shop": "Nonna's", "minutes": 45.0})).json()
    assert (await world.agents.load(made["id"])).variables == {"shop": "Nonna's", "minutes": "45"}
    assert (await patch(client, made["id"], greeting="Hi"))["variables"] == made["variables"]
    assert (await patch(client, made["id"], variables={"x": True}))["variables"] == {"x": True}
    assert (await patch(client, made["id"], variables={}))["variables"] == {}


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"a b": "x"}, "variables holds the name 'a b'; a name is a letter or _"),
        ({"a": None}, "variables holds a 'a' that is not a string, a number or a boolean"),
        ({"a": {"b": 1}}, "variables holds a 'a' that is not a string"),
        ({"a": "canary" * 200}, "variables holds a 'a' of more than 1,000 characters"),
        ({f"a{n}": 1 for n in range(51)}, "variables holds 51 variables; at most 50 are taken"),
        ([], "variables must be a JSON object"),
        (None, "variables must be a JSON object"),
    ],
)
async def test_bad_ones_are_refused_in_one_sentence(
    client: httpx2.AsyncClient, variables: object, told: str
) -> None:
    refused = await create(client, variables=variables)
    assert refused.status_code == 400
    assert told in refused.json()["message"]
    assert refused.json()["field"] == "variables"
    assert "canary" not in refused.text


async def test_the_check_of_an_llm_uses_them(world: World, client: httpx2.AsyncClient) -> None:
    made = (await create(client, llm=LLM, variables={"t": 1})).json()
    await patch(client, made["id"], llm=LLM)
    await patch(client, made["id"], llm=LLM, variables={"t": 2})
    assert [one.variables for one in world.check.asked] == [{"t": "1"}, {"t": "2"}]
