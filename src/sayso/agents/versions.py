"""What an agent was before each change that was saved, secrets sealed as they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import Field
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.agents.plain import PLAIN_FIELDS
from sayso.bodies import View
from sayso.errors import NotFoundError
from sayso.store.tables import AgentRow, AgentVersionRow

MAX_VERSIONS: Final = 100
"""Versions of an agent that are kept, the current one among them; the oldest go first."""
KEPT_FIELDS: Final = PLAIN_FIELDS | {
    "llm",
    "llm_key",
    "llm_headers",
    "llm_issues",
    "mcp_servers",
    "mcp_sealed",
    "knowledge",
}
"""Columns that a version keeps."""


class VersionView(View):
    """One version of an agent."""

    number: int = Field(description="From 1; each change that is saved makes the next one.")
    saved_at: datetime
    changed: list[str] = Field(description="The fields that differ from the version before.")


def take_fields(row: AgentRow) -> dict[str, Any]:
    """What a version keeps of an agent: a copy, for what `row` holds may be changed in place."""
    return {name: getattr(row, name) for name in sorted(KEPT_FIELDS)}


def list_changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The fields that differ, of two readings by `PlainFields`."""
    return sorted(name for name in after if before.get(name) != after[name])


async def keep_version(
    session: AsyncSession,
    row: AgentRow,
    fields: dict[str, Any],
    changed: list[str],
    now: datetime,
) -> None:
    """Keep what `row` was, `fields`, and count it on; `changed` is what is new."""
    session.add(
        AgentVersionRow(
            agent_id=row.id,
            number=row.version,
            saved_at=row.updated_at,
            changed=row.changed,
            fields=fields,
        )
    )
    row.version, row.changed, row.updated_at = row.version + 1, changed, now
    old = AgentVersionRow.number <= row.version - MAX_VERSIONS
    await session.execute(delete(AgentVersionRow).where(AgentVersionRow.agent_id == row.id, old))


async def list_versions(session: AsyncSession, row: AgentRow) -> Sequence[VersionView]:
    """The current one first."""
    query = (
        select(AgentVersionRow.number, AgentVersionRow.saved_at, AgentVersionRow.changed)
        .where(AgentVersionRow.agent_id == row.id)
        .order_by(AgentVersionRow.number.desc())
    )
    current = (row.version, row.updated_at, row.changed)
    return [
        VersionView(number=number, saved_at=at, changed=changed)
        for number, at, changed in [current, *map(tuple, await session.execute(query))]
    ]


async def find_version(session: AsyncSession, row: AgentRow, number: int) -> AgentRow:
    """`row` as it was then; it belongs to no session. Raises NotFoundError."""
    kept: dict[str, Any] = {}
    if number != row.version:
        found = await session.get(AgentVersionRow, (row.id, number))
        if found is None:
            raise NotFoundError(
                f"there is no version {number} of this agent",
                hint=f"`GET /api/v1/agents/{row.id}/versions` lists them.",
            )
        kept = found.fields
    now = take_fields(row)  # what a later server added is as it is now
    return AgentRow(
        id=row.id,
        owner_id=row.owner_id,
        avatar=row.avatar,
        **{name: kept.get(name, now[name]) for name in now},
    )
