from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from sayso.llm.known import embed_notes, under
from sayso.llm.meanings import Vectors
from sayso.llm.notes import Notes

AXES = ("tea", "cat", "rain", "milk")


class Subjects:
    """Embeds by the subjects that a text names."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        rows = np.array([[axis in text.lower() for axis in AXES] for text in texts], np.float32)
        rows = rows.reshape(len(texts), len(AXES))
        unit: Vectors = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        return unit


TEA, MILK = np.eye(4, dtype=np.float32)[[0, 3]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_nothing_known_is_nothing() -> None:
    known = await embed_notes(Notes(critical_knowledge="Why?"), Subjects())
    assert not known
    assert known.measure(TEA) == -1.0
    assert not known.says("What is tea?")


async def test_a_passage_fits_as_itself_and_its_closest_sentence_do_together() -> None:
    text = "Tea is hot. The cat sleeps. Rain falls."
    known = await embed_notes(Notes(critical_knowledge=text), Subjects())
    whole = 1 / np.sqrt(3)
    assert known.measure(TEA) == pytest.approx((whole + 1) / 2)
    scores, fits = known.answers.compare(TEA)
    assert scores.tolist() == pytest.approx([(whole + 1) / 2])
    assert fits[0].tolist() == [1, 0, 0]
    assert known.measure(MILK) == 0


async def test_a_passage_that_fits_as_a_whole_needs_no_sentence() -> None:
    known = await embed_notes(Notes(critical_knowledge="What is tea? It is a drink."), Subjects())
    assert known.answers.lines == (("It is a drink.",),)
    assert known.measure(TEA) == 1.0


async def test_what_it_is_told_counts_for_one_that_is_held_to_it() -> None:
    notes = Notes(agent_prompt="You pour milk. Never spill any.", answer_only=True)
    known = await embed_notes(notes, Subjects())
    assert (len(known.answers), len(known.orders)) == (0, 1)
    assert known.measure(MILK) == 1.0
    assert known.says("Do you have milk?")
    free = await embed_notes(Notes(agent_prompt="You pour milk."), Subjects())
    assert not free


async def test_one_sentence_must_have_all_the_words() -> None:
    text = "# Duvets\nThe yellow one costs ten euros.\n\n# Tea\nIt is hot."
    known = await embed_notes(Notes(critical_knowledge=text), Subjects())
    assert known.says("What does the yellow duvet cost?"), "its heading is part of it"
    assert not known.says("Is the yellow tea good?")
    assert not known.says("Why is that?"), "it is about nothing"


def test_a_sentence_means_little_without_its_heading() -> None:
    assert under("Tea", "It is hot.") == "Tea: It is hot."
    assert under("", "It is hot.") == "It is hot."
