from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime

import aiosqlite
import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from databases import lay_database
from sayso.store.database import Database
from sayso.store.tables import UserRow

NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
async def database(file_url: str) -> AsyncGenerator[Database]:
    lay_database(file_url)
    database = Database(file_url)
    async with database.read() as session:
        await session.execute(text("SELECT 1"))  # the connection stands
    yield database
    await database.close()


@pytest.fixture
def visits(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the thread of the connection was visited for."""
    assert database is not None  # it is opened before visits are counted
    seen: list[str] = []
    visit: Callable[..., Awaitable[object]] = aiosqlite.Connection._execute

    async def count(
        self: aiosqlite.Connection, do: Callable[..., object], *given: object
    ) -> object:
        seen.append(str(given[2]) if len(given) > 2 else do.__name__)
        return await visit(self, do, *given)

    monkeypatch.setattr(aiosqlite.Connection, "_execute", count)
    return seen


async def test_a_statement_is_one_visit(database: Database, visits: list[str]) -> None:
    async with database.read() as session:
        assert (await session.execute(text("SELECT 1 UNION SELECT 2"))).all() == [(1,), (2,)]
    assert visits == ["BEGIN", "SELECT 1 UNION SELECT 2", "rollback"]


async def test_what_is_written_is_kept_in_three_visits(
    database: Database, visits: list[str]
) -> None:
    async with database.write() as session:
        users = [{"id": name, "created_at": NOON} for name in ("a", "b")]
        await session.execute(insert(UserRow), users)
    assert [visit.split()[0] for visit in visits] == ["BEGIN", "INSERT", "commit"]
    async with database.read() as session:
        assert (await session.scalars(select(UserRow.id).order_by(UserRow.id))).all() == ["a", "b"]


async def test_a_refused_statement_is_told_as_what_it_is(database: Database) -> None:
    for _ in range(2):  # the connection is as good as before
        with pytest.raises(OperationalError, match="no such table: nowhere"):
            async with database.read() as session:
                await session.execute(text("SELECT * FROM nowhere"))
        with pytest.raises(IntegrityError):
            async with database.write() as session:
                await session.execute(insert(UserRow), [{"id": "a", "created_at": NOON}] * 2)
    async with database.read() as session:
        assert (await session.scalars(select(UserRow.id))).all() == []
