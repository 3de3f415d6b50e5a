from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import pytest

from sayso.knowledge import local
from sayso.knowledge.local import Indexes
from sayso.knowledge.passages import Passage
from sayso.knowledge.sentences import Meanings, Vectors

Loaded: TypeAlias = tuple[Sequence[Passage], Meanings, int]
MEANINGS = {"car": 0, "boat": 1, "sunday": 2}


def mean(text: str) -> Vectors:
    row = np.full(3, 0.01, np.float32)
    for word, place in MEANINGS.items():
        row[place] += word in text.casefold()
    return np.asarray(row / np.linalg.norm(row), np.float32)


class Words:
    """An embedder that knows three words."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def open(self) -> None:
        pass

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return np.stack([mean(text) for text in texts])


class Notebook:
    """A store in memory, with a count of how often they were read."""

    def __init__(self, **texts: list[str]) -> None:
        self.texts = texts
        self.revisions: dict[str, int] = {}
        self.noticed: dict[str, int] = {}
        self.loads = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def revision(self, agent_id: str) -> int:
        return self.revisions.get(agent_id, 1)

    def last_revision(self, agent_id: str) -> int | None:
        return self.noticed.get(agent_id)

    async def load(self, agent_id: str) -> Loaded:
        self.loads += 1
        await self.gate.wait()
        texts = self.texts.get(agent_id, [])
        passages = [Passage(f"{n}", text, "s", "s.md") for n, text in enumerate(texts)]
        vectors = np.stack([mean(text) for text in texts]) if texts else np.zeros((0, 3))
        return passages, Meanings(vectors.astype(np.float32)), await self.revision(agent_id)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_each_agent_has_its_own() -> None:
    indexes = Indexes(Notebook(a=["The car is red."], b=["The boat is blue."]), Words())
    assert [one.passage.text for one in await indexes.of("a").find("car?", [], 3)] == [
        "The car is red."
    ]
    assert await indexes.of("a").find("boat?", [], 3) == []


async def test_an_agent_that_knows_nothing_embeds_nothing() -> None:
    words = Words()
    shelf = Indexes(Notebook(), words).of("a")
    assert not await shelf.prepare()
    assert await shelf.find("car?", [], 3) == []
    assert words.asked == []


async def test_it_is_built_once_until_something_changes() -> None:
    notebook = Notebook(a=["The car is red."])
    shelf = Indexes(notebook, Words()).of("a")
    assert await shelf.prepare()
    await shelf.find("car", [], 1)
    assert notebook.loads == 1
    notebook.texts["a"], notebook.revisions["a"] = ["The car is gone."], 2
    assert (await shelf.find("car", [], 1))[0].passage.text == "The car is gone."
    assert notebook.loads == 2


async def test_what_is_found_is_filled_in_for_who_asked() -> None:
    indexes = Indexes(Notebook(a=["The car is red."]), Words())
    filled = indexes.of("a", lambda found: replace(found, score=0.5))
    assert [one.score for one in await filled.find("car", [], 1)] == [0.5]
    assert (await indexes.of("a").find("car", [], 1))[0].score != 0.5


async def test_a_turn_believes_what_this_process_knows_and_a_conversation_asks() -> None:
    notebook = Notebook(a=["The car is red."])
    notebook.noticed["a"] = 1
    shelf = Indexes(notebook, Words()).of("a")
    await shelf.prepare()
    notebook.texts["a"], notebook.revisions["a"] = ["The car is gone."], 2  # by another process
    assert (await shelf.find("car", [], 1))[0].passage.text == "The car is red."
    await shelf.prepare()
    notebook.noticed["a"] = 2
    assert (await shelf.find("car", [], 1))[0].passage.text == "The car is gone."


async def test_who_comes_meanwhile_waits_for_the_same_one() -> None:
    notebook = Notebook(a=["The car is red."])
    notebook.gate.clear()
    shelf = Indexes(notebook, Words()).of("a")
    hasty = asyncio.create_task(shelf.find("car", [], 1))
    patient = asyncio.create_task(shelf.find("car", [], 1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    hasty.cancel()  # gives up; the index is still made
    notebook.gate.set()
    assert await patient
    assert notebook.loads == 1


async def test_a_store_that_fails_is_told_to_whoever_asks_and_tried_again() -> None:
    class Broken(Notebook):
        async def load(self, agent_id: str) -> Loaded:
            if not self.loads:
                self.loads += 1
                raise OSError("no disk")
            return await super().load(agent_id)

    shelf = Indexes(Broken(a=["The car is red."]), Words()).of("a")
    with pytest.raises(OSError, match="no disk"):
        await shelf.find("car", [], 1)
    assert await shelf.find("car", [], 1)


async def test_a_short_question_is_read_with_the_one_before() -> None:
    words = Words()
    shelf = Indexes(Notebook(a=["On Sunday the car is here."]), words).of("a")
    await shelf.find("And on Sunday?", ["Hello.", "When is the car here?"], 1)
    await shelf.find("When exactly is the car here again?", ["Hello."], 1)
    assert words.asked == [
        "When is the car here? And on Sunday?",
        "When exactly is the car here again?",
    ]


async def test_the_longest_unused_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "MAX_KEPT_PASSAGES", 2)
    notebook = Notebook(a=["car"], b=["car"], c=["car"])
    indexes = Indexes(notebook, Words())
    for agent in "abca":
        await indexes.of(agent).find("car", [], 1)
    assert notebook.loads == 4
    await indexes.of("c").find("car", [], 1)
    assert notebook.loads == 4


async def test_closing_stops_building() -> None:
    notebook = Notebook(a=["car"])
    notebook.gate.clear()
    indexes = Indexes(notebook, Words())
    waiting = asyncio.create_task(indexes.of("a").prepare())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await indexes.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
