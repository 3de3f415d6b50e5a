"""What an agent knows, as it is searched: the passages of live versions, and when that changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.knowledge.passages import Passage
from sayso.knowledge.sentences import Meanings, Rounded, round_off
from sayso.store.database import Database
from sayso.store.tables import AgentRow, PassageRow, SourceRow

Matrix: TypeAlias = npt.NDArray[np.float32]

ROWS_AT_ONCE = 200
"""Passages turned from rows into values between two turns of the loop: about 2 ms."""

VECTOR = np.dtype("<f4")
"""How vectors are stored, on any machine."""


class Knowledge:
    """All agents' passages."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._revisions: dict[str, int] = {}

    async def load(self, agent_id: str) -> tuple[list[Passage], Meanings, int]:
        """What can be searched: passages, their meanings, and the revision.

        Half a second for 10,000 passages, in short steps. An agent that knows nothing has no rows;
        neither has one that does not exist. A change meanwhile is seen at the next `revision`.
        """
        revision = await self.revision(agent_id)
        passages: list[Passage] = []
        blocks: list[Matrix] = []
        sentences: list[Rounded | None] = []
        headings: list[Rounded | None] = []
        async with self._database.read() as session:
            rows = await session.stream(_live(agent_id))
            async for some in rows.partitions(ROWS_AT_ONCE):
                passages += map(_passage, some)
                blocks.append(_matrix(some))
                sentences += [_unpack_parts(row, row.sentences) for row in some]
                headings += [_unpack_parts(row, row.heading) for row in some]
        return passages, Meanings(_join(blocks), sentences, headings), revision

    async def revision(self, agent_id: str) -> int:
        """A number that changes whenever what can be searched does, whoever changed it.

        One row by its key; 0 also for an agent that does not exist.
        """
        query = select(AgentRow.knowledge_revision).where(AgentRow.id == agent_id)
        async with self._database.read() as session:
            revision = await session.scalar(query) or 0
        self._revisions[agent_id] = revision
        return revision

    def last_revision(self, agent_id: str) -> int | None:
        """The revision as this process last saw or made it, without asking; None: never seen."""
        return self._revisions.get(agent_id)

    async def bump(self, session: AsyncSession, agent_id: str) -> int:
        """Count a change in the transaction that makes it; tell `note` once it is stored."""
        change = (
            update(AgentRow)
            .where(AgentRow.id == agent_id)
            .values(knowledge_revision=AgentRow.knowledge_revision + 1)
            .returning(AgentRow.knowledge_revision)
        )
        return await session.scalar(change) or 0

    def note(self, agent_id: str, revision: int) -> None:
        """A change was stored."""
        self._revisions[agent_id] = revision

    def forget(self, agent_id: str) -> None:
        """The agent is gone."""
        self._revisions.pop(agent_id, None)

    async def count(self, session: AsyncSession, agent_id: str, *, besides: str = "") -> int:
        """How many passages an agent's sources have, `besides` one of them."""
        query = select(func.sum(SourceRow.passages)).where(
            SourceRow.agent_id == agent_id, SourceRow.id != besides
        )
        return await session.scalar(query) or 0


def _live(agent_id: str) -> Any:  # noqa: ANN401 - a Select of eleven columns
    return (
        select(
            PassageRow.source_id,
            PassageRow.version,
            PassageRow.number,
            PassageRow.text,
            PassageRow.title,
            PassageRow.page,
            PassageRow.url,
            SourceRow.name,
            PassageRow.vector,
            PassageRow.sentences,
            PassageRow.heading,
        )
        .join(SourceRow, PassageRow.source_id == SourceRow.id)
        .where(SourceRow.agent_id == agent_id, PassageRow.version == SourceRow.live_version)
        .order_by(SourceRow.created_at, SourceRow.id, PassageRow.number)
    )


def _passage(row: Row[Any]) -> Passage:
    values: tuple[Any, ...] = tuple(row)
    source_id, version, number, text, title, page, url, name, *_ = values
    return Passage(f"{source_id}-{version}-{number}", text, source_id, name, page, title, url)


def _matrix(rows: Sequence[Row[Any]]) -> Matrix:
    joined = np.frombuffer(b"".join(row.vector for row in rows), VECTOR)
    return joined.reshape(len(rows), -1).astype(np.float32, copy=False)


def _unpack_parts(row: Row[Any], parts: bytes | None) -> Rounded | None:
    if parts is None:
        return None
    dimensions = len(row.vector) // VECTOR.itemsize
    return np.frombuffer(parts, np.int8).reshape(-1, dimensions)


def _join(blocks: list[Matrix]) -> Matrix:
    return np.concatenate(blocks) if blocks else np.zeros((0, 0), np.float32)


def pack(vector: npt.NDArray[np.float32]) -> bytes:
    """A vector as it is stored."""
    return vector.astype(VECTOR).tobytes()


def pack_parts(vectors: Sequence[npt.NDArray[np.float32]]) -> bytes | None:
    """Those of a passage's sentences or heading as they are stored, a byte a number; or None."""
    rounded = round_off(vectors)
    return None if rounded is None else rounded.tobytes()
