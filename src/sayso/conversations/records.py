"""The conversations of an account: found, rated, shared, exported, deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from sqlalchemy import Select, delete, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.accounts.schema import Account
from sayso.conversations.record_schema import (
    ExchangeView,
    ExportView,
    Filters,
    Rating,
    RecordView,
    SharedView,
    ShareView,
)
from sayso.conversations.views import (
    exchange_view,
    line_view,
    record_view,
    shared_view,
    turn_view,
)
from sayso.conversations.words import ENDS_OF_FAULT
from sayso.errors import ConflictError, NotFoundError
from sayso.store.database import Database
from sayso.store.identifiers import is_id, random_text
from sayso.store.paging import Page, PageRequest, read_page
from sayso.store.tables import AgentRow, ConversationRow, ExchangeRow, LineRow, TurnRow

TOKEN_CHARS = 32
"""Of the token of a shared conversation: 190 bits."""
MAX_ROWS = 5000
"""Lines, turns and exchanges of one conversation that are answered at once, the first ones."""

Row = TypeVar("Row", LineRow, TurnRow, ExchangeRow)


class Sounds(Protocol):
    """What deleting a conversation needs of its recordings."""

    async def drop(self, conversation_id: str, /) -> None:
        """Remove its sound, if there is any."""
        ...


class Records:
    """The conversations of this installation, as their accounts keep them."""

    def __init__(self, database: Database, sounds: Sounds, url: str) -> None:
        """`url` is where this server is reached: shared links begin with it."""
        self._database = database
        self._sounds = sounds
        self._url = url

    async def page(
        self, account: Account, filters: Filters, request: PageRequest
    ) -> Page[RecordView]:
        """The account's conversations, newest first."""
        async with self._database.read() as session:
            found = await read_page(
                session,
                _filter(_of(account), filters),
                request,
                id_of=ConversationRow.id,
                order=(ConversationRow.started_at, ConversationRow.id),
                newest_first=True,
            )
            views = await _view(session, found.rows)
        return found.map(lambda row: views[row.id])

    async def get(self, account: Account, conversation_id: str) -> RecordView:
        """One conversation. Raises NotFoundError."""
        async with self._database.read() as session:
            row = await _find(session, account, conversation_id)
            return (await _view(session, [row]))[row.id]

    async def check(self, account: Account, conversation_id: str) -> ConversationRow:
        """Its row. Raises NotFoundError."""
        async with self._database.read() as session:
            return await _find(session, account, conversation_id)

    async def exchanges(self, account: Account, conversation_id: str) -> list[ExchangeView]:
        """What LLMs were asked in it, and answered, in order. Raises NotFoundError."""
        async with self._database.read() as session:
            row = await _find(session, account, conversation_id)
            return await _view_exchanges(await _below(session, ExchangeRow, row.id))

    async def export(self, account: Account, conversation_id: str) -> ExportView:
        """All that is kept of it but its sound. Raises NotFoundError."""
        async with self._database.read() as session:
            row = await _find(session, account, conversation_id)
            lines = await _lines(session, row.id)
            return ExportView(
                conversation=(await _view(session, [row]))[row.id],
                transcript=[line_view(one, row.started_at) for one in lines],
                turns=[turn_view(one) for one in await _below(session, TurnRow, row.id)],
                exchanges=await _view_exchanges(await _below(session, ExchangeRow, row.id)),
            )

    async def rate(
        self, account: Account, conversation_id: str, rating: Rating | None
    ) -> RecordView:
        """Give it thumbs, or take them back. Raises NotFoundError."""

        def change(row: ConversationRow) -> None:
            row.rating = rating

        await self._change(account, conversation_id, change)
        return await self.get(account, conversation_id)

    async def share(self, account: Account, conversation_id: str) -> ShareView:
        """Let whoever has the link read it; one that is shared keeps its link.

        Raises NotFoundError.
        """

        def change(row: ConversationRow) -> None:
            row.share_token = row.share_token or random_text(TOKEN_CHARS)

        token = (await self._change(account, conversation_id, change)).share_token or ""
        return ShareView(token=token, url=f"{self._url}/shared/{token}")

    async def unshare(self, account: Account, conversation_id: str) -> None:
        """Nobody can use its link any more. Raises NotFoundError."""

        def change(row: ConversationRow) -> None:
            row.share_token = None

        await self._change(account, conversation_id, change)

    async def shared(self, token: str) -> SharedView:
        """The conversation that is shared under `token`. Raises NotFoundError."""
        async with self._database.read() as session:
            row = await self._find_shared(session, token)
            agent = await session.get_one(AgentRow, row.agent_id)
            lines = await _lines(session, row.id)
            turns = await _below(session, TurnRow, row.id)
            return shared_view(row, agent.display_name, lines, turns)

    async def check_shared(self, token: str) -> ConversationRow:
        """The row of what is shared under `token`. Raises NotFoundError."""
        async with self._database.read() as session:
            return await self._find_shared(session, token)

    async def delete(self, account: Account, conversation_id: str) -> None:
        """Delete it with all that is kept of it. Raises NotFoundError, ConflictError."""
        async with self._database.write() as session:
            row = await _find(session, account, conversation_id)
            if row.ended_at is None:
                raise ConflictError(
                    "this conversation is under way", hint="Delete it once it has ended."
                )
            await session.execute(delete(ConversationRow).where(ConversationRow.id == row.id))
        await self._sounds.drop(conversation_id)

    async def _change(
        self, account: Account, conversation_id: str, change: Callable[[ConversationRow], None]
    ) -> ConversationRow:
        async with self._database.write() as session:
            row = await _find(session, account, conversation_id)
            change(row)
            return row

    async def _find_shared(self, session: AsyncSession, token: str) -> ConversationRow:
        query = (
            select(ConversationRow)
            .join(AgentRow, AgentRow.id == ConversationRow.agent_id)  # deleted ones are hidden
            .where(ConversationRow.share_token == token)
        )
        row = await session.scalar(query) if is_id(token) else None
        if row is None:
            raise NotFoundError(
                "there is no such shared conversation", hint="Its link may have been taken back."
            )
        return row


