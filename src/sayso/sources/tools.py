"""What indexing is done with: whoever reads, visits, splits and embeds, as it is told to it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from sayso.knowledge.passages import Page
from sayso.knowledge.web import WebPage

Told = Callable[[int, int, str], None]
"""Told how far reading is: pages done, of how many (0: not known), and a note or ""."""


class Read(Protocol):
    """Reads a file of a kind, which its owner calls `name`. Raises ReadError."""

    def __call__(self, path: Path, kind: str, name: str, told: Told, /) -> Awaitable[list[Page]]:
        """Its pages, in order."""
        ...


class Visit(Protocol):
    """Fetches a web page and, if more than one is wanted, pages of its site that it leads to."""

    def __call__(
        self, url: str, max_pages: int | None, note: Callable[[str], None], /
    ) -> AsyncGenerator[WebPage]:
        """They, one after the other; None: the page alone. Raises FetchError for the first."""
        ...


class Embeds(Protocol):
    """Turns passages into vectors, in nobody's way."""

    async def open(self) -> None:
        """Be ready, unless it is."""
        ...

    async def embed_aside(self, text: str, /) -> npt.NDArray[np.float32]:
        """The vector of one passage."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What indexing is done with; `app.py` chooses."""

    read: Read
    split: Callable[[Iterable[Page]], list[Page]]
    split_sentences: Callable[[str, str], list[str]]
    visit: Visit
    embedder: Embeds
    max_passages: int
