"""Keeps agents: makes, changes, reads and deletes them; what they call is checked before saving.

A check calls somebody else's server and may take seconds: no transaction is open meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeAlias, cast

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.accounts.schema import Account
from sayso.agents.agent import Agent
from sayso.agents.avatars import Avatars, read_avatar
from sayso.agents.checks import LlmChecks, Passed
from sayso.agents.choices import choose_llms, choose_tried
from sayso.agents.copies import copy_row
from sayso.agents.deletion import Deletion
from sayso.agents.destinations import TransferDestination
from sayso.agents.ignored import list_ignored
from sayso.agents.issues import LlmIssue
from sayso.agents.journal import log_save
from sayso.agents.knowledge_checks import KnowledgeChecks
from sayso.agents.knowledge_field import KnowledgeField, ReadyKnowledge
from sayso.agents.llm_schema import BuiltIn, OpenAiCompatible
from sayso.agents.llms import LlmSafe, OwnLlm, SealedLlm, is_own
from sayso.agents.manners import read_manners
from sayso.agents.mcp_servers import AgentMcp, ReadyMcp
from sayso.agents.options import AnsweredBy, Visibility
from sayso.agents.plain import PLAIN_FIELDS, PlainFields
from sayso.agents.reports import (
    AgentCheckView,
    KnowledgeCheckView,
    LlmCheckView,
    NewCheck,
    NewKnowledgeCheck,
    Tell,
    keep_still,
)
from sayso.agents.rows import find_own_row, find_row
from sayso.agents.schema import AgentChanges, NewAgent
from sayso.agents.spoken import MessagePlan
from sayso.agents.versions import (
    VersionView,
    find_version,
    keep_version,
    list_changed,
    list_versions,
    take_fields,
)
from sayso.agents.views import AgentStats, AgentView
from sayso.bodies import FieldWarning
from sayso.clock import Clock
from sayso.errors import ConflictError, NotFoundError
from sayso.functions.actions import refuse_unknown_actions
from sayso.functions.mcp.pool import McpPool
from sayso.functions.mcp.schema import McpCheckView, NewMcpCheck
from sayso.llm import Endpoint
from sayso.security.secrets import Secrets
from sayso.sources.schema import CriticalKnowledgeFile
from sayso.sources.service import Sources
from sayso.store.database import Database
from sayso.store.identifiers import new_agent_id
from sayso.store.paging import Page, PageRequest, read_page
from sayso.store.tables import AgentRow, ConversationRow
from sayso.variables import Variable, show_all

_Stored: TypeAlias = tuple[dict[str, Any] | None, str | None, str | None]
"""What a row holds of its LLM."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """An `llm` field that may be saved: sealed, and what its check noticed.

    `passed` is None where nothing was checked, for nothing was changed that a check looks at.
    """

    sealed: SealedLlm
    passed: Passed | None

    @property
    def issues(self) -> Sequence[LlmIssue]:
        """What was noticed just now."""
        return () if self.passed is None else self.passed.issues

    def put_into(self, row: AgentRow) -> None:
        """Store it."""
        self.sealed.put_into(row)
        if self.passed is not None:
            row.llm_issues = [asdict(issue) for issue in self.passed.issues]


@dataclass(frozen=True, slots=True)
class Checks:
    """What is asked before an agent is saved: its LLM, its retrieval server, its MCP servers."""

    llm: LlmChecks
    knowledge: KnowledgeChecks
    mcp: McpPool


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
        self._mcp = AgentMcp(checks.mcp, secrets)
        self._database = database
        self._safe = LlmSafe(secrets)
        self._clock = clock
        self._checks = checks.llm
        self._sources = sources
        self._knowledge = KnowledgeField(secrets, checks.knowledge)
        self._built_in = rules.built_in
        self._max_agents = rules.max_agents
        self._plain = PlainFields(secrets)
        self._url = rules.url
        self.avatars = avatars
        self.deletion = Deletion(database, clock, sources, avatars, keep_min=rules.keep_deleted_min)

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
        knowledge = await self._knowledge.prepare(agent_id, body)
        ready = await self._prepare(agent_id, body.llm, meant, body.variables)
        said += [*ready.issues, *(knowledge.issues if knowledge else ())]
        values = show_all(body.variables)
        mcp = await self._mcp.prepare(agent_id, body.mcp_servers or [], values)
        now = self._clock.utc()
        row = AgentRow(id=agent_id, owner_id=account.user_id, created_at=now, updated_at=now)
        _apply(row, body, PLAIN_FIELDS)
        ready.put_into(row)
        if knowledge is not None:
            knowledge.put_into(row)
        mcp.put_into(row)
        async with self._database.write() as session:
            await self._refuse_too_many(session, account.user_id)
            await refuse_unknown_actions(session, account.user_id, body.actions)
            session.add(row)
        await self._sources.follow(agent_id)
        await self._keep(agent_id, ready)
        return self._view(row, (), [*list_ignored(body), *mcp.warnings])

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
        ready, seen = None, None
        knowledge = await self._check_knowledge(account, agent_id, body)
        said += knowledge.issues if knowledge else ()
        if "llm" in body.model_fields_set:
            ready, seen = await self._check_update(account, agent_id, body)
            said += ready.issues
        mcp = await self._check_mcp(account, agent_id, body)
        async with self._database.write() as session:
            row = await find_own_row(session, account, agent_id, lock=True)
            kept, before = take_fields(row), self._plain.read(row)
            if "actions" in body.model_fields_set:
                await refuse_unknown_actions(session, account.user_id, body.actions)
            if ready is None:
                self._safe.seal_old(row)
            else:
                _refuse_overtaken(row, seen)
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
        await self._keep(agent_id, ready)
        noticed = () if mcp is None else mcp.warnings
        return self._view(row, files.get(agent_id, ()), [*list_ignored(body), *noticed])

    async def _check_mcp(
        self, account: Account, agent_id: str, body: AgentChanges
    ) -> ReadyMcp | None:
        """Check the MCP servers of an update; None if it has none to say."""
        if "mcp_servers" not in body.model_fields_set:
            return None
        async with self._database.read() as session:
            row = await find_own_row(session, account, agent_id)
        before = show_all(row.variables)
        now = show_all(body.variables) if "variables" in body.model_fields_set else before
        return await self._mcp.prepare(agent_id, body.mcp_servers or [], now, row, before)

    async def try_mcp(self, account: Account, body: NewMcpCheck) -> McpCheckView:
        """Check an MCP server without saving anything.

        Raises:
            BadRequestError: a mask stands for nothing, or for a value of another server.
            NotFoundError, ForbiddenError: no such agent of this account.
        """
        if body.agent_id is None:
            return await self._mcp.try_out(body, None, {})
        async with self._database.read() as session:
            row = await find_own_row(session, account, body.agent_id)
        return await self._mcp.try_out(body, row, show_all(row.variables))

    async def get(self, account: Account, agent_id: str) -> AgentView:
        """Read one agent. Raises NotFoundError, ForbiddenError."""
        async with self._database.read() as session:
            row = await find_own_row(session, account, agent_id)
            files = await self._sources.files_of(session, [agent_id])
        return self._view(row, files.get(agent_id, ()))

    async def demand(self, account: Account, agent_id: str) -> None:
        """Refuse who does not own the agent. Raises NotFoundError, ForbiddenError."""
        async with self._database.read() as session:
            await find_own_row(session, account, agent_id)

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
        return found.map(lambda row: self._view(row, files.get(row.id, ())))

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
        async with self._database.write() as session:
            row = await find_own_row(session, account, agent_id, lock=True, deleted=True)
            self.deletion.refuse_late(row)
            await self._refuse_too_many(session, account.user_id)
            row.deleted_at = None
        return await self.get(account, agent_id)

    async def duplicate(self, account: Account, agent_id: str) -> AgentView:
        """Make another agent of the same fields, secrets and knowledge; nothing is checked anew.

        Raises:
            ConflictError: the account has as many agents as it may, or the files were changed.
            NotFoundError, ForbiddenError: no such agent of this account.
        """
        async with self._database.read() as session:
            row = await find_own_row(session, account, agent_id)
            await self._refuse_too_many(session, account.user_id)
        copy = copy_row(self._plain, row, self._clock.utc())
        try:
            await self._store_copy(account, row, copy)
        except BaseException:
            await self._sources.forget(copy.id)
            await self.avatars.forget(copy.id)
            raise
        self._sources.wake()
        return await self.get(account, copy.id)

    async def _store_copy(self, account: Account, row: AgentRow, copy: AgentRow) -> None:
        if (avatar := read_avatar(row)) is not None:
            copy.avatar = (await self.avatars.copy(row.id, avatar, copy.id))._asdict()
        sources = await self._sources.prepare_copies(row.id, copy.id)
        async with self._database.write() as session:
            await self._refuse_too_many(session, account.user_id)
            session.add(copy)
            await session.flush()
            await self._sources.store_copies(session, account, sources)
            await self._checks.copy(session, row.id, copy.id)

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
        return self._view(then, files.get(agent_id, ()))

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
        async with self._database.read() as session:
            return await find_row(session, agent_id)

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

    async def try_llm(
        self, account: Account, body: NewCheck, tell: Tell = keep_still
    ) -> LlmCheckView:
        """Check an LLM without saving anything; `tell` is told how it is going.

        Raises:
            BadRequestError: a mask stands for nothing, or for a secret of another server.
            NotFoundError, ForbiddenError: no such agent of this account.
        """
        main: OwnLlm | None = None
        fallbacks: Sequence[OwnLlm | None] = ()
        if body.agent_id is not None:
            async with self._database.read() as session:
                row = await find_own_row(session, account, body.agent_id)
            main, fallbacks = self._safe.open_main(row), self._safe.open_fallbacks(row)
        tried = choose_tried(body, main, fallbacks)
        return (await self._checks.check(tried.endpoint(), tell)).view

    async def try_knowledge(self, account: Account, body: NewKnowledgeCheck) -> KnowledgeCheckView:
        """Check a retrieval server without saving anything.

        Raises:
            BadRequestError: a mask stands for nothing, or for a secret of another server.
            NotFoundError, ForbiddenError: no such agent of this account.
        """
        row = None
        if body.agent_id is not None:
            async with self._database.read() as session:
                row = await find_own_row(session, account, body.agent_id)
        return await self._knowledge.try_out(body, row)

    async def last_check(self, account: Account, agent_id: str) -> AgentCheckView:
        """The report of an agent's LLM and its fallbacks. Raises NotFoundError, ForbiddenError."""
        async with self._database.read() as session:
            await find_own_row(session, account, agent_id)
        return await self._checks.read(agent_id)

    async def check_again(
        self, account: Account, agent_id: str, tell: Tell = keep_still
    ) -> AgentCheckView:
        """Check an agent's stored LLM and its fallbacks now, and keep the reports, good or bad.

        `tell` is told how it is going.

        Raises:
            ConflictError: the LLM was changed during the check; nothing is kept.
            NotFoundError, ForbiddenError: no such agent of this account, or it has no LLM.
        """
        async with self._database.read() as session:
            row = await find_own_row(session, account, agent_id)
        main = self._safe.open_main(row)
        if main is None:
            raise NotFoundError(
                f"agent {agent_id!r} has no LLM of its own to check", hint="Set its `llm` first."
            )
        values = show_all(row.variables)
        checked = await self._checks.check_all(
            [
                None if one is None else replace(one.endpoint(), variables=values)
                for one in (main, *self._safe.open_fallbacks(row))
            ],
            tell,
        )
        async with self._database.read() as session:
            _refuse_overtaken(await find_own_row(session, account, agent_id), _stored(row))
        await self._checks.keep(agent_id, *checked)
        return await self._checks.read(agent_id)

    async def answered_by(self, agent_id: str) -> AnsweredBy | None:
        """What answers for a public agent, for whoever asks; None for any other."""
        try:
            async with self._database.read() as session:
                row = await find_row(session, agent_id)
        except NotFoundError:
            return None
        if row.visibility != "public":
            return None
        return "llm" if is_own(row) else self._built_in

    async def load(self, agent_id: str) -> Agent:
        """Read an agent for a conversation, its key opened; who may talk is for the caller to say.

        Raises:
            NotFoundError: no such agent.
            InstallationError: its key was sealed with another master key.
        """
        async with self._database.read() as session:
            row = await find_row(session, agent_id)
        return Agent(
            id=row.id,
            owner_id=row.owner_id,
            display_name=row.display_name,
            description=row.description,
            greeting=row.greeting,
            prompt=row.prompt,
            critical_knowledge=row.critical_knowledge,
            answer_only_from_critical_knowledge=row.answer_only_from_critical_knowledge,
            visibility=cast("Visibility", row.visibility),
            language=row.language,
            voice=row.voice,
            voice_speed=row.voice_speed,
            tts_model=row.tts_model,
            actions=tuple(row.actions),
            variables=show_all(row.variables),
            mcp_servers=self._mcp.load(row),
            **self._safe.answering(row),
            knowledge=self._knowledge.place(row),
            allowed_origins=frozenset(row.allowed_origins),
            **read_manners(row),
        )

    async def name_for_visitors(self, agent_id: str) -> str | None:
        """What an agent is called, for whoever has its id; None if it is private, or not there."""
        try:
            async with self._database.read() as session:
                row = await find_row(session, agent_id)
        except NotFoundError:
            return None
        return None if row.visibility == "private" else row.display_name

    async def _refuse_too_many(self, session: AsyncSession, user_id: str) -> None:
        mine = (AgentRow.owner_id == user_id, AgentRow.deleted_at.is_(None))
        owned = await session.scalar(select(func.count()).where(*mine))
        if (owned or 0) >= self._max_agents:
            raise ConflictError(
                f"the account has {self._max_agents} agents, which is the most it may have",
                hint="Delete one, or ask the operator to raise SAYSO_MAX_AGENTS.",
            )

    async def _check_knowledge(
        self, account: Account, agent_id: str, body: AgentChanges
    ) -> ReadyKnowledge | None:
        """Check the `knowledge` of an update, if it has one."""
        if "knowledge" not in body.model_fields_set:
            return None
        async with self._database.read() as session:
            row = await find_own_row(session, account, agent_id)
        return await self._knowledge.prepare(agent_id, body, row)

    async def _check_update(
        self, account: Account, agent_id: str, body: AgentChanges
    ) -> tuple[_Ready, _Stored]:
        """Check the LLM of an update; also what was stored then, to notice another's change."""
        async with self._database.read() as session:
            row = await find_own_row(session, account, agent_id)
        main, fallbacks = self._safe.open_main(row), self._safe.open_fallbacks(row)
        meant = choose_llms(body.llm, main, fallbacks)
        variables = body.variables if "variables" in body.model_fields_set else row.variables
        before = [] if main is None else [main, *fallbacks]
        if meant and _asked(meant, variables) == _asked(before, row.variables):
            return _Ready(self._safe.seal(agent_id, body.llm, meant), None), _stored(row)
        return await self._prepare(agent_id, body.llm, meant, variables), _stored(row)

    async def _keep(self, agent_id: str, ready: _Ready | None) -> None:
        """Keep the reports of an LLM that was saved, if it was checked."""
        if ready is not None and ready.passed is not None:
            await self._checks.keep(agent_id, *ready.passed.checked)

    async def _prepare(
        self,
        agent_id: str,
        llm: OpenAiCompatible | BuiltIn | None,
        meant: Sequence[OwnLlm | None],
        variables: Mapping[str, Variable],
    ) -> _Ready:
        """Check `llm` and seal it; `meant` are it and its fallbacks in plain."""
        values = show_all(variables)
        endpoints = [
            None if one is None else replace(one.endpoint(), variables=values) for one in meant
        ]
        passed = await self._checks.demand(endpoints)
        return _Ready(self._safe.seal(agent_id, llm, meant), passed)

    def _avatar_url(self, row: AgentRow) -> str | None:
        avatar = read_avatar(row)
        path = f"{self._url}/api/v1/agents/{row.id}/avatar"
        return avatar and f"{path}?v={avatar.digest[:16]}"

    def _view(
        self,
        row: AgentRow,
        files: Sequence[CriticalKnowledgeFile],
        warnings: Sequence[FieldWarning] = (),
    ) -> AgentView:
        return AgentView(
            id=row.id,
            **{name: getattr(row, name) for name in PLAIN_FIELDS},
            llm=self._safe.view(row),
            **self._knowledge.view(row),
            mcp_servers=self._mcp.view(row),
            avatar_photo_url=self._avatar_url(row),
            critical_knowledge_files=list(files),
            phone_numbers=[],
            answered_by="llm" if is_own(row) else self._built_in,
            llm_issues=[LlmIssue(**cast("Any", issue)) for issue in row.llm_issues],
            warnings=list(warnings),
        )


def _apply(row: AgentRow, body: NewAgent, fields: frozenset[str]) -> None:
    for name in fields:
        value = getattr(body, name)
        if isinstance(value, list):
            value = [_as_stored(item) for item in value]
        setattr(row, name, _as_stored(value))


def _as_stored(value: object) -> object:
    return value.model_dump() if isinstance(value, MessagePlan | TransferDestination) else value


def _asked(
    llms: Sequence[OwnLlm | None], variables: Mapping[str, Variable]
) -> list[Endpoint | None]:
    """What a check would ask."""
    values = show_all(variables)
    return [None if one is None else one.asked(values) for one in llms]


def _stored(row: AgentRow) -> _Stored:
    return row.llm, row.llm_key, row.llm_headers


def _refuse_overtaken(row: AgentRow, seen: _Stored | None) -> None:
    """Refuse to save an LLM over one that somebody else saved during the check."""
    if _stored(row) != seen:
        raise ConflictError(
            "the agent's llm was changed by another request meanwhile",
            field="llm",
            hint="Read the agent again and repeat your change.",
        )
