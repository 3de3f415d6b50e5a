"""Reads conversations for their agent's owner, and closes those a crash left open."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.accounts.schema import Account
from sayso.conversations.schema import ConversationView, LineView, Role, TurnView
from sayso.conversations.views import conversation_view, line_view, turn_view
from sayso.errors import ForbiddenError, NotFoundError
from sayso.store.database import Database
from sayso.store.identifiers import is_id
from sayso.store.paging import Page, PageRequest, read_page
from sayso.store.tables import AgentRow, ConversationRow, LineRow, TurnRow

MAX_HISTORY_LINES = 1000
"""Lines of an earlier conversation given to one that continues it, the last ones."""

DEAD_AFTER_S = 60.0
"""A server whose conversations gave no sign of life for so long, in seconds, is gone."""


class Conversations:
    """The conversations of this installation, as they are read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, account: Account, agent_id: str, request: PageRequest
    ) -> Page[ConversationView]:
        """An agent's conversations, newest first. Raises NotFoundError, ForbiddenError."""
        async with self._database.read() as session:
            await _check_agent(session, account, agent_id)
            found = await read_page(
                session,
                select(ConversationRow).where(ConversationRow.agent_id == agent_id),
                request,
                id_of=ConversationRow.id,
                order=(ConversationRow.started_at, ConversationRow.id),
                newest_first=True,
            )
        return found.map(conversation_view)

    async def get(self, account: Account, agent_id: str, conversation_id: str) -> ConversationView:
        """One conversation. Raises NotFoundError, ForbiddenError."""
        async with self._database.read() as session:
            await _check_agent(session, account, agent_id)
            return conversation_view(await _row(session, agent_id, conversation_id))

    async def transcript(
        self, account: Account, agent_id: str, conversation_id: str, request: PageRequest
    ) -> Page[LineView]:
        """What was said, in order. Raises NotFoundError, ForbiddenError."""
        async with self._database.read() as session:
            await _check_agent(session, account, agent_id)
            row = await _row(session, agent_id, conversation_id)
            found = await read_page(
                session,
                select(LineRow).where(
                    LineRow.conversation_id == conversation_id, LineRow.content != ""
                ),
                request,
                id_of=LineRow.id,
                order=(LineRow.number,),
                newest_first=False,
            )
        return found.map(lambda line: line_view(line, row.started_at))

    async def turns(
        self, account: Account, agent_id: str, conversation_id: str, request: PageRequest
    ) -> Page[TurnView]:
        """How long each turn took, in order. Raises NotFoundError, ForbiddenError."""
        async with self._database.read() as session:
            await _check_agent(session, account, agent_id)
            await _row(session, agent_id, conversation_id)
            found = await read_page(
                session,
                select(TurnRow).where(TurnRow.conversation_id == conversation_id),
                request,
                id_of=TurnRow.id,
                order=(TurnRow.row,),
                newest_first=False,
            )
        return found.map(turn_view)

    async def history(
        self, conversation_id: str, *, agent_id: str, owner_id: str
    ) -> list[tuple[Role, str, list[dict[str, Any]]]]:
        """What an earlier conversation with the same agent said and did, for one that goes on.

        Raises:
            NotFoundError: no such conversation with this agent of this owner.
        """
        async with self._database.read() as session:
            await _row(session, agent_id, conversation_id)
            agent = await session.get(AgentRow, agent_id)
            if agent is None or agent.owner_id != owner_id:
                raise NotFoundError("there is no such conversation")
            query = (
                select(LineRow.role, LineRow.content, LineRow.deeds)
                .where(LineRow.conversation_id == conversation_id)
                .order_by(LineRow.number.desc())
                .limit(MAX_HISTORY_LINES)
            )
            newest_first = (await session.execute(query)).all()
        return [
            (cast("Role", role), content, deeds or [])
            for role, content, deeds in reversed(newest_first)
        ]

    async def began_at(self, conversation_id: str) -> datetime:
        """When a conversation began. Raises NotFoundError."""
        async with self._database.read() as session:
            row = await session.get(ConversationRow, conversation_id)
            if row is None:
                raise NotFoundError("there is no such conversation")
            return row.started_at

    async def close_abandoned(self, now: datetime) -> int:
        """Close what a crash left open, at the time of its last sign of life; how many there were.

        What another server holds gives signs of life, as `watch.py` has it, and stays open.
        """
        dead = or_(
            ConversationRow.alive_at.is_(None),
            ConversationRow.alive_at < now - timedelta(seconds=DEAD_AFTER_S),
        )
        open_rows = select(ConversationRow).where(ConversationRow.ended_at.is_(None), dead)
        async with self._database.read() as session:
            if await session.scalar(open_rows.limit(1)) is None:
                return 0
        async with self._database.write() as session:
            rows = (await session.scalars(open_rows)).all()
            for row in rows:
                row.ended_at = await _last_sign(session, row)
                row.duration_s = (row.ended_at - row.started_at).total_seconds()
                row.ended_by, row.end_reason = "system", "server_stopped"
        return len(rows)


async def _last_sign(session: AsyncSession, row: ConversationRow) -> datetime:
    """When `row` was last written about."""
    line = await session.scalar(
        select(func.max(LineRow.at)).where(LineRow.conversation_id == row.id)
    )
    turn = await session.scalar(
        select(func.max(TurnRow.at)).where(TurnRow.conversation_id == row.id)
    )
    return max(sign for sign in (row.started_at, row.alive_at, line, turn) if sign is not None)


async def _check_agent(session: AsyncSession, account: Account, agent_id: str) -> None:
    agent = await session.get(AgentRow, agent_id) if is_id(agent_id) else None
    if agent is None:
        raise NotFoundError("there is no such agent", hint="`GET /api/v1/agents` lists yours.")
    if agent.owner_id != account.user_id:
        raise ForbiddenError(f"agent {agent_id!r} belongs to another account")


async def _row(session: AsyncSession, agent_id: str, conversation_id: str) -> ConversationRow:
    row = await session.get(ConversationRow, conversation_id) if is_id(conversation_id) else None
    if row is None or row.agent_id != agent_id:
        raise NotFoundError("this agent has no such conversation")
    return row
