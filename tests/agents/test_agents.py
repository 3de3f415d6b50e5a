from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from rest_world import START, World, open_world
from sayso.agents.issues import LlmIssue
from sayso.errors import NotFoundError
from sayso.store.tables import UserRow

AGENTS = "/api/v1/agents"
LLM: dict[str, Any] = {
    "baseURL": "https://llm.example.com/v1",
    "apiKey": "sk-canary-0123456789",
    "baseParams": {"model": "m", "temperature": 0, "top_p": 0.5, "defaultHeaders": {"x-a": "head"}},
}
MASKED = "••••6789"
BROKEN = LlmIssue("http.html", "It answered HTML", "Check the path.", "error")
SLOW = LlmIssue("late.first", "The first word took 2.1 s", "Use a faster model.", "warning")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with open_world(tmp_path, create_agent_per_min=0, update_agent_per_min=0) as world:
        yield world


@pytest.fixture
async def client(world: World) -> AsyncGenerator[httpx2.AsyncClient]:
    async with world.client() as client:
        yield client


async def create(client: httpx2.AsyncClient, **fields: object) -> dict[str, Any]:
    response = await client.post(AGENTS, json={"displayName": "Front desk", **fields})
    assert response.status_code == 201, response.text
    return dict(response.json())


async def patch(client: httpx2.AsyncClient, agent_id: str, **fields: object) -> httpx2.Response:
    return await client.patch(f"{AGENTS}/{agent_id}", json=fields)


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


async def test_how_an_agent_speaks_and_hangs_up_is_kept(
    world: World, client: httpx2.AsyncClient
) -> None:
    manners: dict[str, Any] = {
        "applyTextNormalization": "off",
        "messagePlan": {
            "idleMessages": ["Hello?"],
            "idleTimeoutSeconds": 7.5,
            "idleMessageMaxSpokenCount": 3,
        },
        "silenceTimeoutSeconds": 60,
        "maxDurationSeconds": 600,
        "endCallMessage": "Bye.",
        "endCallPhrases": ["goodbye"],
    }
    agent = await create(client, **manners)
    assert {key: agent[key] for key in manners} == manners
    loaded = await world.agents.load(agent["id"])
    assert loaded.apply_text_normalization == "off"
    assert loaded.idle_messages == ("Hello?",)
    assert (loaded.idle_timeout_s, loaded.idle_messages_max) == (7.5, 3)
    assert (loaded.silence_timeout_s, loaded.max_duration_s) == (60, 600)
    assert (loaded.end_call_message, loaded.end_call_phrases) == ("Bye.", ("goodbye",))
    cleared = (await patch(client, agent["id"], messagePlan=None, endCallMessage=None)).json()
    assert cleared == {**agent, "messagePlan": None, "endCallMessage": None}


async def test_whoever_has_the_id_learns_the_name_of_what_is_not_private(
    world: World, client: httpx2.AsyncClient
) -> None:
    names = {}
    for visibility in ("public", "unlisted", "private"):
        agent = await create(client, displayName="Front desk", visibility=visibility)
        names[visibility] = await world.agents.name_for_visitors(agent["id"])
    assert names == {"public": "Front desk", "unlisted": "Front desk", "private": None}
    assert await world.agents.name_for_visitors("nobody") is None


async def test_null_is_the_usual_and_empty_is_nothing(
    world: World, client: httpx2.AsyncClient
) -> None:
    usual = await create(client, messagePlan={"idleMessages": None}, endCallPhrases=None)
    assert (usual["endCallMessage"], usual["endCallPhrases"]) == (None, [])
    loaded = await world.agents.load(usual["id"])
    assert (loaded.idle_messages, loaded.end_call_message, loaded.end_call_phrases) == (
        None,
        None,
        (),
    )
    silent = {"messagePlan": {"idleMessages": []}, "endCallMessage": "", "endCallPhrases": []}
    agent = (await patch(client, usual["id"], **silent)).json()
    assert (agent["messagePlan"]["idleMessages"], agent["endCallMessage"]) == ([], "")
    loaded = await world.agents.load(agent["id"])
    assert (loaded.idle_messages, loaded.end_call_message) == ((), "")
    assert (await patch(client, agent["id"], endCallPhrases=None)).json() == agent
    assert (await patch(client, agent["id"], endCallMessage=" … ")).json() == agent


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"endCallPhrases": ["bye", ""]}, "endCallPhrases.1 must have a word in it."),
        ({"endCallPhrases": ["!"]}, "endCallPhrases.0 must have a word in it."),
        (
            {"messagePlan": {"idleMessages": ["***"]}},
            "messagePlan.idleMessages.0 must have a word in it.",
        ),
        (
            {"messagePlan": {"idleTimeoutSeconds": 0.01}},
            "messagePlan.idleTimeoutSeconds must be at least 1, or 0 for never.",
        ),
        (
            {"messagePlan": {"idleTimeoutSeconds": -1}},
            "messagePlan.idleTimeoutSeconds must be at least 0.",
        ),
        ({"silenceTimeoutSeconds": 1}, "silenceTimeoutSeconds must be at least 5."),
        ({"voice": 1}, "voice must be a string."),
    ],
)
async def test_what_an_agent_cannot_do_is_said_of_the_field_as_it_was_sent(
    client: httpx2.AsyncClient, wrong: dict[str, Any], message: str
) -> None:
    refused = await client.post(AGENTS, json={"displayName": "A", **wrong})
    assert (refused.status_code, refused.json()["message"]) == (400, message)


