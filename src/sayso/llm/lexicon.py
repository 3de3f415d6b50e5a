"""Which words mean something similar, at a glance: the embedder's own table of word pieces.

To embed a word takes 2 to 4 ms, and five passages have a hundred words. The rows of the table that
the embedder begins with tell words apart as well, and cost nothing: "bike" and "bicycle" are 0.77
close, "puppy" and "dog" 0.55, "employees" and "company" 0.31, "wireless" and "gear" 0.06. Among the
three nearest by them is the one nearest in meaning, or one as near but for 0.02.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from sayso.llm.grounds import Near
from sayso.models import MODELS_DIR, locate
from sayso.models.weights import Bytes, map_bytes

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Row = npt.NDArray[np.float32]

TABLE: Final = "inner.embeddings.word_embeddings.weight_q"
"""The array of the bundled model: a row of 384 bytes for each piece of a word."""

FIRST_WORD: Final = 1996
"""Rows before it are marks and unused ones."""

EVERY: Final = 16
"""Every so many-th row is read for the mean of all."""

NEAREST: Final = 3
"""Known words that are given for each."""

MAX_KEPT: Final = 8192
"""Words whose rows are kept, 1.5 KiB each; the longest unused go first."""


class Lexicon:
    """The table, read when it is first asked. It may be asked from any thread."""

    def __init__(self, models_dir: Path = MODELS_DIR) -> None:
        self._models_dir = models_dir
        self._lock = Lock()
        self._table: Bytes | None = None
        self._tokenizer: Tokenizer | None = None
        self._mean: Row | None = None
        self._rows: OrderedDict[str, Row] = OrderedDict()

    def compare(self, words: Sequence[str], known: Sequence[str]) -> list[Near]:
        """How close each of `words` is to the nearest of the `known` ones, and which these are.

        Takes 0.1 s the first time, and 40 µs for each word it has not met. Raises InstallationError
        if the model is missing.
        """
        if not words or not known:
            return [Near(-1.0, ())] * len(words)
        with self._lock:
            self._open()
            rows = np.stack([self._find(word) for word in known])
            return [_choose(rows @ self._find(word), known) for word in words]

    def _open(self) -> None:
        if self._tokenizer is not None:
            return
        from tokenizers import Tokenizer  # noqa: PLC0415 - only who embeds pays for it

        self._table = map_bytes(locate("minilm.onnx", self._models_dir), TABLE)
        sample = _to_unit(self._table[FIRST_WORD::EVERY])
        self._mean = sample.mean(0)
        self._tokenizer = Tokenizer.from_file(
            str(locate("minilm-tokenizer.json", self._models_dir))
        )
        self._tokenizer.no_padding()

    def _find(self, word: str) -> Row:
        if (row := self._rows.get(word)) is None:
            row = self._rows[word] = self._make(word)
            while len(self._rows) > MAX_KEPT:
                self._rows.popitem(last=False)
        self._rows.move_to_end(word)
        return row

    def _make(self, word: str) -> Row:
        assert self._tokenizer is not None  # noqa: S101 - `_open` has read all three
        assert self._table is not None  # noqa: S101
        assert self._mean is not None  # noqa: S101
        pieces = self._tokenizer.encode(word, add_special_tokens=False).ids
        if not pieces:
            return np.zeros_like(self._mean)
        mean: Row = (_to_unit(self._table[pieces]) - self._mean).mean(0)
        return mean / np.linalg.norm(mean)


def _choose(closeness: Row, known: Sequence[str]) -> Near:
    first = np.argsort(-closeness, kind="stable")[:NEAREST]
    return Near(float(closeness[first[0]]), tuple(known[n] for n in first))


def _to_unit(rows: Bytes) -> Row:
    """`rows` as directions; how they were scaled to bytes does not matter to these."""
    plain = rows.astype(np.float32)
    unit: Row = plain / np.linalg.norm(plain, axis=1, keepdims=True)
    return unit
