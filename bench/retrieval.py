"""Measures finding passages: how good, how fast, beside a plain scan and words alone.

    make bench
    python bench/retrieval.py --quick     10,000 passages only, a minute
    python bench/retrieval.py --page docs/reference/retrieval.md

All three search the same passages for the same questions, in turns, in one process: ours (meaning
with a share of words), a numpy scan (meaning alone) and BM25 (words alone). Passages are
docstrings of the standard library, asked for by their first lines, and the documents of the
evaluation set, asked for in spoken words; what fills the index up is mixed from them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from callers import Party
from child import CALLERS_CORE, pin, start
from docstrings import mix_sentences, mix_texts, mix_vectors, read_docstrings
from figures import percentile
from machine import Others, describe_machine, describe_others
from questions import read_passages, read_questions
from sayings import load_sayings
from sayso.knowledge import keywords
from sayso.knowledge.embed import Embedder
from sayso.knowledge.passages import Passage, list_headings, text_to_embed
from sayso.knowledge.search import build_index
from sayso.knowledge.sentences import Meanings, Rounded, Vectors, round_off
from sayso.knowledge.split import split_sentences
from sayso.llm.fake import FakeConfig, running_fake
from script import REPLY, ModelTimes

Built = TypeVar("Built")
HERE = Path(__file__).parent
OURS, SCAN, WORDS = "ours", "numpy scan", "BM25"
LIMIT: Final = 5
AIM_LOADED_MS: Final = 50.0
"""The most a lookup may take at the 95th percentile while ten callers talk."""
CALLERS, TURNS = 10, 4
LOAD_LIMIT_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured: docstrings, passages in all, and how many of the former are asked."""

    docstrings: int = 1500
    sizes: tuple[int, ...] = (10_000, 100_000)
    questions: int = 500


QUICK = Plan(docstrings=300, sizes=(10_000,), questions=150)


@dataclass(frozen=True, slots=True)
class Corpus:
    """What is searched, and what for.

    Attributes:
        texts: the real passages.
        vectors: what they mean as a whole.
        sentences: and sentence by sentence.
        headings: and their own headings.
        asked: what the questions mean.
        docstrings: how many of the texts, the first ones, are docstrings.
        questions: words, the place of the passage that answers, and whether it is spoken.
    """

    texts: Sequence[str]
    vectors: Vectors
    sentences: Sequence[Rounded | None]
    headings: Sequence[Rounded | None]
    asked: Vectors
    docstrings: int
    questions: Sequence[tuple[str, int, bool]]
    embed_ms: Sequence[float]


@dataclass(frozen=True, slots=True)
class Result:
    """What one way to search did with one size."""

    way: str
    size: int
    build_s: float
    times_ms: list[float]
    cpu_ms: list[float]
    ranks: list[tuple[bool, int]]

    def recall(self, at: int, *, spoken: bool) -> float:
        """How often the passage was among the first `at`."""
        own = [rank for kind, rank in self.ranks if kind is spoken]
        return sum(rank <= at for rank in own) / max(1, len(own))


async def read_corpus(plan: Plan) -> Corpus:
    """Collect and embed everything real: some minutes for all of it."""
    documented = read_docstrings(plan.docstrings)
    sections = read_passages()
    known = [("", one.text) for one in documented] + [(one.title, one.text) for one in sections]
    texts = [text_to_embed(title, text) for title, text in known]
    place = {one.id: len(documented) + n for n, one in enumerate(sections)}
    asked = [(one.query, n, False) for n, one in enumerate(documented)]
    spoken = [(one.words, place[one.section], True) for one in read_questions() if one.section]
    questions = [*islice(asked, plan.questions), *spoken]
    embedder = Embedder()
    await embedder.open()
    try:
        vectors = await embedder.embed(texts)
        sentences = [round_off(await embedder.embed(split_sentences(*one))) for one in known]
        named = list_headings([title for title, _ in known])
        headings = [round_off(await embedder.embed([one] if one else [])) for one in named]
        rows, times_ms = [], []
        for words, *_ in questions:
            began_s = time.perf_counter()
            rows.append((await embedder.embed([words]))[0])
            times_ms.append(1000 * (time.perf_counter() - began_s))
    finally:
        await embedder.close()
    asked_rows = np.stack(rows)
    docstrings = len(documented)
    return Corpus(texts, vectors, sentences, headings, asked_rows, docstrings, questions, times_ms)


