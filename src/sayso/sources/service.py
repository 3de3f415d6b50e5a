"""Keeps what agents know: takes files and pages, has them indexed, lists and deletes them.

Each change and the job that follows from it are one transaction; the bytes of a file are written
before it, and those it replaces are removed after it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.accounts.schema import Account
from sayso.clock import Clock
from sayso.config import Settings
from sayso.errors import (
    BadRequestError,
    ConflictError,
    NotFoundError,
    TooLargeError,
)
from sayso.sizes import show_bytes
from sayso.sources.arrivals import Arrivals, Recognise, Store
from sayso.sources.copies import SourceCopy, copy_files, copy_passages
from sayso.sources.indexing import KIND
from sayso.sources.knowledge import Knowledge
from sayso.sources.rows import is_small, list_rows, new_row, own_agent, own_source, refuse_twice
from sayso.sources.schema import (
    CriticalKnowledgeFile,
    KnowledgePage,
    NewKnowledgePage,
    SourceKind,
    State,
)
from sayso.sources.shelf import Shelf
from sayso.sources.views import name_url, view_file, view_page
from sayso.store.database import Database
from sayso.store.hidden import SHOWN
from sayso.store.identifiers import new_id
from sayso.store.jobs import Jobs
from sayso.store.tables import AgentRow, SourceRow

OWN_TEXT = "critical knowledge"
"""The name of the source that an agent's own long text is."""

WEB = (SourceKind.PAGE, SourceKind.SITE)
NAMED = (SourceKind.FILE, *WEB)
"""Those the owner sees, and counts."""


