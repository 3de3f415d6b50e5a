"""Opens the database: one engine, and a transaction for each request.

SQLite runs in WAL mode, and a transaction that may write begins with `BEGIN IMMEDIATE`: one
that reads first and then loses the race for the write lock fails at once, whatever the busy
timeout (jentic/jentic-one#529). No code commits by hand: a transaction ends with its block.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from sayso.errors import InstallationError
from sayso.store.hidden import HidingSession

BUSY_TIMEOUT_MS = 10_000
"""How long a SQLite writer waits for another process before it gives up."""

_SQLITE_RULES = (
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",  # first: the next one may have to wait
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
)


def make_engine(url: str) -> AsyncEngine:
    """An engine for `url`; parameters never appear in its errors, for they may be secret."""
    engine = create_async_engine(url, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _set_sqlite_rules)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _set_sqlite_rules(connection: Any, _record: object) -> None:  # noqa: ANN401
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    for rule in _SQLITE_RULES:
        cursor.execute(rule)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("sayso_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class Database:
    """The store, reached only through `read()` and `write()`."""

    def __init__(self, url: str) -> None:
        """Prepare for `url` (SQLAlchemy, with an asyncio driver); nothing connects yet."""
        self._engine = make_engine(url)
        self._writing_engine = self._engine.execution_options(sayso_writes=True)
        # SQLite takes one writer at a time and polls for its turn; in one process, we queue.
        self._turn: AbstractAsyncContextManager[object] = (
            asyncio.Lock() if self._engine.dialect.name == "sqlite" else nullcontext()
        )

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncSession]:
        """A transaction that only reads."""
        async with AsyncSession(
            self._engine, expire_on_commit=False, sync_session_class=HidingSession
        ) as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncSession]:
        """A transaction that may write: kept when the block ends, undone when it raises."""
        async with (
            self._turn,
            AsyncSession(
                self._writing_engine, expire_on_commit=False, sync_session_class=HidingSession
            ) as session,
            session.begin(),
        ):
            yield session

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()


def migrate(url: str) -> None:
    """Bring the database at `url` to the newest shape; create it if there is none.

    Blocking; works with and without a running event loop, for it runs one in a thread of its own.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="migrate") as thread:
        thread.submit(asyncio.run, _migrate(url)).result()


async def _migrate(url: str) -> None:
    _make_file(url)
    engine = make_engine(url)
    try:
        async with engine.execution_options(sayso_writes=True).begin() as connection:
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _make_file(url: str) -> None:
    """Make a SQLite file and its folder, for their owner only: transcripts are in it.

    SQLite gives the files beside it (`-wal`, `-shm`) the same mode. What is there stays as it is.
    """
    parsed = make_url(url)
    name = parsed.database or ":memory:"
    if parsed.get_backend_name() != "sqlite" or name.startswith((":memory:", "file:")):
        return
    path = Path(name)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
    except OSError as error:
        raise InstallationError(
            f"cannot write {path}: {error.strerror}",
            hint="Make SAYSO_DATA_DIR a folder this user can write to.",
        ) from error
