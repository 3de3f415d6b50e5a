"""Writes down live conversations, away from the sound path.

Conversations call `opened`, `line`, `turn` and `ended`, which only append to a list in memory.
One task, `run()`, stores the list every second, or sooner when it is long. When the
database fails, nothing is lost: the records wait, in order, and are tried again. Past
`max_records` waiting, new ones are dropped, counted, and said once in the log.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias

import structlog
from sqlalchemy import update
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.conversations import rows
from sayso.conversations.exchanges import size_of
from sayso.conversations.schema import EndedBy, Role, to_iso
from sayso.llm import Exchanged
from sayso.store.database import Database
from sayso.store.tables import ConversationRow

BATCH_RECORDS = 100
"""Records stored in one transaction; this many waiting are stored at once."""
INTERVAL_S = 1.0
"""How long a record waits for company."""
MAX_EXCHANGE_BYTES = 64 * 1024 * 1024
"""Exchanges with LLMs that may wait while the database does not answer."""
RETRY_S = 1.0
"""How long the database is left alone after it failed."""

_log = structlog.get_logger(__name__)


class Witness(Protocol):
    """Is told at once what is written down, but for what was said; never waits, and never fails."""

    def opened(self, conversation_id: str, agent_id: str, *, source: str, at: datetime) -> None:
        """A conversation began, or goes on."""
        ...

    def turn(
        self,
        conversation_id: str,
        number: int,
        timings: Mapping[str, object],
        at: datetime,
    ) -> None:
        """A turn is over."""
        ...

    def ended(self, conversation_id: str, *, by: str, error_code: int | None, at: datetime) -> None:
        """A conversation is over."""
        ...


Schedule: TypeAlias = Callable[[AsyncSession, str], Awaitable[None]]
"""Has the recording of a conversation encoded."""


class Recorder:
    """The one writer of live conversations in a server."""

    def __init__(
        self,
        database: Database,
        *,
        max_records: int = 100_000,
        witness: Witness | None = None,
        schedule: Schedule | None = None,
    ) -> None:
        """`max_records` is how many may wait while the database does not answer.

        `schedule` is called in the transaction that ends a conversation which was recorded.
        """
        self._database = database
        self._schedule = schedule
        self._exchange_bytes = 0
        self._witness = witness
        self._max_records = max_records
        self._waiting: deque[rows.Record] = deque()
        self._open: Counter[str] = Counter()
        self._storing = asyncio.Lock()
        self._some = asyncio.Event()
        self._many = asyncio.Event()
        self._closed = False
        self.dropped = 0

    @property
    def waiting(self) -> int:
        """How many records are not stored yet."""
        return len(self._waiting)

    def opened(
        self,
        conversation_id: str,
        agent_id: str,
        *,
        source: str,
        at: datetime,
        caller_id: str | None = None,
        recorded: bool = False,
    ) -> None:
        """A conversation began; one that is known already goes on. Its sound may be `recorded`."""
        self._open[conversation_id] += 1
        self._add(rows.Opened(conversation_id, agent_id, source, caller_id, at, recorded))
        if self._witness is not None:
            self._witness.opened(conversation_id, agent_id, source=source, at=at)

    def line(
        self,
        conversation_id: str,
        role: Role,
        content: str,
        at: datetime,
        deeds: Sequence[Mapping[str, object]] = (),
        began_at: datetime | None = None,
    ) -> None:
        """Something was said, and `deeds` were done before it; without words only these."""
        kept = [dict(deed) for deed in deeds] or None
        self._add(rows.Line(conversation_id, role, content, at, kept, began_at))

    def message(
        self, conversation_id: str, *, message: str, name: str, phone_number: str, at: datetime
    ) -> None:
        """The caller left a message, for the owner of the agent."""
        left = {"message": message, "name": name, "phone_number": phone_number, "at": to_iso(at)}
        kept = {key: text.replace("\0", "") for key, text in left.items()}
        self._add(rows.Message(conversation_id, kept))

    def turn(
        self,
        conversation_id: str,
        number: int,
        timings: Mapping[str, object],
        at: datetime,
    ) -> None:
        """A turn is over; `timings` carry their unit in the name."""
        self._add(rows.Turn(conversation_id, number, dict(timings), at))
        if self._witness is not None:
            self._witness.turn(conversation_id, number, timings, at)

    def exchange(self, conversation_id: str, reply: int, seen: Exchanged, at: datetime) -> None:
        """An LLM was asked for reply number `reply`, and answered.

        Too many of them at once are dropped, counted, and said once in the log.
        """
        size = size_of(seen)
        if self._exchange_bytes + size > MAX_EXCHANGE_BYTES:
            self._drop(limit=MAX_EXCHANGE_BYTES)
            return
        self._exchange_bytes += size
        self._add(rows.Exchange(conversation_id, reply, seen, at))

    def recording_lost(self, conversation_id: str) -> None:
        """The recording of a conversation was given up."""
        self._add(rows.Lost(conversation_id))

    def ended(
        self,
        conversation_id: str,
        *,
        by: EndedBy,
        error_code: int | None,
        at: datetime,
        reason: str | None = None,
    ) -> None:
        """A conversation is over; `reason` is a code that says why.

        Where it was opened twice, as by a caller who was back before the old line was known to be
        dead, only the last end counts.
        """
        self._open[conversation_id] -= 1
        if self._open[conversation_id] > 0:
            return
        del self._open[conversation_id]
        self._add(rows.Ended(conversation_id, by, error_code, at, reason))
        self._many.set()  # who hangs up may look at once
        if self._witness is not None:
            self._witness.ended(conversation_id, by=by, error_code=error_code, at=at)

    async def run(self) -> None:
        """Store what is added, until `close()` or cancellation."""
        while not self._closed:
            await self._some.wait()
            await self._wait_for_company()
            try:
                await self.flush()
            except Exception as error:  # noqa: BLE001 - whatever it is, others must be stored
                _log.error("records_not_stored", waiting=self.waiting, reason=type(error).__name__)
                if not is_passing(error):
                    await self._sift()
                await asyncio.sleep(RETRY_S)

    async def _sift(self) -> None:
        """Store the next records one by one, and drop those that never can be."""
        async with self._storing:
            for _ in range(min(BATCH_RECORDS, self.waiting)):
                record = self._waiting[0]
                try:
                    await self._store_alone(record)
                except Exception as error:  # noqa: BLE001 - as above
                    if is_passing(error):
                        return
                    self.dropped += 1
                    _log.exception(
                        "record_not_storable",
                        kind=type(record).__name__.lower(),
                        conversation_id=record.conversation_id,
                    )
                self._waiting.popleft()
                if isinstance(record, rows.Exchange):
                    self._exchange_bytes -= size_of(record.seen)

    async def flush(self) -> None:
        """Store everything added so far.

        Raises:
            SQLAlchemyError: the database failed; what was not stored still waits.
        """
        async with self._storing:
            while self._waiting:
                batch = [self._waiting[at] for at in range(min(BATCH_RECORDS, self.waiting))]
                await self._store(batch)
                for _ in batch:
                    done = self._waiting.popleft()
                    if isinstance(done, rows.Exchange):
                        self._exchange_bytes -= size_of(done.seen)
            if not self._closed:
                self._some.clear()
                self._many.clear()

    async def beat(self, at: datetime) -> None:
        """Store that the conversations under way are alive. Raises SQLAlchemyError."""
        if not self._open:
            return
        mine = ConversationRow.id.in_(tuple(self._open)) & ConversationRow.ended_at.is_(None)
        async with self._database.write() as session:
            await session.execute(update(ConversationRow).where(mine).values(alive_at=at))

    async def close(self) -> None:
        """Store everything, and end `run()`. Raises SQLAlchemyError when it cannot be stored."""
        self._closed = True
        self._some.set()
        self._many.set()
        await self.flush()

    def _add(self, record: rows.Record) -> None:
        if self.waiting >= self._max_records:
            self._drop(limit=self._max_records)
            return
        self._waiting.append(record)
        self._some.set()
        if self.waiting >= BATCH_RECORDS:
            self._many.set()

    def _drop(self, *, limit: int) -> None:
        if self.dropped == 0:
            _log.error("records_dropped", waiting=self.waiting, limit=limit)
        self.dropped += 1

    async def _wait_for_company(self) -> None:
        try:
            async with asyncio.timeout(INTERVAL_S):
                await self._many.wait()
        except TimeoutError:
            return

    async def _store(self, batch: list[rows.Record]) -> None:
        """Store `batch`; one record that does not fit must not hold up the others."""
        try:
            await self._write(batch)
        except IntegrityError:
            for record in batch:
                await self._store_alone(record)

    async def _store_alone(self, record: rows.Record) -> None:
        try:
            await self._write([record])
        except IntegrityError:
            # Its agent was deleted while they talked, and the conversation with it.
            self.dropped += 1
            _log.warning(
                "record_without_conversation",
                kind=type(record).__name__.lower(),
                conversation_id=record.conversation_id,
            )

    async def _write(self, batch: list[rows.Record]) -> None:
        packed = await rows.pack_exchanges(batch)
        async with self._database.write() as session:
            for conversation_id in await rows.write(session, batch, packed):
                if self._schedule is not None:
                    await self._schedule(session, conversation_id)


def is_passing(error: Exception) -> bool:
    """Whether what failed may go well later: the database did, and not what was to be stored."""
    if isinstance(error, DataError):
        return False
    if isinstance(error, StatementError):
        return isinstance(error, DBAPIError)
    return isinstance(error, SQLAlchemyError | OSError)
