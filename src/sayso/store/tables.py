"""The tables, typed; the one description of what is stored.

    users ─┬─ api_keys
           ├─ browser_sessions        who is signed in, where
           ├─ sign_in_links           printed by the server, good once
           ├─ functions               what agents may call; agents name them in `actions`
           └─ agents ─┬─ llm_checks          the last check of its LLM
                      ├─ agent_versions      what it was before each change
                      ├─ sources ── passages files, web pages and long texts, as they are searched
                      └─ conversations ─┬─ lines     the transcript
                                        ├─ turns     how long each step of a turn took
                                        └─ exchanges what LLMs were asked, and answered
    llm_profiles                      what LLM endpoints tolerate, whoever uses them
    jobs                              what is still to be done, away from requests

Deleting a row deletes what hangs below it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    false,
    true,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """A civil time in UTC; SQLite has no zones, so they are put on again when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Into the database: UTC, without a zone for SQLite."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs a time zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 the signature is SQLAlchemy's
    ) -> datetime | None:
        """Out of the database: always with a zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Counter = BigInteger().with_variant(Integer(), "sqlite")
"""A number the database counts up; SQLite counts only columns declared INTEGER."""


class Table(DeclarativeBase):
    """What every table shares: names for its constraints, so that migrations can find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UserRow(Table):
    """One account; without an email and a password it signs in by a printed link only."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    email: Mapped[str | None] = mapped_column(String(254), unique=True, index=True)
    name: Mapped[str | None] = mapped_column(String(250))
    password: Mapped[str | None] = mapped_column(Text)


class KeyRow(Table):
    """One API key; only its keyed hash is kept."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    hash: Mapped[str] = mapped_column(String(100), unique=True)
    name: Mapped[str] = mapped_column(String(250))
    tail: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SessionRow(Table):
    """One browser that is signed in; only the keyed hash of its cookie is kept."""

    __tablename__ = "browser_sessions"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    hash: Mapped[str] = mapped_column(String(100), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    by_link: Mapped[bool]


class LinkRow(Table):
    """One sign-in link, by its keyed hash; remembered a while, to say what became of it."""

    __tablename__ = "sign_in_links"

    hash: Mapped[str] = mapped_column(String(100), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AgentRow(Table):
    """One agent, in the contract's fields (§2.2); secrets are sealed."""

    __tablename__ = "agents"
    __table_args__ = (Index(None, "owner_id", "created_at", "id"),)

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    display_name: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    greeting: Mapped[str | None] = mapped_column(Text)
    prompt: Mapped[str | None] = mapped_column(Text)
    critical_knowledge: Mapped[str | None] = mapped_column(Text)
    answer_only_from_critical_knowledge: Mapped[bool]
    visibility: Mapped[str] = mapped_column(String(20))
    language: Mapped[str] = mapped_column(String(40))
    voice: Mapped[str] = mapped_column(Text)
    voice_speed: Mapped[float | None]
    tts_model: Mapped[str] = mapped_column(String(40))
    actions: Mapped[list[str]] = mapped_column(JSON)
    variables: Mapped[dict[str, Any]] = mapped_column(JSON, server_default="{}")
    apply_text_normalization: Mapped[str] = mapped_column(String(10), server_default="auto")
    message_plan: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    silence_timeout_seconds: Mapped[float | None]
    max_duration_seconds: Mapped[float | None]
    end_call_message: Mapped[str | None] = mapped_column(Text)
    end_call_phrases: Mapped[list[str]] = mapped_column(JSON, server_default="[]")
    patience: Mapped[str | None] = mapped_column(String(10))
    interruptible: Mapped[bool] = mapped_column(server_default=true())
    built_in_actions: Mapped[list[str]] = mapped_column(JSON, server_default="[]")
    time_zone: Mapped[str | None] = mapped_column(String(100))
    record_audio: Mapped[bool] = mapped_column(server_default=true())
    transfer_destinations: Mapped[list[dict[str, Any]]] = mapped_column(JSON, server_default="[]")
    llm: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    llm_key: Mapped[str | None] = mapped_column(Text)
    llm_headers: Mapped[str | None] = mapped_column(Text)
    llm_issues: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    mcp_servers: Mapped[list[dict[str, Any]]] = mapped_column(JSON, server_default="[]")
    mcp_sealed: Mapped[str | None] = mapped_column(Text)
    knowledge: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    knowledge_revision: Mapped[int] = mapped_column(server_default="0")
    allowed_origins: Mapped[list[str]] = mapped_column(JSON, server_default="[]")
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    changed: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    avatar: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))


