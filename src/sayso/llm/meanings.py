"""Keeps the vectors of texts that are asked for again: sentences of passages that were found."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Vectors: TypeAlias = npt.NDArray[np.float32]

MAX_KEPT: Final = 4096
"""Texts whose vectors are kept, 1.5 KiB each; the longest unused go first."""


class Embeds(Protocol):
    """What the built-in mind needs of an embedder."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One row of length 1 for each of `texts`."""
        ...


class Meanings:
    """The vectors of short texts, embedded once."""

    def __init__(self, embedder: Embeds, most: int = MAX_KEPT) -> None:
        self._embedder = embedder
        self._most = most
        self._rows: OrderedDict[str, Vectors] = OrderedDict()

    async def of(self, texts: Sequence[str]) -> Vectors:
        """One row for each of `texts`, of which there is at least one."""
        rows = {text: self._rows[text] for text in texts if text in self._rows}
        new = [text for text in dict.fromkeys(texts) if text not in rows]
        if new:
            rows |= zip(new, map(np.copy, await self._embedder.embed(new)), strict=True)
        self._keep(rows)
        return np.stack([rows[text] for text in texts])

    def _keep(self, rows: dict[str, Vectors]) -> None:
        for text, row in rows.items():
            self._rows[text] = row
            self._rows.move_to_end(text)
        while len(self._rows) > self._most:
            self._rows.popitem(last=False)
