"""The REST API of what an agent knows: files (contract §2.3), and web pages."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import FileResponse

from sayso.accounts.access import Access
from sayso.accounts.schema import Account
from sayso.config import Settings
from sayso.sources.schema import (
    EXTENSION,
    CriticalKnowledgeFile,
    KnowledgePage,
    NewKnowledgePage,
    SourceKind,
    SourceStatus,
)
from sayso.sources.service import WEB, Sources
from sayso.sources.uploads import receive

_AGENT = Path(alias="agentId", description="The agent's id.")
_FILE = Path(alias="fileId", description="The file's id.")
_PAGE = Path(alias="pageId", description="The page's id.")
_EXTENSION: dict[str, Any] = dict(EXTENSION)
_FORM: dict[str, Any] = {
    **EXTENSION,
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    },
}
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file's bytes.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_HARMLESS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, no-store",
}
"""Somebody's file may be a web page, and must not act as one of ours."""


def source_routes(sources: Sources, access: Access, settings: Settings) -> APIRouter:
    """The routes below `/api/v1/agents/{agentId}` that say what it knows."""
    router = APIRouter(prefix="/agents/{agentId}", tags=["knowledge"])
    router.include_router(_file_routes(sources, access, settings))
    router.include_router(_page_routes(sources, access, settings))
    return router


def _file_routes(sources: Sources, access: Access, settings: Settings) -> APIRouter:
    router = APIRouter(prefix="/critical-knowledge-files")
    anybody = access.account()
    adder = access.account("add knowledge", settings.add_knowledge_per_min)
    largest = settings.max_document_bytes

    @router.post("", status_code=201, summary="Upload a file", openapi_extra=_FORM)
    async def add_file(
        request: Request, agent_id: str = _AGENT, account: Account = Depends(adder)
    ) -> CriticalKnowledgeFile:
        """PDF, Word, web pages, Markdown, text or CSV. It is indexed soon; `state` says how far."""
        return await sources.add_file(
            account, agent_id, partial(receive, request, max_bytes=largest)
        )

    @router.get("", summary="List an agent's files", openapi_extra=_EXTENSION)
    async def list_files(
        agent_id: str = _AGENT, account: Account = Depends(anybody)
    ) -> list[CriticalKnowledgeFile]:
        """The oldest first; all of them, for their number is limited."""
        return await sources.list_files(account, agent_id)

    @router.get(
        "/{fileId}",
        summary="Download a file",
        response_class=FileResponse,
        responses=_BYTES,
    )
    async def get_file(
        agent_id: str = _AGENT, file_id: str = _FILE, account: Account = Depends(anybody)
    ) -> FileResponse:
        """Its bytes, as they were uploaded last; 404 once they were deleted as unreadable."""
        view, path = await sources.find_bytes(account, agent_id, file_id)
        return FileResponse(
            path,
            media_type="application/octet-stream",
            filename=view.name,
            headers=_HARMLESS,
        )

    @router.get("/{fileId}/status", summary="How far a file is", openapi_extra=_EXTENSION)
    async def get_file_status(
        agent_id: str = _AGENT, file_id: str = _FILE, account: Account = Depends(anybody)
    ) -> SourceStatus:
        return await sources.find_file(account, agent_id, file_id)

    @router.put("/{fileId}", summary="Replace a file", openapi_extra=_FORM)
    async def replace_file(
        request: Request,
        agent_id: str = _AGENT,
        file_id: str = _FILE,
        account: Account = Depends(adder),
    ) -> CriticalKnowledgeFile:
        """What it said before can be found until the new one is ready."""
        store = partial(receive, request, max_bytes=largest)
        return await sources.replace_file(account, agent_id, file_id, store)

    @router.delete("/{fileId}", status_code=204, summary="Delete a file", openapi_extra=_EXTENSION)
    async def delete_file(
        agent_id: str = _AGENT, file_id: str = _FILE, account: Account = Depends(anybody)
    ) -> None:
        await sources.delete(account, agent_id, file_id, (SourceKind.FILE,))

    return router


def _page_routes(sources: Sources, access: Access, settings: Settings) -> APIRouter:
    router = APIRouter(prefix="/knowledge-pages")
    anybody = access.account()
    adder = access.account("add knowledge", settings.add_knowledge_per_min)

    @router.post("", status_code=201, summary="Add a web page or a site", openapi_extra=_EXTENSION)
    async def add_page(
        body: NewKnowledgePage, agent_id: str = _AGENT, account: Account = Depends(adder)
    ) -> KnowledgePage:
        """It is fetched and indexed soon; `state` says how far, and why it failed."""
        return await sources.add_page(account, agent_id, body)

    @router.get("", summary="List an agent's web pages", openapi_extra=_EXTENSION)
    async def list_pages(
        agent_id: str = _AGENT, account: Account = Depends(anybody)
    ) -> list[KnowledgePage]:
        """The oldest first; all of them, for their number is limited."""
        return await sources.list_pages(account, agent_id)

    @router.get("/{pageId}", summary="Read a web page's state", openapi_extra=_EXTENSION)
    async def get_page(
        agent_id: str = _AGENT, page_id: str = _PAGE, account: Account = Depends(anybody)
    ) -> KnowledgePage:
        return await sources.find_page(account, agent_id, page_id)

    @router.post("/{pageId}/refresh", summary="Fetch a web page again", openapi_extra=_EXTENSION)
    async def refresh_page(
        agent_id: str = _AGENT, page_id: str = _PAGE, account: Account = Depends(adder)
    ) -> KnowledgePage:
        """What it said before can be found until it is ready."""
        return await sources.refresh_page(account, agent_id, page_id)

    @router.delete(
        "/{pageId}", status_code=204, summary="Forget a web page", openapi_extra=_EXTENSION
    )
    async def delete_page(
        agent_id: str = _AGENT, page_id: str = _PAGE, account: Account = Depends(anybody)
    ) -> None:
        await sources.delete(account, agent_id, page_id, WEB)

    return router
