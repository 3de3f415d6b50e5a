from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from agents.agent_api import AGENTS, create, patch
from rest_world import START, World, open_world
from sayso.agents.issues import LlmIssue
from sayso.errors import NotFoundError
from sayso.store.tables import UserRow

pytestmark = pytest.mark.usefixtures("both_databases")

LLM: dict[str, Any] = {
    "baseURL": "https://llm.example.com/v1",
    "apiKey": "sk-canary-0123456789",
    "baseParams": {"model": "m", "temperature": 0, "top_p": 0.5, "defaultHeaders": {"x-a": "head"}},
}
BROKEN = LlmIssue("http.html", "It answered HTML", "Check the path.", "error")


async def test_an_agent_is_answered_with_every_key(client: httpx2.AsyncClient) -> None:
    agent = await create(client)
    assert agent.pop("id").startswith("front-desk-")
    assert agent == {
        "voice": "s3://voice-cloning-zero-shot/d9ff78ba-d016-47f6-b0ef-dd630f59414e/female-cs/"
        "manifest.json",
        "voiceSpeed": None,
        "ttsModel": "PlayHT2.0-turbo",
        "displayName": "Front desk",
        "description": "",
        "greeting": None,
        "prompt": None,
        "criticalKnowledge": None,
        "answerOnlyFromCriticalKnowledge": False,
        "visibility": "public",
        "language": "english",
        "llm": None,
        "actions": [],
        "variables": {},
        "applyTextNormalization": "auto",
        "messagePlan": None,
        "silenceTimeoutSeconds": None,
        "maxDurationSeconds": None,
        "endCallMessage": None,
        "endCallPhrases": [],
        "patience": None,
        "interruptible": True,
        "mcpServers": [],
        "builtInActions": [],
        "timeZone": None,
        "transferDestinations": [],
        "recordAudio": True,
        "allowedOrigins": [],
        "avatarPhotoUrl": None,
        "criticalKnowledgeFiles": [],
        "phoneNumbers": [],
        "answeredBy": "built-in-extractive",
        "llmIssues": [],
        "knowledge": None,
        "knowledgeIssues": [],
        "warnings": [],
    }


async def test_whoever_has_the_id_learns_the_name_of_what_is_not_private(
    world: World, client: httpx2.AsyncClient
) -> None:
    names = {}
    for visibility in ("public", "unlisted", "private"):
        agent = await create(client, displayName="Front desk", visibility=visibility)
        names[visibility] = await world.agents.name_for_visitors(agent["id"])
    assert names == {"public": "Front desk", "unlisted": "Front desk", "private": None}
    assert await world.agents.name_for_visitors("nobody") is None


async def test_what_is_sent_is_kept_and_returned_as_given(client: httpx2.AsyncClient) -> None:
    sent: dict[str, Any] = {
        "voice": "s3://somewhere/unknown/manifest.json",
        "voiceSpeed": 1.2,
        "ttsModel": "PlayDialog",
        "description": "Answers calls",
        "greeting": "Grüezi 👋",
        "prompt": "You run the front desk.",
        "criticalKnowledge": "Open 9 to 5.",
        "answerOnlyFromCriticalKnowledge": True,
        "visibility": "private",
        "language": "german",
        "variables": {"shop": "Nonna's", "minutes": 45, "rate": 0.5, "open": True},
    }
    agent = await create(client, **sent)
    read = (await client.get(f"{AGENTS}/{agent['id']}")).json()
    assert read == agent
    assert {name: read[name] for name in sent} == sent


async def test_whoever_asks_is_told_what_answers_for_a_public_agent(
    world: World, client: httpx2.AsyncClient
) -> None:
    made = [
        (await client.post(AGENTS, json={"displayName": "A", **more})).json()["id"]
        for more in (
            {"visibility": "public"},
            {"visibility": "private"},
            {"llm": {"baseURL": "http://llm.test/v1", "apiKey": "k"}},
        )
    ]
    told = [await world.agents.answered_by(agent_id) for agent_id in (*made, "nobody", "?")]
    assert told == ["built-in-extractive", None, "llm", None, None]


