"""Rows of agents, found for their owner."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from sayso.accounts.schema import Account
from sayso.errors import ForbiddenError, NotFoundError
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
