"""What is handed to search: live passages only, and a number that says when they change."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from rest_world import World, open_world
from sayso.sources import knowledge
from sayso.store.tables import PassageRow
from shelf_world import Script, another_server, index, make_agent, upload


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with open_world(tmp_path, keep_deleted_min=0) as world:
        yield Script().install(world)


async def test_who_knows_nothing_has_no_rows(world: World) -> None:
    passages, meanings, revision = await world.library.knowledge.load("nobody")
    assert (passages, revision) == ([], 0)
    assert meanings.whole.shape == (0, 0)
    assert meanings.whole.dtype == np.float32


async def test_vectors_are_those_of_their_passages(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knowledge, "ROWS_AT_ONCE", 7)
    script = Script()
    script.install(world)
    async with world.client() as client:
        agent, other = await make_agent(client), await make_agent(client)
        for name in ("a", "b"):
            data = "\n".join(f"{name} {n}" for n in range(25)).encode()
            await upload(client, agent, f"{name}.txt", data)
        await upload(client, other, "c.txt", b"somebody else's")
    await index(world)
    passages, meanings, _ = await world.library.knowledge.load(agent)
    assert sorted(one.text for one in passages) == sorted(
        f"{name} {n}" for name in ("a", "b") for n in range(25)
    )
    for passage, vector in zip(passages, meanings.whole, strict=True):
        assert np.array_equal(vector, await script.embedder.embed_aside(passage.text))
    assert meanings.whole.flags.c_contiguous
    assert {one.source_name for one in passages} == {"a.txt", "b.txt"}


async def test_the_revision_changes_with_what_can_be_searched_and_not_otherwise(
    world: World,
) -> None:
    here = world.library.knowledge
    there = another_server(world, Script()).knowledge
    async with world.client() as client:
        agent = await make_agent(client)
        assert here.last_revision(agent) is None
        file = await upload(client, agent, "a.txt", b"soup")
        assert await here.revision(agent) == await there.revision(agent) == 0
        await index(world)
        assert here.last_revision(agent) == 1
        assert there.last_revision(agent) == 0
        assert await there.revision(agent) == 1
        await client.patch(f"/api/v1/agents/{agent}", json={"greeting": "Hello."})
        assert await here.revision(agent) == 1
        await client.delete(f"/api/v1/agents/{agent}/critical-knowledge-files/{file['id']}")
        assert here.last_revision(agent) == 2
        assert await there.revision(agent) == 2
        await client.delete(f"/api/v1/agents/{agent}")
    assert here.last_revision(agent) is None
    assert await there.revision(agent) == 0


async def test_sentences_are_those_of_their_passages_and_what_was_indexed_before_has_none(
    world: World,
) -> None:
    script = Script()
    script.install(world)
    first = "A city bicycle with seven gears costs 14 euros a day."
    second = "Locks and lights are lent free of charge with every rental."
    data = f"{first} {second}\n{first}\n{second} {first}".encode()
    async with world.client() as client:
        agent = await make_agent(client)
        await upload(client, agent, "a.txt", data)
    await index(world)
    async with world.database.write() as session:
        await session.execute(
            update(PassageRow).where(PassageRow.number == 2).values(sentences=None)
        )
    _, meanings, _ = await world.library.knowledge.load(agent)
    assert [len(meanings.sentences.of(n)) for n in range(3)] == [2, 0, 0]
    for place, text in enumerate([first, second]):
        meant = await script.embedder.embed_aside(text)
        row = meanings.sentences.of(0)[place].astype(np.float32)
        assert float(row @ meant / np.linalg.norm(row)) == pytest.approx(1.0, abs=0.001)


async def test_a_heading_is_kept_where_it_is_that_of_one_passage(world: World) -> None:
    script = Script()
    script.install(world)
    titles = ["Boats › Deposit", "Boats › Prices", "Boats › Prices", ""]
    lines = [f"{title} | Passage {number}." for number, title in enumerate(titles)]
    async with world.client() as client:
        agent = await make_agent(client)
        await upload(client, agent, "a.txt", "\n".join(lines).encode())
    await index(world)
    passages, meanings, _ = await world.library.knowledge.load(agent)
    assert [one.title for one in passages] == titles
    assert [len(meanings.headings.of(n)) for n in range(4)] == [1, 0, 0, 0]
    meant = await script.embedder.embed_aside("Deposit")
    row = meanings.headings.of(0)[0].astype(np.float32)
    assert float(row @ meant / np.linalg.norm(row)) == pytest.approx(1.0, abs=0.001)