def _of(account: Account) -> Select[ConversationRow]:
    """All conversations with the agents of `account`."""
    agents = select(AgentRow.id).where(AgentRow.owner_id == account.user_id)
    return select(ConversationRow).where(ConversationRow.agent_id.in_(agents))


async def _find(session: AsyncSession, account: Account, conversation_id: str) -> ConversationRow:
    """What is somebody else's is answered as what is not there: ids say nothing to strangers."""
    row = None
    if is_id(conversation_id):
        row = await session.scalar(_of(account).where(ConversationRow.id == conversation_id))
    if row is None:
        raise NotFoundError(
            "you have no such conversation", hint="`GET /api/v1/conversations` lists yours."
        )
    return row


def _filter(query: Select[ConversationRow], filters: Filters) -> Select[ConversationRow]:
    row = ConversationRow
    rules: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
        (filters.agent_id, lambda wanted: row.agent_id == wanted),
        (filters.since, lambda wanted: row.started_at >= wanted),
        (filters.before, lambda wanted: row.started_at < wanted),
        (filters.min_seconds, lambda wanted: row.duration_s >= wanted),
        (filters.end_reason, _ended),
        (filters.rating, _rated),
        (filters.fault, _is_fault_of),
        (filters.query, _mentions),
    )
    return query.where(*(rule(wanted) for wanted, rule in rules if wanted is not None))


def _ended(reason: str) -> Any:  # noqa: ANN401 - SQLAlchemy's own types differ
    if reason == "under_way":
        return ConversationRow.ended_at.is_(None)
    return ConversationRow.end_reason == reason


def _rated(rating: str) -> Any:  # noqa: ANN401
    return ConversationRow.rating == (None if rating == "none" else rating)


def _is_fault_of(fault: str) -> Any:  # noqa: ANN401
    failed = select(TurnRow.conversation_id).where(TurnRow.blame == fault)
    ended = [reason for reason, whose in ENDS_OF_FAULT.items() if whose == fault]
    return or_(ConversationRow.id.in_(failed), ConversationRow.end_reason.in_(ended))


def _mentions(text: str) -> Any:  # noqa: ANN401
    if not text.strip():
        return true()
    row, text = ConversationRow, text.strip()
    said = select(LineRow.conversation_id).where(LineRow.content.icontains(text, autoescape=True))
    return or_(row.id == text, row.caller_id.icontains(text, autoescape=True), row.id.in_(said))


async def _view(session: AsyncSession, rows: Sequence[ConversationRow]) -> dict[str, RecordView]:
    """Views of `rows` by their ids, each with what is told of it from below."""
    ids = [row.id for row in rows]
    names = await _pairs(
        session,
        select(AgentRow.id, AgentRow.display_name).where(
            AgentRow.id.in_({row.agent_id for row in rows})
        ),
    )
    turns = await _pairs(
        session,
        select(TurnRow.conversation_id, func.count())
        .where(TurnRow.conversation_id.in_(ids))
        .group_by(TurnRow.conversation_id),
    )
    blames = (
        await session.execute(
            select(TurnRow.conversation_id, TurnRow.blame)
            .where(TurnRow.conversation_id.in_(ids), TurnRow.blame.is_not(None))
            .distinct()
        )
    ).all()
    first = (
        select(func.min(LineRow.number))
        .where(LineRow.conversation_id.in_(ids), LineRow.role == "user", LineRow.content != "")
        .group_by(LineRow.conversation_id)
    )
    openings = await _pairs(
        session,
        select(LineRow.conversation_id, LineRow.content).where(LineRow.number.in_(first)),
    )
    return {
        row.id: record_view(
            row,
            names.get(row.agent_id, ""),
            [blame for owner, blame in blames if owner == row.id and blame]
            + [ENDS_OF_FAULT.get(row.end_reason or "", "")],
            turns.get(row.id, 0),
            openings.get(row.id, ""),
        )
        for row in rows
    }


async def _pairs(session: AsyncSession, query: Select[str, Any]) -> dict[str, Any]:
    return {row[0]: row[1] for row in (await session.execute(query)).all()}


async def _view_exchanges(rows: Sequence[ExchangeRow]) -> list[ExchangeView]:
    """In a thread: those of a long conversation are some 20 MB, and others talk meanwhile."""
    return await asyncio.to_thread(lambda: [exchange_view(row) for row in rows])


async def _lines(session: AsyncSession, conversation_id: str) -> Sequence[LineRow]:
    return [line for line in await _below(session, LineRow, conversation_id) if line.content]


async def _below(session: AsyncSession, table: type[Row], conversation_id: str) -> Sequence[Row]:
    """What hangs below a conversation, in order."""
    order = table.row if table is TurnRow else table.number
    query = (
        select(table)
        .where(table.conversation_id == conversation_id)
        .order_by(order)
        .limit(MAX_ROWS)
    )
    return (await session.scalars(query)).all()
