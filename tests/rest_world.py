"""A whole REST API on a database of its own, reached as a client reaches it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import numpy.typing as npt
from fastapi import FastAPI

from databases import lay_database
from sayso.accounts.schema import Account, read_rules
from sayso.accounts.service import Accounts
from sayso.agents.avatars import Avatars
from sayso.agents.checks import Checked, LlmChecks
from sayso.agents.issues import LlmIssue
from sayso.agents.knowledge_checks import KnowledgeChecks
from sayso.agents.reports import LlmCheckView, Step, Tell, keep_still
from sayso.agents.servers import Checks
from sayso.agents.service import Agents, Rules
from sayso.api import Services, build_api
from sayso.api.previews import Previews
from sayso.archive import Archive, make_archive
from sayso.config import Settings
from sayso.conversations.recorder import Recorder
from sayso.conversations.service import Conversations
from sayso.engines import EngineConfig
from sayso.errors import KnowledgeError
from sayso.functions.call import HttpCalls
from sayso.functions.mcp.commands import read_commands
from sayso.functions.mcp.pool import McpPool
from sayso.functions.service import Functions
from sayso.knowledge.passages import Found, Passage
from sayso.knowledge.place import Place
from sayso.library import Library, make_library
from sayso.llm import Endpoint
from sayso.llm.findings import show_url
from sayso.security.secrets import Secrets, load_secrets
from sayso.store.database import Database
from sayso.store.tables import Table, UserRow
from sayso.tts import Voice
from sayso.tts.scripted import ScriptedTts

VOICES = (Voice("amber", "Amber", "female", "english", "Warm."),)
START = datetime(2024, 5, 1, 12, 0, 0, 123_456, tzinfo=UTC)


class HandClock:
    """A clock that moves when told; each look at the civil time moves it a millisecond."""

    def __init__(self) -> None:
        self.at_s = 0.0
        self._looks = 0

    def now_s(self) -> float:
        return self.at_s

    def utc(self) -> datetime:
        self._looks += 1
        return START + timedelta(seconds=self.at_s, milliseconds=self._looks)


@dataclass
class ScriptedCheck:
    """An LLM check that finds what it is told, and remembers what it was asked."""

    issues: tuple[LlmIssue, ...] = ()
    asked: list[Endpoint] = field(default_factory=list)
    before_answer: Any = None
    only_at: str = ""
    steps: tuple[Step, ...] = ()

    async def __call__(self, endpoint: Endpoint, tell: Tell = keep_still) -> Checked:
        self.asked.append(endpoint)
        for step in self.steps:
            tell(step)
        if self.before_answer is not None:
            await self.before_answer()
        return Checked(self._view(endpoint))

    def _view(self, endpoint: Endpoint) -> LlmCheckView:
        issues = self.issues if self.only_at in endpoint.base_url else ()
        return LlmCheckView(
            state="quick",
            ok=all(issue.severity != "error" for issue in issues),
            url=show_url(endpoint.base_url),
            suggestion=None,
            answer="",
            first_token_ms=None,
            total_ms=1.0,
            stages=[],
            findings=list(issues),
            profile=None,
        )


@dataclass
class ScriptedRetrieval:
    """A retrieval server that finds what it is told, and remembers what it was asked."""

    found: tuple[Found, ...] = (Found(Passage("p", "Nine to five.", "", "hours.pdf", 3), 0.8),)
    error: KnowledgeError | None = None
    asked: list[tuple[Place, str]] = field(default_factory=list)
    before_answer: Any = None

    async def __call__(self, place: Place, query: str) -> tuple[Found, ...]:
        self.asked.append((place, query))
        if self.before_answer is not None:
            await self.before_answer()
        if self.error is not None:
            raise self.error
        return self.found


@dataclass
class ScriptedSearch:
    """A search of what agents know that finds what it is told, for the owner of an agent."""

    agents: Agents
    found: tuple[Found, ...] = (Found(Passage("p", "Nine to five.", "s", "hours.pdf", 3), 0.8),)
    asked: list[tuple[str, str, int | None]] = field(default_factory=list)

    async def __call__(
        self, account: Account, agent_id: str, query: str, limit: int | None
    ) -> tuple[Found, ...]:
        await self.agents.demand(account, agent_id)
        self.asked.append((agent_id, query, limit))
        return self.found[:limit]


@dataclass
class World:
    """Everything a test may want to touch."""

    settings: Settings
    clock: HandClock
    database: Database
    secrets: Secrets
    check: ScriptedCheck
    retrieval: ScriptedRetrieval
    accounts: Accounts
    agents: Agents
    conversations: Conversations
    functions: Functions
    calls: HttpCalls
    recorder: Recorder
    library: Library
    app: FastAPI
    mcp: McpPool
    archive: Archive
    search: ScriptedSearch
    user_id: str = ""
    key: str = ""

    async def make_stranger(self) -> str:
        """Another account; its key."""
        async with self.database.write() as session:
            session.add(UserRow(id="stranger", created_at=START + timedelta(days=1)))
        return (await self.accounts.new_key("stranger")).api_key.get_secret_value()

    def client(self, key: str | None = None, **headers: str) -> httpx2.AsyncClient:
        """A client with the owner's key, or another; an empty key sends none."""
        use = self.key if key is None else key
        sent = {"Authorization": f"Bearer {use}"} if use else {}
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(self.app),
            base_url="http://sayso.test",
            headers={**sent, **headers},
        )