@dataclass(frozen=True, slots=True)
class Filled:
    """A corpus with what is mixed from it; see `Corpus`."""

    texts: list[str]
    vectors: Vectors
    sentences: list[Rounded | None]
    headings: list[Rounded | None]


def fill_up(corpus: Corpus, size: int) -> Filled:
    """The corpus with what is mixed from it, `size` in all.

    What is mixed has a heading that means what it does.
    """
    mixed = mix_texts(list(corpus.texts[: corpus.docstrings]), size - len(corpus.texts))
    pairs = [(one, other) for one, other, _ in mixed]
    vectors = mix_vectors(corpus.vectors, pairs)
    texts = [*corpus.texts, *(text for _, _, text in mixed)]
    sentences = [*corpus.sentences, *mix_sentences(corpus.sentences, pairs)]
    headings = [*corpus.headings, *(round_off(row[None]) for row in vectors)]
    vectors = np.ascontiguousarray(np.concatenate([corpus.vectors, vectors]))
    return Filled(texts, vectors, sentences, headings)


def compare(corpus: Corpus, size: int) -> list[Result]:
    """Search `size` passages in all three ways, question by question."""
    filled = fill_up(corpus, size)
    texts, vectors = filled.texts, filled.vectors
    meanings = Meanings(vectors, filled.sentences, filled.headings)
    passages = [Passage(str(n), text, "s", "bench") for n, text in enumerate(texts)]
    index, ours_s = _build(build_index(passages, meanings))
    words, words_s = _build(keywords.build(texts))
    ways: dict[str, Callable[[str, Vectors], list[int]]] = {
        OURS: lambda asked, meaning: [
            int(one.passage.id) for one in index.search(meaning, asked, LIMIT)
        ],
        SCAN: lambda _, meaning: choose(vectors @ meaning),
        WORDS: lambda asked, _: choose(words.score(asked)),
    }
    built_s = {OURS: ours_s, SCAN: 0.0, WORDS: words_s}
    results = {way: Result(way, size, built_s[way], [], [], []) for way in ways}
    order = list(ways)
    for (asked, right, spoken), meaning in zip(corpus.questions, corpus.asked, strict=True):
        order.append(order.pop(0))  # who comes first finds the vectors far away
        for way in order:
            result = results[way]
            began_s, began_cpu_s = time.perf_counter(), time.process_time()
            found = ways[way](asked, meaning)
            result.cpu_ms.append(1000 * (time.process_time() - began_cpu_s))
            result.times_ms.append(1000 * (time.perf_counter() - began_s))
            rank = found.index(right) + 1 if right in found else LIMIT + 1
            result.ranks.append((spoken, rank))
    return list(results.values())


def choose(scores: Vectors) -> list[int]:
    """The places of the best scores, best first."""
    best = np.argpartition(scores, -LIMIT)[-LIMIT:]
    return [int(n) for n in best[np.argsort(-scores[best], kind="stable")]]


def _build(steps: Iterator[Built | None]) -> tuple[Built, float]:
    """What the last of `steps` gives, and how long all took, in seconds."""
    began_s = time.perf_counter()
    for built in steps:
        if built is not None:
            return built, time.perf_counter() - began_s
    raise AssertionError("an index is always built")


# While conversations run -------------------------------------------------------------------------


async def measure_loaded(corpus: Corpus, size: int) -> tuple[list[float], float]:
    """Milliseconds of whole lookups while callers talk; and what others used of the machine."""
    filled = fill_up(corpus, size)
    sayings = await load_sayings()
    times = ModelTimes()
    fake = FakeConfig("scripted", (REPLY,), times.first_token_s, times.token_s)
    with tempfile.TemporaryDirectory(prefix="sayso-bench-") as folder:
        known, found = Path(folder) / "known.npz", Path(folder) / "found"
        queries = [words for words, *_ in corpus.questions]
        np.savez(
            known,
            texts=np.array(filled.texts),
            vectors=filled.vectors,
            sentences=np.concatenate([one for one in filled.sentences if one is not None]),
            counts=np.array([0 if one is None else len(one) for one in filled.sentences]),
            headings=np.concatenate([one for one in filled.headings if one is not None]),
            headed=np.array([one is not None for one in filled.headings], np.int64),
            queries=np.array(queries),
        )
        async with asyncio.timeout(LOAD_LIMIT_S), running_fake(fake) as llm_url:
            args = ["--llm", llm_url, "--data", folder, "--passages", str(known)]
            args += ["--found", str(found)]
            async with start(HERE / "lookups.py", args, Path(folder) / "log") as child:
                party = Party(child.url, CALLERS)
                watch = Others([child.cost])
                try:
                    await party.enter()
                    before = len(found.read_text().splitlines())
                    await watch.begin()
                    await party.talk(sayings, TURNS)
                    others = await watch.end()
                    after = found.read_text().splitlines()[before:]
                finally:
                    await party.leave()
    return [1000 * float(json.loads(line)) for line in after], others


