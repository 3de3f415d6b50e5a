"""What agents know, put together: who reads, visits, embeds, stores and searches it.

`app.py` makes one, and runs it as long as the server lives.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

from sayso.clock import Clock
from sayso.config import Settings
from sayso.knowledge.bounds import ReadLimits
from sayso.knowledge.crawl import Crawler
from sayso.knowledge.kinds import Kind
from sayso.knowledge.passages import Page
from sayso.knowledge.read import Progress, read, recognise
from sayso.knowledge.split import split, split_sentences
from sayso.knowledge.web import VisitLimits
from sayso.security.outbound import refuse_literal
from sayso.sources.arrivals import Recognised
from sayso.sources.indexing import KIND, Indexing
from sayso.sources.knowledge import Knowledge
from sayso.sources.service import Sources
from sayso.sources.shelf import Shelf
from sayso.sources.tools import Embeds, Told, Tools
from sayso.store.database import Database
from sayso.store.jobs import Duty, Jobs

FOLDER = "knowledge"
"""Below the data folder: the bytes of uploaded files."""


@dataclass(frozen=True, slots=True)
class Library:
    """Everything about knowledge.

    Attributes:
        jobs: what is still to be done, of any kind.
        knowledge: what can be searched.
        sources: what the REST API calls.
        indexing: does the jobs of sources.
    """

    jobs: Jobs
    knowledge: Knowledge
    sources: Sources
    indexing: Indexing

    @asynccontextmanager
    async def live(self, duties: Mapping[str, Duty] = MappingProxyType({})) -> AsyncGenerator[None]:
        """Clean up what the last server left, and index what is waiting, until the block ends.

        One source is indexed at a time, and a small one beside it; one that is not small after all
        leaves the second worker. The workers do these other `duties` as well.
        """
        await self.sources.open()
        all_duties = {KIND: self.indexing, **duties}
        workers = [
            asyncio.create_task(self.jobs.run(all_duties, only_small=small))
            for small in (False, True)
        ]
        try:
            yield
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.wait(workers)


def make_library(settings: Settings, database: Database, clock: Clock, embedder: Embeds) -> Library:
    """Put it together; nothing is opened yet."""
    jobs = Jobs(database, clock)
    knowledge = Knowledge(database)
    shelf = Shelf(settings.data_dir / FOLDER)
    sources = Sources(
        database,
        clock,
        jobs,
        knowledge,
        shelf,
        recognise=partial(_recognise, ReadLimits.of(settings)),
        refuse_address=partial(refuse_literal, private=settings.outbound_private),
        settings=settings,
    )
    tools = make_tools(settings, embedder)
    return Library(jobs, knowledge, sources, Indexing(database, clock, shelf, knowledge, tools))


def make_tools(settings: Settings, embedder: Embeds) -> Tools:
    """Those that the settings describe."""
    limits = VisitLimits(page_bytes=settings.max_page_bytes, total_s=settings.crawl_timeout_s)
    return Tools(
        read=partial(_read, ReadLimits.of(settings)),
        split=split,
        split_sentences=split_sentences,
        visit=Crawler(limits, private=settings.outbound_private).visit,
        embedder=embedder,
        max_passages=settings.max_passages,
    )


async def _recognise(limits: ReadLimits, path: Path, name: str) -> Recognised:
    judged = await recognise(path, name, limits)
    return Recognised(judged.kind.value, judged.note)


async def _read(limits: ReadLimits, path: Path, kind: str, name: str, told: Told) -> list[Page]:
    def tell(progress: Progress) -> None:
        told(progress.done, progress.of or 0, progress.note)

    return await read(path, Kind(kind), limits, name=name, told=tell)
