"""Opens the database: one engine, and a transaction for each request.

SQLite (`sqlite.py`) by default, else PostgreSQL (`postgres.py`). One transaction writes at a time
on either, so what was counted or found before something is stored still holds when it is.

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

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from sayso.errors import InstallationError
from sayso.store import postgres, sqlite
from sayso.store.postgres import READING, check_postgres, make_postgres_engine
from sayso.store.sqlite import make_sqlite_engine
from sayso.store.whole import WholeSession

_DRIVERS = {"sqlite": sqlite.DRIVER, "postgresql": postgres.DRIVER}
_URLS = "It looks like postgresql://user:password@host/database, or sqlite:///folder/file.db."


def make_engine(url: str, *, patient: bool = False) -> AsyncEngine:
    """An engine for `url`; parameters never appear in its errors, for they may be secret.

    `patient` is who waits for other servers, however long they take, as before a migration.

    Raises:
        InstallationError: the URL is none, or its driver is not there.
    """
    parsed = read_url(url)
    if parsed.get_backend_name() == "postgresql":
        return make_postgres_engine(parsed, patient=patient)
    return make_sqlite_engine(parsed)


def read_url(url: str) -> URL:
    """`url` with the driver we use, which nobody needs to know.

    Raises:
        InstallationError: it is no URL of a database we know, or names another driver; what it
            says is not repeated, for a password may be in it.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise InstallationError("SAYSO_DATABASE_URL is not a URL", hint=_URLS) from None
    name, _, driver = parsed.drivername.partition("+")
    wanted = _DRIVERS.get("postgresql" if name == "postgres" else name)
    if wanted is None:
        raise InstallationError(f"{name!r} is not a database Sayso can use", hint=_URLS)
    if driver and driver != wanted.partition("+")[2]:
        raise InstallationError(
            f"Sayso does not use the driver {driver!r}",
            hint=f"Leave it out of SAYSO_DATABASE_URL: it begins with {name}://.",
        )
    return parsed.set(drivername=wanted)


class Database:
    """The store, reached only through `read()` and `write()`."""

    def __init__(self, url: str) -> None:
        """Prepare for `url`; nothing connects yet. Raises InstallationError."""
        self._engine = make_engine(url)
        self._reading_engine = self._engine
        # SQLite takes one writer at a time and polls for its turn; in one process, we queue.
        self._turn: AbstractAsyncContextManager[object] = asyncio.Lock()
        if self._engine.dialect.name == "postgresql":
            self._turn = nullcontext()
            self._reading_engine = self._engine.execution_options(**READING)
        self._writing_engine = self._engine.execution_options(sayso_writes=True)

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncSession]:
        """A transaction that only reads, and sees one moment."""
        session = WholeSession(self._reading_engine, expire_on_commit=False)
        try:
            yield session
        finally:
            await session.close()

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncSession]:
        """A transaction that may write: kept when the block ends, undone when it raises.

        There is one at a time, whichever server writes. Who is cancelled leaves nothing half-way.
        """
        async with self._turn:
            session = WholeSession(self._writing_engine, expire_on_commit=False)
            try:
                yield session
                await session.commit()
            finally:
                await session.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()


def migrate(url: str) -> None:
    """Bring the database at `url` to the newest shape; create it if there is none.

    Blocking; works with and without a running event loop, for it runs one in a thread of its own.

    Raises:
        InstallationError: there is no such database, or it cannot be opened; says why.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="migrate") as thread:
        thread.submit(asyncio.run, _migrate(url)).result()


async def _migrate(url: str) -> None:
    _make_file(url)
    engine = make_engine(url, patient=True)
    try:
        if engine.dialect.name == "postgresql":
            await check_postgres(engine, read_url(url))
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


def find_file(url: str) -> Path | None:
    """The file of a SQLite database; None where it is no file.

    Raises:
        InstallationError: `url` is no URL of a database.
    """
    parsed = read_url(url)
    name = parsed.database or ":memory:"
    if parsed.get_backend_name() != "sqlite" or name.startswith((":memory:", "file:")):
        return None
    return Path(name)


def _make_file(url: str) -> None:
    """Make a SQLite file and its folder, for their owner only: transcripts are in it.

    SQLite gives the files beside it (`-wal`, `-shm`) the same mode. What is there stays as it is.
    """
    path = find_file(url)
    if path is None:
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
    except OSError as error:
        raise InstallationError(
            f"cannot write {path}: {error.strerror}",
            hint="Make SAYSO_DATA_DIR a folder this user can write to.",
        ) from error
