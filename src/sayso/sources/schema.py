"""What an agent knows, as REST takes and answers it (contract §2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

EXTENSION: Mapping[str, Any] = {"x-sayso-extension": True}
MAX_URL_CHARS = 2048
DEFAULT_CRAWL_PAGES = 50


class SourceKind(StrEnum):
    """Where something known comes from."""

    FILE = "file"
    PAGE = "page"
    SITE = "site"
    TEXT = "text"


class State(StrEnum):
    """How far a source is."""

    QUEUED = "queued"
    READING = "reading"
    EMBEDDING = "embedding"
    READY = "ready"
    FAILED = "failed"


class _View(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)


class Progress(_View):
    """How much is done: pages while `reading`, passages while `embedding`; `total` 0: not known."""

    done: int
    total: int


class SourceStatus(_View):
    """How far a source is."""

    id: str
    state: State = Field(json_schema_extra={**EXTENSION})
    searchable: bool = Field(
        description="Whether conversations use it. A source that is replaced or refreshed stays "
        "as it was until the new one is ready, also if that fails.",
        json_schema_extra={**EXTENSION},
    )
    progress: Progress = Field(json_schema_extra={**EXTENSION})
    code: str | None = Field(
        description="Why it failed, for programs.", json_schema_extra={**EXTENSION}
    )
    reason: str | None = Field(
        description="Why it failed, in a sentence.", json_schema_extra={**EXTENSION}
    )
    notes: list[str] = Field(
        description="What was left out, and what was unexpected.", json_schema_extra={**EXTENSION}
    )
    pages: int = Field(
        description="Pages, sections or rows it has.", json_schema_extra={**EXTENSION}
    )
    passages: int = Field(
        description="Passages that can be found.", json_schema_extra={**EXTENSION}
    )
    created_at: AwareDatetime = Field(json_schema_extra={**EXTENSION})
    updated_at: AwareDatetime = Field(json_schema_extra={**EXTENSION})


class CriticalKnowledgeFile(SourceStatus):
    """A file an agent knows."""

    name: str
    url: str = Field(description="Where its bytes are, for the agent's owner.")
    size: int = Field(description="In bytes.")
    type: str = Field(
        description="What it is by its content: `pdf`, `docx`, `html`, `markdown`, `text`, `csv`.",
        examples=["pdf"],
    )


class KnowledgePage(SourceStatus):
    """A web page an agent knows, or a site."""

    name: str
    url: str
    crawl: bool
    max_pages: int


def _check_url(url: str) -> str:
    if any(ord(character) <= 0x20 or character == "\x7f" for character in url):
        raise ValueError("must not contain spaces or control characters")
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme not in {"http", "https"} or not has_host:
        raise ValueError("must be an address such as https://example.com/help")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not contain a user or a password")
    return url


class NewKnowledgePage(BaseModel):
    """The body of `POST /api/v1/agents/{agentId}/knowledge-pages`."""

    model_config = ConfigDict(alias_generator=to_camel, hide_input_in_errors=True, strict=True)

    url: Annotated[str, Field(max_length=MAX_URL_CHARS), AfterValidator(_check_url)] = Field(
        description="The page, or where a visit to the site begins.",
        json_schema_extra={"format": "uri"},
    )
    crawl: bool = Field(
        default=False,
        description="Whether pages it links to are read as well, on the same host and port; "
        "`robots.txt` is obeyed.",
    )
    max_pages: Annotated[int, Field(ge=1)] = Field(
        default=DEFAULT_CRAWL_PAGES,
        description="How many pages are read at most; the operator's limit is "
        "`SAYSO_MAX_CRAWL_PAGES`.",
    )
