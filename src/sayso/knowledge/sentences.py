"""Keeps what passages mean, as a whole and sentence by sentence, and compares it. Pure.

A passage that says several things means something in between; the sentence that answers may be
far from that. Sentences are kept in a byte a number, which changes a cosine by less than 0.01.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Vectors: TypeAlias = npt.NDArray[np.float32]
Places: TypeAlias = npt.NDArray[np.int64]

Rounded: TypeAlias = npt.NDArray[np.int8]
"""Shape (sentences, dimensions): vectors whose lengths do not matter."""

_LARGEST: Final = 127


class Meanings:
    """What some passages mean.

    Args:
        whole: of each, shape (passages, dimensions), each of length 1.
        sentences: of each; None for one that is a single sentence, or whose sentences were not
            kept. Nothing at all: of none.
    """

    def __init__(self, whole: Vectors, sentences: Sequence[Rounded | None] = ()) -> None:
        self.whole = whole
        each = sentences or [None] * len(whole)
        kept = [one for one in each if one is not None]
        sizes = np.array([0 if one is None else len(one) for one in each], np.int64)
        self._rows = np.concatenate(kept) if kept else np.zeros((0, 0), np.int8)
        self._ends = np.cumsum(sizes)
        self._begins = self._ends - sizes

    def __len__(self) -> int:
        """How many passages there are."""
        return len(self.whole)

    def sentences_of(self, place: int) -> Rounded:
        """The sentences that are kept of one passage."""
        return self._rows[self._begins[place] : self._ends[place]]

    def find_closest(self, meaning: Vectors, places: Places, cosines: Vectors) -> Vectors:
        """The cosine of the closest sentence of each passage at `places`, which are not many.

        Where none are kept it is that of the whole passage; `cosines` are those, shape (places,).
        """
        closest = cosines.copy()
        (told,) = np.nonzero(self._ends[places] > self._begins[places])
        if len(told):
            runs = [self.sentences_of(int(place)) for place in places[told]]
            rows = np.concatenate(runs).astype(np.float32)
            fits = (rows @ meaning) / np.linalg.norm(rows, axis=1)
            ends = np.cumsum([len(run) for run in runs])
            closest[told] = np.maximum.reduceat(fits, ends - [len(run) for run in runs])
        return closest


def round_off(vectors: Sequence[Vectors] | Vectors) -> Rounded | None:
    """Vectors of length 1 in a byte a number; None if there are none."""
    if not len(vectors):
        return None
    rows = np.stack(list(vectors))
    scale = _LARGEST / np.abs(rows).max(axis=1, keepdims=True)
    rounded: Rounded = np.rint(rows * scale).astype(np.int8)
    return rounded
