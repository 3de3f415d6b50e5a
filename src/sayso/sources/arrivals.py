"""A file between its upload and the row that names it: kept if it gets that far, else removed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sayso.errors import BadRequestError, ReadError
from sayso.sources.shelf import Shelf
from sayso.sources.uploads import Upload
from sayso.store.tables import SourceRow

Store = Callable[[Path], Awaitable[Upload]]
"""Writes a file that arrives to a path."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """What kind of document a file is; `note` is a sentence when its name says otherwise."""

    kind: str
    note: str = ""


class Recognise(Protocol):
    """Says which kind of document a file is, by content and name. Raises ReadError."""

    def __call__(self, path: Path, name: str, /) -> Awaitable[Recognised]:
        """Look at it."""
        ...


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file that has arrived, and what it is."""

    upload: Upload
    seen: Recognised

    def put_into(self, row: SourceRow) -> None:
        """Make the row name the file."""
        row.name, row.bytes = self.upload.name, self.upload.bytes
        row.digest, row.stored_as = self.upload.digest, self.upload.path.name
        row.type = self.seen.kind
        row.notes = [self.seen.note] if self.seen.note else []


class Arrivals:
    """Where files arrive."""

    def __init__(self, shelf: Shelf, recognise: Recognise) -> None:
        self._shelf = shelf
        self._recognise = recognise

    @asynccontextmanager
    async def take(self, agent_id: str, source_id: str, store: Store) -> AsyncGenerator[Arrival]:
        """A file that `store` writes; it stays if the block, which stores its row, does not raise.

        Raises:
            BadRequestError: it is nothing that can be read; and whatever `store` raises.
        """
        path = await self._shelf.make_path(agent_id, source_id)
        try:
            upload = await store(path)
            yield Arrival(upload, await self._look(path, upload.name))
        except BaseException:
            await self._shelf.drop(agent_id, path.name)
            raise

    async def _look(self, path: Path, name: str) -> Recognised:
        try:
            return await self._recognise(path, name)
        except ReadError as error:
            raise BadRequestError(
                error.message,
                hint=error.hint,
                field="file",
                details=({"message": error.message, "code": str(error.code)},),
            ) from error
