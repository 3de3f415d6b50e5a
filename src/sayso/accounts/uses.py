"""Remembers when keys were last used, and stores it now and then: never while somebody waits."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from sayso.store.database import Database
from sayso.store.tables import KeyRow

STORE_EVERY_S: Final = 60.0
MAX_NOTED: Final = 10_000
"""Keys whose use is remembered at once; those beyond it are noted after the next storing."""

log = structlog.get_logger("sayso.accounts")


class KeyUses:
    """When each key was used since the last storing: one write a minute, for all of them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted: dict[str, datetime] = {}

    def note(self, key_id: str, at: datetime) -> None:
        """The key was used; costs a line of memory."""
        if key_id in self._noted or len(self._noted) < MAX_NOTED:
            self._noted[key_id] = at

    def last(self, key_id: str, stored: datetime | None) -> datetime | None:
        """The latest use that is known of."""
        return self._noted.get(key_id, stored)

    async def store(self) -> None:
        """Write down what was noted."""
        if not self._noted:
            return
        noted, self._noted = self._noted, {}
        async with self._database.write() as session:
            for key_id, at in noted.items():
                await session.execute(
                    update(KeyRow).where(KeyRow.id == key_id).values(last_used_at=at)
                )

    async def run(self) -> None:
        """Store for as long as the server runs; what cannot be stored is of no great worth."""
        while True:
            await asyncio.sleep(STORE_EVERY_S)
            try:
                await self.store()
            except SQLAlchemyError as error:
                log.warning("key_uses_not_stored", error=type(error).__name__)