class Sources:
    """What the agents of this installation know."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        jobs: Jobs,
        knowledge: Knowledge,
        shelf: Shelf,
        *,
        recognise: Recognise,
        refuse_address: Callable[[str], None],
        settings: Settings,
    ) -> None:
        """`refuse_address` raises OSError for a host that must not be called."""
        self._database = database
        self._clock = clock
        self._jobs = jobs
        self._knowledge = knowledge
        self._shelf = shelf
        self._arrivals = Arrivals(shelf, recognise)
        self._refuse_address = refuse_address
        self._settings = settings

    async def open(self) -> None:
        """At the start: sweep away what uploads left, and index long texts that are not yet."""
        async with self._database.read() as session:
            files = await session.execute(
                select(SourceRow.agent_id, SourceRow.stored_as).where(
                    SourceRow.stored_as.is_not(None)
                )
            )
            known = {(agent_id, str(name)) for agent_id, name in files}
            agents = await session.scalars(self._with_texts())
            texts = list(agents)
        await self._shelf.sweep(known)
        for agent_id in texts:
            await self.follow(agent_id)

    def _with_texts(self) -> Any:  # noqa: ANN401 - a Select of agents' ids
        """Agents that have a text to index, or had one."""
        has_source = select(SourceRow.agent_id).where(SourceRow.kind == SourceKind.TEXT)
        chars = func.length(AgentRow.critical_knowledge)
        return select(AgentRow.id).where(
            or_(chars > self._settings.max_prompt_knowledge_chars, AgentRow.id.in_(has_source))
        )

    # Files -------------------------------------------------------------------------------

    async def add_file(
        self, account: Account, agent_id: str, store: Store
    ) -> CriticalKnowledgeFile:
        """Take a file that arrives, and have it indexed.

        Raises:
            BadRequestError: it cannot be read at all; the sentence says why.
            TooLargeError: it, or all files of the agent, are larger than they may be.
            ConflictError: the agent has as many sources as it may.
            NotFoundError, ForbiddenError: no such agent of this account.
        """
        async with self._database.read() as session:
            await own_agent(session, account, agent_id)
            await self._refuse_too_many(session, agent_id)
        source_id = new_id()
        row = new_row(source_id, agent_id, SourceKind.FILE, self._clock.utc())
        async with self._arrivals.take(agent_id, source_id, store) as arrival:
            arrival.put_into(row)
            async with self._database.write() as session:
                await own_agent(session, account, agent_id, lock=True)
                await self._refuse_too_many(session, agent_id)
                await self._refuse_too_large(session, row)
                session.add(row)
                await session.flush()
                await self._enqueue(session, account.user_id, row)
        self._jobs.wake()
        return view_file(row, self._settings.url)

    async def replace_file(
        self, account: Account, agent_id: str, source_id: str, store: Store
    ) -> CriticalKnowledgeFile:
        """Take other bytes for a file; what is searched stays until they are indexed.

        Raises: as `add_file`, and NotFoundError when there is no such file.
        """
        async with self._database.read() as session:
            await own_source(session, account, agent_id, source_id, (SourceKind.FILE,))
        async with (
            self._arrivals.take(agent_id, source_id, store) as arrival,
            self._database.write() as session,
        ):
            row = await own_source(
                session, account, agent_id, source_id, (SourceKind.FILE,), lock=True
            )
            old = row.stored_as
            arrival.put_into(row)
            await self._refuse_too_large(session, row)
            self._restart(row)
            await self._enqueue(session, account.user_id, row)
        self._restarted(source_id)
        await self._shelf.drop(agent_id, old)
        return view_file(row, self._settings.url)

    async def find_file(
        self, account: Account, agent_id: str, source_id: str
    ) -> CriticalKnowledgeFile:
        """A file. Raises NotFoundError, ForbiddenError."""
        async with self._database.read() as session:
            row = await own_source(session, account, agent_id, source_id, (SourceKind.FILE,))
        return view_file(row, self._settings.url)

    async def find_bytes(
        self, account: Account, agent_id: str, source_id: str
    ) -> tuple[CriticalKnowledgeFile, Path]:
        """A file, and where its bytes are.

        Raises: NotFoundError, also where they were deleted because nobody can read them, or are
            gone from the disk;
            ForbiddenError.
        """
        async with self._database.read() as session:
            row = await own_source(session, account, agent_id, source_id, (SourceKind.FILE,))
        if row.stored_as is None:
            raise NotFoundError(
                f"the bytes of {row.name} were deleted, because it cannot be read",
                hint="Its status says why; replace it with PUT, or delete it.",
            )
        path = self._shelf.path(agent_id, row.stored_as)
        if not await asyncio.to_thread(path.is_file):
            raise NotFoundError(
                f"the bytes of {row.name} are not on this server's disk any more",
                hint="Replace it with PUT, or delete it.",
            )
        return view_file(row, self._settings.url), path

    async def list_files(self, account: Account, agent_id: str) -> list[CriticalKnowledgeFile]:
        """An agent's files, the oldest first. Raises NotFoundError, ForbiddenError."""
        async with self._database.read() as session:
            await own_agent(session, account, agent_id)
            return (await self.files_of(session, [agent_id])).get(agent_id, [])

    async def files_of(
        self, session: AsyncSession, agent_ids: Collection[str]
    ) -> dict[str, list[CriticalKnowledgeFile]]:
        """The files of several agents, for their answers; nobody asks whose they are."""
        found: dict[str, list[CriticalKnowledgeFile]] = {}
        for row in await list_rows(session, agent_ids, (SourceKind.FILE,)):
            found.setdefault(row.agent_id, []).append(view_file(row, self._settings.url))
        return found

    # Pages -------------------------------------------------------------------------------

    async def add_page(
        self, account: Account, agent_id: str, body: NewKnowledgePage
    ) -> KnowledgePage:
        """Have a web page or a site indexed.

        Raises:
            BadRequestError: its address must not be called, or too many pages are wanted.
            ConflictError: the agent knows it, or has as many sources as it may.
            NotFoundError, ForbiddenError: no such agent of this account.
        """
        self._refuse_body(body)
        kind = SourceKind.SITE if body.crawl else SourceKind.PAGE
        row = new_row(new_id(), agent_id, kind, self._clock.utc())
        row.name, row.url, row.type = name_url(body.url), body.url, "html"
        row.max_pages = body.max_pages if body.crawl else 1
        async with self._database.write() as session:
            await own_agent(session, account, agent_id, lock=True)
            await self._refuse_too_many(session, agent_id)
            await refuse_twice(session, row)
            session.add(row)
            await session.flush()
            await self._enqueue(session, account.user_id, row)
        self._jobs.wake()
        return view_page(row)

    async def refresh_page(self, account: Account, agent_id: str, source_id: str) -> KnowledgePage:
        """Have a page or site read again; what is searched stays until that is done.

        Raises: NotFoundError, ForbiddenError.
        """
        async with self._database.write() as session:
            row = await own_source(session, account, agent_id, source_id, WEB, lock=True)
            self._restart(row)
            await self._enqueue(session, account.user_id, row)
        self._restarted(source_id)
        return view_page(row)

    async def find_page(self, account: Account, agent_id: str, source_id: str) -> KnowledgePage:
        """A page or site. Raises NotFoundError, ForbiddenError."""
        async with self._database.read() as session:
            return view_page(await own_source(session, account, agent_id, source_id, WEB))

    async def list_pages(self, account: Account, agent_id: str) -> list[KnowledgePage]:
        """An agent's pages and sites, the oldest first. Raises NotFoundError, ForbiddenError."""
        async with self._database.read() as session:
            await own_agent(session, account, agent_id)
            return [view_page(row) for row in await list_rows(session, [agent_id], WEB)]

    # Both --------------------------------------------------------------------------------

    async def delete(
        self, account: Account, agent_id: str, source_id: str, kinds: Sequence[SourceKind]
    ) -> None:
        """Delete a source of one of `kinds`, also while it is indexed.

        Raises: NotFoundError, ForbiddenError.
        """
        async with self._database.write() as session:
            row = await own_source(session, account, agent_id, source_id, kinds, lock=True)
            revision = await self._remove(session, row)
        await self._removed(row, revision)

    async def follow(self, agent_id: str) -> None:
        """An agent was saved or deleted: index its text if that is long and new, or clean up.

        One that is deleted and may be brought back keeps what it knows.
        """
        async with self._database.write() as session:
            agent = await session.get(AgentRow, agent_id, execution_options=SHOWN)
            row = await session.scalar(
                select(SourceRow).where(
                    SourceRow.agent_id == agent_id, SourceRow.kind == SourceKind.TEXT
                )
            )
            text = agent.critical_knowledge or "" if agent else ""
            long = len(text) > self._settings.max_prompt_knowledge_chars
            if agent is not None and long:
                await self._index_text(session, agent, row, text)
            revision = await self._remove(session, row) if row is not None and not long else 0
        if agent is None:
            await self.forget(agent_id)
        elif row is not None and not long:
            await self._removed(row, revision)
        else:
            self._jobs.wake()

    async def is_searchable(self, agent_id: str, text: str) -> bool:
        """Whether all of an agent's own `text`, in just these words, can be found."""
        query = select(SourceRow.id).where(
            SourceRow.agent_id == agent_id,
            SourceRow.kind == SourceKind.TEXT,
            SourceRow.state == State.READY,
            SourceRow.digest == _digest(text),
        )
        async with self._database.read() as session:
            return await session.scalar(query) is not None

    async def prepare_copies(self, agent_id: str, copy_id: str) -> list[SourceCopy]:
        """Copy the files of an agent for another one; `store_copies` stores what they are of."""
        async with self._database.read() as session:
            sources = await list_rows(session, [agent_id], SourceKind)
        return await copy_files(self._shelf, sources, copy_id)

    async def store_copies(
        self, session: AsyncSession, account: Account, copies: Sequence[SourceCopy]
    ) -> None:
        """Store them in the transaction that makes their agent; `wake` once that is stored."""
        await copy_passages(session, copies)
        for copy in copies:
            if copy.is_queued:
                await self._enqueue(session, account.user_id, copy.row)

    def wake(self) -> None:
        """There may be something to index."""
        self._jobs.wake()

    async def forget(self, agent_id: str) -> None:
        """An agent was deleted, with its rows: remove its files."""
        self._knowledge.forget(agent_id)
        await self._shelf.drop_agent(agent_id)

    async def _index_text(
        self, session: AsyncSession, agent: AgentRow, row: SourceRow | None, text: str
    ) -> None:
        digest = _digest(text)
        if row is None:
            row = new_row(new_id(), agent.id, SourceKind.TEXT, self._clock.utc())
            row.name, row.type = OWN_TEXT, "text"
            session.add(row)
        elif row.digest == digest and row.state != State.FAILED:
            return
        row.digest, row.bytes = digest, len(text.encode("utf-8", "surrogatepass"))
        self._restart(row)
        await session.flush()
        await self._enqueue(session, agent.owner_id, row)

    async def _remove(self, session: AsyncSession, row: SourceRow) -> int:
        """Delete a row and its job; the agent's revision afterwards."""
        await self._jobs.drop(session, KIND, [row.id])
        await session.delete(row)
        return await self._knowledge.bump(session, row.agent_id)

    async def _removed(self, row: SourceRow, revision: int) -> None:
        self._knowledge.note(row.agent_id, revision)
        self._jobs.stop(KIND, [row.id])
        await self._shelf.drop(row.agent_id, row.stored_as)

    async def _enqueue(self, session: AsyncSession, owner_id: str, row: SourceRow) -> None:
        await self._jobs.add(session, KIND, row.id, lane=owner_id, small=is_small(row))

    def _restart(self, row: SourceRow) -> None:
        """Back to the queue; whoever is at it learns that its version is not the last any more."""
        row.version += 1
        row.state, row.code, row.reason, row.done, row.total = State.QUEUED, None, None, 0, 0
        row.updated_at = self._clock.utc()

    def _restarted(self, source_id: str) -> None:
        self._jobs.stop(KIND, [source_id])
        self._jobs.wake()

    # Limits ------------------------------------------------------------------------------

    async def _refuse_too_many(self, session: AsyncSession, agent_id: str) -> None:
        count = await session.scalar(
            select(func.count()).where(SourceRow.agent_id == agent_id, SourceRow.kind.in_(NAMED))
        )
        if (count or 0) >= self._settings.max_sources:
            raise ConflictError(
                f"the agent knows {self._settings.max_sources} files, pages and sites, the most "
                "it may",
                hint="Delete one, or ask the operator to raise SAYSO_MAX_SOURCES.",
            )

    async def _refuse_too_large(self, session: AsyncSession, row: SourceRow) -> None:
        others = await session.scalar(
            select(func.sum(SourceRow.bytes)).where(
                SourceRow.agent_id == row.agent_id,
                SourceRow.kind == SourceKind.FILE,
                SourceRow.stored_as.is_not(None),
                SourceRow.id != row.id,
            )
        )
        if (others or 0) + row.bytes > self._settings.max_sources_bytes:
            raise TooLargeError(
                f"with {row.name} the agent's files have more than "
                f"{show_bytes(self._settings.max_sources_bytes)}, the most they may",
                field="file",
                hint="Delete one, or ask the operator to raise SAYSO_MAX_SOURCES_BYTES.",
            )

    def _refuse_body(self, body: NewKnowledgePage) -> None:
        if body.crawl and body.max_pages > self._settings.max_crawl_pages:
            raise BadRequestError(
                f"maxPages is more than {self._settings.max_crawl_pages}, the most that are read",
                field="maxPages",
                hint="Ask for fewer, or ask the operator to raise SAYSO_MAX_CRAWL_PAGES.",
            )
        try:
            self._refuse_address(urlsplit(body.url).hostname or "")
        except OSError as error:
            raise BadRequestError(error.strerror or str(error), field="url") from error


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
