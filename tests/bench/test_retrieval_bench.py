from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import lookups
from lookups import Notebook, look_up, read_meanings
from retrieval import (
    OURS,
    SCAN,
    WORDS,
    Corpus,
    Result,
    compare,
    write_loaded,
    write_page,
    write_table,
)
from sayso.knowledge.local import Indexes
from sayso.knowledge.sentences import Meanings, Vectors, round_off

TEXTS = ["red apples grow on trees", "blue boats sail on water", "green tea is served hot"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def corpus() -> Corpus:
    vectors = np.eye(384, dtype=np.float32)[:3]
    questions = [("apples", 0, False), ("boats", 1, False), ("a hot drink", 2, True)]
    sentences = [round_off(vectors[:2]), None, round_off(vectors[2:])]
    headings = [None, None, round_off(vectors[2:])]
    return Corpus(TEXTS, vectors, sentences, headings, vectors, 2, questions, [1.0, 2.0])


def test_all_ways_search_the_same(corpus: Corpus) -> None:
    ours, scan, words = compare(corpus, 40)
    assert [one.way for one in (ours, scan, words)] == [OURS, SCAN, WORDS]
    for one in (ours, scan):
        assert [one.recall(1, spoken=spoken) for spoken in (False, True)] == [1.0, 1.0]
    assert words.recall(1, spoken=True) == 1.0  # "hot" is in it
    assert all(len(one.times_ms) == len(one.cpu_ms) == 3 for one in (ours, scan, words))


def test_what_was_found_becomes_a_table() -> None:
    results = [
        Result(OURS, 10_000, 1.0, [2.0, 2.0], [2.0, 2.0], [(False, 1), (True, 3)]),
        Result(SCAN, 10_000, 0.0, [1.0, 1.0], [1.0, 1.0], [(False, 6), (True, 6)]),
    ]
    table = write_table(results).splitlines()
    assert table[2].startswith("| 10,000 | ours | 1.00 / 1.00 / 1.00 | 0.00 / 1.00 / 1.00 |")
    assert "| 0.50 | 0.0 |" in table[3]


def test_the_aim_is_kept_or_missed() -> None:
    assert "is kept" in write_loaded([10.0, 20.0])
    assert "is missed" in write_loaded([10.0, 200.0])
    assert write_page("| x |").startswith("# Finding passages, measured")


class Known:
    """Embeds every question as the same."""

    async def open(self) -> None:
        pass

    async def embed(self, texts: Sequence[str]) -> Vectors:
        return np.eye(384, dtype=np.float32)[: len(texts)]


def test_meanings_come_out_of_a_file_as_they_went_in() -> None:
    rows = np.eye(3, dtype=np.int8)
    file: dict[str, npt.NDArray[Any]] = {
        "vectors": np.eye(3, dtype=np.float32),
        "sentences": rows,
        "counts": np.array([2, 0, 1]),
        "headings": rows[:1],
        "headed": np.array([0, 1, 0]),
    }
    meanings = read_meanings(file)
    assert [len(meanings.sentences.of(n)) for n in range(3)] == [2, 0, 1]
    assert np.array_equal(meanings.sentences.of(2), rows[2:])
    assert [len(meanings.headings.of(n)) for n in range(3)] == [0, 1, 0]


async def test_lookups_are_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "EVERY_S", 0.0)
    found = tmp_path / "found"
    indexes = Indexes(Notebook(TEXTS, Meanings(np.eye(384, dtype=np.float32)[:3])), Known())
    looking = asyncio.create_task(look_up(indexes, ["apples"], found))
    async with asyncio.timeout(10):
        while not found.exists() or len(found.read_text().splitlines()) < 3:  # noqa: ASYNC110 - a file
            await asyncio.sleep(0)
    looking.cancel()
    await asyncio.wait([looking])
    await indexes.close()
    assert all(float(json.loads(line)) >= 0 for line in found.read_text().splitlines())
