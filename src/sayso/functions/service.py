"""Keeps external functions: makes, changes, reads, deletes and tries them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import cast
from urllib.parse import urlsplit

import structlog
from sqlalchemy import String, func, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.accounts.schema import Account
from sayso.bodies import FieldWarning
from sayso.clock import Clock
from sayso.errors import BadRequestError, ConflictError, ForbiddenError, NotFoundError
from sayso.functions.call import Called, HttpCalls
from sayso.functions.definition import Function
from sayso.functions.fit import find_misfits
from sayso.functions.safe import (
    FunctionSafe,
    Kept,
    refuse_to_carry,
    restore,
    show_url,
    take_apart,
)
from sayso.functions.schema import (
    DeletedFunction,
    FunctionChanges,
    FunctionView,
    MetadataView,
    Method,
    NewFunction,
    NewTrial,
    SentView,
    Subtype,
    TrialView,
    list_ignored,
)
from sayso.security.outbound import OutboundError, refuse_literal
from sayso.security.secrets import Secrets
from sayso.store.database import Database
from sayso.store.identifiers import is_id, new_id
from sayso.store.tables import AgentRow, FunctionRow

_PLAIN_FIELDS = frozenset({"name", "description", "method", "subtype", "timeout_seconds", "filler"})
"""Fields stored as they come."""

_log = structlog.get_logger(__name__)


class Functions:
    """The external functions of this installation."""

    def __init__(
        self,
        database: Database,
        secrets: Secrets,
        clock: Clock,
        *,
        calls: HttpCalls,
        private: bool,
        max_functions: int,
    ) -> None:
        """`private` is the setting `outbound_private`; `max_functions` is per account."""
        self._database = database
        self._safe = FunctionSafe(secrets)
        self._clock = clock
        self._calls = calls
        self._private = private
        self._max_functions = max_functions

    async def create(self, account: Account, body: NewFunction) -> FunctionView:
        """Make a function; its endpoint is not called.

        Raises:
            BadRequestError: what was sent does not fit together, or may not be called.
            ConflictError: the account has as many functions as it may.
        """
        kept = restore(take_apart(body.endpoint_url, body.parameters), None)
        self._check(kept)
        now = self._clock.utc()
        row = FunctionRow(
            id=new_id(),
            owner_id=account.user_id,
            created_at=now,
            updated_at=now,
            requires_confirmation=False,
        )
        _apply(row, body, _PLAIN_FIELDS | {"metadata"})
        self._safe.put(row, kept)
        async with self._database.write() as session:
            await self._refuse_too_many(session, account.user_id)
            session.add(row)
        _tell("function_saved", account, row.id)
        return self._view(row, list_ignored(body))

    async def update(
        self, account: Account, function_id: str, body: FunctionChanges
    ) -> FunctionView:
        """Change the fields that were sent.

        Raises:
            BadRequestError: what was sent does not fit, or a stored value would be sent to another
                server.
            NotFoundError, ForbiddenError: no such function of this account.
        """
        async with self._database.write() as session:
            row = await _own_row(session, account, function_id, lock=True)
            if body.model_fields_set & {"endpoint_url", "parameters"}:
                kept = _merge(self._safe.open(row), body)
                self._check(kept)
                self._safe.put(row, kept)
            _apply(row, body, (_PLAIN_FIELDS | {"metadata"}) & body.model_fields_set)
            row.updated_at = self._clock.utc()
        _tell("function_saved", account, function_id)
        return self._view(row, list_ignored(body))

    async def get(self, account: Account, function_id: str) -> FunctionView:
        """Read one function. Raises NotFoundError, ForbiddenError."""
        async with self._database.read() as session:
            return self._view(await _own_row(session, account, function_id))

    async def read_all(self, account: Account) -> list[FunctionView]:
        """Read all functions of the account, newest first."""
        query = (
            select(FunctionRow)
            .where(FunctionRow.owner_id == account.user_id)
            .order_by(FunctionRow.created_at.desc(), FunctionRow.id.desc())
        )
        async with self._database.read() as session:
            return [self._view(row) for row in (await session.scalars(query)).all()]

    async def delete(self, account: Account, function_id: str) -> DeletedFunction:
        """Delete a function, and take it out of its agents' `actions`.

        Conversations under way keep it. Raises NotFoundError, ForbiddenError.
        """
        async with self._database.write() as session:
            row = await _own_row(session, account, function_id, lock=True)
            agents = await _find_users(session, account, function_id)
            for agent in agents:
                agent.actions = [one for one in agent.actions if one != function_id]
                agent.updated_at = self._clock.utc()
            await session.delete(row)
        _tell("function_deleted", account, function_id)
        return DeletedFunction(id=function_id, removed_from=[agent.id for agent in agents])

    async def try_out(self, account: Account, function_id: str, body: NewTrial) -> TrialView:
        """Call a function once, for real. Raises NotFoundError, ForbiddenError."""
        async with self._database.read() as session:
            row = await _own_row(session, account, function_id)
        called = await self._calls.call(self._safe.function(row), json.dumps(body.arguments))
        return _view_trial(called)

    async def load(self, owner_id: str, function_ids: Iterable[str]) -> Sequence[Function]:
        """Read functions for a conversation, in this order, each once.

        What is gone, or another's, is left out. Raises InstallationError: one was sealed with
        another master key.
        """
        wanted = list(dict.fromkeys(function_ids))
        if not wanted:
            return ()
        query = select(FunctionRow).where(
            FunctionRow.owner_id == owner_id, FunctionRow.id.in_(wanted)
        )
        async with self._database.read() as session:
            rows = {row.id: row for row in (await session.scalars(query)).all()}
        return [self._safe.function(rows[one]) for one in wanted if one in rows]

    def _check(self, kept: Kept) -> None:
        """Refuse what does not fit together, or may not be called. Raises BadRequestError."""
        misfits = find_misfits(kept.url, kept.read())
        if misfits:
            details = tuple(
                dict[str, object](message=f"{one.field} {one.problem}.", field=one.field)
                for one in misfits
            )
            raise BadRequestError(
                " ".join(str(one["message"]) for one in details),
                field=misfits[0].field,
                details=details if len(details) > 1 else (),
            )
        try:
            refuse_literal(urlsplit(kept.url).hostname or "", private=self._private)
        except OutboundError as error:
            raise BadRequestError(
                f"endpointUrl cannot be called: {error.strerror}",
                field="endpointUrl",
                hint="Give the URL of a server that may be called.",
            ) from error

    async def _refuse_too_many(self, session: AsyncSession, user_id: str) -> None:
        count = select(func.count()).where(FunctionRow.owner_id == user_id)
        if (await session.scalar(count) or 0) >= self._max_functions:
            raise ConflictError(
                f"the account has {self._max_functions} external functions, which is the most it "
                "may have",
                hint="Delete one, or ask the operator to raise SAYSO_MAX_FUNCTIONS.",
            )

    def _view(self, row: FunctionRow, warnings: Sequence[FieldWarning] = ()) -> FunctionView:
        kept = self._safe.open(row)
        return FunctionView(
            id=row.id,
            name=row.name,
            description=row.description,
            endpoint_url=show_url(kept.url),
            method=cast("Method", row.method),
            parameters=kept.view(),
            subtype=cast("Subtype", row.subtype),
            metadata=MetadataView(tool_requires_confirmation=row.requires_confirmation),
            timeout_seconds=row.timeout_seconds,
            filler=row.filler,
            warnings=[*warnings],
        )


def _tell(event: str, account: Account, function_id: str) -> None:
    _log.info(event, function_id=function_id, account_id=account.user_id)


def _apply(row: FunctionRow, body: NewFunction, fields: frozenset[str]) -> None:
    for name in fields - {"metadata"}:
        setattr(row, name, getattr(body, name))
    if "metadata" in fields:
        asks = body.metadata is not None and body.metadata.tool_requires_confirmation
        row.requires_confirmation = asks


def _merge(stored: Kept, body: FunctionChanges) -> Kept:
    """What a function is made of after a change, its masks resolved. Raises BadRequestError."""
    sent = body.model_fields_set
    url = body.endpoint_url if "endpoint_url" in sent else show_url(stored.url)
    if "parameters" in sent:
        return restore(take_apart(url, body.parameters), stored)
    refuse_to_carry(stored, url)
    kept = restore(Kept(url, [], []), stored)
    return Kept(kept.url, stored.parameters, stored.values)


def _view_trial(called: Called) -> TrialView:
    outcome = called.outcome
    return TrialView(
        ok=outcome.ok,
        result=outcome.text,
        finding=outcome.finding,
        sent=None if called.sent is None else SentView(**asdict(called.sent)),
        status=called.status,
        ms=outcome.ms,
        tries=called.tries,
    )


async def _find_users(
    session: AsyncSession, account: Account, function_id: str
) -> Sequence[AgentRow]:
    """The account's agents that have a function among their actions."""
    named = sql_cast(AgentRow.actions, String).contains(f'"{function_id}"', autoescape=True)
    query = (
        select(AgentRow)
        .where(AgentRow.owner_id == account.user_id, named)
        .order_by(AgentRow.id)
        .with_for_update()
    )
    return (await session.scalars(query)).all()


async def _own_row(
    session: AsyncSession, account: Account, function_id: str, *, lock: bool = False
) -> FunctionRow:
    if not is_id(function_id):
        raise NotFoundError("there is no such external function")
    row = await session.get(FunctionRow, function_id, with_for_update=lock or None)
    if row is None:
        raise NotFoundError(
            f"there is no external function {function_id!r}",
            hint="`GET /api/v1/external-functions` lists yours.",
        )
    if row.owner_id != account.user_id:
        raise ForbiddenError(f"external function {function_id!r} belongs to another account")
    return row
