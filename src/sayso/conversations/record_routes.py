"""The conversations of an account by REST, and those it shares."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Response
from starlette.responses import FileResponse

from sayso.accounts.access import Access
from sayso.accounts.schema import Account
from sayso.conversations.record_schema import (
    EndReason,
    ExchangeView,
    ExportView,
    Fault,
    Filters,
    Rating,
    RatingBody,
    RecordView,
    SharedView,
    ShareView,
)
from sayso.conversations.recordings import MEDIA_TYPE, Recordings
from sayso.conversations.records import Records
from sayso.conversations.schema import QueryTime, in_utc
from sayso.conversations.views import write_exchanges, write_export
from sayso.store.paging import PAGE_RESPONSE, PageRequest, page_request

_CONVERSATION = Path(alias="conversationId", description="The conversation's id.")
_TOKEN = Path(alias="token", description="Of the shared link.")
_EXTENSION: dict[str, Any] = {"x-sayso-extension": True}
_PUBLIC: dict[str, Any] = {**_EXTENSION, "security": []}
_SOUND: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        "description": "FLAC, two channels: left the caller, right the agent.",
    },
    206: {
        "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        "description": "The part that `Range` asked for.",
    },
}
_JSON = "application/json"
_ROOT = "/conversations"
_ONE = _ROOT + "/{conversationId}"

MAX_QUERY_CHARS = 200
"""Longest text that is searched for, in characters."""


def read_filters(
    agent_id: str | None = Query(None, alias="agentId", description="Only of this agent."),
    since: QueryTime | None = Query(
        None, alias="from", description="Only what began from then on."
    ),
    before: QueryTime | None = Query(None, alias="to", description="Only what began before then."),
    end_reason: EndReason | Literal["under_way"] | None = Query(
        None, alias="endReason", description="Only what ended so, or is under way."
    ),
    fault: Fault | None = Query(
        None, description="Only what had a failure that this one must mend."
    ),
    rating: Rating | Literal["none"] | None = Query(None, description="Only what is rated so."),
    min_seconds: float | None = Query(
        None, alias="minSeconds", ge=0, description="Only what lasted so long."
    ),
    query: str | None = Query(
        None,
        max_length=MAX_QUERY_CHARS,
        description="Only where this was said, in any case; or with this caller, or this id.",
    ),
) -> Filters:
    """Reads the filters of a list."""
    return Filters(
        agent_id,
        in_utc(since, "from"),
        in_utc(before, "to"),
        end_reason,
        fault,
        rating,
        min_seconds,
        query,
    )


def record_routes(records: Records, recordings: Recordings, access: Access) -> APIRouter:
    """The routes below `/api/v1/conversations`."""
    router = APIRouter(tags=["conversations"])
    anybody = access.account()

    @router.get(
        _ROOT,
        summary="List your conversations",
        responses=PAGE_RESPONSE,
        openapi_extra=_EXTENSION,
    )
    async def list_records(
        response: Response,
        filters: Filters = Depends(read_filters),
        request: PageRequest = Depends(page_request),
        account: Account = Depends(anybody),
    ) -> list[RecordView]:
        """With all your agents, newest first; those under way as well."""
        page = await records.page(account, filters, request)
        response.headers.update(page.headers())
        return list(page.rows)

    @router.get(_ONE, summary="Read one of your conversations", openapi_extra=_EXTENSION)
    async def get_record(
        conversation_id: str = _CONVERSATION, account: Account = Depends(anybody)
    ) -> RecordView:
        """Whichever agent it was with."""
        return await records.get(account, conversation_id)

    @router.delete(_ONE, status_code=204, summary="Delete a conversation", openapi_extra=_EXTENSION)
    async def delete_record(
        conversation_id: str = _CONVERSATION, account: Account = Depends(anybody)
    ) -> None:
        """With its recording, and all else that is kept of it; not while it is under way."""
        await records.delete(account, conversation_id)

    @router.get(
        _ONE + "/recording",
        summary="Listen to a conversation",
        response_class=FileResponse,
        responses=_SOUND,
        openapi_extra=_EXTENSION,
    )
    async def get_recording(
        conversation_id: str = _CONVERSATION, account: Account = Depends(anybody)
    ) -> FileResponse:
        """Once it has ended; zero is its start. `Range` is answered."""
        row = await records.check(account, conversation_id)
        return _send(await recordings.find(row), f"conversation-{row.id}.flac")

    @router.get(
        _ONE + "/exchanges",
        summary="Read what LLMs were asked",
        response_model=list[ExchangeView],
        openapi_extra=_EXTENSION,
    )
    async def list_exchanges(
        conversation_id: str = _CONVERSATION, account: Account = Depends(anybody)
    ) -> Response:
        """Each request to an LLM as it was sent, without headers, and its answer as it came."""
        found = await records.exchanges(account, conversation_id)
        return Response(await asyncio.to_thread(write_exchanges, found), media_type=_JSON)

    @router.put(_ONE + "/rating", summary="Rate a conversation", openapi_extra=_EXTENSION)
    async def rate_record(
        body: RatingBody,
        conversation_id: str = _CONVERSATION,
        account: Account = Depends(anybody),
    ) -> RecordView:
        """Thumbs up or down; null takes them back."""
        return await records.rate(account, conversation_id, body.rating)

    @router.post(_ONE + "/share", summary="Share a conversation", openapi_extra=_EXTENSION)
    async def share_record(
        conversation_id: str = _CONVERSATION, account: Account = Depends(anybody)
    ) -> ShareView:
        """Whoever has the link may read and hear it; sharing it again gives the same link."""
        return await records.share(account, conversation_id)

    @router.delete(
        _ONE + "/share",
        status_code=204,
        summary="Share a conversation no more",
        openapi_extra=_EXTENSION,
    )
    async def unshare_record(
        conversation_id: str = _CONVERSATION, account: Account = Depends(anybody)
    ) -> None:
        """Its link leads nowhere from now on."""
        await records.unshare(account, conversation_id)

    @router.get(
        _ONE + "/export",
        summary="Export a conversation",
        response_model=ExportView,
        openapi_extra=_EXTENSION,
    )
    async def export_record(
        conversation_id: str = _CONVERSATION, account: Account = Depends(anybody)
    ) -> Response:
        """All that is kept of it but its sound, as one JSON."""
        found = await records.export(account, conversation_id)
        name = f"conversation-{found.conversation.id}.json"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(await asyncio.to_thread(write_export, found), 200, headers, _JSON)

    return router


def shared_routes(records: Records, recordings: Recordings) -> APIRouter:
    """The routes below `/api/v1/shared`: for whoever has a link."""
    router = APIRouter(prefix="/shared", tags=["conversations"])

    @router.get("/{token}", summary="Read a shared conversation", openapi_extra=_PUBLIC)
    async def get_shared(response: Response, token: str = _TOKEN) -> SharedView:
        """Without a key: what was said and how long it took, but nothing of LLMs and functions."""
        response.headers["X-Robots-Tag"] = "noindex"
        return await records.shared(token)

    @router.get(
        "/{token}/recording",
        summary="Listen to a shared conversation",
        response_class=FileResponse,
        responses=_SOUND,
        openapi_extra=_PUBLIC,
    )
    async def get_shared_recording(token: str = _TOKEN) -> FileResponse:
        """Without a key."""
        row = await records.check_shared(token)
        # Whoever knows the id of a conversation may go on with it: it is not in the name.
        return _send(await recordings.find(row), "conversation.flac")

    return router


def _send(path: object, name: str) -> FileResponse:
    return FileResponse(
        str(path),
        media_type=MEDIA_TYPE,
        filename=name,
        content_disposition_type="inline",
        headers={"Cache-Control": "private, no-cache"},
    )
