"""Keeps agents: makes, changes, reads and deletes them, and has their LLM checked before saving.

The check calls somebody else's server and may take seconds: no transaction is open meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.accounts.schema import Account
from sayso.agents.schema import (
    BUILT_IN,
    MASK,
    OPENAI_COMPATIBLE,
    Agent,
    AgentChanges,
    AgentStats,
    AgentView,
    AnsweredBy,
    BuiltIn,
    LlmIssue,
    LlmView,
    NewAgent,
    OpenAiCompatible,
    Visibility,
    make_endpoint,
    mask_key,
    origin,
)
from sayso.clock import Clock
from sayso.errors import BadRequestError, ConflictError, ForbiddenError, NotFoundError
from sayso.llm import Endpoint
from sayso.security.secrets import Secrets
from sayso.store.database import Database
from sayso.store.identifiers import is_id, new_agent_id
from sayso.store.paging import Page, PageRequest, read_page
from sayso.store.tables import AgentRow, ConversationRow

CheckLlm = Callable[[Endpoint], Awaitable[Sequence[LlmIssue]]]
"""Calls an LLM as a conversation would, and says what it noticed."""

_PLAIN_FIELDS = frozenset(NewAgent.model_fields) - {"llm"}
"""Fields stored as they come; `llm` is taken apart."""


@dataclass(frozen=True, slots=True)
class _Sealed:
    """An `llm` field as it is stored."""

    llm: dict[str, Any] | None
    key: str | None
    headers: str | None
    issues: list[dict[str, str]]


class Agents:
    """The agents of this installation."""

    def __init__(
        self,
        database: Database,
        secrets: Secrets,
        clock: Clock,
        *,
        check_llm: CheckLlm,
        built_in: AnsweredBy,
        max_agents: int,
    ) -> None:
        """`built_in` says who answers for agents without `llm`; `max_agents` is per account."""
        self._database = database
        self._secrets = secrets
        self._clock = clock
        self._check_llm = check_llm
        self._built_in = built_in
        self._max_agents = max_agents

    async def create(self, account: Account, body: NewAgent) -> AgentView:
        """Make an agent, after its LLM passed the check.

        Raises:
            BadRequestError: the LLM did not pass; nothing is saved.
            ConflictError: the account has as many agents as it may.
        """
        agent_id = new_agent_id(body.display_name)
        sealed = await self._seal(agent_id, body.llm, _chosen_key(body.llm, None, None))
        now = self._clock.utc()
        row = AgentRow(id=agent_id, owner_id=account.user_id, created_at=now, updated_at=now)
        _apply(row, body, _PLAIN_FIELDS)
        _store_llm(row, sealed)
        async with self._database.write() as session:
            await self._refuse_too_many(session, account.user_id)
            session.add(row)
        return self._view(row)

    async def update(self, account: Account, agent_id: str, body: AgentChanges) -> AgentView:
        """Change the fields that were sent, after a new LLM passed the check.

        Raises:
            BadRequestError: the LLM did not pass, or would be sent a key meant for another server.
            ConflictError: the LLM was changed by somebody else during the check.
            NotFoundError, ForbiddenError: no such agent of this account.
        """
        sealed, seen = None, None
        if "llm" in body.model_fields_set:
            sealed, seen = await self._check_update(account, agent_id, body)
        async with self._database.write() as session:
            row = await _own_row(session, account, agent_id, lock=True)
            if sealed is not None:
                if (row.llm, row.llm_key) != seen:
                    raise ConflictError(
                        "the agent's llm was changed by another request meanwhile",
                        field="llm",
                        hint="Read the agent again and repeat your change.",
                    )
                _store_llm(row, sealed)
            _apply(row, body, _PLAIN_FIELDS & body.model_fields_set)
            row.updated_at = self._clock.utc()
        return self._view(row)

    async def get(self, account: Account, agent_id: str) -> AgentView:
        """Read one agent. Raises NotFoundError, ForbiddenError."""
        async with self._database.read() as session:
            return self._view(await _own_row(session, account, agent_id))

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
        return found.map(self._view)

    async def delete(self, account: Account, agent_id: str) -> None:
        """Delete an agent with its conversations. Raises NotFoundError, ForbiddenError."""
        async with self._database.write() as session:
            await session.delete(await _own_row(session, account, agent_id, lock=True))

    async def stats(self, account: Account, agent_id: str) -> AgentStats:
        """Count an agent's conversations. Raises NotFoundError, ForbiddenError."""
        query = select(
            func.count(),
            func.count().filter(ConversationRow.source == "phone"),
            func.sum(ConversationRow.duration_s),
        ).where(ConversationRow.agent_id == agent_id)
        async with self._database.read() as session:
            await _own_row(session, account, agent_id)
            total, phone, talked_s = (await session.execute(query)).one()
        return AgentStats(
            id=agent_id,
            number_of_conversations=total,
            number_of_phone_conversations=phone,
            number_of_seconds_talked=round(talked_s or 0.0),
        )

    async def load(self, agent_id: str) -> Agent:
        """Read an agent for a conversation, its key opened; who may talk is for the caller to say.

        Raises:
            NotFoundError: no such agent.
            InstallationError: its key was sealed with another master key.
        """
        async with self._database.read() as session:
            row = await _row(session, agent_id)
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
            llm=self._endpoint(row),
        )

    async def _refuse_too_many(self, session: AsyncSession, user_id: str) -> None:
        owned = await session.scalar(select(func.count()).where(AgentRow.owner_id == user_id))
        if (owned or 0) >= self._max_agents:
            raise ConflictError(
                f"the account has {self._max_agents} agents, which is the most it may have",
                hint="Delete one, or ask the operator to raise SAYSO_MAX_AGENTS.",
            )

    async def _check_update(
        self, account: Account, agent_id: str, body: AgentChanges
    ) -> tuple[_Sealed, tuple[dict[str, Any] | None, str | None]]:
        """Check the LLM of an update; also what was stored then, to notice another's change."""
        async with self._database.read() as session:
            row = await _own_row(session, account, agent_id)
        stored_url = row.llm.get("baseURL") if row.llm else None
        key = _chosen_key(body.llm, self._key(row), stored_url)
        return await self._seal(agent_id, body.llm, key), (row.llm, row.llm_key)

    async def _seal(
        self, agent_id: str, llm: OpenAiCompatible | BuiltIn | None, key: SecretStr | None
    ) -> _Sealed:
        """Check `llm` and take it apart for the store."""
        if llm is None:
            return _Sealed(None, None, None, [])
        if isinstance(llm, BuiltIn):
            return _Sealed({"type": BUILT_IN, "model": llm.model}, None, None, [])
        params = (
            None
            if llm.base_params is None
            else llm.base_params.model_dump(by_alias=True, exclude_unset=True)
        )
        plain = None if params is None else dict(params)
        headers = plain.pop("defaultHeaders", None) if plain is not None else None
        endpoint = make_endpoint(llm.base_url, key, params or {}, headers or {})
        issues = await self._passed(endpoint)
        return _Sealed(
            {"type": OPENAI_COMPATIBLE, "baseURL": llm.base_url, "baseParams": plain},
            None if key is None else self._secrets.seal(key.get_secret_value(), _key_at(agent_id)),
            None
            if headers is None
            else self._secrets.seal(json.dumps(headers), _headers_at(agent_id)),
            [asdict(issue) for issue in issues],
        )

    async def _passed(self, endpoint: Endpoint) -> Sequence[LlmIssue]:
        """Check `endpoint`; what was noticed, unless something forbids saving."""
        issues = tuple(await self._check_llm(endpoint))
        errors = [issue for issue in issues if issue.severity == "error"]
        if errors:
            found = " ".join(_sentence(issue.message) for issue in errors)
            raise BadRequestError(
                f"The agent's LLM did not pass the check, so nothing was saved. {found}",
                field="llm",
                hint=" ".join(dict.fromkeys(_sentence(issue.fix) for issue in errors if issue.fix)),
                details=tuple(dict(asdict(issue)) for issue in issues),
            )
        return issues

    def _key(self, row: AgentRow) -> SecretStr | None:
        if row.llm_key is None:
            return None
        return SecretStr(self._secrets.open(row.llm_key, _key_at(row.id)))

    def _headers(self, row: AgentRow) -> dict[str, str | None] | None:
        if row.llm_headers is None:
            return None
        opened = json.loads(self._secrets.open(row.llm_headers, _headers_at(row.id)))
        return cast("dict[str, str | None]", opened)

    def _endpoint(self, row: AgentRow) -> Endpoint | None:
        if row.llm is None or row.llm["type"] == BUILT_IN:
            return None
        params = row.llm["baseParams"] or {}
        return make_endpoint(row.llm["baseURL"], self._key(row), params, self._headers(row) or {})

    def _view(self, row: AgentRow) -> AgentView:
        own_llm = row.llm is not None and row.llm["type"] == OPENAI_COMPATIBLE
        return AgentView(
            id=row.id,
            **{name: getattr(row, name) for name in _PLAIN_FIELDS},
            llm=self._llm_view(row),
            avatar_photo_url=None,
            critical_knowledge_files=[],
            phone_numbers=[],
            answered_by="llm" if own_llm else self._built_in,
            llm_issues=[LlmIssue(**cast("Any", issue)) for issue in row.llm_issues],
        )

    def _llm_view(self, row: AgentRow) -> LlmView | None:
        if row.llm is None:
            return None
        if row.llm["type"] == BUILT_IN:
            return LlmView(type="built-in", model=row.llm["model"])
        key, params, headers = self._key(row), row.llm["baseParams"], self._headers(row)
        if headers is not None:
            params = {**(params or {}), "defaultHeaders": headers}
        return LlmView(
            type="openai-compatible",
            base_url=row.llm["baseURL"],
            api_key=None if key is None else mask_key(key.get_secret_value()),
            base_params=params,
        )


