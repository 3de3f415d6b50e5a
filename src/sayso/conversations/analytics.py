"""What became of the conversations of an account, over time and for each agent.

The database finds and joins; percentiles are taken here, for neither SQLite nor all of the others
have them. Three queries, each over columns that an index holds or that are read in one pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.accounts.schema import Account
from sayso.conversations.analytics_schema import (
    AgentFiguresView,
    AnalyticsView,
    Bucket,
    BucketView,
    Span,
)
from sayso.conversations.figures import Tally
from sayso.errors import BadRequestError
from sayso.store.database import Database
from sayso.store.tables import AgentRow, ConversationRow, ExchangeRow, TurnRow

MAX_DAYS: Final = 400
"""Longest span in days."""
MAX_HOURLY_DAYS: Final = 31
"""Longest span in days that is told by the hour."""
STEPS: Final[dict[Bucket, timedelta]] = {"hour": timedelta(hours=1), "day": timedelta(days=1)}


class Analytics:
    """Counts what became of conversations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, account: Account, span: Span) -> AnalyticsView:
        """The figures of an account's conversations. Raises BadRequestError: it is too long."""
        check_span(span)
        async with self._database.read() as session:
            count = _Count(span)
            for one in await _conversations(session, account, span):
                count.add_conversation(*one)
            for turn in await _turns(session, account, span):
                count.add_turn(*turn)
            for exchange in await _first_tokens(session, account, span):
                count.add_first_token(*exchange)
            names = await session.execute(
                select(AgentRow.id, AgentRow.display_name).where(AgentRow.id.in_(count.agents))
            )
            return count.view({row[0]: row[1] for row in names.all()})


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


class _Count:
    """Three tallies at once: of all, of each bucket, of each agent."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self._all = Tally()
        self._buckets = {start: Tally() for start in starts_of(span)}
        self.agents: dict[str, Tally] = {}
        self._tallies: dict[str, tuple[Tally, Tally, Tally]] = {}

    def add_conversation(
        self,
        conversation_id: str,
        agent_id: str,
        started_at: datetime,
        duration_s: float | None,
        end_reason: str | None,
    ) -> None:
        bucket = self._buckets[floor(started_at, self._span.bucket)]
        agent = self.agents.setdefault(agent_id, Tally())
        tallies = self._tallies[conversation_id] = (self._all, bucket, agent)
        for tally in tallies:
            tally.add_conversation(duration_s, end_reason)

    def add_turn(
        self, conversation_id: str, latency_ms: float | None, interrupted: bool, blame: str | None
    ) -> None:
        for tally in self._tallies.get(conversation_id, ()):
            tally.add_turn(latency_ms, blame, interrupted=interrupted)

    def add_first_token(self, conversation_id: str, first_token_ms: float) -> None:
        for tally in self._tallies.get(conversation_id, ()):
            tally.first_tokens.append(first_token_ms)

    def view(self, names: dict[str, str]) -> AnalyticsView:
        busiest = sorted(self.agents.items(), key=lambda one: -one[1].conversations)
        return AnalyticsView(
            start=self._span.since,
            end=self._span.before,
            bucket=self._span.bucket,
            totals=self._all.view(),
            buckets=[
                BucketView(start=start, **tally.view().model_dump())
                for start, tally in self._buckets.items()
            ],
            per_agent=[
                AgentFiguresView(
                    agent_id=agent_id,
                    agent_name=names.get(agent_id, ""),
                    **tally.view().model_dump(),
                )
                for agent_id, tally in busiest
            ],
        )


async def _conversations(
    session: AsyncSession, account: Account, span: Span
) -> Sequence[Row[*tuple[Any, ...]]]:
    row = ConversationRow
    query = select(row.id, row.agent_id, row.started_at, row.duration_s, row.end_reason)
    return (await session.execute(_within(query, account, span))).all()


async def _turns(
    session: AsyncSession, account: Account, span: Span
) -> Sequence[Row[*tuple[Any, ...]]]:
    query = select(
        TurnRow.conversation_id, TurnRow.latency_ms, TurnRow.interrupted, TurnRow.blame
    ).join(ConversationRow, ConversationRow.id == TurnRow.conversation_id)
    return (await session.execute(_within(query, account, span))).all()


async def _first_tokens(
    session: AsyncSession, account: Account, span: Span
) -> Sequence[Row[*tuple[Any, ...]]]:
    query = (
        select(ExchangeRow.conversation_id, ExchangeRow.first_token_ms)
        .join(ConversationRow, ConversationRow.id == ExchangeRow.conversation_id)
        .where(ExchangeRow.first_token_ms.is_not(None))
    )
    return (await session.execute(_within(query, account, span))).all()


def _within(
    query: Select[*tuple[Any, ...]], account: Account, span: Span
) -> Select[*tuple[Any, ...]]:
    row = ConversationRow
    own = select(AgentRow.id).where(AgentRow.owner_id == account.user_id)
    query = query.where(
        row.agent_id.in_(own), row.started_at >= span.since, row.started_at < span.before
    )
    return query if span.agent_id is None else query.where(row.agent_id == span.agent_id)
