"""What is written down of a live conversation, and the rows it becomes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.conversations.exchanges import pack
from sayso.conversations.measures import measure
from sayso.conversations.schema import EndedBy, Role
from sayso.llm import Exchanged
from sayso.store.identifiers import new_id
from sayso.store.tables import ConversationRow, ExchangeRow, LineRow, TurnRow


@dataclass(frozen=True, slots=True)
class Opened:
    """It began, or goes on; its sound may be `recorded`."""

    conversation_id: str
    agent_id: str
    source: str
    caller_id: str | None
    at: datetime
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """Something was said, and `deeds` were done before it."""

    conversation_id: str
    role: Role
    content: str
    at: datetime
    deeds: list[dict[str, object]] | None = None
    began_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """The caller left one, for the owner of the agent."""

    conversation_id: str
    message: dict[str, str]


@dataclass(frozen=True, slots=True)
class Lost:
    """Its recording was given up."""

    conversation_id: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """An LLM was asked for reply number `reply`, and answered."""

    conversation_id: str
    reply: int
    seen: Exchanged
    at: datetime


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn is over; `timings` carry their unit in the name."""

    conversation_id: str
    number: int
    timings: dict[str, object]
    at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """It is over; `reason` is a code that says why."""

    conversation_id: str
    by: EndedBy
    error_code: int | None
    at: datetime
    reason: str | None = None


_Kept: TypeAlias = Opened | Message | Lost | Ended
"""What is kept in the row of a conversation."""
Record: TypeAlias = _Kept | Line | Turn | Exchange


async def pack_exchanges(batch: Sequence[Record]) -> list[dict[str, Any]]:
    """The exchanges of `batch` as they are stored; in a thread: one takes half a millisecond."""
    exchanges = [one for one in batch if isinstance(one, Exchange)]
    if not exchanges:
        return []
    return await asyncio.to_thread(lambda: [_exchange_values(one) for one in exchanges])


async def write(
    session: AsyncSession, batch: Sequence[Record], packed: list[dict[str, Any]]
) -> list[str]:
    """Write records in few statements, however many conversations took turns in `batch`.

    Each statement waits for a turn of the loop and of a thread. One for almost every record, as
    long as the records of several conversations alternate, was 100 a second beside a busy loop,
    and 20 callers in a hurry made 180.

    Args:
        session: its transaction.
        batch: the records, in the order they came.
        packed: those of them that are exchanges, by `pack_exchanges`.

    Returns:
        the ids of conversations that ended with a recording.
    """
    ended = await _write_conversations(session, [one for one in batch if isinstance(one, _Kept)])
    if lines := [_line_values(one) for one in batch if isinstance(one, Line)]:
        await session.execute(insert(LineRow), lines)
    if turns := [_turn_values(one) for one in batch if isinstance(one, Turn)]:
        await session.execute(insert(TurnRow), turns)
    if packed:
        await session.execute(insert(ExchangeRow), packed)
    return ended


def _exchange_values(one: Exchange) -> dict[str, Any]:
    return {
        "id": new_id(),
        "conversation_id": one.conversation_id,
        "reply": one.reply,
        "at": one.at,
        **pack(one.seen),
    }


def _line_values(line: Line) -> dict[str, object]:
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


def _turn_values(turn: Turn) -> dict[str, object]:
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
        if isinstance(one, Opened):
            rows[one.conversation_id] = _open(row, one)
        elif row is not None and isinstance(one, Message):
            row.messages = [*(row.messages or ()), one.message]
        elif row is not None and isinstance(one, Lost):
            row.recording = "lost"
        elif row is not None and isinstance(one, Ended):
            _end(row, one)
    session.add_all(rows.values())
    await session.flush()  # before the lines, which refer to them
    ended = {one.conversation_id for one in records if isinstance(one, Ended)}
    over = (rows[name] for name in sorted(ended) if name in rows)
    return [row.id for row in over if row.ended_at is not None and row.recording == "raw"]


def _open(row: ConversationRow | None, record: Opened) -> ConversationRow:
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


def _end(row: ConversationRow, record: Ended) -> None:
    row.ended_at, row.ended_by, row.error_code = record.at, record.by, record.error_code
    row.end_reason = record.reason
    row.duration_s = max(0.0, (record.at - row.started_at).total_seconds())