def _key_at(agent_id: str) -> str:
    return f"agents:llm_key:{agent_id}"


def _headers_at(agent_id: str) -> str:
    return f"agents:llm_headers:{agent_id}"


def _sentence(text: str) -> str:
    """`text` with a full stop, so that several read as sentences."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _apply(row: AgentRow, body: NewAgent, fields: frozenset[str]) -> None:
    for name in fields:
        setattr(row, name, getattr(body, name))


def _store_llm(row: AgentRow, sealed: _Sealed) -> None:
    row.llm, row.llm_key = sealed.llm, sealed.key
    row.llm_headers, row.llm_issues = sealed.headers, sealed.issues


async def _row(session: AsyncSession, agent_id: str, *, lock: bool = False) -> AgentRow:
    if not is_id(agent_id):
        raise NotFoundError("there is no such agent")
    row = await session.get(AgentRow, agent_id, with_for_update=lock or None)
    if row is None:
        raise NotFoundError(
            f"there is no agent {agent_id!r}", hint="`GET /api/v1/agents` lists yours."
        )
    return row


async def _own_row(
    session: AsyncSession, account: Account, agent_id: str, *, lock: bool = False
) -> AgentRow:
    row = await _row(session, agent_id, lock=lock)
    if row.owner_id != account.user_id:
        raise ForbiddenError(f"agent {agent_id!r} belongs to another account")
    return row


def _chosen_key(
    llm: OpenAiCompatible | BuiltIn | None, stored: SecretStr | None, stored_url: str | None
) -> SecretStr | None:
    """The key an `llm` field means: the one sent, or the stored one when it sends none.

    A stored key never follows to another server: whoever may edit the agent could otherwise
    read the key by pointing `baseURL` at a server of their own.
    """
    if not isinstance(llm, OpenAiCompatible):
        return None
    sent = "" if llm.api_key is None else llm.api_key.get_secret_value()
    if "api_key" in llm.model_fields_set and MASK[0] not in sent:
        return SecretStr(sent) if sent else None
    if sent and (stored is None or sent != mask_key(stored.get_secret_value())):
        raise BadRequestError(
            "llm.apiKey is a mask, as responses show it, and not the mask of the stored key",
            field="llm.apiKey",
            hint="Send the key itself.",
        )
    if stored is not None and (stored_url is None or origin(stored_url) != origin(llm.base_url)):
        raise BadRequestError(
            "llm.baseURL points to another server than before, and the stored key is not sent "
            "to a server it was not given for",
            field="llm.apiKey",
            hint="Send llm.apiKey again for the new server, or null if it needs none.",
        )
    return stored
