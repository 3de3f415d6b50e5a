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
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias

import structlog
from sqlalchemy import insert, select, update
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.conversations.exchanges import pack, size_of
from sayso.conversations.measures import measure
from sayso.conversations.schema import EndedBy, Role, to_iso
from sayso.llm import Exchanged
from sayso.store.database import Database
from sayso.store.identifiers import new_id
from sayso.store.tables import ConversationRow, ExchangeRow, LineRow, TurnRow

BATCH_RECORDS = 100
"""Records stored in one transaction; this many waiting are stored at once."""
INTERVAL_S = 1.0
"""How long a record waits for company."""
MAX_EXCHANGE_BYTES = 64 * 1024 * 1024
"""Exchanges with LLMs that may wait while the database does not answer."""
RETRY_S = 1.0
"""How long the database is left alone after it failed."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Opened:
    conversation_id: str
    agent_id: str
    source: str
    caller_id: str | None
    at: datetime
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class _Line:
    conversation_id: str
    role: Role
    content: str
    at: datetime
    deeds: list[dict[str, object]] | None = None
    began_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Message:
    conversation_id: str
    message: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Lost:
    conversation_id: str


@dataclass(frozen=True, slots=True)
class _Exchange:
    conversation_id: str
    reply: int
    seen: Exchanged
    at: datetime


@dataclass(frozen=True, slots=True)
class _Turn:
    conversation_id: str
    number: int
    timings: dict[str, object]
    at: datetime


@dataclass(frozen=True, slots=True)
class _Ended:
    conversation_id: str
    by: EndedBy
    error_code: int | None
    at: datetime
    reason: str | None = None


_Kept: TypeAlias = _Opened | _Message | _Lost | _Ended
"""What is kept in the row of a conversation."""
_Record: TypeAlias = _Kept | _Line | _Turn | _Exchange


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
        self._waiting: deque[_Record] = deque()
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
        self._add(_Opened(conversation_id, agent_id, source, caller_id, at, recorded))
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
        self._add(_Line(conversation_id, role, content, at, kept, began_at))

    def message(
        self, conversation_id: str, *, message: str, name: str, phone_number: str, at: datetime
    ) -> None:
        """The caller left a message, for the owner of the agent."""
        left = {"message": message, "name": name, "phone_number": phone_number, "at": to_iso(at)}
        kept = {key: text.replace("\0", "") for key, text in left.items()}
        self._add(_Message(conversation_id, kept))

    def turn(
        self,
        conversation_id: str,
        number: int,
        timings: Mapping[str, object],
        at: datetime,
    ) -> None:
        """A turn is over; `timings` carry their unit in the name."""
        self._add(_Turn(conversation_id, number, dict(timings), at))
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
        self._add(_Exchange(conversation_id, reply, seen, at))

    def recording_lost(self, conversation_id: str) -> None:
        """The recording of a conversation was given up."""
        self._add(_Lost(conversation_id))

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
        self._add(_Ended(conversation_id, by, error_code, at, reason))
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
                        kind=type(record).__name__.strip("_").lower(),
                        conversation_id=record.conversation_id,
                    )
                self._waiting.popleft()
                if isinstance(record, _Exchange):
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
                    if isinstance(done, _Exchange):
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

    def _add(self, record: _Record) -> None:
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

    async def _store(self, batch: list[_Record]) -> None:
        """Store `batch`; one record that does not fit must not hold up the others."""
        packed = await _pack([one for one in batch if isinstance(one, _Exchange)])
        try:
            async with self._database.write() as session:
                await self._write(session, batch, packed)
        except IntegrityError:
            for record in batch:
                await self._store_alone(record)

    async def _store_alone(self, record: _Record) -> None:
        packed = await _pack([record] if isinstance(record, _Exchange) else [])
        try:
            async with self._database.write() as session:
                await self._write(session, [record], packed)
        except IntegrityError:
            # Its agent was deleted while they talked, and the conversation with it.
            self.dropped += 1
            _log.warning(
                "record_without_conversation",
                kind=type(record).__name__.strip("_").lower(),
                conversation_id=record.conversation_id,
            )

    async def _write(
        self, session: AsyncSession, batch: list[_Record], exchanges: list[dict[str, Any]]
    ) -> None:
        """Write records in few statements, however many conversations took turns in `batch`.

        Each statement waits for a turn of the loop and of a thread. One for almost every record,
        as long as the records of several conversations alternate, was 100 a second beside a busy
        loop, and 20 callers in a hurry made 180.
        """
        kept = [one for one in batch if isinstance(one, _Kept)]
        for conversation_id in await _write_conversations(session, kept):
            if self._schedule is not None:
                await self._schedule(session, conversation_id)
        if lines := [_line_values(one) for one in batch if isinstance(one, _Line)]:
            await session.execute(insert(LineRow), lines)
        if turns := [_turn_values(one) for one in batch if isinstance(one, _Turn)]:
            await session.execute(insert(TurnRow), turns)
        if exchanges:
            await session.execute(insert(ExchangeRow), exchanges)


def is_passing(error: Exception) -> bool:
    """Whether what failed may go well later: the database did, and not what was to be stored."""
    if isinstance(error, DataError):
        return False
    if isinstance(error, StatementError):
        return isinstance(error, DBAPIError)
    return isinstance(error, SQLAlchemyError | OSError)


async def _pack(exchanges: list[_Exchange]) -> list[dict[str, Any]]:
    """Exchanges as they are stored; in a thread, for one takes about half a millisecond."""
    if not exchanges:
        return []
    return await asyncio.to_thread(lambda: [_exchange_values(one) for one in exchanges])


def _exchange_values(one: _Exchange) -> dict[str, Any]:
    return {
        "id": new_id(),
        "conversation_id": one.conversation_id,
        "reply": one.reply,
        "at": one.at,
        **pack(one.seen),
    }


def _line_values(line: _Line) -> dict[str, object]:
    return {
        "id": new_id(),
        "conversation_id": line.conversation_id,
        "role": line.role,
        "content": line.content.replace("\0", ""),  # Postgres takes no NUL
        "at": line.at,
        "began_at": line.began_at,
        "deeds": line.deeds and [_without_nul(deed) for deed in line.deeds],
    }


def _without_nul(deed: Mapping[str, object]) -> dict[str, object]:
    return {k: v.replace("\0", "") if isinstance(v, str) else v for k, v in deed.items()}


def _turn_values(turn: _Turn) -> dict[str, object]:
    return {
        "id": new_id(),
        "conversation_id": turn.conversation_id,
        "number": turn.number,
        "timings": turn.timings,
        "at": turn.at,
        **asdict(measure(turn.timings)),
    }


async def _write_conversations(session: AsyncSession, records: list[_Kept]) -> list[str]:
    """Bring the rows of conversations to where `records` leave them, in the order they came.

    Returns the ids of those that ended with a recording.
    """
    if not records:
        return []
    names = {one.conversation_id for one in records}
    found = await session.scalars(select(ConversationRow).where(ConversationRow.id.in_(names)))
    rows = {row.id: row for row in found}
    for one in records:
        row = rows.get(one.conversation_id)
        if isinstance(one, _Opened):
            rows[one.conversation_id] = _open(row, one)
        elif row is not None and isinstance(one, _Message):
            row.messages = [*(row.messages or ()), one.message]
        elif row is not None and isinstance(one, _Lost):
            row.recording = "lost"
        elif row is not None and isinstance(one, _Ended):
            _end(row, one)
    session.add_all(rows.values())
    await session.flush()  # before the lines, which refer to them
    ended = {one.conversation_id for one in records if isinstance(one, _Ended)}
    over = (rows[name] for name in sorted(ended) if name in rows)
    return [row.id for row in over if row.ended_at is not None and row.recording == "raw"]


def _open(row: ConversationRow | None, record: _Opened) -> ConversationRow:
    if row is None:
        row = ConversationRow(
            id=record.conversation_id,
            agent_id=record.agent_id,
            source=record.source,
            started_at=record.at,
        )
    row.caller_id = record.caller_id or row.caller_id
    row.alive_at = record.at
    if record.recorded and row.recording != "lost":
        row.recording = "raw"
    row.ended_at = row.duration_s = row.ended_by = row.error_code = row.end_reason = None
    return row


def _end(row: ConversationRow, record: _Ended) -> None:
    row.ended_at, row.ended_by, row.error_code = record.at, record.by, record.error_code
    row.end_reason = record.reason
    row.duration_s = max(0.0, (record.at - row.started_at).total_seconds())
