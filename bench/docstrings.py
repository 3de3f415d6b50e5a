"""Passages and questions out of Python's own documentation, and what is mixed from them.

A docstring's first line asks, and the rest of it answers: neither was written for this test.
"""

from __future__ import annotations

import ast
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import numpy as np

from sayso.knowledge.sentences import Rounded, Vectors, round_off

MIN_WORDS, MAX_WORDS = 30, 80
"""How long a passage is."""
MIN_QUERY_WORDS: Final = 4
NOISE: Final = 0.02
"""What is added to each number of a mixed vector, at most about; a vector's numbers are 0.05."""
_SKIPPED = ("test", "idlelib", "site-packages", "dist-packages", "lib2to3", "__pycache__")


@dataclass(frozen=True, slots=True)
class Documented:
    """One docstring: its first line, and the body below it."""

    query: str
    text: str


def read_docstrings(count: int, seed: int = 1, *, package: str = "") -> list[Documented]:
    """`count` docstrings of the standard library, or of a package in it; none twice.

    They are the same ones each time.
    """
    found: dict[str, Documented] = {}
    for path in sorted(Path(sysconfig.get_path("stdlib"), package).rglob("*.py")):
        if not any(part.startswith(_SKIPPED) for part in path.parts):
            for one in _read_file(path):
                found.setdefault(one.text, one)
    chosen = list(found.values())
    Random(seed).shuffle(chosen)
    return chosen[:count]


def _read_file(path: Path) -> Iterator[Documented]:
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        documented = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        one = cut_docstring(ast.get_docstring(node) or "") if documented else None  # type: ignore[arg-type]
        if one is not None:
            yield one


def cut_docstring(docstring: str) -> Documented | None:
    """The first line and the beginning of the body, if both are long enough."""
    query, _, body = docstring.partition("\n\n")
    words = body.split()
    asked = " ".join(query.split())
    if len(words) < MIN_WORDS or len(asked.split()) < MIN_QUERY_WORDS:
        return None
    return Documented(asked, " ".join(words[:MAX_WORDS]))


def mix_texts(texts: list[str], count: int, seed: int = 2) -> list[tuple[int, int, str]]:
    """`count` texts, half of one and half of another, with the places of both."""
    random = Random(seed)
    halves = [(text.split()[::2], text.split()[1::2]) for text in texts]
    mixed = []
    for _ in range(count):
        one, other = random.randrange(len(texts)), random.randrange(len(texts))
        mixed.append((one, other, " ".join(halves[one][0] + halves[other][1])))
    return mixed


def mix_vectors(vectors: Vectors, pairs: list[tuple[int, int]], seed: int = 3) -> Vectors:
    """A vector between each pair, a little beside the line, of length 1; shape (pairs, n)."""
    random = np.random.default_rng(seed)
    ones, others = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    share = np.asarray(random.uniform(0.3, 0.7, (len(pairs), 1)), np.float32)
    mixed = share * vectors[ones] + (1 - share) * vectors[others]
    mixed += np.asarray(random.normal(0.0, NOISE, mixed.shape), np.float32)
    lengths = np.linalg.norm(mixed, axis=1, keepdims=True)
    unit: Vectors = np.asarray(mixed / lengths, np.float32)
    return unit


def mix_sentences(
    sentences: Sequence[Rounded | None], pairs: Sequence[tuple[int, int]]
) -> list[Rounded | None]:
    """As many sentences for each pair as its longer one has; None where one of them has none."""
    kept = [one for one in sentences if one is not None]
    sizes = [0 if one is None else len(one) for one in sentences]
    begins = np.cumsum(sizes) - sizes
    rows, counts = [], []
    for one, other in pairs:
        count = max(sizes[one], sizes[other]) if sizes[one] and sizes[other] else 0
        rows += [
            (int(begins[one]) + n % sizes[one], int(begins[other]) + n % sizes[other])
            for n in range(count)
        ]
        counts.append(count)
    if not rows:
        return [None] * len(pairs)
    all_rows = np.concatenate(kept).astype(np.float32)
    all_rows /= np.linalg.norm(all_rows, axis=1, keepdims=True)
    mixed = mix_vectors(all_rows, rows)
    ends = np.cumsum(counts)
    return [round_off(mixed[end - count : end]) for end, count in zip(ends, counts, strict=True)]
