from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select

from rest_world import START, World, open_world
from sayso.conversations.schema import to_iso
from sayso.llm import Exchanged, ToolCall
from sayso.store.tables import ExchangeRow, LineRow, TurnRow, UserRow

pytestmark = pytest.mark.usefixtures("both_databases")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with open_world(tmp_path) as world:
        await world.archive.recordings.open()
        yield world
        await world.archive.recordings.close()


@pytest.fixture
async def client(world: World) -> AsyncGenerator[httpx2.AsyncClient]:
    async with world.client() as client:
        yield client


@pytest.fixture
async def agent(client: httpx2.AsyncClient) -> str:
    return await make_agent(client, "Front desk")


@pytest.fixture
async def stranger(world: World) -> AsyncGenerator[httpx2.AsyncClient]:
    """A client of another account, with an agent of its own."""
    other = await make_account(world)
    async with world.client(other) as client:
        yield client


async def make_account(world: World) -> str:
    """Another account's key."""
    async with world.database.write() as session:
        session.add(UserRow(id="s" * 28, created_at=START))
    made = await world.accounts.new_key("s" * 28, "other")
    return made.api_key.get_secret_value()


async def make_agent(client: httpx2.AsyncClient, name: str) -> str:
    answer = await client.post("/api/v1/agents", json={"displayName": name})
    return str(answer.json()["id"])


ASKED = Exchanged(
    llm="https://llm.example.com/v1/chat/completions",
    model="m",
    request=b'{"model":"m","messages":[{"role":"user","content":"hi"}]}',
    response="Hello!",
    calls=(ToolCall("1", "look", '{"a": 1}'),),
    outcome="answered",
    finding="",
    status=200,
    first_token_ms=120.0,
    total_ms=300.0,
)


async def talk(
    world: World,
    agent: str,
    name: str,
    *,
    after_s: float = 0,
    lasts_s: float = 10,
    reason: str | None = "caller_left",
    said: str = "What does it cost?",
    timings: Mapping[str, object] = {"first_sound_sent_s": 0.5},
    caller_id: str | None = None,
) -> None:
    """A conversation of two lines and a turn; without a `reason` it is under way."""
    start = START + timedelta(seconds=after_s)
    recorder = world.recorder
    recorder.opened(name, agent, source="web", at=start, caller_id=caller_id)
    began = start + timedelta(seconds=1)
    recorder.line(name, "user", said, start + timedelta(seconds=3), began_at=began)
    recorder.line(name, "assistant", "Nine euros.", start + timedelta(seconds=5))
    recorder.exchange(name, 1, ASKED, start + timedelta(seconds=4))
    recorder.turn(name, 1, timings, start + timedelta(seconds=5))
    if reason is not None:
        end = start + timedelta(seconds=lasts_s)
        recorder.ended(name, by="user", error_code=None, at=end, reason=reason)
    await recorder.flush()


async def found(client: httpx2.AsyncClient, **query: object) -> list[str]:
    answer = await client.get("/api/v1/conversations", params={k: str(v) for k, v in query.items()})
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()]


async def test_a_conversation_says_what_became_of_it(
    world: World, client: httpx2.AsyncClient, agent: str
) -> None:
    await talk(world, agent, "c1")
    body = (await client.get("/api/v1/conversations/c1")).json()
    assert (await client.get("/api/v1/conversations")).json() == [body]
    expected: dict[str, Any] = {
        "id": "c1",
        "source": "web",
        "callerEmail": None,
        "callerId": None,
        "startedAt": "2024-05-01T12:00:00.123Z",
        "endedAt": "2024-05-01T12:00:10.123Z",
        "durationInSeconds": 10,
        "endedBy": "user",
        "endReason": "caller_left",
        "errorCode": None,
        "messages": [],
        "agentId": agent,
        "agentName": "Front desk",
        "underWay": False,
        "endReasonInWords": "The caller hung up.",
        "rating": None,
        "hasRecording": False,
        "recordingLost": False,
        "shareToken": None,
        "faults": [],
        "turns": 1,
        "opening": "What does it cost?",
    }
    assert body == expected


