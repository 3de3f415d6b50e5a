"""What a conversation and its transcript look like in the API (contract §2.5)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from sayso.errors import BadRequestError

FIRST_YEAR, LAST_YEAR = 1970, 9000
"""Between them are the times that queries may ask for."""

Role: TypeAlias = Literal["assistant", "user"]
Fact: TypeAlias = int | float | str | None
EndedBy: TypeAlias = Literal["user", "agent", "error", "system"]


def to_iso(at: datetime) -> str:
    """A time as the contract writes it: UTC, ISO-8601, milliseconds, `Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _written_out(at: object) -> object:
    """Refuse a bare number: it would be taken for seconds since 1970, which nobody offered."""
    try:
        float(at)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return at
    raise ValueError("is not a date and a time")


QueryTime: TypeAlias = Annotated[datetime, BeforeValidator(_written_out)]
"""A time in a query, written as ISO-8601 says."""


def in_utc(at: datetime | None, field: str) -> datetime | None:
    """The time `field` of a query in UTC; one without a zone is meant so.

    Raises:
        BadRequestError: it is so far away that no time before or behind it can be told.
    """
    if at is None:
        return None
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise BadRequestError(
            f"`{field}` is not a time between the years {FIRST_YEAR} and {LAST_YEAR}", field=field
        )
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


IsoTime = Annotated[
    datetime,
    PlainSerializer(to_iso, return_type=str),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2024-05-01T12:00:00.000Z"]}
    ),
]


_EXTENSION: dict[str, JsonValue] = {"x-sayso-extension": True}


class _View(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, hide_input_in_errors=True
    )


class MessageView(_View):
    """What a caller left for the owner of the agent; empty where they did not say."""

    message: str
    name: str
    phone_number: str
    timestamp: str = Field(json_schema_extra={"format": "date-time"})


class ConversationView(_View):
    """One conversation; `endedAt` and `durationInSeconds` are null while it lasts."""

    id: str
    source: str
    caller_email: str | None
    caller_id: str | None = Field(
        description="Who called, as the client said (`callerId` of `setup`).",
        json_schema_extra={"x-sayso-extension": True},
    )
    started_at: IsoTime
    ended_at: IsoTime | None
    duration_in_seconds: int | None
    ended_by: EndedBy | None = Field(
        description="Who ended it; null while it lasts.", json_schema_extra=_EXTENSION
    )
    end_reason: str | None = Field(
        description="Why: `caller_left`, `line_lost`, `silence`, `time_up`, `agent_done`, "
        "`transferred`, `server_stopped` or `failed`.",
        json_schema_extra=_EXTENSION,
    )
    error_code: int | None = Field(
        description="The code of the `error` that ended it.", json_schema_extra=_EXTENSION
    )
    messages: list[MessageView] = Field(
        description="What the caller left for you, where the agent may take messages "
        "(`leave-message` in its `builtInActions`).",
        json_schema_extra=_EXTENSION,
    )


class LineView(_View):
    """One line of a transcript."""

    id: str
    role: Role
    content: str
    timestamp: IsoTime
    start_seconds: float | None = Field(
        description="When it began to be spoken, in seconds of the conversation and of its "
        "recording; null if that is not known.",
        json_schema_extra=_EXTENSION,
    )


class TurnView(_View):
    """How long each step of one turn took, in the units its names carry (`_ms`, `_s`)."""

    id: str
    number: int
    timings: dict[str, Fact | list[dict[str, Fact]]] = Field(
        description="Seconds from the end of the caller's speech to each step, in their order: "
        "`transcript_s`, `endpoint_s`, `retrieval_s`, `first_call_s`, `calls_done_s`, "
        "`llm_first_token_s`, "
        "`first_clause_s`, `tts_first_sound_s`, `first_sound_sent_s`, `text_complete_s`, "
        "`played_s` or `interrupted_s`. Facts: `sound_made_s`, `sound_sent_s`, "
        "`sound_heard_s`, `holds`, "
        "`line` (a reply without an LLM), `llm` (which LLM spoke: its base URL and model, or "
        "`built-in`; `built-in-extractive` stands in for a model beside the server that is down), "
        "`llm_resting` (the agent's own LLM keeps failing: a fallback that does "
        "not was asked before it), `failure`, "
        "`mishaps` (failures that another try or another LLM may have made up for), `blame` (who "
        "must act), `drafts_dropped`, `transcripts_dropped`, "
        "`replies_unheard`, `retrieval` (`late`: the answer did not wait for it), `passages` "
        "(what was found in the agent's knowledge: `id`, `source`, `url`, `page`, `score`), "
        "`tools` (`late`: the LLM was asked while tools of an MCP server were still on their way), "
        "`fillers` (how often the caller was asked to wait for a function), "
        "`calls` (the functions that were called: `name`, `arguments` without secrets, `result`, "
        "`ok`, `ms`, `finding`, `began_s`, `ended_s` of each), "
        "`grounds` (of an agent that answers only from its knowledge: `firm`, `thin`, `none`, "
        "`late` or `unknown`; with `none` the LLM was not asked; with `late` it could not be told "
        "in time, and the LLM was told not to guess; with `unknown` there was nothing to look "
        "for: small talk, or no question).",
        examples=[{"endpoint_s": 0.45, "first_sound_sent_s": 0.64}],
    )
    timestamp: IsoTime
