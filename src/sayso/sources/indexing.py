"""Makes a source searchable: reads it, cuts it into passages, embeds and stores them.

Passages are stored under a version nobody searches. When all are there, one transaction makes that
version the live one and deletes the one before: a source is never half searchable, and whatever
goes wrong on the way leaves it as it was. Whoever begins takes the next version, and finds out at
the next thing it stores if somebody has taken a later one: a file replaced meanwhile, a source
deleted, the same job taken up by another server.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import structlog
from sqlalchemy import Delete, delete, insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.clock import Clock
from sayso.errors import FetchError, ReadCode, ReadError
from sayso.knowledge.passages import Page, list_headings, text_to_embed
from sayso.knowledge.web import WebPage
from sayso.sources.knowledge import Knowledge, pack, pack_parts
from sayso.sources.pace import Pace
from sayso.sources.progress import Progress
from sayso.sources.schema import SourceKind, State
from sayso.sources.shelf import Shelf
from sayso.sources.tools import Tools
from sayso.store.database import Database
from sayso.store.hidden import SHOWN
from sayso.store.jobs import Job, OutgrownError
from sayso.store.tables import AgentRow, PassageRow, SourceRow

KIND = "index"
"""The kind of job this file does."""
PASSAGES_AT_ONCE = 20
"""Passages stored in one transaction, and steps of the progress told."""

HOPELESS = frozenset(
    (ReadCode.EMPTY, ReadCode.WRONG_KIND, ReadCode.ENCRYPTED, ReadCode.DAMAGED, ReadCode.NO_TEXT)
)
"""What the same bytes will be again, whatever the operator allows: they are not kept."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One source on its way, and the version that is being made of it."""

    source_id: str
    agent_id: str
    version: int
    kind: SourceKind
    name: str
    url: str
    type: str
    path: Path | None
    max_pages: int | None
    text: str
    notes: tuple[str, ...]
    """What was said of the file when it came."""


@dataclass(frozen=True, slots=True)
class _Embedded:
    """What a passage means, as a whole and sentence by sentence; and its heading, if any."""

    whole: npt.NDArray[np.float32]
    sentences: Sequence[npt.NDArray[np.float32]]
    heading: Sequence[npt.NDArray[np.float32]]


class _OvertakenError(Exception):
    """The source is gone, or somebody has begun a later version of it."""


class _TooManyPassagesError(Exception):
    """The agent would know more than it may."""


