"""The pictures of agents: recognised by their content, one file each in the data folder."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, NamedTuple

from sayso.errors import BadRequestError, NotFoundError, TooLargeError
from sayso.sizes import show_bytes
from sayso.sources.shelf import Shelf
from sayso.store.tables import AgentRow

FOLDER: Final = "avatars"
"""Below the data folder."""
MAX_AVATAR_BYTES: Final = 1_048_576
_HINT: Final = "Send a PNG, JPEG, WebP or GIF of at most 1 MB as the body."


class Avatar(NamedTuple):
    """A picture that was taken: its file, what it is, its digest."""

    name: str
    type: str
    digest: str


class Avatars:
    """The pictures of all agents."""

    def __init__(self, data_dir: Path) -> None:
        self._shelf = Shelf(data_dir / FOLDER)

    async def write(self, agent_id: str, picture: bytes) -> Avatar:
        """Put a picture on disk. Raises BadRequestError when it is none."""
        kind = recognise(picture)
        path = await self._shelf.make_path(agent_id, "avatar")
        await asyncio.to_thread(_write, path, picture)
        return Avatar(path.name, kind, hashlib.sha256(picture).hexdigest())

    async def copy(self, agent_id: str, avatar: Avatar, copy_id: str) -> Avatar:
        """The same picture for another agent."""
        picture = await asyncio.to_thread(self._shelf.path(agent_id, avatar.name).read_bytes)
        return await self.write(copy_id, picture)

    def path(self, row: AgentRow) -> tuple[Avatar, Path]:
        """An agent's picture, and where it is. Raises NotFoundError."""
        avatar = read_avatar(row)
        path = None if avatar is None else self._shelf.path(row.id, avatar.name)
        if avatar is None or path is None or not path.is_file():
            raise NotFoundError("this agent has no picture")
        return avatar, path

    async def drop(self, agent_id: str, avatar: Avatar | None) -> None:
        """Remove a picture, if there is one."""
        await self._shelf.drop(agent_id, avatar and avatar.name)

    async def forget(self, agent_id: str) -> None:
        """An agent was removed."""
        await self._shelf.drop_agent(agent_id)


def read_avatar(row: AgentRow) -> Avatar | None:
    """The picture a row names."""
    return None if row.avatar is None else Avatar(**row.avatar)


def recognise(picture: bytes) -> str:
    """The media type of a picture, by its first bytes. Raises BadRequestError."""
    if picture.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if picture.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP":
        return "image/webp"
    if picture[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    raise BadRequestError("this is no picture that browsers show", hint=_HINT)


async def receive(stream: AsyncIterator[bytes]) -> bytes:
    """The body of a request. Raises TooLargeError."""
    picture = bytearray()
    async for piece in stream:
        picture += piece
        if len(picture) > MAX_AVATAR_BYTES:
            raise TooLargeError(
                f"the picture is larger than {show_bytes(MAX_AVATAR_BYTES)}, the most there may be",
                hint=_HINT,
            )
    return bytes(picture)


def _write(path: Path, picture: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(picture)
