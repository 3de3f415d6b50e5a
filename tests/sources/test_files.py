"""Files, by REST: uploaded, listed, downloaded, replaced, deleted, and the limits of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rest_world import ScriptedEmbedder, World, open_world
from sayso.knowledge.passages import text_to_embed
from sayso.store.tables import UserRow
from shelf_world import files, index, make_agent, texts, upload

pytestmark = pytest.mark.usefixtures("both_databases")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with open_world(tmp_path, keep_deleted_min=0) as world:
        yield world


async def test_a_file_is_taken_indexed_and_found(world: World) -> None:
    async with world.client() as client:
        agent = await make_agent(client)
        file = await upload(client, agent, "prices.md", b"# Prices\n\nSoup is 5 euros.\n")
        assert {name: file[name] for name in ("name", "size", "type", "state", "searchable")} == {
            "name": "prices.md",
            "size": 27,
            "type": "markdown",
            "state": "queued",
            "searchable": False,
        }
        url = f"/api/v1/agents/{agent}/critical-knowledge-files/{file['id']}"
        assert file["url"] == world.settings.url + url
        await index(world)
        status = (await client.get(f"{url}/status")).json()
        assert (status["state"], status["passages"], status["reason"]) == ("ready", 1, None)
        assert status["progress"] == {"done": 1, "total": 1}
        listed = (await client.get(f"/api/v1/agents/{agent}")).json()["criticalKnowledgeFiles"]
        assert listed == (await client.get(url.rpartition("/")[0])).json()
        assert [one["id"] for one in listed] == [file["id"]]
        bytes_ = await client.get(url)
    assert bytes_.content == b"# Prices\n\nSoup is 5 euros.\n"
    assert 'filename="prices.md"' in bytes_.headers["content-disposition"]
    passages, vectors, revision = await world.library.knowledge.load(agent)
    assert [(one.text, one.title, one.source_name) for one in passages] == [
        ("Soup is 5 euros.", "Prices", "prices.md")
    ]
    assert vectors.whole.shape == (1, 8)
    assert revision == 1


async def test_a_passage_is_embedded_with_the_headings_above_it(world: World) -> None:
    async with world.client() as client:
        agent = await make_agent(client)
        await upload(client, agent, "boats.md", b"# Boats\n\n## Prices\n\nNine euros.\n")
        await index(world)
    (passage,), vectors, _ = await world.library.knowledge.load(agent)
    assert text_to_embed(passage.title, passage.text) == "Boats, Prices: Nine euros."
    expected = await ScriptedEmbedder().embed_aside("Boats, Prices: Nine euros.")
    assert np.allclose(vectors.whole[0], expected)


async def test_a_replaced_file_is_another_and_the_old_bytes_are_gone(world: World) -> None:
    async with world.client() as client:
        agent = await make_agent(client)
        file = await upload(client, agent, "a.txt", b"Soup is 5 euros.")
        await index(world)
        url = f"/api/v1/agents/{agent}/critical-knowledge-files/{file['id']}"
        answer = await client.put(url, files={"file": ("b.csv", b"dish,price\nsoup,6\n")})
        assert answer.status_code == 200
        now = answer.json()
        assert (now["id"], now["name"], now["type"]) == (file["id"], "b.csv", "csv")
        assert (now["state"], now["searchable"]) == ("queued", True)
        assert await texts(world, agent) == ["Soup is 5 euros."]
        assert (await client.get(url)).content == b"dish,price\nsoup,6\n"
        await index(world)
        assert "6" in " ".join(await texts(world, agent))
        assert len(files(world)) == 1


async def test_a_deleted_file_is_gone(world: World) -> None:
    async with world.client() as client:
        agent = await make_agent(client)
        file = await upload(client, agent, "a.txt", b"Soup is 5 euros.")
        await index(world)
        before = await world.library.knowledge.revision(agent)
        url = f"/api/v1/agents/{agent}/critical-knowledge-files/{file['id']}"
        assert (await client.delete(url)).status_code == 204
        assert (await client.delete(url)).status_code == 404
        assert (await client.get(url)).status_code == 404
    assert await texts(world, agent) == []
    assert files(world) == []
    assert world.library.knowledge.last_revision(agent) == before + 1


async def test_an_agent_that_may_come_back_keeps_its_files(tmp_path: Path) -> None:
    async with open_world(tmp_path, keep_deleted_min=5) as world, world.client() as client:
        agent = await make_agent(client)
        file = await upload(client, agent, "a.txt", b"Soup is 5 euros.")
        assert (await client.delete(f"/api/v1/agents/{agent}")).status_code == 204
        await world.library.sources.follow(agent)  # as an update does that was overtaken
        assert (await client.post(f"/api/v1/agents/{agent}/undelete")).status_code == 200
        url = f"/api/v1/agents/{agent}/critical-knowledge-files/{file['id']}"
        assert (await client.get(url)).content == b"Soup is 5 euros."


async def test_a_file_whose_bytes_are_gone_is_not_there(world: World) -> None:
    async with world.client() as client:
        agent = await make_agent(client)
        file = await upload(client, agent, "a.txt", b"Soup is 5 euros.")
        for path in (world.settings.data_dir / "knowledge" / agent).iterdir():
            path.unlink()
        url = f"/api/v1/agents/{agent}/critical-knowledge-files/{file['id']}"
        answer = await client.get(url)
    assert answer.status_code == 404
    assert "not on this server's disk" in answer.json()["errorMessage"]


async def test_an_agents_files_go_with_it(world: World) -> None:
    async with world.client() as client:
        agent = await make_agent(client)
        await upload(client, agent, "a.txt", b"Soup is 5 euros.")
        await index(world)
        await client.delete(f"/api/v1/agents/{agent}")
    assert files(world) == []
    assert await texts(world, agent) == []
    await index(world)


async def test_two_uploads_at_once(world: World) -> None:
    async with world.client() as client:
        agent = await make_agent(client)
        await asyncio.gather(
            *(upload(client, agent, f"{n}.txt", b"Line %d." % n) for n in range(2))
        )
        await index(world)
    assert sorted(await texts(world, agent)) == ["Line 0.", "Line 1."]


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(50), "a.png is a picture"),
        ("a.txt", b"", "a.txt is empty"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "save it as DOCX"),
    ],
)
async def test_what_cannot_be_read_is_refused_at_once(
    world: World, name: str, data: bytes, sentence: str
) -> None:
    async with world.client() as client:
        agent = await make_agent(client)
        body = await upload(client, agent, name, data, 400)
        listed = await client.get(f"/api/v1/agents/{agent}/critical-knowledge-files")
    if name != "a.doc":
        assert sentence in body["message"]
    assert body["field"] == "file"
    assert listed.json() == []
    assert files(world) == []


async def test_other_peoples_agents_are_theirs(world: World) -> None:
    async with world.database.write() as session:
        session.add(UserRow(id="stranger", created_at=world.clock.utc()))
    stranger = await world.accounts.new_key("stranger")
    async with world.client() as client:
        agent = await make_agent(client)
        file = await upload(client, agent, "a.txt", b"Soup.")
    url = f"/api/v1/agents/{agent}/critical-knowledge-files"
    async with world.client(stranger.api_key.get_secret_value()) as client:
        for method in ("GET", "PUT", "DELETE"):
            answer = await client.request(method, f"{url}/{file['id']}")
            assert answer.status_code in {400, 403}
            assert "Soup" not in answer.text
        assert (await client.get(url)).status_code == 403
        await upload(client, agent, "b.txt", b"Soup.", 403)
        await upload(client, "nobody", "b.txt", b"Soup.", 404)
        own = await make_agent(client)
        mixed = f"/api/v1/agents/{own}/critical-knowledge-files/{file['id']}"
        assert (await client.get(mixed)).status_code == 404
        assert (await client.get(f"{url}/%00")).status_code in {403, 404}
    assert len(files(world)) == 1


async def test_the_limits_say_what_they_are(tmp_path: Path) -> None:
    limits = {"max_sources": 2, "max_sources_bytes": 2000, "max_document_bytes": 1500}
    async with open_world(tmp_path, **limits) as world, world.client() as client:
        agent = await make_agent(client)
        large = await upload(client, agent, "a.txt", b"x" * 1501, 413)
        assert "a.txt is larger than 1,500 bytes" in large["message"]
        assert large["errorId"] == "CONTENT_TOO_LARGE"
        first = await upload(client, agent, "a.txt", b"x" * 1500)
        both = await upload(client, agent, "b.txt", b"x" * 501, 413)
        assert "SAYSO_MAX_SOURCES_BYTES" in both["hint"]
        await upload(client, agent, "b.txt", b"x" * 500)
        many = await upload(client, agent, "c.txt", b"x", 409)
        assert "SAYSO_MAX_SOURCES" in many["hint"]
        url = f"/api/v1/agents/{agent}/critical-knowledge-files/{first['id']}"
        again = await client.put(url, files={"file": ("a.txt", b"y" * 1500)})
        assert again.status_code == 200
        assert len(files(world)) == 2
        huge = await client.put(url, files={"file": ("a.txt", b"y" * 100_000)})
        assert huge.status_code == 413
        assert "larger than 1,500 bytes" in huge.json()["message"], "the setting's own number"
        assert "SAYSO_MAX_DOCUMENT_BYTES" in huge.json()["message"]


async def test_how_often_is_limited(tmp_path: Path) -> None:
    async with open_world(tmp_path, add_knowledge_per_min=1) as world, world.client() as client:
        agent = await make_agent(client)
        await upload(client, agent, "a.txt", b"x")
        await upload(client, agent, "b.txt", b"x", 429)


async def test_no_form_no_file(world: World) -> None:
    async with world.client() as client:
        agent = await make_agent(client)
        url = f"/api/v1/agents/{agent}/critical-knowledge-files"
        wrong: tuple[dict[str, Any], ...] = (
            {"json": {}},
            {"content": b"x"},
            {"files": {"other": ("a.txt", b"x")}},
        )
        for sent in wrong:
            answer = await client.post(url, **sent)
            assert answer.status_code == 400
            assert "multipart/form-data" in answer.json()["hint"]
    assert files(world) == []


async def test_a_long_text_of_an_agent_is_indexed_and_followed(tmp_path: Path) -> None:
    async with (
        open_world(tmp_path, max_prompt_knowledge_chars=20) as world,
        world.client() as client,
    ):
        agent = await make_agent(client, criticalKnowledge="Short.")
        await index(world)
        assert await texts(world, agent) == []
        url = f"/api/v1/agents/{agent}"
        await client.patch(url, json={"criticalKnowledge": "Soup is 5 euros on Mondays."})
        await index(world)
        passages, _, revision = await world.library.knowledge.load(agent)
        assert [(one.text, one.source_name) for one in passages] == [
            ("Soup is 5 euros on Mondays.", "critical knowledge")
        ]
        await client.patch(url, json={"greeting": "Hello."})
        await world.library.sources.follow(agent)
        await index(world)
        assert await world.library.knowledge.revision(agent) == revision
        assert (await client.get(url)).json()["criticalKnowledgeFiles"] == []
        await client.patch(url, json={"criticalKnowledge": "Soup is 6 euros on Mondays."})
        await index(world)
        assert await texts(world, agent) == ["Soup is 6 euros on Mondays."]
        searchable = world.library.sources.is_searchable
        assert await searchable(agent, "Soup is 6 euros on Mondays.")
        assert not await searchable(agent, "Soup is 5 euros on Mondays.")
        await client.patch(url, json={"criticalKnowledge": "Soup is 7 euros on Mondays."})
        assert not await searchable(agent, "Soup is 7 euros on Mondays.")
        await client.patch(url, json={"criticalKnowledge": None})
        assert await texts(world, agent) == []


async def test_a_server_that_starts_indexes_long_texts_and_sweeps(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world, world.client() as client:
        agent = await make_agent(client, criticalKnowledge="Soup is 5 euros on Mondays.")
        await upload(client, agent, "a.txt", b"x")
        (name,) = files(world)
        folder = world.settings.data_dir / "knowledge"
        orphan, new = folder / agent / "orphan", folder / "gone" / "new"
        new.parent.mkdir()
        for path in (orphan, new):
            path.touch()
        for path in (orphan, folder / agent / name):
            os.utime(path, (0, 0))
    async with open_world(tmp_path, max_prompt_knowledge_chars=20) as world:
        await world.library.sources.open()
        assert files(world) == sorted([name, "new"])
        await index(world)
        assert sorted(await texts(world, agent)) == ["Soup is 5 euros on Mondays.", "x"]
