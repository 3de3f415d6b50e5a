"""Deletes agents: hidden at once, gone some minutes later, so that it can be undone."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError

from sayso.accounts.schema import Account
from sayso.agents.avatars import Avatars
from sayso.agents.rows import find_own_row, refuse_too_many
from sayso.clock import Clock
from sayso.errors import NotFoundError
from sayso.sources.service import Sources
from sayso.store.database import Database
from sayso.store.hidden import SHOWN
from sayso.store.tables import AgentRow

PURGE_S: Final = 30.0
"""Between two looks for agents whose time is over, in seconds."""
MAX_PURGED: Final = 100
"""Agents removed at one look."""

_log = structlog.get_logger(__name__)


class Deletion:
    """Agents on their way out."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sources: Sources,
        avatars: Avatars,
        *,
        keep_min: float,
        max_agents: int,
    ) -> None:
        """`keep_min` minutes they can be brought back; 0 is never. `max_agents` of one account."""
        self._database = database
        self._clock = clock
        self._sources = sources
        self._avatars = avatars
        self._keep = timedelta(minutes=keep_min)
        self._max_agents = max_agents

    async def delete(self, account: Account, agent_id: str) -> None:
        """Hide an agent; remove it if nothing is kept. Raises NotFoundError, ForbiddenError."""
        async with self._database.write() as session:
            row = await find_own_row(session, account, agent_id, lock=True)
            row.deleted_at = self._clock.utc()
        if not self._keep:
            await self._remove(agent_id)

    async def undo(self, account: Account, agent_id: str) -> None:
        """Bring back an agent that was just deleted.

        Raises:
            ConflictError: the account has as many agents as it may.
            NotFoundError, ForbiddenError: no such agent of this account, or not any more.
        """
        async with self._database.write() as session:
            row = await find_own_row(session, account, agent_id, lock=True, deleted=True)
            self._refuse_late(row)
            await refuse_too_many(session, account.user_id, self._max_agents)
            row.deleted_at = None

    async def purge(self) -> int:
        """Remove agents whose time is over, with their files; how many there were."""
        over = (
            select(AgentRow.id)
            .where(AgentRow.deleted_at <= self._oldest())
            .limit(MAX_PURGED)
            .execution_options(**SHOWN)
        )
        async with self._database.read() as session:
            agents = (await session.scalars(over)).all()
        for agent_id in agents:
            await self._remove(agent_id)
        return len(agents)

    async def run(self) -> None:
        """Purge until cancelled; a database that fails is tried again."""
        while True:
            try:
                await self.purge()
            except SQLAlchemyError as error:
                _log.error("deleted_agents_not_removed", reason=type(error).__name__)
            await asyncio.sleep(PURGE_S)

    def _refuse_late(self, row: AgentRow) -> None:
        """Refuse to bring back what is over. Raises NotFoundError."""
        if row.deleted_at is None or row.deleted_at <= self._oldest():
            raise NotFoundError(
                f"agent {row.id!r} was deleted too long ago to bring it back",
                hint="Make a new one.",
            )

    async def _remove(self, agent_id: str) -> None:
        """Remove an agent, unless it was brought back meanwhile."""
        gone = delete(AgentRow).where(AgentRow.id == agent_id, AgentRow.deleted_at.is_not(None))
        async with self._database.write() as session:
            removed = await session.scalar(gone.returning(AgentRow.id))
        if removed is not None:
            await self._sources.forget(agent_id)
            await self._avatars.forget(agent_id)

    def _oldest(self) -> datetime:
        return self._clock.utc() - self._keep
