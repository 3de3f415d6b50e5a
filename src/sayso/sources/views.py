"""Rows of sources, as REST answers them."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from sayso.sources.schema import (
    CriticalKnowledgeFile,
    KnowledgePage,
    Progress,
    SourceKind,
    SourceStatus,
    State,
)
from sayso.store.tables import SourceRow


def view_status(row: SourceRow) -> SourceStatus:
    """How far a source is."""
    return SourceStatus(
        id=row.id,
        state=State(row.state),
        searchable=row.live_version > 0,
        progress=Progress(done=row.done, total=row.total),
        code=row.code,
        reason=row.reason,
        notes=row.notes,
        pages=row.pages,
        passages=row.passages,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def view_file(row: SourceRow, server: str) -> CriticalKnowledgeFile:
    """A file as it is answered by the server at this URL."""
    path = f"/api/v1/agents/{quote(row.agent_id)}/critical-knowledge-files/{quote(row.id)}"
    return CriticalKnowledgeFile(
        **view_status(row).model_dump(),
        name=row.name,
        url=server + path,
        size=row.bytes,
        type=row.type,
    )


def view_page(row: SourceRow) -> KnowledgePage:
    """A page or site as it is answered."""
    return KnowledgePage(
        **view_status(row).model_dump(),
        name=row.name,
        url=row.url or "",
        crawl=row.kind == SourceKind.SITE,
        max_pages=row.max_pages or 1,
    )


def name_url(url: str) -> str:
    """A web page as a person would name it: host, port and path, but no user and password."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{host.lower()}{parts.path.rstrip('/')}"
