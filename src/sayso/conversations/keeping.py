"""Lets go of what was kept long enough, and of sound that belongs to nothing any more."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.exc import SQLAlchemyError

from sayso.clock import Clock
from sayso.conversations.recordings import Recordings
from sayso.store.database import Database
from sayso.store.tables import ConversationRow

BATCH: Final = 200
"""Conversations that are let go of in one transaction."""
EVERY_S: Final = 3600.0
"""How often this is looked after, in seconds."""
RIPE_S: Final = 60.0
"""What ended so long ago, in seconds, and was not encoded, needs another job."""

_log = structlog.get_logger("sayso.recordings")


@dataclass(frozen=True, slots=True)
class Keeps:
    """How long things are kept, in days; None for ever."""

    recordings_days: int
    conversations_days: int | None = None


class Keeper:
    """Keeps the archive in order."""

    def __init__(
        self, database: Database, clock: Clock, recordings: Recordings, keeps: Keeps
    ) -> None:
        self._database = database
        self._clock = clock
        self._recordings = recordings
        self._keeps = keeps

    async def run(self, *, every_s: float = EVERY_S) -> None:
        """Tidy up now and then, until cancelled."""
        while True:
            try:
                await self.tidy(self._clock.utc())
            except (SQLAlchemyError, OSError) as error:
                _log.error("archive_not_tidied", reason=type(error).__name__)
            await asyncio.sleep(every_s)

    async def tidy(self, now: datetime) -> None:
        """Do all of it once. Raises SQLAlchemyError, OSError."""
        if (days := self._keeps.conversations_days) is not None:
            while await self._forget(now - timedelta(days=days)):
                pass
        while await self._mute(now - timedelta(days=self._keeps.recordings_days)):
            pass
        await self._take_up(now - timedelta(seconds=RIPE_S))
        await self._sweep()

    async def _forget(self, before: datetime) -> int:
        """Delete conversations that ended before a time; how many."""
        old = select(ConversationRow.id).where(ConversationRow.ended_at < before).limit(BATCH)
        async with self._database.write() as session:
            ids = (await session.scalars(old)).all()
            await session.execute(delete(ConversationRow).where(ConversationRow.id.in_(ids)))
        for one in ids:
            await self._recordings.drop(one)
        return len(ids)

    async def _mute(self, before: datetime) -> int:
        """Remove the sound of conversations that ended before a time; how many."""
        row = ConversationRow
        old = select(row.id).where(row.ended_at < before, row.recording.is_not(None)).limit(BATCH)
        async with self._database.write() as session:
            ids = (await session.scalars(old)).all()
            await session.execute(update(row).where(row.id.in_(ids)).values(recording=None))
        for one in ids:
            await self._recordings.drop(one)
        return len(ids)

    async def _take_up(self, before: datetime) -> None:
        """Have encoded what a crash left as it was written down."""
        row = ConversationRow
        left = select(row.id).where(row.recording == "raw", row.ended_at < before)
        async with self._database.read() as session:
            ids = (await session.scalars(left)).all()
        for one in ids:
            async with self._database.write() as session:
                await self._recordings.schedule(session, one)

    async def _sweep(self) -> None:
        """Remove the sound of conversations that are gone, such as those of a deleted agent."""
        there = await self._recordings.list_old()
        for begin in range(0, len(there), BATCH):
            ids = there[begin : begin + BATCH]
            async with self._database.read() as session:
                query = select(ConversationRow.id).where(ConversationRow.id.in_(ids))
                known = set((await session.scalars(query)).all())
            for one in ids:
                if one not in known:
                    await self._recordings.drop(one)
