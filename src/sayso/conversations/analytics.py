"""What became of the conversations of an account, over time and for each agent.

The database joins, counts, and writes the times of each conversation into one text, in its own
thread; percentiles are taken here, for neither SQLite nor all of the others have them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, Select, String, case, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.accounts.schema import Account
from sayso.conversations.analytics_schema import (
    AgentFiguresView,
    AnalyticsView,
    Bucket,
    BucketView,
    Span,
)
from sayso.conversations.figures import Columns
from sayso.conversations.words import FAULTS
from sayso.errors import BadRequestError
from sayso.store.database import Database
from sayso.store.tables import AgentRow, ConversationRow, ExchangeRow, TurnRow

MAX_DAYS: Final = 400
"""Longest span in days."""
MAX_HOURLY_DAYS: Final = 31
"""Longest span in days that is told by the hour."""
ROWS_AT_ONCE: Final = 2000
"""Rows that are taken in before others get their turn; about 3 ms of them."""
STEPS: Final[dict[Bucket, timedelta]] = {"hour": timedelta(hours=1), "day": timedelta(days=1)}


class Analytics:
    """Counts what became of conversations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, account: Account, span: Span) -> AnalyticsView:
        """The figures of an account's conversations. Raises BadRequestError: it is too long."""
        check_span(span)
        starts = list(starts_of(span))
        places = {start: n for n, start in enumerate(starts)}
        columns, agents = Columns(), dict[str, int]()
        async with self._database.read() as session:
            async for row in _stream(session, _within(_CONVERSATIONS, account, span)):
                name, agent_id, started_at, *more = row
                agent = agents.setdefault(agent_id, len(agents))
                columns.add_conversation(name, places[floor(started_at, span.bucket)], agent, *more)
            async for row in _stream(session, _within(_TURNS, account, span)):
                columns.add_turns(*row)
            async for row in _stream(session, _within(_FIRST_TOKENS, account, span)):
                columns.add_first_tokens(*row)
            found = await session.execute(
                select(AgentRow.id, AgentRow.display_name).where(AgentRow.id.in_(agents))
            )
            names = {row[0]: row[1] for row in found.all()}
        # Sorting takes a moment, and whoever talks must not wait for it.
        return await asyncio.to_thread(_view, span, columns, starts, list(agents), names)


def check_span(span: Span) -> None:
    """Raise BadRequestError where a span is none, or too long to be counted."""
    if span.before <= span.since:
        raise BadRequestError("`to` is not later than `from`", field="to")
    days = MAX_HOURLY_DAYS if span.bucket == "hour" else MAX_DAYS
    if span.before - span.since > timedelta(days=days):
        raise BadRequestError(
            f"by the {span.bucket}, at most {days} days are counted at once",
            field="from",
            hint="Ask for less, or with `bucket=day`." if span.bucket == "hour" else None,
        )


def starts_of(span: Span) -> Iterator[datetime]:
    """The beginnings of all hours or days that a span touches."""
    start = floor(span.since, span.bucket)
    while start < span.before:
        yield start
        start += STEPS[span.bucket]


def floor(at: datetime, bucket: Bucket) -> datetime:
    """The beginning of the hour or day of a time, in UTC."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    return hour if bucket == "hour" else hour.replace(hour=0)


def _view(
    span: Span,
    columns: Columns,
    starts: Sequence[datetime],
    agents: Sequence[str],
    names: Mapping[str, str],
) -> AnalyticsView:
    of_agents = zip(agents, columns.by_agent(len(agents)), strict=True)
    return AnalyticsView(
        start=span.since,
        end=span.before,
        bucket=span.bucket,
        totals=columns.total(),
        buckets=[
            BucketView(start=start, **dict(figures))
            for start, figures in zip(starts, columns.by_bucket(len(starts)), strict=True)
        ],
        per_agent=[
            AgentFiguresView(agent_id=name, agent_name=names.get(name, ""), **dict(figures))
            for name, figures in sorted(of_agents, key=lambda one: -one[1].conversations)
        ],
    )


_CONVERSATIONS: Final = select(
    ConversationRow.id,
    ConversationRow.agent_id,
    ConversationRow.started_at,
    ConversationRow.duration_s,
    ConversationRow.end_reason,
)
_TURNS: Final = (
    select(
        TurnRow.conversation_id,
        func.count(),
        func.sum(case((TurnRow.interrupted, 1), else_=0)),
        func.aggregate_strings(cast(TurnRow.latency_ms, String), ","),
        *(func.sum(case((TurnRow.blame == fault, 1), else_=0)) for fault in FAULTS),
    )
    .join(ConversationRow, ConversationRow.id == TurnRow.conversation_id)
    .group_by(TurnRow.conversation_id)
)
_FIRST_TOKENS: Final = (
    select(
        ExchangeRow.conversation_id,
        func.aggregate_strings(cast(ExchangeRow.first_token_ms, String), ","),
    )
    .join(ConversationRow, ConversationRow.id == ExchangeRow.conversation_id)
    .where(ExchangeRow.first_token_ms.is_not(None))
    .group_by(ExchangeRow.conversation_id)
)


async def _stream(
    session: AsyncSession, query: Select[*tuple[Any, ...]]
) -> AsyncGenerator[Row[*tuple[Any, ...]]]:
    """Rows as they come, so many at a time that nobody who talks waits for them."""
    result = await session.stream(query.execution_options(yield_per=ROWS_AT_ONCE))
    async for part in result.partitions():
        for row in part:
            yield row


def _within(
    query: Select[*tuple[Any, ...]], account: Account, span: Span
) -> Select[*tuple[Any, ...]]:
    row = ConversationRow
    own = select(AgentRow.id).where(AgentRow.owner_id == account.user_id)
    query = query.where(
        row.agent_id.in_(own), row.started_at >= span.since, row.started_at < span.before
    )
    return query if span.agent_id is None else query.where(row.agent_id == span.agent_id)