# The page ----------------------------------------------------------------------------------------

HEAD: Final = """\
| Passages | How | Docstrings @1 / @3 / @5 | Spoken @1 / @3 / @5 | Query p50 / p95, ms | \
CPU p50, ms | x ours | Build, s |
| --: | --- | --- | --- | --- | --: | --: | --: |"""


def write_table(results: Sequence[Result]) -> str:
    """A line for each."""
    ours = {one.size: percentile(one.cpu_ms, 50) for one in results if one.way == OURS}
    lines = [HEAD]
    for one in results:
        quality = [
            " / ".join(f"{one.recall(at, spoken=spoken):.2f}" for at in (1, 3, 5))
            for spoken in (False, True)
        ]
        p50, p95 = percentile(one.times_ms, 50), percentile(one.times_ms, 95)
        cpu = percentile(one.cpu_ms, 50)
        lines.append(
            f"| {one.size:,} | {one.way} | {quality[0]} | {quality[1]} | {p50:.2f} / {p95:.2f} | "
            f"{cpu:.2f} | {cpu / ours[one.size]:.2f} | {one.build_s:.1f} |"
        )
    return "\n".join(lines)


def write_loaded(times_ms: Sequence[float]) -> str:
    """What lookups took while people talked."""
    p50, p95 = percentile(times_ms, 50), percentile(times_ms, 95)
    kept = "kept" if p95 <= AIM_LOADED_MS else "missed"
    return (
        f"While {CALLERS} callers talk, {len(times_ms)} lookups among 10,000 passages, the "
        f"question's embedding included, took {p50:.0f} ms at the median and {p95:.0f} ms at the "
        f"95th percentile. The aim of {AIM_LOADED_MS:.0f} ms is {kept}."
    )


def write_page(body: str) -> str:
    """The page."""
    day = datetime.now(UTC).date().isoformat()
    return f"""# Finding passages, measured

Recorded by `python bench/retrieval.py --page docs/reference/retrieval.md` on {day}. `make bench`
measures it on your machine.

{body}

- *Docstrings*: of Python's standard library, {MIN_TO_MAX} words each, found by their first lines.
- *Spoken*: the [evaluation set](answers.md), worded unlike the documents.
- What fills the index up is mixed from docstrings: vectors between two real ones and a little
  beside the line, texts of two halves, sentences between two real ones.
- *numpy scan* is the cosine alone and *BM25* the words alone; all three search the same passages
  in one process, question by question, on one thread. *x ours*: their median CPU as a share
  of ours.
"""


MIN_TO_MAX: Final = "30 to 80"


async def run(plan: Plan, *, loaded: bool) -> str:
    """Everything; gives the page's body."""
    facts = describe_machine()
    corpus = await read_corpus(plan)
    results = [one for size in plan.sizes for one in compare(corpus, size)]
    p50, p95 = (percentile(corpus.embed_ms, share) for share in (50, 95))
    embedding = (
        f"To embed a question takes {p50:.1f} ms more at the median, {p95:.1f} ms at the 95th "
        "percentile."
    )
    body = [f"{facts}", "", write_table(results), "", embedding]
    if loaded:
        times_ms, others = await measure_loaded(corpus, plan.sizes[0])
        body += ["", write_loaded(times_ms), describe_others(others)]
    return "\n".join(body)


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="a small index only")
    parser.add_argument("--page", type=Path, help="write what was found as a page")
    args = parser.parse_args()
    pin(CALLERS_CORE)
    body = asyncio.run(run(QUICK if args.quick else Plan(), loaded=True))
    sys.stdout.write(f"{body}\n")
    if args.page:
        args.page.write_text(write_page(body), "utf-8")


if __name__ == "__main__":
    main()
