"""A check as server-sent events: each stage and finding as it comes, then the whole report.

What is refused before anything was told is answered as without a stream. Whoever leaves ends the
check.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Final

import structlog
from fastapi import Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, TypeAdapter

from sayso.agents.issues import LlmIssue
from sayso.agents.reports import LlmCheckView, LlmStageView, Step, Tell
from sayso.errors import RefusedError

SSE: Final = "text/event-stream"
FIRST_S: Final = 1.0
"""How long the first event or a refusal is waited for before the answer begins, in seconds."""
STREAM_RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            SSE: {
                "schema": {
                    "type": "string",
                    "description": "With `Accept: text/event-stream`: `stage` (LlmStageView; a "
                    "later one of the same name corrects it) and `finding` (LlmIssue) as they "
                    "come, then `report` (what JSON answers), or `error` (ErrorBody).",
                }
            }
        }
    }
}

_ISSUE: TypeAdapter[LlmIssue] = TypeAdapter(LlmIssue)
_log = structlog.get_logger(__name__)


def wants_events(request: Request) -> bool:
    """Whether who asks wants to watch."""
    return SSE in request.headers.get("accept", "")


async def watch(check: Callable[[Tell], Awaitable[LlmCheckView]]) -> StreamingResponse:
    """`check` as a stream. Raises what it raises before it told anything."""
    told: asyncio.Queue[Step | None] = asyncio.Queue()
    work = asyncio.create_task(_watched(check, told))
    first = asyncio.create_task(told.get())
    try:
        await asyncio.wait([first], timeout=FIRST_S)
        if first.done() and first.result() is None and work.exception() is not None:
            await work
    except BaseException:
        await _end(first, work)
        raise
    return StreamingResponse(_stream(told, first, work), 200, {"Cache-Control": "no-cache"}, SSE)


async def _watched(
    check: Callable[[Tell], Awaitable[LlmCheckView]], told: asyncio.Queue[Step | None]
) -> LlmCheckView:
    try:
        return await check(told.put_nowait)
    finally:
        told.put_nowait(None)


async def _stream(
    told: asyncio.Queue[Step | None],
    first: asyncio.Task[Step | None],
    work: asyncio.Task[LlmCheckView],
) -> AsyncGenerator[str, None]:
    try:
        step = await first
        while step is not None:
            yield _show(step)
            step = await told.get()
        yield _close(await _result(work))
    finally:
        await _end(first, work)


async def _result(work: asyncio.Task[LlmCheckView]) -> LlmCheckView | RefusedError:
    """What the check found, or why there is nothing."""
    try:
        return await work
    except RefusedError as error:
        return error
    except Exception:  # noqa: BLE001 - the status is sent already; the stream says it
        _log.exception("llm_check_stream_failed")
        return RefusedError("something is wrong on this server; its log says what")


async def _end(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _show(step: Step) -> str:
    if isinstance(step, LlmStageView):
        return _event("stage", _json(step))
    return _event("finding", _ISSUE.dump_json(step).decode())


def _close(end: LlmCheckView | RefusedError) -> str:
    if isinstance(end, LlmCheckView):
        return _event("report", _json(end))
    body = {
        "errorMessage": end.message,
        "errorId": end.error_id,
        "message": end.message,
        "hint": end.hint,
        "field": end.field,
    }
    return _event("error", json.dumps(body))


def _json(view: BaseModel) -> str:
    return view.model_dump_json(by_alias=True)


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"
