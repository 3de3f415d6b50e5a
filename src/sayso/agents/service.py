"""Keeps agents: makes, changes, reads and deletes them, and has their LLM checked before saving.

The check calls somebody else's server and may take seconds: no transaction is open meanwhile.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.accounts.schema import Account
from sayso.agents.checks import Checked, LlmChecks, learn
from sayso.agents.reports import LlmCheckView, NewCheck
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
    FallbackView,
    LlmIssue,
    LlmServer,
    LlmView,
    MessagePlan,
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

_PLAIN_FIELDS = frozenset(NewAgent.model_fields) - {"llm"}
"""Fields stored as they come; `llm` is taken apart."""


@dataclass(frozen=True, slots=True)
class _Sealed:
    """An `llm` field as it is stored."""

    llm: dict[str, Any] | None = None
    key: str | None = None
    headers: str | None = None
    issues: Sequence[dict[str, str]] = ()
    checked: Sequence[Checked | None] = ()


@dataclass(frozen=True, slots=True)
class _Opened:
    """One LLM as it is stored, its secrets opened."""

    stored: Mapping[str, Any]
    key: SecretStr | None
    headers: dict[str, str | None] | None
    query: dict[str, str] | None

    @property
    def url(self) -> str:
        """Its base URL."""
        return str(self.stored["baseURL"])

    def endpoint(self) -> Endpoint:
        """As it is called."""
        return make_endpoint(
            self.url,
            self.key,
            self.stored["baseParams"] or {},
            self.headers or {},
            query=self.query,
            timeouts=self.stored.get("timeouts"),
            tell=self.stored.get("tell", "off"),
        )

    def view(self) -> dict[str, Any]:
        """As it is answered."""
        params = self.stored["baseParams"]
        for name, value in (("defaultHeaders", self.headers), ("query", self.query)):
            if value is not None:
                params = {**(params or {}), name: value}
        return {
            "type": OPENAI_COMPATIBLE,
            "base_url": self.url,
            "api_key": None if self.key is None else mask_key(self.key.get_secret_value()),
            "base_params": params,
            "timeouts": self.stored.get("timeouts"),
            "tell": self.stored.get("tell", "off"),
        }


class Agents:
    """The agents of this installation."""

    def __init__(
        self,
        database: Database,
        secrets: Secrets,
        clock: Clock,
        *,
        checks: LlmChecks,
        built_in: AnsweredBy,
        max_agents: int,
    ) -> None:
        """`built_in` says who answers for agents without `llm`; `max_agents` is per account."""
        self._database = database
        self._secrets = secrets
        self._clock = clock
        self._checks = checks
        self._built_in = built_in
        self._max_agents = max_agents

    async def create(self, account: Account, body: NewAgent) -> AgentView:
        """Make an agent, after its LLM passed the check.

        Raises:
            BadRequestError: the LLM did not pass; nothing is saved.
            ConflictError: the account has as many agents as it may.
        """
        agent_id = new_agent_id(body.display_name)
        sealed = await self._seal(agent_id, body.llm, _choose_keys(body.llm, None, ()))
        now = self._clock.utc()
        row = AgentRow(id=agent_id, owner_id=account.user_id, created_at=now, updated_at=now)
        _apply(row, body, _PLAIN_FIELDS)
        _store_llm(row, sealed)
        async with self._database.write() as session:
            await self._refuse_too_many(session, account.user_id)
            session.add(row)
        await self._keep_checks(agent_id, sealed)
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
        if sealed is not None:
            await self._keep_checks(agent_id, sealed)
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

    async def try_llm(self, account: Account, body: NewCheck) -> LlmCheckView:
        """Check an LLM without saving anything.

        Raises:
            BadRequestError: the key sent is a mask, or the stored one is another server's.
            NotFoundError, ForbiddenError: no such agent of this account.
        """
        own = None
        if body.agent_id is not None:
            async with self._database.read() as session:
                own = self._main(await _own_row(session, account, body.agent_id))
        key = _choose_key(body, own, [own] if own else [], "llm")
        return (await self._checks.check(_endpoint_of(body, key))).view

    async def last_check(self, account: Account, agent_id: str) -> LlmCheckView:
        """The report of an agent's LLM. Raises NotFoundError, ForbiddenError."""
        async with self._database.read() as session:
            await _own_row(session, account, agent_id)
        return await self._checks.read(agent_id)

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
            **self._answering(row),
            **_manners(row),
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
        keys = _choose_keys(body.llm, self._main(row), self._fallbacks(row))
        return await self._seal(agent_id, body.llm, keys), (row.llm, row.llm_key)

    async def _seal(
        self,
        agent_id: str,
        llm: OpenAiCompatible | BuiltIn | None,
        keys: Sequence[SecretStr | None],
    ) -> _Sealed:
        """Check `llm` and take it apart for the store; `keys` are its own and its fallbacks'."""
        if llm is None:
            return _Sealed()
        if isinstance(llm, BuiltIn):
            return _Sealed(_plain_built_in(llm))
        servers = [llm, *(llm.fallbacks or [])]
        issues, checked = await self._passed(
            [
                None if isinstance(server, BuiltIn) else _endpoint_of(server, key)
                for server, key in zip(servers, keys, strict=True)
            ]
        )
        parts = [
            _plain_built_in(server)
            if isinstance(server, BuiltIn)
            else self._seal_server(agent_id, server, key)
            for server, key in zip(servers, keys, strict=True)
        ]
        main = {
            **parts[0],
            "fallbacks": parts[1:],
            "failureMessage": llm.failure_message or None,
            "hedgeAfterMs": llm.hedge_after_ms,
        }
        key, headers = main.pop("key"), main.pop("headers")
        return _Sealed(main, key, headers, [asdict(issue) for issue in issues], checked)

    def _seal_server(
        self, agent_id: str, server: LlmServer, key: SecretStr | None
    ) -> dict[str, Any]:
        """One LLM as it is stored: nothing in it that is secret is plain."""
        plain = dict(_params_of(server))
        headers, query = plain.pop("defaultHeaders", None), plain.pop("query", None)

        def seal(value: object, at: str) -> str | None:
            return None if value is None else self._secrets.seal(json.dumps(value), at)

        text = None if key is None else key.get_secret_value()
        return {
            "type": OPENAI_COMPATIBLE,
            "baseURL": server.base_url,
            "baseParams": None if server.base_params is None else plain,
            "timeouts": _timeouts_of(server),
            "tell": server.tell,
            "key": text and self._secrets.seal(text, _key_at(agent_id)),
            "headers": seal(headers, _headers_at(agent_id)),
            "query": seal(query, _query_at(agent_id)),
        }

    async def _passed(
        self, endpoints: Sequence[Endpoint | None]
    ) -> tuple[Sequence[LlmIssue], Sequence[Checked | None]]:
        """Check an LLM and its fallbacks; what was noticed, unless something forbids saving."""
        reports = await asyncio.gather(*(self._check_one(endpoint) for endpoint in endpoints))
        checked = [[] if report is None else report.issues for report in reports]
        issues = [
            issue if not n else replace(issue, message=f"Fallback {n}: {issue.message}")
            for n, found in enumerate(checked)
            for issue in found
        ]
        errors = [issue for issue in issues if issue.severity == "error"]
        if errors:
            failed = next(
                n for n, found in enumerate(checked) if any(i.severity == "error" for i in found)
            )
            told = " ".join(_sentence(issue.message) for issue in errors)
            raise BadRequestError(
                f"The agent's LLM did not pass the check, so nothing was saved. {told}",
                field="llm" if not failed else f"llm.fallbacks.{failed - 1}",
                hint=" ".join(dict.fromkeys(_sentence(issue.fix) for issue in errors if issue.fix)),
                details=tuple(dict(asdict(issue)) for issue in issues),
            )
        return issues, reports

    async def _check_one(self, endpoint: Endpoint | None) -> Checked | None:
        return None if endpoint is None else await self._checks.check(endpoint)

    async def _keep_checks(self, agent_id: str, sealed: _Sealed) -> None:
        """Keep what was found out about an LLM that is saved now, and about its fallbacks."""
        main, *fallbacks = sealed.checked or (None,)
        for checked in fallbacks:
            if checked is not None:
                await learn(checked)
        await self._checks.keep(agent_id, main)

    def _main(self, row: AgentRow) -> _Opened | None:
        """An agent's own LLM, opened; None for the built-in one."""
        if row.llm is None or row.llm["type"] == BUILT_IN:
            return None
        return self._open_server(row.id, row.llm, row.llm_key, row.llm_headers)

    def _fallbacks(self, row: AgentRow) -> tuple[_Opened | None, ...]:
        """Who stands by, opened; None for the built-in one."""
        stored = (row.llm or {}).get("fallbacks") or []
        return tuple(
            None
            if one["type"] == BUILT_IN
            else self._open_server(row.id, one, one["key"], one["headers"])
            for one in stored
        )

    def _open_server(
        self, agent_id: str, stored: Mapping[str, Any], key: str | None, headers: str | None
    ) -> _Opened:
        unseal, query = self._secrets.open, stored.get("query")
        return _Opened(
            stored,
            None if key is None else SecretStr(unseal(key, _key_at(agent_id))),
            None if headers is None else json.loads(unseal(headers, _headers_at(agent_id))),
            None if query is None else json.loads(unseal(query, _query_at(agent_id))),
        )

    def _answering(self, row: AgentRow) -> dict[str, Any]:
        """Who answers for an agent, as a conversation is given it."""
        main = self._main(row)
        if main is None:
            return {"llm": None}
        hedge_ms = main.stored.get("hedgeAfterMs")
        return {
            "llm": main.endpoint(),
            "fallbacks": tuple(one and one.endpoint() for one in self._fallbacks(row)),
            "failure_message": main.stored.get("failureMessage"),
            "hedge_after_s": None if hedge_ms is None else hedge_ms / 1000,
        }

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
        main = self._main(row)
        if main is None:
            return LlmView(type="built-in", model=row.llm["model"])
        stored = cast("list[dict[str, Any]]", row.llm.get("fallbacks") or [])
        return LlmView(
            **main.view(),
            fallbacks=[
                FallbackView(type="built-in", model=plain["model"])
                if one is None
                else FallbackView(**one.view())
                for plain, one in zip(stored, self._fallbacks(row), strict=True)
            ],
            failure_message=row.llm.get("failureMessage"),
            hedge_after_ms=row.llm.get("hedgeAfterMs"),
        )


