"""Signs of life: several servers share a database, and none closes what another one holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from rest_world import START, World, open_world
from sayso.app import Server
from sayso.conversations.service import DEAD_AFTER_S
from sayso.conversations.watch import BEAT_S, keep_watch
from sayso.store.tables import ConversationRow
from served import REHEARSED, Served, ask, serving

pytestmark = pytest.mark.usefixtures("both_databases")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with open_world(tmp_path) as world:
        yield world


def test_a_server_may_miss_some_beats() -> None:
    assert 3 * BEAT_S <= DEAD_AFTER_S


async def test_a_beat_that_fails_is_followed_by_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    beats = 0
    beaten = asyncio.Event()

    async def beat(_: object) -> None:
        nonlocal beats
        beats += 1
        if beats == 1:
            raise OperationalError("update", {}, Exception("locked"))
        beaten.set()

    monkeypatch.setattr(world.recorder, "beat", beat)
    with capture_logs() as logs:
        watch = asyncio.create_task(
            keep_watch(world.recorder, world.conversations, world.clock, beat_s=0.0)
        )
        async with asyncio.timeout(10):
            await beaten.wait()
        watch.cancel()
        await asyncio.wait([watch])
    assert [line["event"] for line in logs] == ["signs_of_life_not_stored"]


async def end_of(served: Served, conversation_id: str) -> str | None:
    """Why a conversation is over; "not stored" while the database does not know it."""
    async with served.writing() as session:
        row = await session.get(ConversationRow, conversation_id)
        return row.end_reason if row else "not stored"


async def wait_for_end(served: Served, conversation_id: str, reason: str | None) -> None:
    for _ in range(600):
        if await end_of(served, conversation_id) == reason:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{conversation_id} has not ended with {reason}")


async def test_a_second_server_on_the_same_file_leaves_the_firsts_callers_alone(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, **REHEARSED) as first:
        agent_id = await first.make_agent()
        async with first.call(agent_id) as caller:
            await ask(caller, "Hello?")
            await wait_for_end(first, caller.conversation_id, None)
            async with first.writing() as session:
                left = START - timedelta(days=1)
                row = {"agent_id": agent_id, "source": "web", "started_at": left}
                session.add(ConversationRow(id="left", alive_at=left, **row))
            second = Server(first.settings)
            async with second.app.router.lifespan_context(second.app):
                assert await end_of(first, "left") == "server_stopped"
                assert await end_of(first, caller.conversation_id) is None
                await ask(caller, "Are you still there?")
            assert await end_of(first, caller.conversation_id) is None

            # One that missed its beats is closed, and says how it really ended once it is over.
            async with first.writing() as session:
                await session.execute(update(ConversationRow).values(alive_at=left, ended_at=None))
            third = Server(first.settings)
            async with third.app.router.lifespan_context(third.app):
                assert await end_of(first, caller.conversation_id) == "server_stopped"
            await caller.hang_up()
        await wait_for_end(first, caller.conversation_id, "caller_left")
