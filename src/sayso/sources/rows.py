"""Rows of sources: found for their owner, and made."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.accounts.schema import Account
from sayso.errors import ConflictError, ForbiddenError, NotFoundError
from sayso.sources.pace import QUICK_CHARS
from sayso.sources.schema import SourceKind, State
from sayso.store.identifiers import is_id
from sayso.store.tables import AgentRow, SourceRow

SMALL_BYTES = 1_048_576
"""Up to here a PDF, Word file or web page is taken for small; reading it shows whether it is."""
SMALL_TEXT_BYTES = QUICK_CHARS
"""Up to here any other file is small: it is all text."""
_WRAPPED = ("pdf", "docx", "html")


def new_row(source_id: str, agent_id: str, kind: SourceKind, now: datetime) -> SourceRow:
    """A source nobody has looked at yet; it has no name."""
    numbers = ("bytes", "done", "total", "pages", "passages", "version", "live_version")
    return SourceRow(
        id=source_id,
        agent_id=agent_id,
        kind=kind,
        state=State.QUEUED,
        notes=[],
        created_at=now,
        updated_at=now,
        **dict.fromkeys(numbers, 0),
    )


def is_small(row: SourceRow) -> bool:
    """Whether a source is indexed in seconds, as far as can be told before it is read.

    `pace.py` says more when it is.
    """
    if row.kind == SourceKind.FILE:
        return row.bytes <= (SMALL_BYTES if row.type in _WRAPPED else SMALL_TEXT_BYTES)
    if row.kind == SourceKind.TEXT:
        return row.bytes <= SMALL_TEXT_BYTES
    return row.kind != SourceKind.SITE


async def list_rows(
    session: AsyncSession, agent_ids: Collection[str], kinds: Iterable[SourceKind]
) -> Sequence[SourceRow]:
    """The sources of several agents, the oldest first."""
    query = (
        select(SourceRow)
        .where(SourceRow.agent_id.in_(agent_ids), SourceRow.kind.in_(list(kinds)))
        .order_by(SourceRow.created_at, SourceRow.id)
    )
    return (await session.scalars(query)).all()


async def refuse_twice(session: AsyncSession, row: SourceRow) -> None:
    """Raises ConflictError when the agent knows the page of `row`."""
    query = select(SourceRow.id).where(
        SourceRow.agent_id == row.agent_id, SourceRow.url == row.url, SourceRow.kind == row.kind
    )
    if (known := await session.scalar(query)) is not None:
        raise ConflictError(
            "the agent knows this page already",
            field="url",
            hint=f"Refresh it: POST .../knowledge-pages/{known}/refresh",
        )


async def own_agent(
    session: AsyncSession, account: Account, agent_id: str, *, lock: bool = False
) -> None:
    """Raises NotFoundError, ForbiddenError unless the agent is the account's."""
    agent = None
    if is_id(agent_id):
        agent = await session.get(AgentRow, agent_id, with_for_update=lock or None)
    if agent is None:
        raise NotFoundError("there is no such agent", hint="`GET /api/v1/agents` lists yours.")
    if agent.owner_id != account.user_id:
        raise ForbiddenError(f"agent {agent_id!r} belongs to another account")


async def own_source(
    session: AsyncSession,
    account: Account,
    agent_id: str,
    source_id: str,
    kinds: Sequence[SourceKind],
    *,
    lock: bool = False,
) -> SourceRow:
    """A source of one of `kinds`. Raises NotFoundError, ForbiddenError."""
    await own_agent(session, account, agent_id, lock=lock)
    row = None
    if is_id(source_id):
        row = await session.get(SourceRow, source_id, with_for_update=lock or None)
    if row is None or row.agent_id != agent_id or row.kind not in kinds:
        what = "file" if SourceKind.FILE in kinds else "page"
        raise NotFoundError(f"this agent knows no such {what}")
    return row
