from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from databases import lay_database
from sayso.store.database import Database
from sayso.store.tables import UserRow
from sayso.store.whole import whole

NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


async def test_what_is_done_whole_gives_its_result_or_raises() -> None:
    async def work(fails: bool) -> str:
        await asyncio.sleep(0)
        if fails:
            raise ValueError("of its own")
        return "done"

    assert await whole(work(fails=False)) == "done"
    with pytest.raises(ValueError, match="of its own"):
        await whole(work(fails=True))


@pytest.mark.parametrize("fails", [False, True])
async def test_a_cancellation_waits_until_it_is_done_however_often_it_is_asked_for(
    fails: bool,
) -> None:
    gate, ends = asyncio.Event(), list[str]()

    async def work() -> None:
        await gate.wait()
        ends.append("work")
        if fails:
            raise ValueError

    async def ask() -> None:
        try:
            await whole(work())
        finally:
            ends.append("caller")

    task = asyncio.create_task(ask())
    for _ in range(5):
        await asyncio.sleep(0)
        task.cancel()
    assert not task.done()
    gate.set()
    await asyncio.wait([task])
    assert task.cancelled()
    assert ends == ["work", "caller"]


async def test_work_that_is_cancelled_itself_ends_who_waits_for_it() -> None:
    async def work() -> None:
        current = asyncio.current_task()
        assert current is not None
        current.cancel()
        await asyncio.sleep(0)

    with pytest.raises(asyncio.CancelledError):
        await whole(work())


# SQLite, where a transaction that is given up half-way locks everybody out ------------------------


@pytest.fixture
async def files(file_url: str) -> AsyncGenerator[Database]:
    lay_database(file_url)
    database = Database(file_url)
    yield database
    await database.close()


async def forget_everybody(database: Database) -> None:
    async with database.write() as session:
        await session.execute(delete(UserRow))


async def turn_the_loop(times: int) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


@pytest.mark.parametrize("cancelled_after", [1, 2, 3, 5, 8, 13])
async def test_who_is_cancelled_again_and_again_as_a_write_begins_leaves_nothing_behind(
    files: Database, tmp_path: Path, cancelled_after: int
) -> None:
    """While another process writes, a write waits for it in its thread: its first moment."""
    await forget_everybody(files)  # a connection is there
    there = asyncio.all_tasks()
    other = sqlite3.connect(tmp_path / "new" / "sayso.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    task = asyncio.create_task(forget_everybody(files))
    await turn_the_loop(cancelled_after)
    for _ in range(3):
        task.cancel()
        await turn_the_loop(1)
    other.execute("ROLLBACK")
    await asyncio.wait([task])
    assert task.cancelled()
    for left in asyncio.all_tasks() - there:
        await asyncio.wait_for(left, 5)  # nobody waits for ever for a connection that is gone
    other.execute("PRAGMA busy_timeout=0")
    other.execute("BEGIN IMMEDIATE")  # at once: nobody holds it
    other.execute("ROLLBACK")
    other.close()
    await asyncio.wait_for(forget_everybody(files), 5)


async def test_a_write_that_is_cancelled_between_statements_is_undone(database: Database) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def add() -> None:
        async with database.write() as session:
            session.add(UserRow(id="u", created_at=NOON))
            await session.flush()
            begun.set()
            await go.wait()

    task = asyncio.create_task(add())
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(UserRow)) == 0


@pytest.mark.parametrize("cancelled_after", [1, 2, 3, 5, 8, 13, 21, 34])
async def test_whenever_a_write_is_cancelled_the_next_one_goes_well(
    database: Database, cancelled_after: int
) -> None:
    there = asyncio.all_tasks()
    task = asyncio.create_task(forget_everybody(database))
    await turn_the_loop(cancelled_after)
    task.cancel()
    await asyncio.wait([task])
    await asyncio.wait_for(forget_everybody(database), 5)
    assert asyncio.all_tasks() <= there
