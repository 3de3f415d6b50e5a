from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from sayso.llm.meanings import Meanings, Vectors


class Lengths:
    """Embeds a text as its length; waits at its gate."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def embed(self, texts: Sequence[str]) -> Vectors:
        await self.gate.wait()
        self.texts += texts
        return np.array([[len(text)] for text in texts], np.float32)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_each_text_is_embedded_once() -> None:
    embedder = Lengths()
    meanings = Meanings(embedder)
    assert (await meanings.of(["a", "bb", "a"])).tolist() == [[1], [2], [1]]
    assert (await meanings.of(["bb", "ccc"])).tolist() == [[2], [3]]
    assert embedder.texts == ["a", "bb", "ccc"]


async def test_the_longest_unused_goes_first() -> None:
    embedder = Lengths()
    meanings = Meanings(embedder, most=2)
    await meanings.of(["a", "bb"])
    await meanings.of(["a"])
    await meanings.of(["ccc"])
    embedder.texts.clear()
    await meanings.of(["a"])
    assert embedder.texts == []
    await meanings.of(["bb"])
    assert embedder.texts == ["bb"]


async def test_what_goes_meanwhile_is_still_given() -> None:
    embedder = Lengths()
    meanings = Meanings(embedder, most=1)
    await meanings.of(["a"])
    embedder.gate.clear()
    slow = asyncio.create_task(meanings.of(["a", "bb"]))
    other = asyncio.create_task(meanings.of(["ccc"]))
    await asyncio.sleep(0)
    embedder.gate.set()
    assert (await slow).tolist() == [[1], [2]]
    assert (await other).tolist() == [[3]]


async def test_more_texts_than_are_kept_are_all_given() -> None:
    assert len(await Meanings(Lengths(), most=2).of(["a", "bb", "ccc"])) == 3
