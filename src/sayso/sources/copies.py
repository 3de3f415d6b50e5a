"""Copies what one agent knows to another of the same owner: files, passages, and what is left."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence

from sqlalchemy import insert, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.errors import ConflictError
from sayso.sources.schema import State
from sayso.sources.shelf import Shelf
from sayso.store.identifiers import new_id
from sayso.store.tables import PassageRow, SourceRow

_SAME = [
    one.key
    for one in SourceRow.__table__.columns
    if one.key not in {"id", "agent_id", "stored_as", "version"}
]
_PASSAGE = [one.key for one in PassageRow.__table__.columns if one.key != "source_id"]


class SourceCopy:
    """What is copied of one source: its row, and whose passages it gets."""

    def __init__(self, source: SourceRow, agent_id: str) -> None:
        self.source = source
        self.row = SourceRow(id=new_id(), agent_id=agent_id, version=source.live_version)
        for name in _SAME:
            setattr(self.row, name, getattr(source, name))
        if source.state not in (State.READY, State.FAILED):
            self.row.state, self.row.done, self.row.total = State.QUEUED, 0, 0

    @property
    def is_queued(self) -> bool:
        """Whether it has to be indexed."""
        return self.row.state == State.QUEUED


async def copy_files(shelf: Shelf, sources: Sequence[SourceRow], agent_id: str) -> list[SourceCopy]:
    """Copy the bytes of `sources` for the agent; nothing is stored yet.

    Raises:
        ConflictError: a file was replaced or deleted meanwhile.
    """
    copies = [SourceCopy(source, agent_id) for source in sources]
    for copy in copies:
        name = copy.source.stored_as
        if name is None:
            continue
        path = await shelf.make_path(agent_id, copy.row.id)
        try:
            await asyncio.to_thread(shutil.copy, shelf.path(copy.source.agent_id, name), path)
        except FileNotFoundError as error:
            raise ConflictError(
                "the agent's files were changed by another request meanwhile", hint="Try again."
            ) from error
        copy.row.stored_as = path.name
    return copies


async def copy_passages(session: AsyncSession, copies: Sequence[SourceCopy]) -> None:
    """Store the copies, with the passages that can be searched."""
    session.add_all(copy.row for copy in copies)
    await session.flush()
    for copy in copies:
        columns = [getattr(PassageRow, name) for name in _PASSAGE]
        live = select(literal(copy.row.id), *columns).where(
            PassageRow.source_id == copy.source.id,
            PassageRow.version == copy.source.live_version,
        )
        await session.execute(insert(PassageRow).from_select(["source_id", *_PASSAGE], live))
