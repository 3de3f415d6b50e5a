"""What tests of sources share: uploads, jobs done at once, tools that do what they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import numpy.typing as npt

from rest_world import ScriptedEmbedder, World
from sayso.knowledge.passages import Page
from sayso.knowledge.split import split_sentences
from sayso.knowledge.web import WebPage
from sayso.library import FOLDER, Library, make_library
from sayso.sources.indexing import KIND, Indexing
from sayso.sources.shelf import Shelf
from sayso.sources.tools import Told, Tools


async def make_agent(client: httpx2.AsyncClient, **fields: object) -> str:
    answer = await client.post("/api/v1/agents", json={"displayName": "A", **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def upload(
    client: httpx2.AsyncClient, agent: str, name: str, data: bytes, status: int = 201
) -> dict[str, Any]:
    url = f"/api/v1/agents/{agent}/critical-knowledge-files"
    answer = await client.post(url, files={"file": (name, data)})
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def index(world: World) -> None:
    """Do all jobs there are."""
    while await world.library.jobs.run_one({KIND: world.library.indexing}):
        pass


async def texts(world: World, agent: str) -> list[str]:
    passages, vectors, _ = await world.library.knowledge.load(agent)
    assert len(passages) == len(vectors)
    return [passage.text for passage in passages]


def files(world: World) -> list[str]:
    """The names of all stored files."""
    return sorted(path.name for path in (world.settings.data_dir / FOLDER).glob("*/*"))


@dataclass
class Script:
    """Tools for indexing that do what they are told, and stop where they are told."""

    max_passages: int = 1000
    embedder: ScriptedEmbedder = field(default_factory=ScriptedEmbedder)
    before_read: Callable[[], Awaitable[None]] | None = None
    while_read: Callable[[], Awaitable[None]] | None = None
    before_embed: Callable[[str], Awaitable[None]] | None = None
    pages: dict[str, list[str]] = field(default_factory=dict)

    async def open(self) -> None:
        """Nothing to load."""

    async def embed_aside(self, text: str) -> npt.NDArray[np.float32]:
        if self.before_embed is not None:
            await self.before_embed(text)
        return await self.embedder.embed_aside(text)

    async def read(self, path: Path, kind: str, name: str, told: Told) -> list[Page]:
        """Each line is a page: "its title | its text"."""
        if self.before_read is not None:
            await self.before_read()
        lines = (await asyncio.to_thread(path.read_text, "utf-8")).splitlines()
        told(len(lines), len(lines), "")
        if self.while_read is not None:
            await self.while_read()
        cut = [line.rpartition(" | ") for line in lines]
        return [Page(text, number, title) for number, (title, _, text) in enumerate(cut, 1)]

    @staticmethod
    def split(pages: Iterable[Page]) -> list[Page]:
        """Each page is a passage."""
        return [page for page in pages if page.text.strip()]

    async def visit(
        self, url: str, max_pages: int | None, note: Callable[[str], None]
    ) -> AsyncGenerator[WebPage]:
        """The pages there are."""
        for number, text in enumerate(self.pages[url], 1):
            yield WebPage(f"{url}/{number}", text.encode(), len(self.pages[url]) - number)

    def install(self, world: World) -> World:
        """Have `world` index with these tools."""
        tools = Tools(self.read, self.split, split_sentences, self.visit, self, self.max_passages)
        library = world.library
        shelf = Shelf(world.settings.data_dir / FOLDER)
        indexing = Indexing(world.database, world.clock, shelf, library.knowledge, tools)
        world.library = replace(library, indexing=indexing)
        return world


def another_server(world: World, script: Script) -> Library:
    """A second server on the same data, with its own jobs and memory."""
    library = make_library(world.settings, world.database, world.clock, script)
    other = replace(world, library=library)
    return script.install(other).library


class Gate:
    """Lets work wait in the middle."""

    def __init__(self, at: str = "") -> None:
        self._at = at
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    async def __call__(self, text: str = "") -> None:
        if self._at in text:
            self.reached.set()
            await self.opened.wait()


def put_gates(script: Script, *names: str) -> dict[str, Gate]:
    """Gates in the way of what is embedded, each at a text that has its name in it."""
    gates = {name: Gate(name) for name in names}

    async def pass_all(text: str) -> None:
        for gate in gates.values():
            await gate(text)

    script.before_embed = pass_all
    return gates
