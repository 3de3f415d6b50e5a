from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import update

from rest_world import START, World, open_world
from sayso.conversations.recorder import Recorder
from sayso.conversations.schema import to_iso
from sayso.conversations.service import DEAD_AFTER_S, MAX_HISTORY_LINES
from sayso.errors import NotFoundError
from sayso.store.tables import ConversationRow

pytestmark = pytest.mark.usefixtures("both_databases")

HEADERS = ("X-Page-Size", "X-Start-After", "X-Next-Start-After", "X-Total-Count")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with open_world(tmp_path) as world:
        yield world


@pytest.fixture
async def client(world: World) -> AsyncGenerator[httpx2.AsyncClient]:
    async with world.client() as client:
        yield client


@pytest.fixture
async def agent(client: httpx2.AsyncClient) -> str:
    answer = await client.post("/api/v1/agents", json={"displayName": "Front desk"})
    return str(answer.json()["id"])


async def talk(world: World, agent: str, name: str, *, after_s: float = 0, lines: int = 2) -> None:
    """A conversation of `lines` lines, one a second, that ends half a second later."""
    start = START + timedelta(seconds=after_s)
    world.recorder.opened(name, agent, source="web", at=start)
    for at in range(lines):
        role: Any = ("assistant", "user")[at % 2]
        world.recorder.line(name, role, f"line {at}", start + timedelta(seconds=at))
    end = start + timedelta(seconds=lines, milliseconds=600)
    world.recorder.ended(name, by="user", error_code=None, at=end, reason="caller_left")
    await world.recorder.flush()


async def test_a_conversation_is_answered_in_the_documented_shape(
    world: World, client: httpx2.AsyncClient, agent: str
) -> None:
    await talk(world, agent, "c1")
    path = f"/api/v1/agents/{agent}/conversations"
    expected: dict[str, Any] = {
        "id": "c1",
        "source": "web",
        "callerEmail": None,
        "callerId": None,
        "startedAt": "2024-05-01T12:00:00.123Z",
        "endedAt": "2024-05-01T12:00:02.723Z",
        "durationInSeconds": 3,
        "endedBy": "user",
        "endReason": "caller_left",
        "errorCode": None,
        "messages": [],
    }
    assert (await client.get(f"{path}/c1")).json() == expected
    assert (await client.get(path)).json() == [expected]


async def test_who_called_is_kept_and_a_continued_call_may_say_it_anew(
    world: World, client: httpx2.AsyncClient, agent: str
) -> None:
    path, seen = f"/api/v1/agents/{agent}/conversations/c1", []
    for caller_id in (None, "+15550100", None, "ann"):
        world.recorder.opened("c1", agent, source="web", at=START, caller_id=caller_id)
        await world.recorder.flush()
        seen.append((await client.get(path)).json()["callerId"])
    assert seen == [None, "+15550100", "+15550100", "ann"]


async def test_a_transcript_is_answered_in_the_documented_shape(
    world: World, client: httpx2.AsyncClient, agent: str
) -> None:
    await talk(world, agent, "c1")
    answer = await client.get(f"/api/v1/agents/{agent}/conversations/c1/transcript")
    first, second = answer.json()
    assert first.pop("id") != second.pop("id")
    assert first == {
        "role": "assistant",
        "content": "line 0",
        "timestamp": "2024-05-01T12:00:00.123Z",
        "startSeconds": None,
    }
    assert (second["role"], second["timestamp"]) == ("user", "2024-05-01T12:00:01.123Z")
    assert [answer.headers[name] for name in HEADERS[:2]] == ["50", ""]
    assert answer.headers["X-Total-Count"] == "2"


async def test_an_open_conversation_has_no_end(
    world: World, client: httpx2.AsyncClient, agent: str
) -> None:
    world.recorder.opened("c1", agent, source="web", at=START)
    await world.recorder.flush()
    body = (await client.get(f"/api/v1/agents/{agent}/conversations/c1")).json()
    assert (body["endedAt"], body["durationInSeconds"]) == (None, None)


