"""Makes one agent out of another; secrets are sealed anew, for they are bound to a row."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from sayso.accounts.schema import Account
from sayso.agents.avatars import Avatars, read_avatar
from sayso.agents.checks import LlmChecks
from sayso.agents.choices import choose_llms
from sayso.agents.knowledge import list_issues
from sayso.agents.plain import PLAIN_FIELDS, PlainFields
from sayso.agents.rows import find_own_row, refuse_too_many
from sayso.agents.schema import MAX_NAME_CHARS, NewAgent
from sayso.clock import Clock
from sayso.sources.service import Sources
from sayso.store.database import Database
from sayso.store.identifiers import new_agent_id
from sayso.store.tables import AgentRow

COPIED: Final = " (copy)"


class Copies:
    """Copies of agents, with their files, their pictures and the reports of their LLMs."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        plain: PlainFields,
        checks: LlmChecks,
        sources: Sources,
        avatars: Avatars,
        max_agents: int,
    ) -> None:
        self._database = database
        self._clock = clock
        self._plain = plain
        self._checks = checks
        self._sources = sources
        self._avatars = avatars
        self._max_agents = max_agents

    async def make(self, account: Account, agent_id: str) -> str:
        """Make another agent of the same fields, secrets and knowledge; its id.

        Raises:
            ConflictError: the account has as many agents as it may, or the files were changed.
            NotFoundError, ForbiddenError: no such agent of this account.
        """
        async with self._database.read() as session:
            row = await find_own_row(session, account, agent_id)
            await refuse_too_many(session, account.user_id, self._max_agents)
        copy = copy_row(self._plain, row, self._clock.utc())
        try:
            await self._store(account, row, copy)
        except BaseException:
            await self._sources.forget(copy.id)
            await self._avatars.forget(copy.id)
            raise
        self._sources.wake()
        return copy.id

    async def _store(self, account: Account, row: AgentRow, copy: AgentRow) -> None:
        if (avatar := read_avatar(row)) is not None:
            copy.avatar = (await self._avatars.copy(row.id, avatar, copy.id))._asdict()
        sources = await self._sources.prepare_copies(row.id, copy.id)
        async with self._database.write() as session:
            await refuse_too_many(session, account.user_id, self._max_agents)
            session.add(copy)
            await session.flush()
            await self._sources.store_copies(session, account, sources)
            await self._checks.copy(session, row.id, copy.id)


def copy_row(plain: PlainFields, row: AgentRow, now: datetime) -> AgentRow:
    """A new agent with all that `row` has, but its picture; nothing is stored."""
    name = row.display_name[: MAX_NAME_CHARS - len(COPIED)] + COPIED
    copy = AgentRow(id=new_agent_id(name), owner_id=row.owner_id, created_at=now, updated_at=now)
    for field in PLAIN_FIELDS:
        setattr(copy, field, getattr(row, field))
    copy.display_name = name
    body = NewAgent.model_validate(plain.read(row))
    meant = choose_llms(body.llm, None, ())
    plain.llms.seal(copy.id, body.llm, meant).put_into(copy)
    copy.llm_issues = row.llm_issues
    servers = plain.mcp.open(row.id, row.mcp_servers, row.mcp_sealed)
    copy.mcp_servers, copy.mcp_sealed = plain.mcp.seal(copy.id, servers)
    _copy_knowledge(plain, row, copy)
    return copy


def _copy_knowledge(plain: PlainFields, row: AgentRow, copy: AgentRow) -> None:
    """The same collection of the same server, also where the agent's id names it."""
    own = plain.knowledge.open(row)
    if own is not None:
        own = replace(own, knowledge_id=own.knowledge_id or row.id)
        copy.knowledge = plain.knowledge.seal(copy.id, own, list_issues(row))
