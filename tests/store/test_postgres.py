from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from ports import free_port
from postgres import PASSWORD, Cluster
from sayso.conversations.recorder import is_passing
from sayso.errors import InstallationError
from sayso.store import postgres as postgres_module
from sayso.store.database import Database, make_engine, migrate, read_url
from sayso.store.jobs import Job, Jobs
from sayso.store.tables import AgentVersionRow, UserRow

NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
CANARY = "canary-value"


# URLs --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
def test_nobody_needs_to_know_the_driver(scheme: str) -> None:
    read = read_url(f"{scheme}://u:p%40ss@h:5433/d?sslmode=require")
    assert read.drivername == "postgresql+asyncpg"
    assert (read.username, read.password, read.host, read.port) == ("u", "p@ss", "h", 5433)
    assert read.query == {"sslmode": "require"}


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+aiosqlite"])
def test_nobody_needs_to_know_sqlites_driver_either(scheme: str) -> None:
    assert str(read_url(f"{scheme}:////data/sayso.db")) == "sqlite+aiosqlite:////data/sayso.db"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql+psycopg2://u:canary@h/d", "does not use the driver 'psycopg2'"),
        ("sqlite+pysqlite:///sayso.db", "does not use the driver 'pysqlite'"),
        ("mysql://u:canary@h/d", "'mysql' is not a database"),
        ("canary", "is not a URL"),
        ("postgresql://u:canary@h:port/d", "is not a URL"),
    ],
)
def test_what_cannot_be_used_is_refused_without_its_password(url: str, told: str) -> None:
    with pytest.raises(InstallationError, match=told) as caught:
        Database(url)
    assert "canary" not in "".join(traceback.format_exception(caught.value))
    assert caught.value.hint


def test_a_driver_that_is_not_there_is_named_with_the_command_that_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(InstallationError, match="package asyncpg") as caught:
        Database("postgresql://h/d")
    assert "sayso[postgres]" in str(caught.value.hint)


# What cannot be opened ---------------------------------------------------------------------------


async def test_a_server_that_is_not_there_is_named() -> None:
    port = free_port()
    with pytest.raises(InstallationError, match=f"at 127.0.0.1:{port} cannot be opened"):
        migrate(f"postgresql://u:{CANARY}@127.0.0.1:{port}/d")


def test_what_the_server_refuses_is_told_without_the_password(postgres: Cluster) -> None:
    for url, told in (
        (postgres.url("nowhere"), "'nowhere' .* does not exist"),
        (postgres.url("postgres").replace(PASSWORD, CANARY), "authentication failed"),
        (postgres.url("postgres") + "?sslmode=require", "SSL"),
        (postgres.url("postgres") + "?unheard=of", "unheard"),
    ):
        with pytest.raises(InstallationError, match=told) as caught:
            migrate(url)
        shown = "".join(traceback.format_exception(caught.value))
        assert CANARY not in shown
        assert PASSWORD not in shown


def test_a_database_that_does_not_keep_every_letter_is_refused(postgres: Cluster) -> None:
    url = postgres.make_empty(encoding="SQL_ASCII")
    with pytest.raises(InstallationError, match="SQL_ASCII, not as UTF-8") as caught:
        migrate(url)
    assert "createdb" in str(caught.value.hint)
    postgres.drop(url)


def test_an_engine_does_not_show_its_password(postgres: Cluster) -> None:
    engine = make_engine(postgres.url("postgres"))
    assert PASSWORD not in f"{engine!r} {engine.url!r} {engine.sync_engine.pool!r}"


def test_several_servers_may_start_at_once_on_an_empty_database(postgres: Cluster) -> None:
    url = postgres.make_empty()
    with ThreadPoolExecutor(3) as threads:
        for done in [threads.submit(migrate, url) for _ in range(3)]:
            done.result()
    database = url.rpartition("/")[2]
    rows = postgres.run("SELECT version_num FROM alembic_version", database=database)
    assert len(rows) == 1
    assert postgres.run("SELECT 1 FROM users", database=database) == []
    postgres.drop(url)


# Transactions ------------------------------------------------------------------------------------


@pytest.fixture
def url(postgres: Cluster) -> str:
    return postgres.make()