async def test_conversations_are_found_by_what_is_asked_of_them(
    world: World, client: httpx2.AsyncClient, agent: str
) -> None:
    other = await make_agent(client, "Back office")
    failing = {"failure": "auth.refused", "blame": "owner"}
    await talk(world, agent, "short", lasts_s=2, said="100% sure")
    await talk(world, other, "other", after_s=10, caller_id="+15550100")
    await talk(world, agent, "failed", after_s=20, timings=failing)
    await talk(world, agent, "broken", after_s=30, reason="failed")
    await talk(world, agent, "lost", after_s=40, reason="line_lost")
    await talk(world, agent, "live", after_s=50, reason=None)
    await client.put("/api/v1/conversations/other/rating", json={"rating": "down"})
    everything = ["live", "lost", "broken", "failed", "other", "short"]
    assert await found(client) == everything
    assert await found(client, agentId=other) == ["other"]
    since = to_iso(START + timedelta(seconds=20))
    assert await found(client, **{"from": since}) == everything[:4]
    assert await found(client, to=since) == everything[4:]
    assert await found(client, endReason="line_lost") == ["lost"]
    assert await found(client, endReason="under_way") == ["live"]
    assert await found(client, fault="owner") == ["failed"]
    assert await found(client, fault="operator") == ["broken"]
    assert await found(client, fault="caller") == ["lost"]
    assert await found(client, fault="llm") == []
    assert await found(client, rating="down") == ["other"]
    assert await found(client, rating="none", agentId=other) == []
    assert await found(client, minSeconds=3, agentId=agent) == ["lost", "broken", "failed"]
    assert await found(client, query="100%") == ["short"]
    assert await found(client, query="100_") == []
    assert await found(client, query="DOES IT", agentId=other) == ["other"]
    assert await found(client, query="5550100") == ["other"]
    assert await found(client, query=" ", fault="owner") == ["failed"]
    assert await found(client, pageSize=2, startAfter="broken") == ["failed", "other"]
    bodies = (await client.get("/api/v1/conversations")).json()
    assert {one["id"]: one["faults"] for one in bodies} == {
        "live": [],
        "lost": ["caller"],
        "broken": ["operator"],
        "failed": ["owner"],
        "other": [],
        "short": [],
    }
    wrong = await client.get("/api/v1/conversations", params={"endReason": "boredom"})
    assert wrong.status_code == 400


async def test_times_that_cannot_be_told_are_refused(client: httpx2.AsyncClient) -> None:
    for field, at in (("from", "0001-01-01T00:00:00+14:00"), ("to", "9999-12-31T23:00:00-14:00")):
        answer = await client.get("/api/v1/conversations", params={field: at})
        assert (answer.status_code, answer.json()["field"]) == (400, field)


async def test_nobody_sees_the_conversations_of_another_account(
    world: World, client: httpx2.AsyncClient, stranger: httpx2.AsyncClient, agent: str
) -> None:
    await talk(world, agent, "c1")
    assert await found(stranger) == []
    assert await found(stranger, agentId=agent) == []
    mine = "/api/v1/conversations/c1"
    for method, path, body in (
        ("GET", mine, None),
        ("GET", f"{mine}/recording", None),
        ("GET", f"{mine}/exchanges", None),
        ("GET", f"{mine}/export", None),
        ("PUT", f"{mine}/rating", {"rating": "up"}),
        ("POST", f"{mine}/share", None),
        ("DELETE", f"{mine}/share", None),
        ("DELETE", mine, None),
    ):
        theirs = await stranger.request(method, path, json=body)
        nobodys = await stranger.request(method, path.replace("c1", "nothing"), json=body)
        assert theirs.status_code == 404
        assert theirs.json() == nobodys.json()
        async with world.client("") as anonymous:
            assert (await anonymous.request(method, path, json=body)).status_code == 401
    figures = (await stranger.get("/api/v1/analytics", params={"from": "2024-04-30"})).json()
    assert figures["totals"]["conversations"] == 0
    body = (await client.get(mine)).json()
    assert (body["rating"], body["shareToken"]) == (None, None)


async def test_what_an_llm_was_asked_is_told(
    world: World, client: httpx2.AsyncClient, agent: str
) -> None:
    await talk(world, agent, "c1")
    [one] = (await client.get("/api/v1/conversations/c1/exchanges")).json()
    assert one.pop("id")
    assert one == {
        "reply": 1,
        "at": "2024-05-01T12:00:04.123Z",
        "llm": "https://llm.example.com/v1/chat/completions",
        "model": "m",
        "outcome": "answered",
        "finding": None,
        "status": 200,
        "firstTokenMs": 120.0,
        "totalMs": 300.0,
        "request": {"model": "m", "messages": [{"role": "user", "content": "hi"}]},
        "requestCut": False,
        "response": {"content": "Hello!", "calls": [{"name": "look", "arguments": '{"a": 1}'}]},
        "responseCut": False,
    }