async def test_how_an_agent_takes_turns_is_kept(world: World, client: httpx2.AsyncClient) -> None:
    agent = await create(client, patience="patient", interruptible=False)
    assert (agent["patience"], agent["interruptible"]) == ("patient", False)
    loaded = await world.agents.load(agent["id"])
    assert (loaded.patience, loaded.interruptible) == ("patient", False)
    changed = (await patch(client, agent["id"], patience=None, interruptible=True)).json()
    assert (changed["patience"], changed["interruptible"]) == (None, True)


async def test_what_an_agent_may_do_by_itself_is_kept(
    world: World, client: httpx2.AsyncClient
) -> None:
    actions = ["current-time", "end-call", "current-time"]
    agent = await create(client, builtInActions=actions, timeZone=" europe/vienna")
    assert (agent["builtInActions"], agent["timeZone"]) == (actions[:2], "Europe/Vienna")
    loaded = await world.agents.load(agent["id"])
    assert loaded.built_in_actions == ("current-time", "end-call")
    assert loaded.time_zone == "Europe/Vienna"
    changed = (await patch(client, agent["id"], builtInActions=None, timeZone=None)).json()
    assert (changed["builtInActions"], changed["timeZone"]) == ([], None)
    refused = await patch(client, agent["id"], timeZone="Mars")
    assert refused.status_code == 400
    assert refused.json()["message"] == (
        "timeZone is no time zone; write its IANA name, such as Europe/Vienna."
    )
    refused = await patch(client, agent["id"], builtInActions=["fly"])
    assert refused.json()["field"] == "builtInActions.0"
    assert "end-call" in refused.json()["message"]


async def test_to_whom_an_agent_hands_callers_on_is_kept(
    world: World, client: httpx2.AsyncClient
) -> None:
    desk = {"name": "Desk", "phoneNumber": "+1 555 010-0123", "when": "they want a table"}
    kept = {**desk, "phoneNumber": "+15550100123", "message": None}
    agent = await create(client, transferDestinations=[desk])
    assert agent["transferDestinations"] == [kept]
    (loaded,) = (await world.agents.load(agent["id"])).transfer_destinations
    assert (loaded.phone_number, loaded.message) == ("+15550100123", None)

    async def send(*destinations: object) -> dict[str, Any]:
        answered = await patch(client, agent["id"], transferDestinations=list(destinations))
        return dict(answered.json())

    again = await send(kept)
    assert (again["transferDestinations"], again["warnings"]) == ([kept], [])
    assert (await send(desk, desk))["message"] == "transferDestinations has two named 'Desk'."
    refused = await send({**kept, "phoneNumber": "1"})
    assert refused["field"] == "transferDestinations.0.phoneNumber"
    assert "such as +15550100123, or a SIP address" in refused["message"]
    assert "number is not known" in (await send({**kept, "number": "1"}))["message"]
    untouched = (await patch(client, agent["id"], greeting="Hi")).json()
    assert untouched["transferDestinations"] == [kept]
    cleared = (await patch(client, agent["id"], transferDestinations=None)).json()
    assert cleared["transferDestinations"] == []


async def test_a_patience_that_is_none_names_those_there_are(client: httpx2.AsyncClient) -> None:
    agent = await create(client, patience="eager")
    for refused in (
        await client.post(AGENTS, json={"displayName": "A", "patience": "very"}),
        await patch(client, agent["id"], patience="Patient"),
    ):
        assert refused.status_code == 400
        assert (error := refused.json())["field"] == "patience"
        assert error["message"] == "patience must be one of 'eager', 'normal' or 'patient'."
    refused = await patch(client, agent["id"], interruptible="no")
    assert refused.json()["message"] == "interruptible must be true or false."
    assert (await client.get(f"{AGENTS}/{agent['id']}")).json() == agent


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


async def test_a_built_in_llm_is_not_checked(world: World, client: httpx2.AsyncClient) -> None:
    agent = await create(client, llm={"type": "built-in", "model": "gpt-4o"})
    assert (agent["llm"]["type"], agent["llm"]["model"]) == ("built-in", "gpt-4o")
    assert agent["answeredBy"] == "built-in-extractive"
    assert (await world.agents.load(agent["id"])).llm is None
    assert world.check.asked == []


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
