"""The agents of this installation: one method for each thing that can be asked of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from sayso.accounts.schema import Account
from sayso.agents.agent import Agent
from sayso.agents.answers import Answers
from sayso.agents.avatars import Avatars, read_avatar
from sayso.agents.copies import Copies
from sayso.agents.deletion import Deletion
from sayso.agents.opening import open_agent
from sayso.agents.options import AnsweredBy
from sayso.agents.plain import PlainFields
from sayso.agents.rows import find_own_row, read_own_row, read_row
from sayso.agents.saves import Saves
from sayso.agents.schema import AgentChanges, NewAgent
from sayso.agents.servers import Checks, Servers
from sayso.agents.trials import Trials
from sayso.agents.versions import VersionView, find_version, list_versions
from sayso.agents.views import AgentStats, AgentView
from sayso.clock import Clock
from sayso.errors import NotFoundError
from sayso.security.secrets import Secrets
from sayso.sources.service import Sources
from sayso.store.database import Database
from sayso.store.paging import Page, PageRequest, read_page
from sayso.store.tables import AgentRow, ConversationRow


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator decides about agents.

    Attributes:
        built_in: who answers for agents without `llm`.
        max_agents: of one account.
        keep_deleted_min: how long a deleted one can be brought back, in minutes.
        url: where this server is reached.
    """

    built_in: AnsweredBy
    max_agents: int
    keep_deleted_min: float
    url: str