async def test_a_change_touches_only_what_was_sent(client: httpx2.AsyncClient) -> None:
    agent = await create(client, greeting="Hello", prompt="Be kind.", voiceSpeed=1.1, llm=LLM)
    changed = (await patch(client, agent["id"], greeting=None, voiceSpeed=None)).json()
    assert changed == {**agent, "greeting": None, "voiceSpeed": None}
    assert (await patch(client, agent["id"])).json() == changed
    back = (await patch(client, agent["id"], llm=None)).json()
    assert back == {**changed, "llm": None, "answeredBy": "built-in-extractive"}


@pytest.mark.parametrize("nothing", [{"displayName": None}, {"visibility": None}, {"voice": None}])
async def test_what_cannot_be_empty_cannot_be_cleared(
    client: httpx2.AsyncClient, nothing: dict[str, None]
) -> None:
    agent = await create(client)
    answer = await patch(client, agent["id"], **nothing)
    assert answer.status_code == 400
    assert answer.json()["field"] == next(iter(nothing))


async def test_changes_at_the_same_time_all_count(client: httpx2.AsyncClient) -> None:
    agent = await create(client)
    fields = {
        "greeting": "g",
        "prompt": "p",
        "description": "d",
        "criticalKnowledge": "k",
        "voice": "v",
        "voiceSpeed": 0.7,
        "language": "french",
        "visibility": "private",
    }
    answers = await asyncio.gather(
        *(patch(client, agent["id"], **{name: value}) for name, value in fields.items())
    )
    assert {answer.status_code for answer in answers} == {200}
    assert (await client.get(f"{AGENTS}/{agent['id']}")).json() == {**agent, **fields}


async def test_agents_are_for_their_owner(world: World, client: httpx2.AsyncClient) -> None:
    agent = await create(client, visibility="public")
    async with world.database.write() as session:
        session.add(UserRow(id="stranger", created_at=START + timedelta(days=1)))
    stranger = await world.accounts.new_key("stranger")
    async with world.client(stranger.api_key.get_secret_value()) as other:
        for method, path in (
            ("GET", f"{AGENTS}/{agent['id']}"),
            ("PATCH", f"{AGENTS}/{agent['id']}"),
            ("DELETE", f"{AGENTS}/{agent['id']}"),
            ("GET", f"/api/v1/agent-stats/{agent['id']}"),
            ("GET", f"{AGENTS}/{agent['id']}/conversations"),
        ):
            answer = await other.request(method, path, json={} if method == "PATCH" else None)
            assert (answer.status_code, answer.json()["errorId"]) == (403, "FORBIDDEN")
        llm = await other.patch(f"{AGENTS}/{agent['id']}", json={"llm": LLM})
        assert llm.status_code == 403
        assert (await other.get(AGENTS)).json() == []
    assert world.check.asked == []


@pytest.mark.parametrize("agent_id", ["unknown", "a%00b", "%F0%9F%91%8B", "x" * 200, "a'b"])
async def test_an_unknown_agent_is_not_found(client: httpx2.AsyncClient, agent_id: str) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        body: dict[str, str] | None = {} if method == "PATCH" else None
        answer = await client.request(method, f"{AGENTS}/{agent_id}", json=body)
        assert (answer.status_code, answer.json()["errorId"]) == (404, "NOT_FOUND")


async def test_agents_are_listed_newest_first_in_pages(client: httpx2.AsyncClient) -> None:
    made = [(await create(client, displayName=f"A{at}"))["id"] for at in range(3)]
    first = await client.get(AGENTS, params={"pageSize": 2})
    assert [one["id"] for one in first.json()] == [made[2], made[1]]
    assert first.headers["X-Total-Count"] == "3"
    rest = await client.get(AGENTS, params={"startAfter": first.headers["X-Next-Start-After"]})
    assert [one["id"] for one in rest.json()] == [made[0]]


async def test_a_deleted_agent_takes_its_conversations_along(
    world: World, client: httpx2.AsyncClient
) -> None:
    agent = await create(client)
    world.recorder.opened("c1", agent["id"], source="web", at=START)
    world.recorder.line("c1", "assistant", "Hello", START)
    await world.recorder.flush()
    assert (await client.delete(f"{AGENTS}/{agent['id']}")).status_code == 204
    assert (await client.get(f"{AGENTS}/{agent['id']}")).status_code == 404
    with pytest.raises(NotFoundError):
        await world.conversations.history("c1", agent_id=agent["id"], owner_id=world.user_id)


