"""The pictures of agents."""

from __future__ import annotations

import httpx2
import pytest

from agents.agent_api import AGENTS, create
from rest_world import World
from sayso.agents.avatars import FOLDER, MAX_AVATAR_BYTES, Avatar, Avatars, recognise
from sayso.errors import BadRequestError

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


async def test_a_picture_is_for_visitors_unless_the_agent_is_private(
    world: World, client: httpx2.AsyncClient
) -> None:
    agent = await create(client)
    here = f"{AGENTS}/{agent['id']}/avatar"
    assert (await client.get(here)).status_code == 404
    assert (await client.put(here, content=b"<svg/>")).status_code == 400
    assert (await client.put(here, content=PNG + bytes(MAX_AVATAR_BYTES))).status_code == 413
    url = (await client.put(here, content=PNG)).json()["avatarPhotoUrl"]
    assert f"{here}?v=" in url
    async with world.client(key="") as visitor, world.client(await world.make_stranger()) as other:
        shown = await visitor.get(here)
        assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")
        assert (await other.put(here, content=PNG)).status_code == 403
        await client.patch(f"{AGENTS}/{agent['id']}", json={"visibility": "private"})
        assert (await visitor.get(here)).status_code == 401
        assert (await other.get(here)).status_code == 403
    assert (await client.get(here)).status_code == 200
    assert (await client.delete(here)).status_code == 204
    assert (await client.get(f"{AGENTS}/{agent['id']}")).json()["avatarPhotoUrl"] is None


async def test_a_picture_that_could_not_be_stored_leaves_no_file(
    world: World, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = await create(client)
    here = f"{AGENTS}/{agent['id']}"
    write = Avatars.write

    async def write_while_it_is_deleted(self: Avatars, agent_id: str, picture: bytes) -> Avatar:
        avatar = await write(self, agent_id, picture)
        await client.delete(here)
        return avatar

    monkeypatch.setattr(Avatars, "write", write_while_it_is_deleted)
    assert (await client.put(f"{here}/avatar", content=PNG)).status_code == 404
    folder = world.settings.data_dir / FOLDER
    assert [path for path in folder.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("picture", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"GIF89a", "image/gif"),
    ],
)
def test_pictures_are_known_by_their_content(picture: bytes, kind: str) -> None:
    assert recognise(picture) == kind


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(BadRequestError):
        recognise(b"RIFF\0\0\0\0WAVE")
