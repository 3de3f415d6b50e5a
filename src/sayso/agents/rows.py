"""Rows of agents, found for their owner, and counted."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.accounts.schema import Account
from sayso.errors import ConflictError, ForbiddenError, NotFoundError
from sayso.store.database import Database
from sayso.store.hidden import SHOWN
from sayso.store.identifiers import is_id
from sayso.store.tables import AgentRow


async def find_row(
    session: AsyncSession, agent_id: str, *, lock: bool = False, deleted: bool = False
) -> AgentRow:
    """An agent; only one that was `deleted`, if that is wanted. Raises NotFoundError."""
    if not is_id(agent_id):
        raise NotFoundError("there is no such agent")
    options = SHOWN if deleted else {}
    row = await session.get(
        AgentRow, agent_id, with_for_update=lock or None, execution_options=options
    )
    if row is None or (deleted and row.deleted_at is None):
        what = "deleted agent" if deleted else "agent"
        raise NotFoundError(
            f"there is no {what} {agent_id!r}", hint="`GET /api/v1/agents` lists yours."
        )
    return row


async def find_own_row(
    session: AsyncSession,
    account: Account,
    agent_id: str,
    *,
    lock: bool = False,
    deleted: bool = False,
) -> AgentRow:
    """An agent of the account. Raises NotFoundError, ForbiddenError."""
    row = await find_row(session, agent_id, lock=lock, deleted=deleted)
    if row.owner_id != account.user_id:
        raise ForbiddenError(f"agent {agent_id!r} belongs to another account")
    return row


async def read_row(database: Database, agent_id: str) -> AgentRow:
    """An agent, in a transaction of its own. Raises NotFoundError."""
    async with database.read() as session:
        return await find_row(session, agent_id)


async def read_own_row(database: Database, account: Account, agent_id: str) -> AgentRow:
    """An agent of the account, in a transaction of its own. Raises as `find_own_row`."""
    async with database.read() as session:
        return await find_own_row(session, account, agent_id)


async def refuse_too_many(session: AsyncSession, user_id: str, max_agents: int) -> None:
    """Refuse one more agent. Raises ConflictError when the account has `max_agents`."""
    mine = (AgentRow.owner_id == user_id, AgentRow.deleted_at.is_(None))
    owned = await session.scalar(select(func.count()).where(*mine))
    if (owned or 0) >= max_agents:
        raise ConflictError(
            f"the account has {max_agents} agents, which is the most it may have",
            hint="Delete one, or ask the operator to raise SAYSO_MAX_AGENTS.",
        )
