"""Makes and changes agents: what they name is checked before it is saved, what they were is kept.

A check calls somebody else's server and may take seconds: no transaction is open meanwhile.
"""

from __future__ import annotations

from sayso.accounts.schema import Account
from sayso.agents.answers import Answers
from sayso.agents.choices import choose_llms
from sayso.agents.destinations import TransferDestination
from sayso.agents.ignored import list_ignored
from sayso.agents.issues import LlmIssue
from sayso.agents.journal import log_save
from sayso.agents.knowledge_field import ReadyKnowledge
from sayso.agents.llm_field import ReadyLlm
from sayso.agents.mcp_servers import ReadyMcp
from sayso.agents.plain import PLAIN_FIELDS, PlainFields
from sayso.agents.rows import find_own_row, read_own_row, refuse_too_many
from sayso.agents.schema import AgentChanges, NewAgent
from sayso.agents.servers import Servers
from sayso.agents.spoken import MessagePlan
from sayso.agents.versions import keep_version, list_changed, take_fields
from sayso.agents.views import AgentView
from sayso.clock import Clock
from sayso.functions.actions import refuse_unknown_actions
from sayso.sources.service import Sources
from sayso.store.database import Database
from sayso.store.identifiers import new_agent_id
from sayso.store.tables import AgentRow
from sayso.variables import show_all


class Saves:
    """How agents come to be what they are."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        plain: PlainFields,
        servers: Servers,
        answers: Answers,
        sources: Sources,
        max_agents: int,
    ) -> None:
        self._database = database
        self._clock = clock
        self._plain = plain
        self._servers = servers
        self._answers = answers
        self._sources = sources
        self._max_agents = max_agents

    async def create(
        self, account: Account, body: NewAgent, *, by_server: bool = False
    ) -> AgentView:
        """Make an agent, after its LLM and its retrieval server passed their checks.

        One made `by_server` at the start is shown on the terminal, and not in the log.

        Raises:
            BadRequestError: one of them did not pass, or an action is unknown; nothing is saved.
            ConflictError: the account has as many agents as it may.
        """
        agent_id = new_agent_id(body.display_name)
        if by_server:
            return await self._create(account, agent_id, body, [])
        with log_save(account.user_id, agent_id, body) as said:
            return await self._create(account, agent_id, body, said)

    async def _create(
        self, account: Account, agent_id: str, body: NewAgent, said: list[LlmIssue]
    ) -> AgentView:
        meant = choose_llms(body.llm, None, ())
        knowledge = await self._servers.knowledge.prepare(agent_id, body)
        ready = await self._servers.llm.prepare(agent_id, body.llm, meant, body.variables)
        said += [*ready.issues, *(knowledge.issues if knowledge else ())]
        values = show_all(body.variables)
        mcp = await self._servers.mcp.prepare(agent_id, body.mcp_servers or [], values)
        now = self._clock.utc()
        row = AgentRow(id=agent_id, owner_id=account.user_id, created_at=now, updated_at=now)
        _apply(row, body, PLAIN_FIELDS)
        ready.put_into(row)
        if knowledge is not None:
            knowledge.put_into(row)
        mcp.put_into(row)
        async with self._database.write() as session:
            await refuse_too_many(session, account.user_id, self._max_agents)
            await refuse_unknown_actions(session, account.user_id, body.actions)
            session.add(row)
        await self._sources.follow(agent_id)
        await self._servers.llm.keep_saved(agent_id, ready)
        return self._answers.view(row, (), [*list_ignored(body), *mcp.warnings])

    async def update(self, account: Account, agent_id: str, body: AgentChanges) -> AgentView:
        """Change the fields that were sent, after a new LLM or retrieval server passed its check.

        One that is what is stored is not checked again: while it is down, what was read can be
        changed elsewhere and written back.

        Raises:
            BadRequestError: one did not pass, or would be sent a key meant for another server; or
                an action is unknown.
            ConflictError: one was changed by somebody else during the check.
            NotFoundError, ForbiddenError: no such agent of this account.
        """
        with log_save(account.user_id, agent_id, body) as said:
            return await self._update(account, agent_id, body, said)

    async def _update(
        self, account: Account, agent_id: str, body: AgentChanges, said: list[LlmIssue]
    ) -> AgentView:
        knowledge = await self._check_knowledge(account, agent_id, body)
        said += knowledge.issues if knowledge else ()
        ready = await self._check_llm(account, agent_id, body)
        said += ready.issues if ready else ()
        mcp = await self._check_mcp(account, agent_id, body)
        async with self._database.write() as session:
            row = await find_own_row(session, account, agent_id, lock=True)
            kept, before = take_fields(row), self._plain.read(row)
            if "actions" in body.model_fields_set:
                await refuse_unknown_actions(session, account.user_id, body.actions)
            if ready is None:
                self._servers.llm.seal_old(row)
            else:
                ready.put_into(row)
            if knowledge is not None:
                knowledge.put_into(row)
            if mcp is not None:
                mcp.put_into(row)
            _apply(row, body, PLAIN_FIELDS & body.model_fields_set)
            if changed := list_changed(before, self._plain.read(row)):
                await keep_version(session, row, kept, changed, self._clock.utc())
            files = await self._sources.files_of(session, [agent_id])
        if "critical_knowledge" in body.model_fields_set:
            await self._sources.follow(agent_id)
        await self._servers.llm.keep_saved(agent_id, ready)
        noticed = () if mcp is None else mcp.warnings
        return self._answers.view(row, files.get(agent_id, ()), [*list_ignored(body), *noticed])

    async def _check_knowledge(
        self, account: Account, agent_id: str, body: AgentChanges
    ) -> ReadyKnowledge | None:
        """Check the `knowledge` of an update, if it has one."""
        if "knowledge" not in body.model_fields_set:
            return None
        row = await read_own_row(self._database, account, agent_id)
        return await self._servers.knowledge.prepare(agent_id, body, row)

    async def _check_llm(
        self, account: Account, agent_id: str, body: AgentChanges
    ) -> ReadyLlm | None:
        """Check the `llm` of an update, if it has one."""
        if "llm" not in body.model_fields_set:
            return None
        row = await read_own_row(self._database, account, agent_id)
        return await self._servers.llm.prepare_change(body, row)

    async def _check_mcp(
        self, account: Account, agent_id: str, body: AgentChanges
    ) -> ReadyMcp | None:
        """Check the MCP servers of an update; None if it has none to say."""
        if "mcp_servers" not in body.model_fields_set:
            return None
        row = await read_own_row(self._database, account, agent_id)
        before = show_all(row.variables)
        now = show_all(body.variables) if "variables" in body.model_fields_set else before
        return await self._servers.mcp.prepare(agent_id, body.mcp_servers or [], now, row, before)


def _apply(row: AgentRow, body: NewAgent, fields: frozenset[str]) -> None:
    for name in fields:
        value = getattr(body, name)
        if isinstance(value, list):
            value = [_as_stored(item) for item in value]
        setattr(row, name, _as_stored(value))


def _as_stored(value: object) -> object:
    return value.model_dump() if isinstance(value, MessagePlan | TransferDestination) else value