async def test_an_account_has_a_most_of_agents(tmp_path: Path) -> None:
    async with open_world(tmp_path, max_agents=1) as world, world.client() as client:
        await create(client)
        answer = await client.post(AGENTS, json={"displayName": "One too many"})
        assert answer.status_code == 409
        assert "1 agents" in answer.json()["message"]


async def test_stats_count_conversations_phones_and_seconds(
    world: World, client: httpx2.AsyncClient
) -> None:
    agent = await create(client)
    path = f"/api/v1/agent-stats/{agent['id']}"
    empty = {
        "id": agent["id"],
        "numberOfConversations": 0,
        "numberOfPhoneConversations": 0,
        "numberOfSecondsTalked": 0,
    }
    assert (await client.get(path)).json() == empty
    for name, source, seconds in (("c1", "web", 30.4), ("c2", "phone", 12.2), ("c3", "web", None)):
        world.recorder.opened(name, agent["id"], source=source, at=START)
        if seconds is not None:
            at = START + timedelta(seconds=seconds)
            world.recorder.ended(name, by="user", error_code=None, at=at)
    await world.recorder.flush()
    assert (await client.get(path)).json() == {
        **empty,
        "numberOfConversations": 3,
        "numberOfPhoneConversations": 1,
        "numberOfSecondsTalked": 43,
    }


async def test_voices_are_those_of_the_engine(client: httpx2.AsyncClient) -> None:
    (voice,) = (await client.get("/api/v1/voices")).json()
    assert (voice["id"], voice["name"]) == ("amber", "Amber")


async def test_a_key_is_found_nowhere(world: World, tmp_path: Path) -> None:
    """Not in the database, not in any answer, not in the log."""
    canary = "sk-canary-0123456789"
    own = {
        "baseURL": f"https://llm.example.com/v1?api_key={canary}-url",
        "apiKey": canary,
        "baseParams": {
            "defaultHeaders": {"x-key": f"{canary}-header"},
            "query": {"code": f"{canary}-query"},
        },
    }
    llm = {**own, "fallbacks": [own]}
    said: list[str] = []
    with capture_logs() as logs:
        async with world.client() as client:
            answer = await client.post(AGENTS, json={"displayName": "A", "llm": llm})
            said.append(answer.text)
            agent = answer.json()
            path = f"{AGENTS}/{agent['id']}"
            world.check.issues = (BROKEN,)
            for answer in (
                await client.get(path),
                await client.get(AGENTS),
                await client.patch(path, json={"llm": llm}),
                await client.patch(path, json={"llm": {**llm, "baseURL": f"x?key={canary}"}}),
                await client.patch(path, json={"llm": {**own, "baseParams": {"query": canary}}}),
                await client.patch(path, json={"llm": {**own, "fallbacks": [{**own, "tell": 1}]}}),
                await client.patch(path, json={"llm": agent["llm"]}),
                await client.patch(path, json={"llm": {**llm, "baseURL": 1}}),
                await client.patch(path, json={"llm": {**llm, "apiKey": [canary]}}),
                await client.patch(path, json={"llm": {**llm, "apiKey": canary + "\n\n x"}}),
                await client.patch(path, content=f'{{"llm": "{canary}",}}'),
                await client.get(path, headers={"X-User-Id": canary}),
                await client.get(f"{AGENTS}/{'y' * 120}{canary}"),
            ):
                said.append(answer.text)
                assert canary not in str(answer.headers)
            world.check.before_answer = fail_with(canary)
            said.append((await client.patch(path, json={"llm": own})).text)
    assert said[-1].count("INTERNAL_ERROR") == 1
    assert canary not in "".join(said)
    assert canary not in str(logs)
    await world.database.close()
    for stored in (tmp_path / "data").iterdir():
        assert canary.encode() not in stored.read_bytes()


def fail_with(secret: str) -> Callable[[], Awaitable[None]]:
    async def fail() -> None:
        raise RuntimeError(f"a library that puts {secret} into its error")

    return fail
