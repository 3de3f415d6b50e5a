"""What analytics look like in the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from sayso.conversations.schema import IsoTime

Bucket: TypeAlias = Literal["hour", "day"]


@dataclass(frozen=True, slots=True)
class Span:
    """What is counted: conversations that began from `since` on and before `before`, in UTC."""

    since: datetime
    before: datetime
    bucket: Bucket
    agent_id: str | None = None


class _View(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)


class LatencyView(_View):
    """From the end of the caller's speech to the first sound of the answer, in milliseconds."""

    p50: float | None
    p90: float | None
    p95: float | None


class FirstTokenView(_View):
    """From asking an LLM to its first word, in milliseconds."""

    p50: float | None
    p95: float | None


class FailuresView(_View):
    """Replies and conversations that failed, by who must act for it not to happen again."""

    caller: int
    owner: int
    llm: int
    operator: int


class FiguresView(_View):
    """What is counted; percentiles are null where nothing was measured."""

    conversations: int = Field(description="Those under way are among them.")
    minutes: float = Field(description="Of conversations that have ended.")
    turns: int = Field(description="Replies the caller was given, greetings among them.")
    latency_ms: LatencyView
    first_token_ms: FirstTokenView
    interruptions: int = Field(description="Replies that the caller cut off.")
    failures: FailuresView


class BucketView(FiguresView):
    """An hour or a day, in UTC; a turn counts where its conversation began."""

    start: IsoTime


class AgentFiguresView(FiguresView):
    """One agent."""

    agent_id: str
    agent_name: str


class AnalyticsView(_View):
    """What became of conversations; hours and days without any are among the buckets."""

    start: IsoTime
    end: IsoTime
    bucket: Bucket
    totals: FiguresView
    buckets: list[BucketView]
    per_agent: list[AgentFiguresView] = Field(description="The one with most conversations first.")
