"""SQLite: how it is reached, one visit of its thread for each statement.

Every connection has a thread of its own, aiosqlite's. SQLAlchemy visits it four times for a
statement: for a cursor, to execute, to fetch, and to close. Each visit wakes a thread and the event
loop again: five small transactions took 17.5 ms of CPU so, and take 12.5 where all four are one.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import aiosqlite
from sqlalchemy import Connection, event
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util.concurrency import await_

DRIVER = "sqlite+aiosqlite"
BUSY_TIMEOUT_MS = 10_000
"""How long a SQLite writer waits for another process before it gives up."""

CACHE_KIB = 512
"""Pages that each connection keeps: what is read often. The system's own cache has the rest."""

_RULES = (
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",  # first: the next one may have to wait
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA cache_size=-{CACHE_KIB}",
)


def make_sqlite_engine(url: URL) -> AsyncEngine:
    """An engine for a file, or for memory; nothing is opened yet."""
    engine = create_async_engine(url, hide_parameters=True, module=_Driver(aiosqlite, sqlite3))
    event.listen(engine.sync_engine, "connect", _set_rules)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _set_rules(connection: Any, _record: object) -> None:  # noqa: ANN401
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    for rule in _RULES:
        cursor.execute(rule)
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("sayso_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    """What SQLAlchemy takes for a cursor: one statement at a time, whose rows are all fetched."""

    __slots__ = ("_description", "_lastrowid", "_rowcount")

    def __init__(self, adapt_connection: AsyncAdapt_aiosqlite_connection) -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection  # noqa: SLF001 - as its base does
        self._rows = deque()
        self._description: Any = None
        self._lastrowid, self._rowcount = 0, -1

    @property
    def description(self) -> Any:  # noqa: ANN401
        return self._description

    @property
    def lastrowid(self) -> int:
        return self._lastrowid

    @property
    def rowcount(self) -> int:
        return self._rowcount

    def execute(self, operation: Any, parameters: Any = None) -> None:  # noqa: ANN401
        self._visit(sqlite3.Cursor.execute, operation, parameters or ())

    def executemany(self, operation: Any, seq_of_parameters: Any) -> None:  # noqa: ANN401
        self._visit(sqlite3.Cursor.executemany, operation, seq_of_parameters)

    def close(self) -> None:
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        """Nothing is open."""

    def _visit(self, do: Callable[..., object], statement: str, parameters: Sequence[Any]) -> None:
        connection: Any = self._connection
        try:
            done = await_(connection._execute(_run, connection, do, statement, parameters))  # noqa: SLF001
        except Exception as error:  # noqa: BLE001 - it is told which, and raises
            self._adapt_connection._handle_exception(error)  # noqa: SLF001
        self._description, self._lastrowid, self._rowcount, rows = done
        self._rows = deque(rows)


def _run(
    connection: Any,  # noqa: ANN401
    do: Callable[..., object],
    statement: str,
    parameters: Sequence[Any],
) -> tuple[Any, int, int, list[Any]]:
    """In the connection's thread: description, last row's number, count of rows, and the rows."""
    cursor = connection._conn.cursor()  # noqa: SLF001
    try:
        do(cursor, statement, parameters)
        rows = cursor.fetchall() if cursor.description else []
        return cursor.description, cursor.lastrowid, cursor.rowcount, rows
    finally:
        cursor.close()


class _Connection(AsyncAdapt_aiosqlite_connection):
    """A connection whose transactions end once: SQLAlchemy undoes again what is over."""

    __slots__ = ()

    _cursor_cls: type[AsyncAdapt_aiosqlite_cursor] = _Cursor

    def rollback(self) -> None:
        if self._in_transaction:
            super().rollback()

    def commit(self) -> None:
        if self._in_transaction:
            super().commit()

    @property
    def _in_transaction(self) -> bool:
        connection: Any = self._connection
        return connection._connection is not None and connection.in_transaction  # noqa: SLF001


class _Driver(AsyncAdapt_aiosqlite_dbapi):
    """aiosqlite, with the connections above."""

    def connect(self, *arg: Any, **kw: Any) -> _Connection:  # noqa: ANN401
        plain = super().connect(*arg, **kw)
        return _Connection(self, plain.driver_connection)
