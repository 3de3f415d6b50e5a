"""PostgreSQL: how it is reached, and what its errors mean.

The driver is asyncpg, the extra `sayso[postgres]`. It reads URLs as libpq does (`sslmode`, several
hosts, a socket's folder), so what a provider prints can be pasted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.exc import DataError, DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sayso.errors import InstallationError

DRIVER = "postgresql+asyncpg"
MAX_CONNECTIONS, KEPT_CONNECTIONS = 20, 5
"""Connections of one server, at most and while little is done; PostgreSQL itself allows 100."""
WAIT_S = 10.0
"""How long somebody waits for a connection, or a writer for its turn, in seconds."""
STATEMENT_S = 60.0
"""How long one statement may take, in seconds; nothing a server does takes one."""
IDLE_S = 60
"""A transaction whose server says nothing for so long is undone: it holds up all writers."""
OLD_S = 1800
"""Connections are replaced after so long: what lies between may forget idle ones, in seconds."""
WRITERS = 0x736179736F
"""The advisory lock of whoever writes: `sayso`, as a number."""

READING: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""Execution options of transactions that read: each sees one moment, as SQLite's do."""

Connect = Callable[..., Awaitable[Any]]
_QUOTING = "invalid input for query argument"


def make_postgres_engine(url: URL, *, patient: bool) -> AsyncEngine:
    """An engine that connects when it is used; one that is `patient` waits for locks, however long.

    Raises:
        InstallationError: the driver is not there.
    """
    if find_spec("asyncpg") is None:
        raise InstallationError(
            "PostgreSQL needs the package asyncpg",
            hint="Install it with: pip install 'sayso[postgres]'",
        )
    engine = create_async_engine(
        f"{DRIVER}://",
        async_creator=_connector(url, patient=patient),
        hide_parameters=True,
        pool_size=KEPT_CONNECTIONS,
        max_overflow=MAX_CONNECTIONS - KEPT_CONNECTIONS,
        pool_timeout=WAIT_S,
        pool_recycle=OLD_S,
    )
    event.listen(engine.sync_engine, "begin", _take_turn)
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    event.listen(engine.sync_engine, "handle_error", _hide_values, retval=True)
    return engine


def _connector(url: URL, *, patient: bool) -> Connect:
    import asyncpg  # noqa: PLC0415 an extra

    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    rules = f"SET timezone='UTC'; SET idle_in_transaction_session_timeout='{IDLE_S}s'; "
    rules += f"SET lock_timeout='{0 if patient else WAIT_S:g}s'; SET jit=off"

    async def connect() -> Any:  # noqa: ANN401 asyncpg has no types
        try:
            connection = await asyncpg.connect(
                address,
                timeout=WAIT_S,
                command_timeout=None if patient else STATEMENT_S,
                server_settings={"application_name": "sayso"},
            )
        except OSError as error:  # whoever waits for the database waits for this kind
            raise OperationalError(None, None, error) from error
        await connection.execute(rules)  # not at connecting: poolers refuse them there
        return connection

    return connect


def _take_turn(connection: Connection) -> None:
    """One writer at a time, on whatever server, as in SQLite.

    So a limit that was counted, or a number that is the next one, still is when it is stored.
    """
    if connection.get_execution_options().get("sayso_writes", False):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS})")


def _refuse_closed(connection: Any, _record: object, _proxy: object) -> None:  # noqa: ANN401
    """After a restart of the database all connections are closed, and nobody needs to fail."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _hide_values(context: ExceptionContext) -> DBAPIError | None:
    """Take out of an error what the driver quotes of the data, for it may be secret.

    What never can be stored becomes a DataError, and what took too long an OperationalError, as
    they are with other drivers.
    """
    adapted, told = context.original_exception, context.sqlalchemy_exception
    if isinstance(adapted, OSError):
        return OperationalError(context.statement, None, adapted, hide_parameters=True)
    cause = adapted.__cause__
    if cause is None or not type(cause).__module__.startswith("asyncpg"):
        return None
    for name in ("detail", "context"):
        if getattr(cause, name, None) is not None:
            setattr(cause, name, None)
    said = str(cause.args[0]) if cause.args else ""
    if said.startswith(_QUOTING):
        cause.args = adapted.args = (said.partition(":")[0],)
    if not isinstance(told, DBAPIError) or not _never_fits(cause):
        return None
    return DataError(told.statement, None, adapted, hide_parameters=True)


def _never_fits(error: BaseException) -> bool:
    import asyncpg  # noqa: PLC0415 an extra

    return isinstance(error, asyncpg.DataError)


def explain(error: Exception, url: URL) -> InstallationError:
    """Why the database at `url` cannot be opened: a sentence, and no password in it."""
    where = f"{url.host or url.query.get('host', 'localhost')}:{url.port or 5432}"
    reason: BaseException = error
    while reason.__cause__ is not None:
        reason = reason.__cause__
    told = getattr(reason, "strerror", None) or str(reason) or "it does not answer"
    if url.password:
        told = told.replace(str(url.password), "***")
    return InstallationError(
        f"the PostgreSQL database {url.database!r} at {where} cannot be opened: {told}",
        hint="Check SAYSO_DATABASE_URL, and that the server runs and has this user and database.",
    )


async def check_postgres(engine: AsyncEngine, url: URL) -> None:
    """Connect once. Raises InstallationError when that fails, or the database is not in UTF-8."""
    try:
        async with engine.connect() as connection:
            encoding = await connection.scalar(text("SHOW server_encoding"))
    except Exception as error:  # noqa: BLE001 whatever it is, nothing can be stored
        raise explain(error, url) from None
    if encoding != "UTF8":
        raise InstallationError(
            f"the PostgreSQL database {url.database!r} keeps text as {encoding}, not as UTF-8",
            hint=f"Make one with: createdb --template=template0 --encoding=UTF8 {url.database}",
        )
