"""Rows of conversations, as they are answered."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import cast

from pydantic import JsonValue

from sayso.conversations.record_schema import (
    CallView,
    ExchangeView,
    ExportView,
    Fault,
    Outcome,
    Rating,
    RecordView,
    ResponseView,
    SharedLineView,
    SharedTurnView,
    SharedView,
)
from sayso.conversations.schema import (
    ConversationView,
    EndedBy,
    LineView,
    MessageView,
    Role,
    TurnView,
)
from sayso.conversations.words import FAULTS, say_end
from sayso.store.tables import ConversationRow, ExchangeRow, LineRow, TurnRow

OPENING_CHARS = 200
"""Of a caller's first words, so many are shown in a list."""


def has_recording(row: ConversationRow) -> bool:
    """Whether there is sound to listen to."""
    return row.ended_at is not None and row.recording in ("raw", "ready")


def conversation_view(row: ConversationRow) -> ConversationView:
    """A conversation, as the contract has it."""
    return ConversationView(
        id=row.id,
        source=row.source,
        caller_email=row.caller_email,
        caller_id=row.caller_id,
        started_at=row.started_at,
        ended_at=row.ended_at,
        duration_in_seconds=None if row.duration_s is None else round(row.duration_s),
        ended_by=cast("EndedBy | None", row.ended_by),
        end_reason=row.end_reason,
        error_code=row.error_code,
        messages=[
            MessageView(
                message=left["message"],
                name=left["name"],
                phone_number=left["phone_number"],
                timestamp=left["at"],
            )
            for left in row.messages or ()
        ],
    )


def record_view(
    row: ConversationRow, agent_name: str, faults: Collection[str], turns: int, opening: str
) -> RecordView:
    """A conversation, as its account lists it."""
    over = row.ended_at is not None
    return RecordView(
        **conversation_view(row).model_dump(),
        agent_id=row.agent_id,
        agent_name=agent_name,
        under_way=not over,
        end_reason_in_words=say_end(row.end_reason, over=over),
        rating=cast("Rating | None", row.rating),
        has_recording=has_recording(row),
        recording_lost=row.recording == "lost",
        share_token=row.share_token,
        faults=[cast("Fault", fault) for fault in FAULTS if fault in faults],
        turns=turns,
        opening=opening[:OPENING_CHARS],
    )


def line_view(row: LineRow, started_at: datetime) -> LineView:
    """A line of a transcript, in a conversation that began at `started_at`."""
    return LineView(
        id=row.id,
        role=cast("Role", row.role),
        content=row.content,
        timestamp=row.at,
        start_seconds=_since(row.began_at, started_at),
    )


def turn_view(row: TurnRow) -> TurnView:
    """Where the time of a turn went."""
    return TurnView(id=row.id, number=row.number, timings=row.timings, timestamp=row.at)


def exchange_view(row: ExchangeRow) -> ExchangeView:
    """What an LLM was asked, and answered."""
    request = zlib.decompress(row.request).decode()
    return ExchangeView(
        id=row.id,
        reply=row.reply,
        at=row.at,
        llm=row.llm,
        model=row.model,
        outcome=cast("Outcome", row.outcome),
        finding=row.finding,
        status=row.status,
        first_token_ms=row.first_token_ms,
        total_ms=row.total_ms,
        request=request if row.request_cut else _read_request(request),
        request_cut=row.request_cut,
        response=_response_view(json.loads(zlib.decompress(row.response))),
        response_cut=row.response_cut,
    )


def write_exchanges(views: Sequence[ExchangeView]) -> bytes:
    """Exchanges as JSON, one after the other: nothing else in the process runs during one."""
    return b"[" + b",".join(one.model_dump_json(by_alias=True).encode() for one in views) + b"]"


def write_export(view: ExportView) -> bytes:
    """An export as JSON, in the same way."""
    rest = view.model_dump_json(by_alias=True, exclude={"exchanges"}).encode()
    return rest[:-1] + b',"exchanges":' + write_exchanges(view.exchanges) + b"}"


def _read_request(request: str) -> JsonValue:
    """A request that was stored; one that earlier versions damaged is text."""
    try:
        return cast("JsonValue", json.loads(request))
    except ValueError:
        return request


def _response_view(kept: dict[str, list[dict[str, str]] | str]) -> ResponseView:
    calls = cast("list[dict[str, str]]", kept["calls"])
    return ResponseView(content=str(kept["content"]), calls=[CallView(**call) for call in calls])


def shared_view(
    row: ConversationRow, agent_name: str, lines: Sequence[LineRow], turns: Sequence[TurnRow]
) -> SharedView:
    """A conversation for whoever has its link: nothing of LLMs, functions and who called."""
    return SharedView(
        agent_name=agent_name,
        started_at=row.started_at,
        ended_at=row.ended_at,
        duration_in_seconds=None if row.duration_s is None else round(row.duration_s),
        end_reason_in_words=say_end(row.end_reason, over=row.ended_at is not None),
        has_recording=has_recording(row),
        transcript=[
            SharedLineView(
                role=cast("Role", line.role),
                content=line.content,
                start_seconds=_since(line.began_at, row.started_at),
            )
            for line in lines
        ],
        turns=[
            SharedTurnView(number=turn.number, timings=_times(turn), timestamp=turn.at)
            for turn in turns
        ],
    )


def _times(turn: TurnRow) -> dict[str, float]:
    return {
        name: value
        for name, value in turn.timings.items()
        if name.endswith("_s") and isinstance(value, int | float)
    }


def _since(at: datetime | None, started_at: datetime) -> float | None:
    return None if at is None else max(0.0, round((at - started_at).total_seconds(), 3))
