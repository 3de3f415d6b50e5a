"""Finds the passages that fit a question: by meaning, and a little by words. Pure.

Cosine alone finds 0.80 of 50 spoken questions at the first place and misses what has no meaning
but its letters, such as a part number; words alone find 0.22. A small share of BM25 added to the
cosine gives up nothing of the first and finds the second too. Fusion of the two ranks finds 0.46.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from sayso.knowledge import keywords
from sayso.knowledge.keywords import Keywords
from sayso.knowledge.passages import Found, Passage

Vectors: TypeAlias = npt.NDArray[np.float32]

WORDS_SHARE: Final = 0.15
"""How much of a score the words decide."""


class Index:
    """The passages of one agent. Made by `build_index`.

    Args:
        passages: what can be found.
        vectors: their meanings, shape (passages, dimensions), each of length 1.
        words: the same passages by their words.
    """

    def __init__(self, passages: Sequence[Passage], vectors: Vectors, words: Keywords) -> None:
        self.passages = passages
        self._vectors = vectors
        self._words = words

    def search(self, meaning: Vectors, words: str, limit: int) -> list[Found]:
        """The `limit` passages that fit best, best first.

        Takes the `meaning` of the question, shape (dimensions,) of length 1, and its `words`.
        """
        if not self.passages:
            return []
        scores = self._score(meaning, words)
        limit = min(limit, len(scores))
        best = np.argpartition(scores, -limit)[-limit:]
        best = best[np.argsort(-scores[best], kind="stable")]
        return [Found(self.passages[n], round(float(scores[n]), 3)) for n in best]

    def _score(self, meaning: Vectors, words: str) -> Vectors:
        cosines: Vectors = np.maximum(self._vectors @ meaning, 0.0)
        fits = self._words.score(words)
        top = float(fits.max())
        if not top:
            return cosines
        # The best by its words counts as much as the best by its meaning.
        scale = WORDS_SHARE * float(cosines.max()) / top
        scores: Vectors = (1 - WORDS_SHARE) * cosines + scale * fits
        return scores


def build_index(passages: Sequence[Passage], vectors: Vectors) -> Iterator[Index | None]:
    """Index `passages` a slice at a time: gives None after each, and the index at last."""
    texts = [f"{passage.title} {passage.text}" for passage in passages]
    for built in keywords.build(texts):
        yield None if built is None else Index(passages, vectors, built)