class AgentVersionRow(Table):
    """What an agent was before it was changed; secrets are sealed for its agent."""

    __tablename__ = "agent_versions"

    agent_id: Mapped[str] = mapped_column(
        ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed: Mapped[list[str]] = mapped_column(JSON)
    fields: Mapped[dict[str, Any]] = mapped_column(JSON)


class FunctionRow(Table):
    """One external function, in the contract's fields (§2.6).

    Fixed values of parameters, and the query of the endpoint's URL, are sealed.
    """

    __tablename__ = "functions"
    __table_args__ = (Index(None, "owner_id", "created_at", "id"),)

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    endpoint_url: Mapped[str] = mapped_column(Text)
    method: Mapped[str] = mapped_column(String(10))
    parameters: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    subtype: Mapped[str] = mapped_column(String(20))
    requires_confirmation: Mapped[bool]
    timeout_seconds: Mapped[float | None]
    filler: Mapped[str | None] = mapped_column(Text)
    sealed: Mapped[str] = mapped_column(Text)


class LlmCheckRow(Table):
    """The last check of an agent's LLM, as the REST API answers it; no secrets are in it."""

    __tablename__ = "llm_checks"

    agent_id: Mapped[str] = mapped_column(
        ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True
    )
    checked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    report: Mapped[dict[str, Any]] = mapped_column(JSON)


class LlmProfileRow(Table):
    """What one LLM endpoint tolerates; its id is a hash, for a base URL's query may be secret."""

    __tablename__ = "llm_profiles"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    learned_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    profile: Mapped[dict[str, Any]] = mapped_column(JSON)


class ConversationRow(Table):
    """One conversation, from hello to goodbye; `ended_at` is null while it lasts.

    `alive_at` is when the server that holds it last said so; `recording` is what became of its
    sound (`conversations/words.py`), null where none was recorded or it is kept no more.
    """

    __tablename__ = "conversations"
    __table_args__ = (Index(None, "agent_id", "started_at", "id"),)

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agents.id", ondelete="CASCADE"))
    source: Mapped[str] = mapped_column(String(20))
    caller_email: Mapped[str | None] = mapped_column(Text)
    caller_id: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    alive_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    duration_s: Mapped[float | None]
    ended_by: Mapped[str | None] = mapped_column(String(20))
    end_reason: Mapped[str | None] = mapped_column(String(20))
    error_code: Mapped[int | None]
    messages: Mapped[list[dict[str, str]] | None] = mapped_column(JSON(none_as_null=True))
    rating: Mapped[str | None] = mapped_column(String(4))
    share_token: Mapped[str | None] = mapped_column(String(100), unique=True, index=True)
    recording: Mapped[str | None] = mapped_column(String(10))


class LineRow(Table):
    """One line of a transcript; `number` is the order in which lines were spoken.

    It began to sound at `began_at`, and was settled at `at`.
    `deeds` are the functions that were called before it; a line without words holds only them.
    """

    __tablename__ = "lines"
    __table_args__ = (Index(None, "conversation_id", "number"),)

    number: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(100), unique=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(20))
    content: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    began_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deeds: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))


class TurnRow(Table):
    """How long each step of one turn took; and what is counted of it (`measures.py`)."""

    __tablename__ = "turns"
    __table_args__ = (Index(None, "conversation_id", "row"),)

    row: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(100), unique=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    number: Mapped[int]
    timings: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    latency_ms: Mapped[float | None]
    interrupted: Mapped[bool] = mapped_column(server_default=false())
    blame: Mapped[str | None] = mapped_column(String(20))


class ExchangeRow(Table):
    """What one LLM was asked for a reply, and what it answered; both deflated (`exchanges.py`)."""

    __tablename__ = "exchanges"
    __table_args__ = (Index(None, "conversation_id", "first_token_ms"),)

    number: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(100), unique=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    reply: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    llm: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(String(20))
    finding: Mapped[str | None] = mapped_column(String(60))
    status: Mapped[int | None]
    first_token_ms: Mapped[float | None]
    total_ms: Mapped[float]
    request_cut: Mapped[bool]
    response_cut: Mapped[bool]
    request: Mapped[bytes] = mapped_column(LargeBinary)
    response: Mapped[bytes] = mapped_column(LargeBinary)


class SourceRow(Table):
    """Something an agent knows: a file, a web page, a site, or its own long text.

    Whoever begins to index it takes the next `version`, and may write passages as long as it is the
    last one taken. Those of `live_version` are searched; 0 means none yet.
    """

    __tablename__ = "sources"
    __table_args__ = (Index(None, "agent_id", "created_at", "id"),)

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agents.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(Text)
    url: Mapped[str | None] = mapped_column(Text)
    type: Mapped[str] = mapped_column(String(20))
    bytes: Mapped[int]
    stored_as: Mapped[str | None] = mapped_column(String(200))
    digest: Mapped[str | None] = mapped_column(String(64))
    max_pages: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(20))
    code: Mapped[str | None] = mapped_column(String(60))
    reason: Mapped[str | None] = mapped_column(Text)
    notes: Mapped[list[str]] = mapped_column(JSON)
    done: Mapped[int]
    total: Mapped[int]
    pages: Mapped[int]
    passages: Mapped[int]
    version: Mapped[int]
    live_version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PassageRow(Table):
    """One passage of one version of a source; its vector is float32 numbers, little-endian.

    `sentences`: the vectors of its sentences, a signed byte a number, one behind the other; None
    for a single sentence, and for what was indexed before they were kept. `heading`: the same of
    the heading that no other passage of the source stands under.
    """

    __tablename__ = "passages"

    source_id: Mapped[str] = mapped_column(
        ForeignKey("sources.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    page: Mapped[int | None]
    url: Mapped[str] = mapped_column(Text)
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    sentences: Mapped[bytes | None] = mapped_column(LargeBinary)
    heading: Mapped[bytes | None] = mapped_column(LargeBinary)


class JobRow(Table):
    """Something to do; gone when it is done. `turn` is its place in the queue of all lanes."""

    __tablename__ = "jobs"
    __table_args__ = (UniqueConstraint("kind", "key"), Index(None, "turn", "number"))

    number: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(100))
    lane: Mapped[str] = mapped_column(String(100), index=True)
    turn: Mapped[int]
    tries: Mapped[int]
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    claimed_by: Mapped[str | None] = mapped_column(String(100))
    beat_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