@asynccontextmanager
async def open_world(folder: Path, **settings: object) -> AsyncGenerator[World]:
    """A new installation in `folder`, or the one that is there; nobody works at its jobs yet."""
    config = Settings.model_validate({"data_dir": folder / "data", **settings})
    lay_database(config.database)
    secrets = load_secrets(config.data_dir, config.master_key)
    world = make_world(config, secrets)
    try:
        owner = await world.accounts.ensure_owner()
        if owner is not None:
            world.user_id, world.key = owner.user_id, owner.api_key.get_secret_value()
        await world.mcp.open()
        yield world
    finally:
        await world.calls.close()
        await world.mcp.close()
        await world.database.close()


async def read_store(world: World) -> bytes:
    """All that is stored: SQLite's files as they are, PostgreSQL's rows. Closes the database."""
    kept = []
    if not world.settings.database.startswith("postgresql"):
        await world.database.close()
        return b"".join(path.read_bytes() for path in world.settings.data_dir.glob("sayso.db*"))
    async with world.database.read() as session:
        for table in Table.metadata.sorted_tables:
            kept += [repr(tuple(row)) for row in await session.execute(table.select())]
    await world.database.close()
    return "".join(kept).encode()


class ScriptedEmbedder:
    """Vectors without a model: equal texts have equal ones."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def open(self) -> None:
        pass

    async def embed_aside(self, text: str) -> npt.NDArray[np.float32]:
        self.texts.append(text)
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        vector = np.random.default_rng(seed).normal(size=8).astype(np.float32)
        return (vector / np.linalg.norm(vector)).astype(np.float32)


def make_world(config: Settings, secrets: Secrets) -> World:
    """Everything put together; nothing is opened yet."""
    clock, check, retrieval = HandClock(), ScriptedCheck(), ScriptedRetrieval()
    database = Database(config.database)
    accounts = Accounts(database, secrets, clock, read_rules(config))
    library = make_library(config, database, clock, ScriptedEmbedder())
    mcp = McpPool(private=config.outbound_private, commands=read_commands(config.mcp_commands))
    agents = Agents(
        database,
        secrets,
        clock,
        checks=Checks(
            LlmChecks(database, clock, check),
            KnowledgeChecks(clock, retrieval, config.own_retrieval_timeout_s),
            mcp,
        ),
        sources=library.sources,
        avatars=Avatars(config.data_dir),
        rules=Rules("built-in-extractive", config.max_agents, config.keep_deleted_min, config.url),
    )
    conversations = Conversations(database)
    calls = HttpCalls(private=config.outbound_private)
    functions = Functions(
        database,
        secrets,
        clock,
        calls=calls,
        private=config.outbound_private,
        max_functions=config.max_functions,
    )
    archive = make_archive(config, database, clock, library.jobs)
    search = ScriptedSearch(agents)
    services = Services(
        accounts,
        agents,
        conversations,
        functions,
        library.sources,
        VOICES,
        archive.records,
        archive.recordings,
        archive.analytics,
        search,
        Previews(ScriptedTts(EngineConfig(Path()))),
    )
    app = build_api(services, config, clock)
    recorder = Recorder(
        database,
        max_records=config.max_unsaved_records,
        schedule=archive.recordings.schedule,
    )
    archive.recordings.tell_lost = recorder.recording_lost
    return World(
        config,
        clock,
        database,
        secrets,
        check,
        retrieval,
        accounts,
        agents,
        conversations,
        functions,
        calls,
        recorder,
        library,
        app,
        mcp,
        archive,
        search,
    )
