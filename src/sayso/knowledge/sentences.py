"""Keeps what passages, their sentences and their headings mean, and compares it. Pure.

A passage that says several things means something in between; the sentence that answers may be
far from that. Sentences are kept in a byte a number, which changes a cosine by less than 0.01, and
so are headings, which say in a word or two what a passage is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Vectors: TypeAlias = npt.NDArray[np.float32]
Places: TypeAlias = npt.NDArray[np.int64]

Rounded: TypeAlias = npt.NDArray[np.int8]
"""Shape (sentences, dimensions): vectors whose lengths do not matter. A heading is one."""

_LARGEST: Final = 127


class Meanings:
    """What some passages mean.

    Args:
        whole: of each, shape (passages, dimensions), each of length 1.
        sentences: of each; None for one that is a single sentence, or whose sentences were not
            kept. Nothing at all: of none.
        headings: the same of the heading that is a passage's own.
    """

    def __init__(
        self,
        whole: Vectors,
        sentences: Sequence[Rounded | None] = (),
        headings: Sequence[Rounded | None] = (),
    ) -> None:
        self.whole = whole
        self.sentences = Parts(sentences or [None] * len(whole))
        self.headings = Parts(headings or [None] * len(whole))

    def __len__(self) -> int:
        """How many passages there are."""
        return len(self.whole)


class Parts:
    """What parts of passages mean: some of each passage, None for one that has none."""

    def __init__(self, each: Sequence[Rounded | None]) -> None:
        kept = [one for one in each if one is not None]
        sizes = np.array([0 if one is None else len(one) for one in each], np.int64)
        self._rows = np.concatenate(kept) if kept else np.zeros((0, 0), np.int8)
        self._ends = np.cumsum(sizes)
        self._begins = self._ends - sizes

    def of(self, place: int) -> Rounded:
        """Those of one passage."""
        return self._rows[self._begins[place] : self._ends[place]]

    def find_closest(self, meaning: Vectors, places: Places, cosines: Vectors) -> Vectors:
        """The cosine of the closest part of each passage at `places`, which are not many.

        Never below 0. Where a passage has none it is that of the whole passage; `cosines` are
        those, shape (places,).
        """
        closest = cosines.copy()
        (told,) = np.nonzero(self._ends[places] > self._begins[places])
        if len(told):
            runs = [self.of(int(place)) for place in places[told]]
            rows = np.concatenate(runs).astype(np.float32)
            fits = (rows @ meaning) / np.linalg.norm(rows, axis=1)
            ends = np.cumsum([len(run) for run in runs])
            closest[told] = np.maximum.reduceat(fits, ends - [len(run) for run in runs])
        return np.maximum(closest, np.float32(0.0))


def round_off(vectors: Sequence[Vectors] | Vectors) -> Rounded | None:
    """Vectors of length 1 in a byte a number; None if there are none."""
    if not len(vectors):
        return None
    rows = np.stack(list(vectors))
    scale = _LARGEST / np.abs(rows).max(axis=1, keepdims=True)
    rounded: Rounded = np.rint(rows * scale).astype(np.int8)
    return rounded
