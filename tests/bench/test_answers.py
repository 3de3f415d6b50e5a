from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest

from answers import (
    Choice,
    Files,
    Graded,
    Setup,
    _is_refused,
    _leads_less,
    _show_cut,
    make_row,
    measure_recall,
    run_setup,
    show_recall,
    thin_out,
    write_out,
    write_page,
)
from questions import Question, read_passages
from sayso.knowledge.passages import Passage
from sayso.knowledge.search import build_index
from sayso.knowledge.sentences import Meanings, Vectors
from sayso.llm import Message
from sayso.llm.builtin import CAVEAT, UNKNOWN
from sayso.llm.failover import Runner, Standby
from sayso.llm.grounds import Odd, Weighed
from sayso.llm.prompt import PromptParts
from sayso.talk.lookup import Lookup

TEA = Question("What is tea?", "Tea", re.compile("hot"))
CUP = Question("Who won the cup?", kind="outside")


class Embeds:
    """Knows tea."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        return np.array([[1, 0] if "tea" in text.lower() else [0, 1] for text in texts], np.float32)


class Echo:
    """Says what it is asked, or that it does not know."""

    async def reply(self, messages: Sequence[Message], *_: object) -> object:
        last = messages[-1]
        yield last.excerpts[0].text if last.excerpts else UNKNOWN


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def files() -> Files:
    passages = [Passage("Tea", "Tea is hot.", "s", "t.md"), Passage("Ice", "Ice.", "s", "t.md")]
    *_, index = build_index(passages, Meanings(np.eye(2, dtype=np.float32)))
    assert index
    return Files(index, Embeds())  # type: ignore[arg-type]


async def test_questions_go_the_way_of_a_conversation(files: Files) -> None:
    mind = Standby(start_s=5).bind([Runner(Echo())])  # type: ignore[arg-type]
    setup = Setup("echo", mind, PromptParts(), Lookup((files,), deadline_s=5), echoes=True)
    said: list[str] = []
    graded = await run_setup(setup, [TEA, CUP], said.append)
    assert [one.grade for one in graded] == ["found", "wrong"]
    assert graded[0].answer == "Tea is hot."
    assert len(said) == 3
    nowhere = Setup("echo", mind, PromptParts(), Lookup(), echoes=True)
    assert [one.grade for one in await run_setup(nowhere, [CUP], said.append)] == ["refused"]


async def test_recall_counts_the_right_passage(files: Files) -> None:
    assert await measure_recall(files, [TEA, CUP]) == {1: 1.0, 3: 1.0, 4: 1.0, 5: 1.0}
    assert "is reached" in show_recall("x", {1: 0.5, 3: 0.95})
    assert "is missed" in show_recall("x", {1: 0.5, 3: 0.94})


def test_a_row_counts_each_kind() -> None:
    kinds = ("off-topic", "near-topic", "outside")
    graded = [Graded(TEA, CAVEAT.format(what="x"), "found", 0.1), Graded(TEA, "", "wrong", 0.1)]
    graded += [Graded(Question("?", kind=kind), "", "refused", 0.1) for kind in kinds]
    assert make_row("we", graded) == "| we | 1 / 0 / 1 | 1 | 1 of 1 | 1 of 1 | 1 of 1 | 100 |"


def test_thresholds_are_tried_on_either_half() -> None:
    far, near = Weighed(0.1, 0.2), Weighed(0.9, 0.2)
    odd = Weighed(0.9, 0.2, (Odd("a unicycle", 0.38),))
    assert [_leads_less(0.1, one) for one in (far, near)] == [True, False]
    assert [_is_refused(0.4, one) for one in (far, near, odd)] == [True, False, True]
    assert not _is_refused(0.3, odd)
    kinds = ("answerable", "off-topic", "near-topic", "outside")
    half = [(Question("?", kind=kind), odd) for kind in kinds]
    assert _show_cut(0.4, [half], lambda one: _is_refused(0.4, one)) == (
        "| 0.4 | 100% / 100% / 100% / 100% |"
    )


def test_a_sample_keeps_every_kind() -> None:
    sample = thin_out([TEA, TEA, TEA, CUP], 2)
    assert sample == [TEA, TEA, CUP]
    assert Choice("", "", 2, print).sample == 2


def test_the_documents_are_pasted_with_their_headings() -> None:
    text = write_out(read_passages())
    assert text.startswith("## ")
    assert len(text) <= 20_000, "more than an agent's critical knowledge may be"
    assert "Opening hours" in text


def test_the_page_says_how_it_was_made() -> None:
    page = write_page("| a |")
    assert page.startswith("# Answers, measured")
    assert "| a |" in page