class Agents:
    """The agents of this installation."""

    def __init__(
        self,
        database: Database,
        secrets: Secrets,
        clock: Clock,
        *,
        checks: Checks,
        sources: Sources,
        avatars: Avatars,
        rules: Rules,
    ) -> None:
        """`checks` are asked before saving; `rules` are the operator's."""
        self._database = database
        self._sources = sources
        self._plain = PlainFields(secrets)
        self._servers = Servers(checks, secrets)
        self._answers = Answers(self._servers, rules.built_in, rules.url)
        self._saves = Saves(
            database,
            clock,
            plain=self._plain,
            servers=self._servers,
            answers=self._answers,
            sources=sources,
            max_agents=rules.max_agents,
        )
        self._copies = Copies(
            database,
            clock,
            plain=self._plain,
            checks=checks.llm,
            sources=sources,
            avatars=avatars,
            max_agents=rules.max_agents,
        )
        self.avatars = avatars
        self.deletion = Deletion(
            database,
            clock,
            sources,
            avatars,
            keep_min=rules.keep_deleted_min,
            max_agents=rules.max_agents,
        )
        self.trials = Trials(database, self._servers)

    async def create(
        self, account: Account, body: NewAgent, *, by_server: bool = False
    ) -> AgentView:
        """Make an agent, after what it names passed its check. Raises as `Saves.create`."""
        return await self._saves.create(account, body, by_server=by_server)

    async def update(self, account: Account, agent_id: str, body: AgentChanges) -> AgentView:
        """Change the fields that were sent, checked as well. Raises as `Saves.update`."""
        return await self._saves.update(account, agent_id, body)

    async def get(self, account: Account, agent_id: str) -> AgentView:
        """Read one agent. Raises NotFoundError, ForbiddenError."""
        async with self._database.read() as session:
            row = await find_own_row(session, account, agent_id)
            files = await self._sources.files_of(session, [agent_id])
        return self._answers.view(row, files.get(agent_id, ()))

    async def demand(self, account: Account, agent_id: str) -> None:
        """Refuse who does not own the agent. Raises NotFoundError, ForbiddenError."""
        await read_own_row(self._database, account, agent_id)

    async def page(self, account: Account, request: PageRequest) -> Page[AgentView]:
        """Read the account's agents, newest first."""
        async with self._database.read() as session:
            found = await read_page(
                session,
                select(AgentRow).where(AgentRow.owner_id == account.user_id),
                request,
                id_of=AgentRow.id,
                order=(AgentRow.created_at, AgentRow.id),
                newest_first=True,
            )
            files = await self._sources.files_of(session, [row.id for row in found.rows])
        return found.map(lambda row: self._answers.view(row, files.get(row.id, ())))

    async def delete(self, account: Account, agent_id: str) -> None:
        """Delete an agent with its conversations; for a while it can be brought back.

        Raises: NotFoundError, ForbiddenError.
        """
        await self.deletion.delete(account, agent_id)

    async def undelete(self, account: Account, agent_id: str) -> AgentView:
        """Bring back an agent that was just deleted.

        Raises:
            ConflictError: the account has as many agents as it may.
            NotFoundError, ForbiddenError: no such agent of this account, or not any more.
        """
        await self.deletion.undo(account, agent_id)
        return await self.get(account, agent_id)

    async def duplicate(self, account: Account, agent_id: str) -> AgentView:
        """Make another agent of the same fields, secrets and knowledge; nothing is checked anew.

        Raises:
            ConflictError: the account has as many agents as it may, or the files were changed.
            NotFoundError, ForbiddenError: no such agent of this account.
        """
        return await self.get(account, await self._copies.make(account, agent_id))

    async def versions(self, account: Account, agent_id: str) -> Sequence[VersionView]:
        """What an agent was, the current version first. Raises NotFoundError, ForbiddenError."""
        async with self._database.read() as session:
            return await list_versions(session, await find_own_row(session, account, agent_id))

    async def version(self, account: Account, agent_id: str, number: int) -> AgentView:
        """An agent as it was; its files as they are. Raises NotFoundError, ForbiddenError."""
        async with self._database.read() as session:
            row = await find_own_row(session, account, agent_id)
            then = await find_version(session, row, number)
            files = await self._sources.files_of(session, [agent_id])
        return self._answers.view(then, files.get(agent_id, ()))

    async def restore(self, account: Account, agent_id: str, number: int) -> AgentView:
        """Make an agent what it was, by a change as any other. Raises as `update`."""
        async with self._database.read() as session:
            row = await find_own_row(session, account, agent_id)
            then = await find_version(session, row, number)
        body = AgentChanges.model_validate(self._plain.read(then))
        return await self.update(account, agent_id, body)

    async def set_avatar(self, account: Account, agent_id: str, picture: bytes | None) -> AgentView:
        """Give an agent a picture, or none.

        Raises:
            BadRequestError: it is none that browsers show.
            NotFoundError, ForbiddenError: no such agent of this account.
        """
        await self.demand(account, agent_id)
        avatar = None if picture is None else await self.avatars.write(agent_id, picture)
        try:
            async with self._database.write() as session:
                row = await find_own_row(session, account, agent_id, lock=True)
                old, row.avatar = read_avatar(row), avatar and avatar._asdict()
        except BaseException:
            await self.avatars.drop(agent_id, avatar)
            raise
        await self.avatars.drop(agent_id, old)
        return await self.get(account, agent_id)

    async def find_avatar(self, agent_id: str) -> AgentRow:
        """The row of an agent whose picture is wanted. Raises NotFoundError."""
        return await read_row(self._database, agent_id)

    async def stats(self, account: Account, agent_id: str) -> AgentStats:
        """Count an agent's conversations. Raises NotFoundError, ForbiddenError."""
        query = select(
            func.count(),
            func.count().filter(ConversationRow.source == "phone"),
            func.sum(ConversationRow.duration_s),
        ).where(ConversationRow.agent_id == agent_id)
        async with self._database.read() as session:
            await find_own_row(session, account, agent_id)
            total, phone, talked_s = (await session.execute(query)).one()
        return AgentStats(
            id=agent_id,
            number_of_conversations=total,
            number_of_phone_conversations=phone,
            number_of_seconds_talked=round(talked_s or 0.0),
        )

    async def answered_by(self, agent_id: str) -> AnsweredBy | None:
        """What answers for a public agent, for whoever asks; None for any other."""
        try:
            row = await read_row(self._database, agent_id)
        except NotFoundError:
            return None
        if row.visibility != "public":
            return None
        return self._answers.answered_by(row)

    async def load(self, agent_id: str) -> Agent:
        """Read an agent for a conversation, its key opened; who may talk is for the caller to say.

        Raises:
            NotFoundError: no such agent.
            InstallationError: its key was sealed with another master key.
        """
        return open_agent(await read_row(self._database, agent_id), self._servers)

    async def name_for_visitors(self, agent_id: str) -> str | None:
        """What an agent is called, for whoever has its id; None if it is private, or not there."""
        try:
            row = await read_row(self._database, agent_id)
        except NotFoundError:
            return None
        return None if row.visibility == "private" else row.display_name
