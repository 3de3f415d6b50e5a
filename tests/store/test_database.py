from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from io import StringIO
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, create_engine, func, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.schema import CreateTable

from sayso.errors import InstallationError
from sayso.store import migrations
from sayso.store.database import Database, make_engine, migrate
from sayso.store.migrations.versions import r0003_variables
from sayso.store.tables import AgentRow, KeyRow, Table, UserRow

NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'new' / 'sayso.db'}"


@pytest.fixture
async def database(url: str) -> AsyncGenerator[Database]:
    migrate(url)
    database = Database(url)
    yield database
    await database.close()


async def add(database: Database, row: Table) -> None:
    async with database.write() as session:
        session.add(row)


def test_migrating_twice_changes_nothing_and_makes_a_private_folder(
    url: str, tmp_path: Path
) -> None:
    migrate(url)
    migrate(url)
    with sqlite3.connect(tmp_path / "new" / "sayso.db") as connection:
        versions = connection.execute("select version_num from alembic_version").fetchall()
    connection.close()
    assert versions == [("0018",)]
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


async def test_its_files_are_for_their_owner_only(database: Database, tmp_path: Path) -> None:
    await add(database, UserRow(id="u", created_at=NOON))
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()}
    assert modes == dict.fromkeys(["sayso.db", "sayso.db-wal", "sayso.db-shm"], 0o600)


def test_a_file_that_others_were_let_read_stays_so(url: str, tmp_path: Path) -> None:
    migrate(url)
    path = tmp_path / "new" / "sayso.db"
    path.chmod(0o640)
    migrate(url)
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InstallationError, match=r"cannot write .*sayso\.db"):
        migrate(f"sqlite+aiosqlite:///{tmp_path / 'file' / 'sayso.db'}")


def test_a_database_in_memory_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    migrate("sqlite+aiosqlite:///:memory:")
    assert not list(tmp_path.iterdir())


async def test_the_migrations_make_exactly_the_tables_of_the_code(url: str) -> None:
    migrate(url)  # inside a running loop, too
    engine = make_engine(url)

    def compare(connection: Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection), Table.metadata)

    async with engine.connect() as connection:
        assert await connection.run_sync(compare) == []
    await engine.dispose()


OLD_USER = "insert into users (id, created_at) values ('u', '2024-05-01 12:00:00')"
OLD_AGENT = """
    insert into agents (id, owner_id, created_at, updated_at, display_name, description,
        answer_only_from_critical_knowledge, visibility, language, voice, tts_model, actions,
        llm_issues)
    values ('a', 'u', '2024-05-01 12:00:00', '2024-05-01 12:00:00', 'A', '', 0, 'public',
        'english', 'v', 'm', '[]', '[]')
"""