async def test_conversations_come_newest_first_and_page_to_the_end(
    world: World, client: httpx2.AsyncClient, agent: str
) -> None:
    for at in range(5):
        await talk(world, agent, f"c{at}", after_s=at)
    path, seen, after = f"/api/v1/agents/{agent}/conversations", [], "0"
    while True:
        answer = await client.get(path, params={"pageSize": 2, "startAfter": after})
        assert answer.headers["X-Total-Count"] == "5"
        if not answer.json():
            break
        seen += [one["id"] for one in answer.json()]
        after = answer.headers["X-Next-Start-After"]
    assert seen == ["c4", "c3", "c2", "c1", "c0"]


async def test_a_transcript_pages_in_the_order_of_speaking(
    world: World, client: httpx2.AsyncClient, agent: str
) -> None:
    await talk(world, agent, "other", lines=3)
    await talk(world, agent, "c1", lines=5)
    path = f"/api/v1/agents/{agent}/conversations/c1/transcript"
    first = await client.get(path, params={"pageSize": 3})
    rest = await client.get(path, params={"startAfter": first.headers["X-Next-Start-After"]})
    assert [one["content"] for one in first.json() + rest.json()] == [
        f"line {at}" for at in range(5)
    ]
    other = (await client.get(path.replace("c1", "other"))).json()
    strayed = await client.get(path, params={"startAfter": other[1]["id"]})
    assert len(strayed.json()) == 5


@pytest.mark.parametrize(
    ("size", "status", "items"), [("1", 200, 1), ("99999", 200, 3), ("0", 400, 0), ("x", 400, 0)]
)
async def test_page_sizes_are_bounded(
    world: World, client: httpx2.AsyncClient, agent: str, size: str, status: int, items: int
) -> None:
    await talk(world, agent, "c1", lines=3)
    path = f"/api/v1/agents/{agent}/conversations/c1/transcript"
    answer = await client.get(path, params={"pageSize": size})
    assert answer.status_code == status
    if status == 200:
        assert len(answer.json()) == items
        assert int(answer.headers["X-Page-Size"]) == min(int(size), 500)
    else:
        assert answer.json()["field"] == "pageSize"


async def test_turns_carry_their_timings(
    world: World, client: httpx2.AsyncClient, agent: str
) -> None:
    world.recorder.opened("c1", agent, source="web", at=START)
    timings: dict[str, float | str | None] = {"stt_ms": 80.5, "llm_ms": None, "ended": "played"}
    world.recorder.turn("c1", 1, timings, START)
    await world.recorder.flush()
    answer = await client.get(f"/api/v1/agents/{agent}/conversations/c1/turns")
    (turn,) = answer.json()
    assert (turn["number"], turn["timings"]) == (1, timings)
    assert answer.headers["X-Next-Start-After"] == turn["id"]


@pytest.mark.parametrize("rest", ["", "/transcript", "/turns"])
async def test_a_conversation_of_another_agent_is_not_found(
    world: World, client: httpx2.AsyncClient, agent: str, rest: str
) -> None:
    await talk(world, agent, "c1")
    second = (await client.post("/api/v1/agents", json={"displayName": "B"})).json()["id"]
    for path in (f"{second}/conversations/c1", f"{agent}/conversations/c2", "x/conversations/c1"):
        answer = await client.get(f"/api/v1/agents/{path}{rest}")
        assert (answer.status_code, answer.json()["errorId"]) == (404, "NOT_FOUND")


async def test_history_is_for_the_same_agent_and_owner(
    world: World, client: httpx2.AsyncClient, agent: str
) -> None:
    await talk(world, agent, "c1", lines=3)
    history = await world.conversations.history("c1", agent_id=agent, owner_id=world.user_id)
    assert history == [
        ("assistant", "line 0", []),
        ("user", "line 1", []),
        ("assistant", "line 2", []),
    ]
    for name, agent_id, owner in (
        ("c2", agent, world.user_id),
        ("c1", "other", world.user_id),
        ("c1", agent, "stranger"),
        ("' or ''='", agent, world.user_id),
    ):
        with pytest.raises(NotFoundError):
            await world.conversations.history(name, agent_id=agent_id, owner_id=owner)