async def test_thumbs_can_be_given_changed_and_taken_back(
    world: World, client: httpx2.AsyncClient, agent: str
) -> None:
    await talk(world, agent, "c1")
    for rating in ("up", "down", None):
        answer = await client.put("/api/v1/conversations/c1/rating", json={"rating": rating})
        assert (answer.status_code, answer.json()["rating"]) == (200, rating)
    wrong = await client.put("/api/v1/conversations/c1/rating", json={"rating": "sideways"})
    assert wrong.status_code == 400


async def test_a_shared_link_shows_no_more_than_it_should_until_it_is_taken_back(
    world: World, client: httpx2.AsyncClient, agent: str
) -> None:
    timings = {
        "first_sound_sent_s": 0.5,
        "llm": "https://llm.example.com/v1 (m)",
        "calls": [{"name": "pay", "arguments": "{}"}],
    }
    await talk(world, agent, "c1", timings=timings, caller_id="+15550100")
    first = (await client.post("/api/v1/conversations/c1/share")).json()
    assert (await client.post("/api/v1/conversations/c1/share")).json() == first
    assert first["url"] == f"{world.settings.url}/shared/{first['token']}"
    assert (await client.get("/api/v1/conversations/c1")).json()["shareToken"] == first["token"]
    async with world.client("") as visitor:
        answer = await visitor.get(f"/api/v1/shared/{first['token']}")
        assert answer.json() == {
            "agentName": "Front desk",
            "startedAt": "2024-05-01T12:00:00.123Z",
            "endedAt": "2024-05-01T12:00:10.123Z",
            "durationInSeconds": 10,
            "endReasonInWords": "The caller hung up.",
            "hasRecording": False,
            "transcript": [
                {"role": "user", "content": "What does it cost?", "startSeconds": 1.0},
                {"role": "assistant", "content": "Nine euros.", "startSeconds": None},
            ],
            "turns": [
                {
                    "number": 1,
                    "timings": {"first_sound_sent_s": 0.5},
                    "timestamp": "2024-05-01T12:00:05.123Z",
                }
            ],
        }
        silent = await visitor.get(f"/api/v1/shared/{first['token']}/recording")
        assert silent.status_code == 404
        await client.delete("/api/v1/conversations/c1/share")
        for token in (first["token"], "None", "x" * 32, "%00"):
            assert (await visitor.get(f"/api/v1/shared/{token}")).status_code == 404
    again = (await client.post("/api/v1/conversations/c1/share")).json()
    assert again["token"] != first["token"]


async def test_an_export_is_all_of_a_conversation(
    world: World, client: httpx2.AsyncClient, agent: str
) -> None:
    await talk(world, agent, "c1")
    answer = await client.get("/api/v1/conversations/c1/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="conversation-c1.json"'
    body, mine = answer.json(), "/api/v1/conversations/c1"
    theirs = f"/api/v1/agents/{agent}/conversations/c1"
    assert body["conversation"] == (await client.get(mine)).json()
    assert body["transcript"] == (await client.get(f"{theirs}/transcript")).json()
    assert body["turns"] == (await client.get(f"{theirs}/turns")).json()
    assert body["exchanges"] == (await client.get(f"{mine}/exchanges")).json()
    assert [line["startSeconds"] for line in body["transcript"]] == [1.0, None]


async def test_a_conversation_is_deleted_with_all_that_hangs_below_it(
    world: World, client: httpx2.AsyncClient, agent: str
) -> None:
    await talk(world, agent, "c1")
    await talk(world, agent, "live", after_s=5, reason=None)
    assert (await client.delete("/api/v1/conversations/c1")).status_code == 204
    assert await found(client) == ["live"]
    refused = await client.delete("/api/v1/conversations/live")
    assert (refused.status_code, refused.json()["message"]) == (
        409,
        "This conversation is under way.",
    )
    async with world.database.read() as session:
        for table in (ExchangeRow, LineRow, TurnRow):
            query = select(func.count()).where(table.conversation_id == "c1")
            assert await session.scalar(query) == 0
