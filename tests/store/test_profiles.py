from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from databases import lay_database
from rest_world import HandClock
from sayso.store.database import Database
from sayso.store.profiles import ProfileStore


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'sayso.db'}"
    lay_database(url)
    database = Database(url)
    yield database
    await database.close()


async def test_profiles_are_kept_and_replaced(database: Database) -> None:
    store = ProfileStore(database, HandClock())
    await store.save("a", {"system": True})
    await store.save("b", {"system": True, "refused": ["seed"]})
    await store.save("a", {"system": False})
    assert await store.load() == {
        "b": {"system": True, "refused": ["seed"]},
        "a": {"system": False},
    }
    assert list(await store.load()) == ["b", "a"]


async def test_the_oldest_goes_when_there_are_too_many(database: Database) -> None:
    store = ProfileStore(database, HandClock(), max_profiles=2)
    for name in "abc":
        await store.save(name, {})
    assert list(await store.load()) == ["b", "c"]