def downgrade(url: str, revision: str) -> None:
    """Undo migrations behind `revision`."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    engine = create_engine(url.replace("+aiosqlite", ""))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
    engine.dispose()


async def test_actions_from_before_functions_are_forgotten(url: str) -> None:
    migrate(url)
    downgrade(url, "0005")
    database = Database(url)
    async with database.write() as session:
        await session.execute(text(OLD_USER))
        await session.execute(text(OLD_AGENT.replace("'[]', '[]'", "'[\"fn_1\"]', '[]'")))
    migrate(url)
    async with database.read() as session:
        assert await session.scalar(select(AgentRow.actions)) == []
    await database.close()


async def test_an_agent_from_before_a_field_has_its_default(url: str) -> None:
    migrate(url)
    downgrade(url, "0002")
    database = Database(url)
    async with database.write() as session:
        await session.execute(text(OLD_USER))
        await session.execute(text(OLD_AGENT))
    migrate(url)
    async with database.read() as session:
        row = await session.get(AgentRow, "a")
        assert row is not None
        assert (row.display_name, row.variables) == ("A", {})
        assert (row.patience, row.interruptible) == (None, True)
    await database.close()


async def test_an_account_from_before_passwords_has_none(url: str) -> None:
    migrate(url)
    downgrade(url, "0012")
    database = Database(url)
    async with database.write() as session:
        await session.execute(text(OLD_USER))
        await session.execute(text(OLD_AGENT))
    migrate(url)
    async with database.read() as session:
        user, agent = await session.get(UserRow, "u"), await session.get(AgentRow, "a")
        assert user is not None
        assert (user.email, user.name, user.password) == (None, None, None)
        assert agent is not None
        assert agent.allowed_origins == []
    await database.close()


async def test_sqlite_runs_by_our_rules(database: Database) -> None:
    async with database.read() as session:
        rules = [
            (await session.execute(text(f"PRAGMA {name}"))).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert rules == ["wal", 1, 1, 10_000]


async def test_a_write_is_kept_when_its_block_ends_and_undone_when_it_raises(
    database: Database,
) -> None:
    async with database.write() as session:
        session.add(UserRow(id="kept", created_at=NOON))

    async def fail() -> None:
        async with database.write() as session:
            session.add(UserRow(id="undone", created_at=NOON))
            await session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with database.read() as session:
        assert (await session.scalars(select(UserRow.id))).all() == ["kept"]


async def test_a_read_writes_nothing(database: Database) -> None:
    async with database.read() as session:
        session.add(UserRow(id="lost", created_at=NOON))
        await session.flush()
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(UserRow)) == 0


async def test_two_processes_that_read_then_write_wait_for_each_other(url: str) -> None:
    """Without BEGIN IMMEDIATE one of the two fails at once, whatever the busy timeout."""
    migrate(url)
    one, two = Database(url), Database(url)
    async with one.write() as session:
        session.add(UserRow(id="0", created_at=NOON))

    async def add(database: Database) -> None:
        async with database.write() as session:
            count = await session.scalar(select(func.count()).select_from(UserRow))
            session.add(UserRow(id=str(count), created_at=NOON))

    await asyncio.gather(*(add(database) for database in (one, two) for _ in range(5)))
    async with one.read() as session:
        assert await session.scalar(select(func.count()).select_from(UserRow)) == 11
    await one.close()
    await two.close()


async def test_foreign_keys_hold(database: Database) -> None:
    row = KeyRow(id="k", user_id="nobody", hash="h", name="", tail="", created_at=NOON)
    with pytest.raises(IntegrityError):
        await add(database, row)


async def test_times_are_utc_whatever_zone_they_came_in(database: Database) -> None:
    east = timezone(timedelta(hours=2))
    async with database.write() as session:
        session.add(UserRow(id="u", created_at=NOON.astimezone(east)))
    async with database.read() as session:
        at = await session.scalar(select(UserRow.created_at))
    assert at == NOON
    assert at.tzinfo is UTC


async def test_a_time_without_a_zone_is_refused_and_parameters_stay_out_of_errors(
    database: Database,
) -> None:
    row = UserRow(id="canary-parameter", created_at=datetime(2024, 5, 1))  # noqa: DTZ001
    with pytest.raises(StatementError, match="time zone") as caught:
        await add(database, row)
    assert "canary-parameter" not in str(caught.value)


def test_several_processes_may_migrate_at_once(url: str, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(migrate, url) for _ in range(4)]:
            done.result()
    with sqlite3.connect(tmp_path / "new" / "sayso.db") as connection:
        assert connection.execute("select count(*) from alembic_version").fetchone() == (1,)
    connection.close()


@pytest.mark.parametrize("table", ["users", "agents", "lines", "sources", "jobs"])
def test_every_table_compiles_for_postgres(table: str) -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    statement = str(CreateTable(Table.metadata.tables[table]).compile(dialect=dialect))
    assert "TIMESTAMP WITH TIME ZONE" in statement
    assert ("BIGSERIAL" in statement) is (table in {"lines", "jobs"})


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
def test_agents_that_are_there_get_no_variables_in_either_database(dialect: str) -> None:
    """The statements themselves, without a database."""
    told = StringIO()
    context = MigrationContext.configure(
        dialect_name=dialect, opts={"as_sql": True, "output_buffer": told}
    )
    with Operations.context(context):
        r0003_variables.upgrade()
        r0003_variables.downgrade()
    statements = " ".join(told.getvalue().split())
    assert "ALTER TABLE agents ADD COLUMN variables JSON DEFAULT '{}' NOT NULL" in statements
    assert "ALTER TABLE conversations ADD COLUMN caller_id TEXT" in statements
    assert "ALTER TABLE agents DROP COLUMN variables" in statements
