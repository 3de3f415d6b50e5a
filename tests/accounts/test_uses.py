"""When keys were last used, as far as it is stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from structlog.testing import capture_logs

from rest_world import START, World, open_world
from sayso.accounts import uses
from sayso.accounts.service import Accounts

pytestmark = pytest.mark.usefixtures("both_databases")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with open_world(tmp_path) as world:
        yield world


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def read_again(world: World) -> Accounts:
    """The accounts as another process sees them."""
    return Accounts(world.database, world.secrets, world.clock)


async def test_a_use_is_known_at_once_and_stored_later(world: World) -> None:
    await world.accounts.authenticate(world.key, None)
    (key,) = await world.accounts.keys(world.user_id)
    assert key.last_used_at is not None
    other = await read_again(world)
    assert (await other.keys(world.user_id))[0].last_used_at is None
    await world.accounts.uses.store()
    assert (await other.keys(world.user_id))[0].last_used_at == key.last_used_at
    assert (await world.accounts.keys(world.user_id))[0].last_used_at == key.last_used_at


async def test_asking_writes_nothing(world: World) -> None:
    written: list[str] = []

    def watch(_1: object, _2: object, statement: str, *_: object) -> None:
        if not statement.startswith(("SELECT", "BEGIN", "PRAGMA")):
            written.append(statement)

    event.listen(world.database._engine.sync_engine, "before_cursor_execute", watch)
    for _ in range(20):
        assert await world.accounts.authenticate_key(world.key) is not None
    assert written == []
    await world.accounts.uses.store()
    assert len(written) == 1
    await world.accounts.uses.store()
    assert len(written) == 1


async def test_so_many_are_remembered_and_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uses, "MAX_NOTED", 1)
    for key_id in ("a", "b"):
        world.accounts.uses.note(key_id, START)
    later = START + timedelta(seconds=1)
    world.accounts.uses.note("a", later)
    assert world.accounts.uses.last("a", None) == later
    assert world.accounts.uses.last("b", None) is None


async def test_storing_goes_on_when_the_store_fails(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    twice, failures = asyncio.Event(), 0

    def fail(_: object) -> None:
        nonlocal failures
        failures += 1
        if failures == 2:
            twice.set()
        world.accounts.uses.note("a", START)  # used again meanwhile
        raise SQLAlchemyError("the disk is full")

    monkeypatch.setattr(uses, "STORE_EVERY_S", 0.0)
    monkeypatch.setattr(uses, "update", fail)
    world.accounts.uses.note("a", START)
    with capture_logs() as logs:
        running = asyncio.create_task(world.accounts.uses.run())
        await twice.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert logs[0]["event"] == "key_uses_not_stored"