def _key_at(agent_id: str) -> str:
    return f"agents:llm_key:{agent_id}"


def _headers_at(agent_id: str) -> str:
    return f"agents:llm_headers:{agent_id}"


def _query_at(agent_id: str) -> str:
    return f"agents:llm_query:{agent_id}"


def _plain_built_in(llm: BuiltIn) -> dict[str, Any]:
    return {"type": BUILT_IN, "model": llm.model}


def _params_of(server: LlmServer) -> dict[str, Any]:
    """`baseParams` as they were sent, by the contract's names."""
    if server.base_params is None:
        return {}
    return server.base_params.model_dump(by_alias=True, exclude_unset=True)


def _timeouts_of(server: LlmServer) -> dict[str, int | None] | None:
    return None if server.timeouts is None else server.timeouts.model_dump(by_alias=True)


def _endpoint_of(server: LlmServer, key: SecretStr | None) -> Endpoint:
    """What a conversation would call, before it is stored."""
    params = _params_of(server)
    return make_endpoint(
        server.base_url,
        key,
        params,
        params.get("defaultHeaders") or {},
        query=params.get("query"),
        timeouts=_timeouts_of(server),
        tell=server.tell,
    )


def _sentence(text: str) -> str:
    """`text` with a full stop, so that several read as sentences."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _apply(row: AgentRow, body: NewAgent, fields: frozenset[str]) -> None:
    for name in fields:
        value = getattr(body, name)
        setattr(row, name, value.model_dump() if isinstance(value, MessagePlan) else value)


def _manners(row: AgentRow) -> dict[str, Any]:
    """How an agent speaks and when it hangs up, as a conversation is given it."""
    plan = row.message_plan or {}
    return {
        "apply_text_normalization": row.apply_text_normalization,
        "idle_messages": _with_words(plan.get("idle_messages") or ()),
        "idle_timeout_s": plan.get("idle_timeout_seconds"),
        "idle_messages_max": plan.get("idle_message_max_spoken_count"),
        "silence_timeout_s": row.silence_timeout_seconds,
        "max_duration_s": row.max_duration_seconds,
        "end_call_message": next(iter(_with_words([row.end_call_message or ""])), None),
        "end_call_phrases": _with_words(row.end_call_phrases),
    }


def _with_words(texts: Iterable[str]) -> tuple[str, ...]:
    """Those of `texts` that can be spoken."""
    return tuple(text.strip() for text in texts if any(map(str.isalnum, text)))


def _store_llm(row: AgentRow, sealed: _Sealed) -> None:
    row.llm, row.llm_key = sealed.llm, sealed.key
    row.llm_headers, row.llm_issues = sealed.headers, list(sealed.issues)


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


def _choose_keys(
    llm: OpenAiCompatible | BuiltIn | None,
    main: _Opened | None,
    fallbacks: Sequence[_Opened | None],
) -> list[SecretStr | None]:
    """The keys an `llm` field means, its own first: those sent, else those stored."""
    if not isinstance(llm, OpenAiCompatible):
        return []
    known = [one for one in (main, *fallbacks) if one is not None]
    keys = [_choose_key(llm, main, known, "llm")]
    for n, server in enumerate(llm.fallbacks or []):
        if isinstance(server, BuiltIn):
            keys.append(None)
            continue
        same = [one for one in known if one is not main and one.url == server.base_url]
        here = fallbacks[n] if n < len(fallbacks) else None
        own = here if here in same or not same else same[0]
        keys.append(_choose_key(server, own, known, f"llm.fallbacks.{n}"))
    return keys


def _choose_key(
    server: LlmServer, own: _Opened | None, known: Sequence[_Opened], field: str
) -> SecretStr | None:
    """The key one LLM means: the one sent, or the stored one of its `own` when it sends none.

    A stored key never follows to another server: whoever may edit the agent could otherwise
    read the key by pointing `baseURL` at a server of their own.
    """
    sent = "" if server.api_key is None else server.api_key.get_secret_value()
    if "api_key" in server.model_fields_set and MASK[0] not in sent:
        return SecretStr(sent) if sent else None
    if sent:
        own = _find_masked(server, sent, [one for one in (own, *known) if one], field)
    if own is None or own.key is None:
        return None
    if origin(own.url) != origin(server.base_url):
        raise BadRequestError(
            f"{field}.baseURL points to another server than before, and the stored key is not "
            "sent to a server it was not given for",
            field=f"{field}.apiKey",
            hint=f"Send {field}.apiKey again for the new server, or null if it needs none.",
        )
    return own.key


def _find_masked(server: LlmServer, mask: str, known: Sequence[_Opened], field: str) -> _Opened:
    """Whose key `mask` stands for; of several, one of the same server."""
    found = [one for one in known if one.key and mask == mask_key(one.key.get_secret_value())]
    if not found:
        raise BadRequestError(
            f"{field}.apiKey is a mask, as responses show it, and not the mask of the stored key",
            field=f"{field}.apiKey",
            hint="Send the key itself.",
        )
    here = [one for one in found if origin(one.url) == origin(server.base_url)]
    return (here or found)[0]
