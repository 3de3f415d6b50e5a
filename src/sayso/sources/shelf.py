"""Where the bytes of uploaded files are: `knowledge/<agent>/<source>.<version>` in the data folder.

A file is written once, under a name nobody knows yet; the row that names it makes it real. What no
row names is left from an upload that broke off, and is swept away.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import Collection
from pathlib import Path

from sayso.errors import InstallationError
from sayso.store.identifiers import random_text

ORPHAN_AGE_S = 3600.0
"""What no row names is swept away at this age in seconds: another server may be writing it."""


class Shelf:
    """The folder of all agents' files."""

    def __init__(self, folder: Path) -> None:
        """Prepare; the folder is made when the first file comes."""
        self._folder = folder

    def path(self, agent_id: str, name: str) -> Path:
        """Where the file an agent's source names is."""
        return self._folder / agent_id / name

    async def make_path(self, agent_id: str, source_id: str) -> Path:
        """Where a new file can be written; its folder is there. Raises InstallationError."""
        path = self.path(agent_id, f"{source_id}.{random_text(8)}")
        try:
            await asyncio.to_thread(path.parent.mkdir, 0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise InstallationError(
                f"cannot write {path.parent}: {error.strerror}",
                hint="Make SAYSO_DATA_DIR a folder this user can write to.",
            ) from error
        return path

    async def drop(self, agent_id: str, name: str | None) -> None:
        """Remove a file, if it is there."""
        if name is not None:
            await asyncio.to_thread(self.path(agent_id, name).unlink, missing_ok=True)

    async def drop_agent(self, agent_id: str) -> None:
        """Remove all files of an agent."""
        await asyncio.to_thread(shutil.rmtree, self._folder / agent_id, ignore_errors=True)

    async def sweep(self, known: Collection[tuple[str, str]]) -> int:
        """Remove what is none of the `known` files (agent, name) and old; how many there were."""
        return await asyncio.to_thread(self._sweep, known)

    def _sweep(self, known: Collection[tuple[str, str]]) -> int:
        oldest = time.time() - ORPHAN_AGE_S
        orphans = [
            path
            for path in self._folder.glob("*/*")
            if (path.parent.name, path.name) not in known and path.stat().st_mtime < oldest
        ]
        for path in orphans:
            path.unlink(missing_ok=True)
        for folder in self._folder.glob("*/"):
            with contextlib.suppress(OSError):  # it is not empty
                folder.rmdir()
        return len(orphans)
