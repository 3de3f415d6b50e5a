"""Keeps what LLM endpoints tolerate across restarts, as plain documents by an id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select

from sayso.clock import Clock
from sayso.store.database import Database
from sayso.store.tables import LlmProfileRow

MAX_PROFILES = 10_000
"""Profiles kept; beyond it the one learned longest ago is forgotten."""


class ProfileStore:
    """The table `llm_profiles`."""

    def __init__(
        self, database: Database, clock: Clock, *, max_profiles: int = MAX_PROFILES
    ) -> None:
        self._database = database
        self._clock = clock
        self._max_profiles = max_profiles

    async def load(self) -> dict[str, dict[str, Any]]:
        """All profiles by id, the one learned longest ago first."""
        async with self._database.read() as session:
            rows = await session.scalars(
                select(LlmProfileRow).order_by(LlmProfileRow.learned_at, LlmProfileRow.id)
            )
            return {row.id: row.profile for row in rows}

    async def save(self, id_: str, profile: Mapping[str, Any]) -> None:
        """Keep `profile` in place of what was kept under its id."""
        row = LlmProfileRow(id=id_, learned_at=self._clock.utc(), profile=dict(profile))
        async with self._database.write() as session:
            await session.merge(row)
            await session.flush()
            newest = (
                select(LlmProfileRow.learned_at)
                .order_by(LlmProfileRow.learned_at.desc())
                .offset(self._max_profiles - 1)
                .limit(1)
                .scalar_subquery()
            )
            await session.execute(delete(LlmProfileRow).where(LlmProfileRow.learned_at < newest))