async def test_history_keeps_the_last_lines(world: World, agent: str) -> None:
    await talk(world, agent, "c1", lines=MAX_HISTORY_LINES + 5)
    history = await world.conversations.history("c1", agent_id=agent, owner_id=world.user_id)
    assert len(history) == MAX_HISTORY_LINES
    assert history[-1][1] == f"line {MAX_HISTORY_LINES + 4}"


async def test_what_a_crash_left_open_is_closed_at_its_last_sign_of_life(
    world: World, client: httpx2.AsyncClient, agent: str
) -> None:
    world.recorder.opened("silent", agent, source="web", at=START)
    world.recorder.opened("spoken", agent, source="web", at=START)
    world.recorder.line("spoken", "user", "Hello?", START + timedelta(seconds=4))
    await talk(world, agent, "done")
    done = (await client.get(f"/api/v1/agents/{agent}/conversations/done")).json()
    later = START + timedelta(seconds=DEAD_AFTER_S + 1)
    assert await world.conversations.close_abandoned(START) == 0
    assert await world.conversations.close_abandoned(later) == 2
    assert await world.conversations.close_abandoned(later) == 0
    seconds = {
        one["id"]: one["durationInSeconds"]
        for one in (await client.get(f"/api/v1/agents/{agent}/conversations")).json()
    }
    assert seconds == {"silent": 0, "spoken": 4, "done": done["durationInSeconds"]}


async def test_what_gives_signs_of_life_stays_open(
    world: World, client: httpx2.AsyncClient, agent: str
) -> None:
    await talk(world, agent, "done")
    another = Recorder(world.database)
    await another.beat(START)
    for name in ("here", "ended"):
        another.opened(name, agent, source="web", at=START)
    await another.flush()
    another.ended("ended", by="user", error_code=None, at=START)  # not stored yet
    beat = START + timedelta(seconds=DEAD_AFTER_S)
    await another.beat(beat)
    assert await world.conversations.close_abandoned(beat + timedelta(seconds=1)) == 1
    path = f"/api/v1/agents/{agent}/conversations"
    here = (await client.get(f"{path}/here")).json()
    assert (here["endedAt"], here["endReason"]) == (None, None)
    assert (await client.get(f"{path}/ended")).json()["endReason"] == "server_stopped"

    assert await world.conversations.close_abandoned(beat + timedelta(minutes=5)) == 1
    here = (await client.get(f"{path}/here")).json()
    assert (here["durationInSeconds"], here["endReason"]) == (DEAD_AFTER_S, "server_stopped")


async def test_a_conversation_from_before_signs_of_life_counts_as_left(
    world: World, agent: str
) -> None:
    world.recorder.opened("old", agent, source="web", at=START)
    await world.recorder.flush()
    async with world.database.write() as session:
        await session.execute(update(ConversationRow).values(alive_at=None))
    assert await world.conversations.close_abandoned(START) == 1


def test_times_have_milliseconds_and_a_z() -> None:
    assert to_iso(START.replace(microsecond=0)) == "2024-05-01T12:00:00.000Z"


async def test_what_was_done_is_kept_for_who_goes_on_and_is_no_line_of_the_transcript(
    world: World, client: httpx2.AsyncClient, agent: str
) -> None:
    await talk(world, agent, "c1", lines=1)
    deed = {"id": "1", "name": "book", "arguments": "{}", "result": "booked\0", "nth": 0}
    world.recorder.line("c1", "assistant", "", START, [deed])
    world.recorder.line("c1", "assistant", "Done.", START, [deed])
    await world.recorder.flush()
    history = await world.conversations.history("c1", agent_id=agent, owner_id=world.user_id)
    kept = [{**deed, "result": "booked"}]
    assert history[-2:] == [("assistant", "", kept), ("assistant", "Done.", kept)]
    lines = (await client.get(f"/api/v1/agents/{agent}/conversations/c1/transcript")).json()
    assert [line["content"] for line in lines] == ["line 0", "Done."]
