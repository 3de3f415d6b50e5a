"""Where the stores of these tests are: each runs on both databases."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from databases import lay_database
from sayso.store.database import Database


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    """A SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path / 'new' / 'sayso.db'}"


@pytest.fixture
def url(both_databases: str, file_url: str) -> str:
    """A SQLite file that is not there yet, and a PostgreSQL database with its tables."""
    return file_url if both_databases == "sqlite" else os.environ["SAYSO_DATABASE_URL"]


@pytest.fixture
async def database(url: str) -> AsyncGenerator[Database]:
    lay_database(url)
    database = Database(url)
    yield database
    await database.close()