class Indexing:
    """The duty of a worker: jobs of kind `KIND`, each about one source."""

    def __init__(
        self, database: Database, clock: Clock, shelf: Shelf, knowledge: Knowledge, tools: Tools
    ) -> None:
        self._database = database
        self._clock = clock
        self._shelf = shelf
        self._knowledge = knowledge
        self._tools = tools

    async def perform(self, job: Job) -> None:
        """Index a source from the beginning. Raises OutgrownError where it takes too long."""
        attempt = await self._begin(job.key)
        if attempt is None:
            return
        pace = Pace(job.crowded)
        try:
            await pace.hold(self._index(attempt, pace))
        except _OvertakenError:
            _log.info("indexing_overtaken", source_id=job.key)
        except OutgrownError:
            with suppress(_OvertakenError):
                await self._change(attempt, state=State.QUEUED, done=0, total=0)
            raise
        except (ReadError, FetchError) as error:
            if attempt.path is not None and error.code in HOPELESS:
                await self._refuse_bytes(attempt, attempt.path, error)
            else:
                await self._fail(attempt.source_id, error.code, _sentences(error), attempt.version)
        except _TooManyPassagesError:
            sentence = (
                f"With {attempt.name} the agent would know more than {self._tools.max_passages:,} "
                "passages, the most it may. Delete something else, or ask the operator to raise "
                "SAYSO_MAX_PASSAGES."
            )
            await self._fail(attempt.source_id, "too_many_passages", sentence, attempt.version)

    async def give_up(self, job: Job) -> None:
        """It failed again and again, for reasons that are the server's."""
        sentence = (
            "The server failed to index this again and again; its log says why. Replace or refresh "
            "it to try once more."
        )
        await self._fail(job.key, "server_failed", sentence)

    async def _index(self, attempt: _Attempt, pace: Pace) -> None:
        async def keep(done: int, total: int) -> None:
            pace.see_pages(total)
            await self._change(attempt, done=done, total=total)

        progress = Progress(keep, attempt.notes)
        pages = await progress.watch(self._read(attempt, progress))
        stretches = await asyncio.to_thread(self._tools.split, pages)
        if not stretches:
            raise ReadError(f"There is no text in {attempt.name}.", code=ReadCode.NO_TEXT)
        if len(stretches) > self._tools.max_passages:
            raise _TooManyPassagesError
        pace.see_text(stretches)
        await self._change(attempt, state=State.EMBEDDING, done=0, total=len(stretches))
        await self._tools.embedder.open()
        headings = list_headings([one.title for one in stretches])
        for first in range(0, len(stretches), PASSAGES_AT_ONCE):
            some = stretches[first : first + PASSAGES_AT_ONCE]
            pairs = zip(some, headings[first:], strict=False)
            await self._store(attempt, first, some, [await self._embed(*pair) for pair in pairs])
        await self._make_live(attempt, len(pages), len(stretches), progress.notes)

    async def _embed(self, stretch: Page, heading: str) -> _Embedded:
        embed = self._tools.embedder.embed_aside
        whole = await embed(text_to_embed(stretch.title, stretch.text))
        sentences = self._tools.split_sentences(stretch.title, stretch.text)
        return _Embedded(
            whole,
            [await embed(one) for one in sentences],
            [await embed(heading)] if heading else [],
        )

    # Reading -----------------------------------------------------------------------------

    async def _read(self, attempt: _Attempt, progress: Progress) -> list[Page]:
        if attempt.kind is SourceKind.TEXT:
            return [Page(attempt.text)]
        if attempt.kind is SourceKind.FILE:
            assert attempt.path is not None  # noqa: S101 - a file has one
            return await self._tools.read(attempt.path, attempt.type, attempt.name, progress.tell)
        return await self._read_site(attempt, progress)

    async def _read_site(self, attempt: _Attempt, progress: Progress) -> list[Page]:
        """The pages of a site, without those that say what another one said."""
        limit = attempt.max_pages if attempt.kind is SourceKind.SITE else None
        pages: list[Page] = []
        seen: set[bytes] = set()
        visited = 0
        failure: ReadError | None = None
        async with aclosing(self._tools.visit(attempt.url, limit, progress.note)) as fetched:
            async for one in fetched:
                visited += 1
                try:
                    found = await self._read_page(attempt, one)
                except ReadError as error:
                    failure = failure or error
                    progress.note(error.message)
                    found = []
                digest = _digest(found)
                if digest not in seen:
                    seen.add(digest)
                    pages += found
                progress.tell(visited, min(visited + one.waiting, limit or 1), "")
        if not pages and failure is not None:
            raise failure
        return pages

    async def _read_page(self, attempt: _Attempt, fetched: WebPage) -> list[Page]:
        """One web page, read like an uploaded file."""
        path = await self._shelf.make_path(attempt.agent_id, attempt.source_id)
        try:
            await asyncio.to_thread(path.write_bytes, fetched.html)
            pages = await self._tools.read(path, "html", fetched.url, _unheard)
        finally:
            await self._shelf.drop(attempt.agent_id, path.name)
        return [replace(page, url=fetched.url) for page in pages]

    # Storing -----------------------------------------------------------------------------

    async def _begin(self, source_id: str) -> _Attempt | None:
        """Take the next version of a source; None if it is gone, or its bytes are."""
        async with self._database.write() as session:
            row = await session.get(SourceRow, source_id, with_for_update=True)
            if row is None or (row.kind == SourceKind.FILE and row.stored_as is None):
                return None
            row.version += 1
            row.state, row.code, row.reason = State.READING, None, None
            row.done = row.total = 0
            row.updated_at = self._clock.utc()
            await session.execute(_delete_others(row.id, row.live_version))
            agent = await session.get_one(AgentRow, row.agent_id, execution_options=SHOWN)
            return _Attempt(
                row.id,
                row.agent_id,
                row.version,
                SourceKind(row.kind),
                row.name,
                row.url or "",
                row.type,
                self._shelf.path(row.agent_id, row.stored_as) if row.stored_as else None,
                row.max_pages,
                agent.critical_knowledge or "",
                tuple(row.notes) if row.kind == SourceKind.FILE else (),
            )

    async def _store(
        self,
        attempt: _Attempt,
        first: int,
        stretches: Sequence[Page],
        embedded: Sequence[_Embedded],
    ) -> None:
        rows = [
            {
                "source_id": attempt.source_id,
                "version": attempt.version,
                "number": number,
                "text": one.text,
                "title": one.title,
                "page": one.number,
                "url": one.url,
                "vector": pack(meant.whole),
                "sentences": pack_parts(meant.sentences),
                "heading": pack_parts(meant.heading),
            }
            for number, (one, meant) in enumerate(zip(stretches, embedded, strict=True), first)
        ]
        async with self._database.write() as session:
            await self._keep(session, attempt, done=first + len(rows))
            await session.execute(insert(PassageRow), rows)

    async def _make_live(
        self, attempt: _Attempt, pages: int, passages: int, notes: Sequence[str]
    ) -> None:
        """The one moment when what can be searched changes."""
        async with self._database.write() as session:
            await session.get(AgentRow, attempt.agent_id, with_for_update=True)
            others = await self._knowledge.count(
                session, attempt.agent_id, besides=attempt.source_id
            )
            if others + passages > self._tools.max_passages:
                raise _TooManyPassagesError
            await self._keep(
                session,
                attempt,
                state=State.READY,
                live_version=attempt.version,
                notes=list(notes),
                pages=pages,
                passages=passages,
                done=passages,
                total=passages,
            )
            await session.execute(_delete_others(attempt.source_id, attempt.version))
            revision = await self._knowledge.bump(session, attempt.agent_id)
        self._knowledge.note(attempt.agent_id, revision)
        _log.info("source_ready", source_id=attempt.source_id, pages=pages, passages=passages)

    async def _change(self, attempt: _Attempt, **values: object) -> None:
        async with self._database.write() as session:
            await self._keep(session, attempt, **values)

    async def _keep(self, session: AsyncSession, attempt: _Attempt, **values: object) -> None:
        """Change the source, if nobody has begun a later version. Raises _OvertakenError."""
        change = (
            update(SourceRow)
            .where(SourceRow.id == attempt.source_id, SourceRow.version == attempt.version)
            .values(updated_at=self._clock.utc(), **values)
            .returning(SourceRow.id)
        )
        if await session.scalar(change) is None:
            raise _OvertakenError

    async def _refuse_bytes(
        self, attempt: _Attempt, path: Path, error: ReadError | FetchError
    ) -> None:
        """Say why a file can never be read, and delete its bytes."""
        sentence = f"{_sentences(error)} Its bytes were deleted."
        if await self._fail(
            attempt.source_id, error.code, sentence, attempt.version, keep_bytes=False
        ):
            await self._shelf.drop(attempt.agent_id, path.name)

    async def _fail(
        self,
        source_id: str,
        code: str,
        sentence: str,
        version: int | None = None,
        *,
        keep_bytes: bool = True,
    ) -> bool:
        """Say why a source failed, unless it is a later version's turn; whether it was said.

        What was searchable of it stays so.
        """
        async with self._database.write() as session:
            row = await session.get(SourceRow, source_id, with_for_update=True)
            if row is None or (version is not None and row.version != version):
                return False
            row.state, row.code, row.reason = State.FAILED, code, sentence
            row.stored_as = row.stored_as if keep_bytes else None
            row.updated_at = self._clock.utc()
            await session.execute(_delete_others(row.id, row.live_version))
        _log.info("source_failed", source_id=source_id, code=code)
        return True


def _unheard(_done: int, _total: int, _note: str) -> None:
    """Of one page of a site nobody wants to know how far it is."""


def _digest(pages: Sequence[Page]) -> bytes:
    text = "\0".join(page.text for page in pages)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _delete_others(source_id: str, version: int) -> Delete:
    return delete(PassageRow).where(
        PassageRow.source_id == source_id, PassageRow.version != version
    )


def _sentences(error: ReadError | FetchError) -> str:
    return f"{error.message} {error.hint}" if error.hint else error.message
