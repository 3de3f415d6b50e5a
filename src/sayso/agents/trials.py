"""Checks an owner asks for: of a server before any agent names it, and of an agent's LLM again.

They call somebody else's server and may take seconds: no transaction is open meanwhile.
"""

from __future__ import annotations

from sayso.accounts.schema import Account
from sayso.agents.llm_field import refuse_overtaken, stored_llm
from sayso.agents.reports import (
    AgentCheckView,
    KnowledgeCheckView,
    LlmCheckView,
    NewCheck,
    NewKnowledgeCheck,
    Tell,
    keep_still,
)
from sayso.agents.rows import read_own_row
from sayso.agents.servers import Servers
from sayso.functions.mcp.schema import McpCheckView, NewMcpCheck
from sayso.store.database import Database
from sayso.store.tables import AgentRow
from sayso.variables import show_all


class Trials:
    """What can be tried without saving an agent."""

    def __init__(self, database: Database, servers: Servers) -> None:
        self._database = database
        self._servers = servers

    async def try_llm(
        self, account: Account, body: NewCheck, tell: Tell = keep_still
    ) -> LlmCheckView:
        """Check an LLM without saving anything; `tell` is told how it is going.

        Raises:
            BadRequestError: a mask stands for nothing, or for a secret of another server.
            NotFoundError, ForbiddenError: no such agent of this account.
        """
        return await self._servers.llm.try_out(body, await self._find(account, body.agent_id), tell)

    async def try_knowledge(self, account: Account, body: NewKnowledgeCheck) -> KnowledgeCheckView:
        """Check a retrieval server without saving anything.

        Raises:
            BadRequestError: a mask stands for nothing, or for a secret of another server.
            NotFoundError, ForbiddenError: no such agent of this account.
        """
        row = await self._find(account, body.agent_id)
        return await self._servers.knowledge.try_out(body, row)

    async def try_mcp(self, account: Account, body: NewMcpCheck) -> McpCheckView:
        """Check an MCP server without saving anything.

        Raises:
            BadRequestError: a mask stands for nothing, or for a value of another server.
            NotFoundError, ForbiddenError: no such agent of this account.
        """
        row = await self._find(account, body.agent_id)
        values = {} if row is None else show_all(row.variables)
        return await self._servers.mcp.try_out(body, row, values)

    async def last_check(self, account: Account, agent_id: str) -> AgentCheckView:
        """The report of an agent's LLM and its fallbacks. Raises NotFoundError, ForbiddenError."""
        await read_own_row(self._database, account, agent_id)
        return await self._servers.llm.last_report(agent_id)

    async def check_again(
        self, account: Account, agent_id: str, tell: Tell = keep_still
    ) -> AgentCheckView:
        """Check an agent's stored LLM and its fallbacks now, and keep the reports, good or bad.

        `tell` is told how it is going.

        Raises:
            ConflictError: the LLM was changed during the check; nothing is kept.
            NotFoundError, ForbiddenError: no such agent of this account, or it has no LLM.
        """
        row = await read_own_row(self._database, account, agent_id)
        checked = await self._servers.llm.check_stored(row, tell)
        refuse_overtaken(await read_own_row(self._database, account, agent_id), stored_llm(row))
        await self._servers.llm.keep(agent_id, checked)
        return await self._servers.llm.last_report(agent_id)

    async def _find(self, account: Account, agent_id: str | None) -> AgentRow | None:
        """The agent whose secrets a trial may use, if it names one."""
        return None if agent_id is None else await read_own_row(self._database, account, agent_id)