@pytest.fixture
async def database(url: str, postgres: Cluster) -> AsyncGenerator[Database]:
    database = Database(url)
    yield database
    await database.close()
    await postgres.ask(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")


async def names(database: Database) -> list[str]:
    async with database.read() as session:
        return list(await session.scalars(select(UserRow.id).order_by(UserRow.id)))


async def test_one_server_writes_at_a_time(database: Database, url: str) -> None:
    """What is counted before something is stored still holds when it is."""
    other = Database(url)

    async def add_if_there_is_room(server: Database, name: str) -> None:
        async with server.write() as session:
            if len((await session.scalars(select(UserRow.id))).all()) < 3:
                session.add(UserRow(id=name, created_at=NOON))

    await asyncio.gather(
        *(
            add_if_there_is_room(server, f"{name}{at}")
            for at in range(6)
            for name, server in (("a", database), ("b", other))
        )
    )
    await other.close()
    assert len(await names(database)) == 3


async def test_who_only_reads_waits_for_no_writer(database: Database) -> None:
    async with database.write() as session:
        session.add(UserRow(id="u", created_at=NOON))
        await session.flush()
        assert await names(database) == []
    assert await names(database) == ["u"]


async def test_a_database_that_was_restarted_is_used_again_at_once(
    database: Database, url: str, postgres: Cluster
) -> None:
    assert await names(database) == []
    name = url.rpartition("/")[2]
    await postgres.ask(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    )
    async with asyncio.timeout(10):
        while await postgres.ask(  # noqa: ASYNC110 the server tells nobody
            f"SELECT 1 FROM pg_stat_activity WHERE datname = '{name}'"
        ):
            await asyncio.sleep(0)
    assert await names(database) == []


async def test_a_server_is_known_by_name_and_its_rules_hold(database: Database) -> None:
    async def show(session: AsyncSession, name: str) -> object:
        return await session.scalar(text(f"SHOW {name}"))

    wanted = {
        "application_name": "sayso",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "1min",
        "TimeZone": "UTC",
    }
    async with database.read() as session:
        assert {name: await show(session, name) for name in wanted} == wanted
        assert await show(session, "transaction_read_only") == "on"
        assert await show(session, "transaction_isolation") == "repeatable read"
    async with database.write() as session:
        assert await show(session, "transaction_read_only") == "off"
        assert await show(session, "transaction_isolation") == "read committed"


async def test_what_was_to_be_stored_stays_out_of_errors(database: Database) -> None:
    async with database.write() as session:
        session.add(UserRow(id="u", created_at=NOON, email=CANARY))
    again = insert(UserRow).values(id="v", created_at=NOON, email=CANARY)
    too_long = update(UserRow).values(email=CANARY * 100)
    half = update(UserRow).values(email=f"{CANARY}\ud800")
    too_large = insert(AgentVersionRow).values(
        agent_id="a", number=2**40, saved_at=NOON, changed=[CANARY], fields={}
    )
    for statement, kind in (
        (again, IntegrityError),
        (too_long, DataError),
        (half, DataError),
        (too_large, DataError),
    ):
        with pytest.raises(kind) as caught:
            async with database.write() as session:
                await session.execute(statement)
        assert CANARY not in "".join(traceback.format_exception(caught.value))
        assert not is_passing(caught.value) or kind is IntegrityError


async def test_a_database_that_is_gone_is_waited_for(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be reached, or takes too long, is an error that may pass."""
    nowhere = Database(f"postgresql://u:{CANARY}@127.0.0.1:{free_port()}/d")
    with pytest.raises(OperationalError) as caught:
        await names(nowhere)
    assert is_passing(caught.value)
    await nowhere.close()
    monkeypatch.setattr(postgres_module, "STATEMENT_S", 0.05)
    slow = Database(url)
    with pytest.raises(OperationalError) as caught:
        async with slow.read() as session:
            await session.execute(text("SELECT pg_sleep(30)"))
    assert is_passing(caught.value)
    assert await names(slow) == []
    await slow.close()


# Work --------------------------------------------------------------------------------------------


class Hand:
    """A clock that stands still."""

    def now_s(self) -> float:
        return NOON.timestamp()

    def utc(self) -> datetime:
        return NOON


class Note:
    """A duty that notes what it did."""

    def __init__(self) -> None:
        self.done: list[str] = []

    async def perform(self, job: Job) -> None:
        self.done.append(job.key)
        await asyncio.sleep(0)

    async def give_up(self, job: Job) -> None:
        raise AssertionError(job)


async def test_two_servers_share_the_work_and_do_nothing_twice(
    database: Database, url: str
) -> None:
    other = Database(url)
    servers = [(Jobs(one, Hand()), Note()) for one in (database, other)]
    async with database.write() as session:
        for at in range(10):
            await servers[0][0].add(session, "note", f"{at}", lane="a")

    async def work(jobs: Jobs, note: Note) -> None:
        while await jobs.run_one({"note": note}):
            pass

    await asyncio.gather(*(work(*server) for server in servers))
    done = [key for _, note in servers for key in note.done]
    await asyncio.gather(*(work(*server) for server in servers))  # whom another was quicker than
    done = [key for _, note in servers for key in note.done]
    await other.close()
    assert sorted(done) == sorted(f"{at}" for at in range(10))
