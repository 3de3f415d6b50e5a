from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rest_world import START, World, open_world
from sayso.conversations.analytics import (
    MAX_DAYS,
    MAX_HOURLY_DAYS,
    STEPS,
    check_span,
    floor,
    starts_of,
)
from sayso.conversations.analytics_schema import Bucket, Span
from sayso.errors import BadRequestError
from sayso.llm import Exchanged

pytestmark = pytest.mark.usefixtures("both_databases")

PATH = "/api/v1/analytics"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with open_world(tmp_path) as world:
        yield world


@pytest.fixture
async def client(world: World) -> AsyncGenerator[httpx2.AsyncClient]:
    async with world.client() as client:
        yield client


async def make_agent(client: httpx2.AsyncClient, name: str) -> str:
    answer = await client.post("/api/v1/agents", json={"displayName": name})
    return str(answer.json()["id"])


ASKED = Exchanged("u", "m", b"{}", "", (), "answered", "", 200, 100.0, 200.0)


async def talk(
    world: World, agent: str, name: str, at: datetime, *turns: dict[str, object]
) -> None:
    world.recorder.opened(name, agent, source="web", at=at)
    for number, timings in enumerate(turns):
        world.recorder.turn(name, number, timings, at)
    world.recorder.exchange(name, 1, ASKED, at)
    world.recorder.exchange(name, 1, replace(ASKED, first_token_ms=None, outcome="failed"), at)
    end = at + timedelta(minutes=2)
    world.recorder.ended(name, by="user", error_code=None, at=end, reason="caller_left")
    await world.recorder.flush()


def answer_in(ms: float, **more: object) -> dict[str, object]:
    return {"first_sound_sent_s": ms / 1000, **more}


async def count(client: httpx2.AsyncClient, **query: str) -> dict[str, Any]:
    answer = await client.get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_conversations_are_counted_over_time_and_for_each_agent(
    world: World, client: httpx2.AsyncClient
) -> None:
    desk, office = await make_agent(client, "Desk"), await make_agent(client, "Office")
    greeting = answer_in(10, line="greeting")
    cut_off = answer_in(600, interrupted_s=1.0)
    await talk(world, desk, "c1", START, greeting, answer_in(400), cut_off)
    await talk(world, desk, "c2", START + timedelta(hours=1), answer_in(800))
    wrong = answer_in(500, failure="auth.refused", blame="owner")
    await talk(world, office, "c3", START + timedelta(days=1), wrong)
    body = await count(client, **{"from": "2024-05-01", "to": "2024-05-04T00:00:00Z"})
    assert (body["start"], body["end"]) == ("2024-05-01T00:00:00.000Z", "2024-05-04T00:00:00.000Z")
    assert body["totals"] == {
        "conversations": 3,
        "minutes": 6.0,
        "turns": 5,
        "latencyMs": {"p50": 500.0, "p90": 800.0, "p95": 800.0},
        "firstTokenMs": {"p50": 100.0, "p95": 100.0},
        "interruptions": 1,
        "failures": {"caller": 0, "owner": 1, "llm": 0, "operator": 0},
    }
    days = [(one["start"][:10], one["conversations"]) for one in body["buckets"]]
    assert days == [("2024-05-01", 2), ("2024-05-02", 1), ("2024-05-03", 0)]
    assert body["buckets"][2]["latencyMs"] == {"p50": None, "p90": None, "p95": None}
    agents = [(one["agentName"], one["conversations"]) for one in body["perAgent"]]
    assert agents == [("Desk", 2), ("Office", 1)]
    hours = await count(
        client,
        **{"from": "2024-05-01T12:00:00Z", "to": "2024-05-01T14:00:00Z", "bucket": "hour"},
        agentId=desk,
    )
    assert [one["conversations"] for one in hours["buckets"]] == [1, 1]
    assert [one["agentId"] for one in hours["perAgent"]] == [desk]


async def test_the_last_week_is_counted_where_nobody_says_what(
    world: World, client: httpx2.AsyncClient
) -> None:
    desk = await make_agent(client, "Desk")
    await talk(world, desk, "new", START - timedelta(days=6), answer_in(400))
    await talk(world, desk, "old", START - timedelta(days=8), answer_in(400))
    body = await count(client)
    assert body["bucket"] == "day"
    assert body["totals"]["conversations"] == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2024-05-02", "to": "2024-05-01"}, "to"),
        ({"from": "2022-05-02", "to": "2024-05-01"}, "from"),
        ({"from": "2024-03-01", "to": "2024-05-01", "bucket": "hour"}, "from"),
        ({"from": "0001-01-01T00:00:00+14:00"}, "from"),
        ({"to": "0001-01-02T00:00:00Z"}, "to"),
        ({"to": "0.5"}, "to"),
        ({"from": "9999-12-30T00:00:00Z", "to": "9999-12-31T23:59:59Z"}, "to"),
    ],
)
async def test_what_cannot_be_counted_is_refused(
    client: httpx2.AsyncClient, query: dict[str, str], field: str
) -> None:
    answer = await client.get(PATH, params=query)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_a_span_may_be_as_long_as_it_is_said() -> None:
    for bucket, days in (("hour", MAX_HOURLY_DAYS), ("day", MAX_DAYS)):
        span = Span(START, START + timedelta(days=days), bucket)  # type: ignore[arg-type]
        check_span(span)
        with pytest.raises(BadRequestError, match=f"at most {days} days"):
            check_span(replace(span, before=span.before + timedelta(seconds=1)))


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - zone added below
    st.integers(1, 100_000),
    st.sampled_from(["hour", "day"]),
)
def test_every_moment_of_a_span_has_its_bucket(
    naive: datetime, seconds: int, bucket: Bucket
) -> None:
    since = naive.replace(tzinfo=UTC)
    span = Span(since, since + timedelta(seconds=seconds), bucket)
    starts = list(starts_of(span))
    assert starts[0] == floor(since, bucket) <= since
    assert floor(span.before - timedelta(microseconds=1), bucket) == starts[-1]
    steps = {after - before for before, after in itertools.pairwise(starts)}
    assert steps <= {STEPS[bucket]}
