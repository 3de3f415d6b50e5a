"""Finds what an agent knows in this server's own store: one index for each agent, in memory."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Protocol, TypeAlias

from sayso.knowledge.passages import Found, Passage
from sayso.knowledge.search import Index, build_index
from sayso.knowledge.sentences import Meanings, Vectors

MAX_INDEXES: Final = 64
"""Agents whose passages are kept in memory; the longest unused go first."""

MAX_KEPT_PASSAGES: Final = 200_000
"""Passages in memory, over all agents: about 4 KB each."""

REST_S: Final = 0.0005
"""Rest after each slice of building, in seconds: conversations go first."""

SHORT_WORDS: Final = 4
"""A question this short is read together with the one before it ("and on Sunday?")."""

LEAST_SCORE: Final = 0.2
"""A passage that fits less is about something else."""


Fill: TypeAlias = Callable[[Found], Found]


class Stored(Protocol):
    """Where passages are kept."""

    async def revision(self, agent_id: str) -> int:
        """Differs whenever what can be found does, whoever changed it."""
        ...

    def last_revision(self, agent_id: str) -> int | None:
        """The same as far as this process knows, at once; None if it does not."""
        ...

    async def load(self, agent_id: str) -> tuple[Sequence[Passage], Meanings, int]:
        """All passages of an agent that are ready, their meanings, and the revision they are of."""
        ...


class Asked(Protocol):
    """What searching needs of an embedder."""

    async def open(self) -> None:
        """Load the model, if it is not."""
        ...

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """The meanings of questions, ahead of everything that only indexes."""
        ...


class Indexes:
    """What all agents know, as far as it is in memory."""

    def __init__(self, stored: Stored, embedder: Asked) -> None:
        self._stored = stored
        self._embedder = embedder
        self._indexes: OrderedDict[str, tuple[int, Index]] = OrderedDict()
        self._building: dict[str, asyncio.Task[Index]] = {}

    def of(self, agent_id: str, fill: Fill = lambda found: found) -> LocalRetriever:
        """What one agent knows; `fill` puts a conversation's values into what is found."""
        return LocalRetriever(self, agent_id, fill)

    async def open_index(self, agent_id: str, *, surely: bool = False) -> Index:
        """The agent's index as it stands now; built in a thread if it is not here yet.

        `surely`, the store is asked what stands now: another process may have changed it. A turn
        does not wait for that. Who comes while the index is built, waits for the same one.
        """
        revision = None if surely else self._stored.last_revision(agent_id)
        if revision is None:
            revision = await self._stored.revision(agent_id)
        known = self._indexes.get(agent_id)
        if known is not None and known[0] == revision:
            self._indexes.move_to_end(agent_id)
            return known[1]
        building = self._building.get(agent_id)
        if building is None:
            building = asyncio.create_task(self._build(agent_id))
            self._building[agent_id] = building
            building.add_done_callback(partial(self._built, agent_id))
        return await asyncio.shield(building)

    async def find(self, agent_id: str, words: str, limit: int) -> list[Found]:
        """The passages of an agent that fit `words`."""
        index = await self.open_index(agent_id)
        if not index.passages:
            return []
        await self._embedder.open()
        meaning = (await self._embedder.embed([words]))[0]
        found = await asyncio.to_thread(index.search, meaning, words, limit)
        return [one for one in found if one.score >= LEAST_SCORE]

    async def close(self) -> None:
        """Stop building."""
        tasks = tuple(self._building.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _built(self, agent_id: str, building: asyncio.Task[Index]) -> None:
        self._building.pop(agent_id, None)
        if not building.cancelled():
            building.exception()  # whoever waits for it has it, if anybody still does

    async def _build(self, agent_id: str) -> Index:
        passages, meanings, revision = await self._stored.load(agent_id)
        index = await asyncio.to_thread(_build_gently, passages, meanings)
        self._indexes[agent_id] = revision, index
        self._indexes.move_to_end(agent_id)
        self._make_room()
        return index

    def _make_room(self) -> None:
        kept = sum(len(index.passages) for _, index in self._indexes.values())
        while len(self._indexes) > 1 and (
            kept > MAX_KEPT_PASSAGES or len(self._indexes) > MAX_INDEXES
        ):
            _, (_, index) = self._indexes.popitem(last=False)
            kept -= len(index.passages)


class LocalRetriever:
    """The `Retriever` of one agent."""

    def __init__(self, indexes: Indexes, agent_id: str, fill: Fill) -> None:
        self._indexes = indexes
        self._agent_id = agent_id
        self._fill = fill

    async def prepare(self) -> bool:
        """Build the index ahead of the first question; whether there is anything in it."""
        return bool((await self._indexes.open_index(self._agent_id, surely=True)).passages)

    async def find(self, asked: str, context: Sequence[str], limit: int) -> list[Found]:
        """See `Retriever`."""
        short = len(asked.split()) <= SHORT_WORDS
        words = f"{context[-1]} {asked}" if short and context else asked
        return [self._fill(one) for one in await self._indexes.find(self._agent_id, words, limit)]


def _build_gently(passages: Sequence[Passage], meanings: Meanings) -> Index:
    """Build an index, resting between slices: the interpreter serves one thread at a time."""
    for built in build_index(passages, meanings):
        if built is not None:
            return built
        time.sleep(REST_S)
    raise AssertionError("an index is always built")  # pragma: no cover
