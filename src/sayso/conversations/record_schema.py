"""What the conversations of an account look like in the API: Sayso's own, beside the contract."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from sayso.conversations.schema import ConversationView, IsoTime, LineView, Role, TurnView

Rating: TypeAlias = Literal["up", "down"]
Fault: TypeAlias = Literal["caller", "owner", "llm", "operator"]
EndReason: TypeAlias = Literal[
    "caller_left",
    "line_lost",
    "silence",
    "time_up",
    "agent_done",
    "transferred",
    "server_stopped",
    "failed",
]
Outcome: TypeAlias = Literal["answered", "stopped", "failed"]


class _View(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, hide_input_in_errors=True
    )


@dataclass(frozen=True, slots=True)
class Filters:
    """Which conversations are wanted; None leaves it open.

    Attributes:
        agent_id: of this agent.
        since, before: those that began from then on, and before then.
        end_reason: those that ended so; `under_way` for those that have not.
        fault: those with a failure that this one must mend.
        rating: those rated so; `none` for those without a rating.
        min_seconds: those that lasted so long.
        query: those in which this was said, in any case, or with this caller id or id.
    """

    agent_id: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    end_reason: str | None = None
    fault: str | None = None
    rating: str | None = None
    min_seconds: float | None = None
    query: str | None = None


class RecordView(ConversationView):
    """One conversation, as its account lists it."""

    agent_id: str
    agent_name: str
    under_way: bool
    end_reason_in_words: str = Field(description="`endReason`, or that it is under way.")
    rating: Rating | None
    has_recording: bool = Field(description="There is sound to listen to.")
    recording_lost: bool = Field(
        description="The recording was given up: the disk was too slow or full."
    )
    share_token: str | None = Field(description="Of the shared page; null while it is not shared.")
    faults: list[Fault] = Field(description="Who must act for its failures to go away.")
    turns: int = Field(description="How many replies the caller was given.")
    opening: str = Field(description="The first words of the caller; empty before they spoke.")


class ResponseView(_View):
    """What an LLM answered: its text as it came, and the functions it called."""

    content: str
    calls: list[CallView]


class CallView(_View):
    """A function that an LLM called; secret arguments are masked."""

    name: str
    arguments: str


class ExchangeView(_View):
    """One request to an LLM, and its answer. No header is kept; secrets are masked."""

    id: str
    reply: int = Field(description="The number of the reply (`number` of a turn) it was for.")
    at: IsoTime = Field(description="When it was over.")
    llm: str = Field(description="The URL that was called, or `built-in`.")
    model: str
    outcome: Outcome
    finding: str | None = Field(description="Why it failed: a code of the LLM findings.")
    status: int | None = Field(description="The HTTP status of the answer, if one came.")
    first_token_ms: float | None = Field(
        description="From sending to the first word or call, in milliseconds."
    )
    total_ms: float = Field(description="From sending to the end, in milliseconds.")
    request: JsonValue = Field(description="The body as it was sent; its beginning, if it was cut.")
    request_cut: bool
    response: ResponseView
    response_cut: bool


class RatingBody(_View):
    """Thumbs; null takes them back."""

    rating: Rating | None


class ShareView(_View):
    """Where a shared conversation is found."""

    token: str
    url: str


class SharedLineView(_View):
    """A line of a shared transcript."""

    role: Role
    content: str
    start_seconds: float | None


class SharedTurnView(_View):
    """A turn of a shared conversation: only its times."""

    number: int
    timings: dict[str, float]
    timestamp: IsoTime


class SharedView(_View):
    """A conversation as whoever has its link sees it."""

    agent_name: str
    started_at: IsoTime
    ended_at: IsoTime | None
    duration_in_seconds: int | None
    end_reason_in_words: str
    has_recording: bool
    transcript: list[SharedLineView]
    turns: list[SharedTurnView]


class ExportView(_View):
    """All that is kept of a conversation but its sound."""

    conversation: RecordView
    transcript: list[LineView]
    turns: list[TurnView]
    exchanges: list[ExchangeView]
