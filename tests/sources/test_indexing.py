"""What can be searched is whole at every moment, whatever happens while it is made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from rest_world import World, open_world
from sayso.errors import FetchCode, FetchError, ReadCode, ReadError
from sayso.sources.indexing import HOPELESS, KIND, PASSAGES_AT_ONCE
from sayso.sources.pace import QUICK_CHARS, QUICK_PAGES
from sayso.sources.progress import MAX_NOTES
from sayso.store.jobs import DEAD_S, MAX_TRIES, SMALL
from sayso.store.tables import JobRow, PassageRow, SourceRow
from shelf_world import (
    Gate,
    Script,
    another_server,
    files,
    index,
    make_agent,
    put_gates,
    texts,
    upload,
)

pytestmark = pytest.mark.usefixtures("both_databases")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
async def world(tmp_path: Path, script: Script) -> AsyncGenerator[World]:
    async with open_world(tmp_path, keep_deleted_min=0) as world:
        yield script.install(world)


def lines(word: str, count: int = 50) -> bytes:
    return "\n".join(f"{word} {number}" for number in range(count)).encode()


async def add(world: World, data: bytes) -> tuple[str, str]:
    """An agent with a file that waits; their ids."""
    async with world.client() as client:
        agent = await make_agent(client)
        file = await upload(client, agent, "a.txt", data)
    return agent, str(file["id"])


async def put(world: World, agent: str, file: str, data: bytes) -> None:
    async with world.client() as client:
        url = f"/api/v1/agents/{agent}/critical-knowledge-files/{file}"
        answer = await client.put(url, files={"file": ("a.txt", data)})
        assert answer.status_code == 200


async def row(world: World, file: str) -> SourceRow:
    async with world.database.read() as session:
        return await session.get_one(SourceRow, file)


async def count(world: World) -> int:
    """Stored passages of all versions."""
    async with world.database.read() as session:
        return await session.scalar(select(func.count()).select_from(PassageRow)) or 0


async def begin(world: World) -> asyncio.Task[bool]:
    return asyncio.create_task(world.library.jobs.run_one({KIND: world.library.indexing}))


async def end(task: asyncio.Task[bool]) -> None:
    task.cancel()
    await asyncio.wait([task])


async def test_progress_is_told_and_nothing_is_searched_before_all_is(
    world: World, script: Script
) -> None:
    gate = Gate("soup 30")
    script.before_embed = gate
    agent, file = await add(world, lines("soup"))
    work = await begin(world)
    await gate.reached.wait()
    now = await row(world, file)
    assert (now.state, now.done, now.total) == ("embedding", PASSAGES_AT_ONCE, 50)
    assert await count(world) == PASSAGES_AT_ONCE
    assert await texts(world, agent) == []
    assert await world.library.knowledge.revision(agent) == 0
    gate.opened.set()
    await work
    now = await row(world, file)
    assert (now.state, now.done, now.pages, now.passages) == ("ready", 50, 50, 50)
    passages, _, revision = await world.library.knowledge.load(agent)
    assert [one.page for one in passages] == list(range(1, 51))
    assert len({one.id for one in passages}) == 50
    assert revision == 1


async def test_a_replaced_file_can_be_searched_throughout(world: World, script: Script) -> None:
    agent, file = await add(world, lines("soup"))
    await index(world)
    old = await texts(world, agent)
    await put(world, agent, file, lines("stew", 30))
    assert await texts(world, agent) == old
    gate = Gate("stew 25")
    script.before_embed = gate
    work = await begin(world)
    await gate.reached.wait()
    assert await texts(world, agent) == old
    gate.opened.set()
    await work
    assert await texts(world, agent) == lines("stew", 30).decode().splitlines()
    assert await count(world) == 30


async def test_a_restart_in_the_middle_begins_anew(world: World, script: Script) -> None:
    gate = Gate("soup 30")
    script.before_embed = gate
    agent, file = await add(world, lines("soup"))
    work = await begin(world)
    await gate.reached.wait()
    await end(work)
    script.before_embed = None
    other = another_server(world, script)
    assert await other.jobs.run_one({KIND: other.indexing})
    assert await texts(world, agent) == lines("soup").decode().splitlines()
    assert await count(world) == 50
    assert (await row(world, file)).state == "ready"


async def test_a_server_that_dies_loses_nothing_and_spoils_nothing(
    world: World, script: Script
) -> None:
    """The first one stops breathing in the middle, and wakes up when another has finished."""
    gate = Gate("soup 30")
    script.before_embed = gate
    agent, _ = await add(world, lines("soup"))
    work = await begin(world)
    await gate.reached.wait()
    async with world.database.write() as session:
        await session.execute(update(JobRow).values(beat_at=world.clock.utc()))
    world.clock.at_s += DEAD_S + 1
    quick = Script()
    other = another_server(world, quick)
    assert await other.jobs.run_one({KIND: other.indexing})
    before = await world.library.knowledge.load(agent)
    gate.opened.set()
    await work
    after = await world.library.knowledge.load(agent)
    assert (before[0], before[2]) == (after[0], after[2])
    assert len(before[0]) == 50
    assert await count(world) == 50


async def test_a_file_deleted_while_it_is_indexed_is_gone(world: World, script: Script) -> None:
    gate = Gate("soup 30")
    script.before_embed = gate
    agent, file = await add(world, lines("soup"))
    work = await begin(world)
    await gate.reached.wait()
    async with world.client() as client:
        await client.delete(f"/api/v1/agents/{agent}/critical-knowledge-files/{file}")
    await work
    assert await count(world) == 0
    assert not await (await begin(world))


async def test_an_agent_deleted_while_its_file_is_indexed_is_gone(
    world: World, script: Script
) -> None:
    gate = Gate("soup 30")
    script.before_embed = gate
    agent, _ = await add(world, lines("soup"))
    work = await begin(world)
    await gate.reached.wait()
    async with world.client() as client:
        await client.delete(f"/api/v1/agents/{agent}")
    gate.opened.set()
    await work
    assert await count(world) == 0
    assert not await (await begin(world))


async def test_a_file_replaced_while_it_is_indexed_is_the_new_one(
    world: World, script: Script
) -> None:
    gate = Gate("soup 30")
    script.before_embed = gate
    agent, file = await add(world, lines("soup"))
    work = await begin(world)
    await gate.reached.wait()
    await put(world, agent, file, lines("stew", 3))
    await work
    await index(world)
    assert await texts(world, agent) == ["stew 0", "stew 1", "stew 2"]
    assert await count(world) == 3


async def test_a_reading_that_is_overtaken_by_another_server_stops(
    world: World, script: Script
) -> None:
    gate = Gate()
    script.before_read = gate
    _, file = await add(world, lines("soup"))
    work = await begin(world)
    await gate.reached.wait()
    async with world.database.write() as session:
        await session.execute(update(SourceRow).values(version=SourceRow.version + 1))
    gate.opened.set()
    await work
    assert await count(world) == 0
    assert (await row(world, file)).state == "reading"


# Side by side --------------------------------------------------------------------------------

LARGE = b"\n".join(b"large %d %s" % (n, b"x" * 1000) for n in range(131))


async def add_two(world: World) -> tuple[str, str, str]:
    """An agent with a large file and a small one that wait; their ids."""
    async with world.client() as client:
        agent = await make_agent(client)
        large = await upload(client, agent, "large.txt", LARGE)
        small = await upload(client, agent, "small.txt", lines("soup", 3))
    return agent, str(large["id"]), str(small["id"])


async def until(world: World, file: str, state: str) -> None:
    async with asyncio.timeout(60):
        while (await row(world, file)).state != state:  # noqa: ASYNC110 it is in a database
            await asyncio.sleep(0.005)


async def test_a_small_file_is_ready_while_a_large_one_is_embedded(
    world: World, script: Script
) -> None:
    gate = Gate("large 100")
    script.before_embed = gate
    agent, large, small = await add_two(world)
    async with world.library.live():
        await gate.reached.wait()
        await until(world, small, "ready")
        assert (await row(world, large)).state == "embedding"
        assert await texts(world, agent) == ["soup 0", "soup 1", "soup 2"]
        gate.opened.set()
        await until(world, large, "ready")
    assert len(await texts(world, agent)) == 3 + len(LARGE.splitlines())


async def test_small_sources_do_not_wait_for_a_site(world: World, script: Script) -> None:
    gate = Gate("Page")
    script.before_embed = gate
    script.pages[SITE] = ["Page one."]
    script.pages[f"{SITE}/alone"] = ["Alone."]
    agent, site = await add_page(world, SITE, crawl=True)
    async with world.client() as client:
        url = f"/api/v1/agents/{agent}/knowledge-pages"
        page = (await client.post(url, json={"url": f"{SITE}/alone"})).json()["id"]
    async with world.library.live():
        await gate.reached.wait()
        await until(world, page, "ready")
        assert (await row(world, site)).state == "embedding"


async def add_taken_for_small(world: World, agent: str, data: bytes) -> str:
    """A file that is larger than it looked when it came."""
    async with world.client() as client:
        file = str((await upload(client, agent, "slow.txt", data))["id"])
    async with world.database.write() as session:
        await session.execute(
            update(JobRow).where(JobRow.key == file).values(kind=KIND + SMALL, claimed_by=None)
        )
    world.library.jobs.wake()
    return file


async def test_a_long_text_that_was_taken_for_small_holds_nobody_up(
    world: World, script: Script
) -> None:
    gates = put_gates(script, "large 100", "long")
    agent, large, _ = await add_two(world)
    async with world.library.live():
        await gates["large 100"].reached.wait()
        slow = await add_taken_for_small(world, agent, b"long " + b"x" * QUICK_CHARS)
        async with world.client() as client:
            small = str((await upload(client, agent, "quick.txt", lines("stew", 3)))["id"])
        await until(world, small, "ready")
        now = await row(world, slow)
        assert (now.state, now.done, now.total) == ("queued", 0, 0)
        for gate in gates.values():
            gate.opened.set()
        await until(world, slow, "ready")
    assert (await row(world, large)).state == "ready"


async def test_a_long_document_gives_way_as_soon_as_it_says_how_many_pages_it_has(
    world: World, script: Script
) -> None:
    gate = Gate()
    script.while_read = gate
    agent, file = await add(world, lines("soup", QUICK_PAGES + 1))
    await world.library.jobs.run_one({KIND: world.library.indexing}, only_small=True)
    assert gate.reached.is_set()
    assert (await row(world, file)).state == "queued"
    gate.opened.set()
    await index(world)
    assert len(await texts(world, agent)) == QUICK_PAGES + 1


async def test_two_large_files_are_done_one_after_the_other(world: World, script: Script) -> None:
    gate = Gate("large")
    script.before_embed = gate
    _, first, _ = await add_two(world)
    agent, second, small = await add_two(world)
    async with world.library.live():
        await gate.reached.wait()
        await until(world, small, "ready")
        assert (await row(world, second)).state == "queued"
        gate.opened.set()
        await until(world, second, "ready")
    assert (await row(world, first)).state == "ready"
    assert len(await texts(world, agent)) == 3 + len(LARGE.splitlines())


async def test_a_restart_loses_neither_of_two_and_makes_neither_half_known(
    world: World, script: Script
) -> None:
    gates = put_gates(script, "large 100", "soup 2")
    agent, large, small = await add_two(world)
    async with world.library.live():
        for gate in gates.values():
            await gate.reached.wait()
    assert await texts(world, agent) == []
    script.before_embed = None
    other = another_server(world, script)
    async with other.live():
        await until(world, large, "ready")
        await until(world, small, "ready")
    assert await count(world) == len(await texts(world, agent)) == 3 + len(LARGE.splitlines())


async def fail_to_read() -> None:
    raise ReadError("a.txt is damaged.", code=ReadCode.DAMAGED, hint="Save it anew.")


async def test_what_cannot_be_read_says_why_and_keeps_what_was(
    world: World, script: Script
) -> None:
    agent, file = await add(world, lines("soup", 2))
    await index(world)
    await put(world, agent, file, b"x")
    script.before_read = fail_to_read
    await index(world)
    now = await row(world, file)
    assert (now.state, now.code) == ("failed", "damaged")
    assert now.reason == "a.txt is damaged. Save it anew. Its bytes were deleted."
    assert await texts(world, agent) == ["soup 0", "soup 1"]
    script.before_read = None
    await put(world, agent, file, b"stew")
    await index(world)
    assert (await row(world, file)).reason is None
    assert await texts(world, agent) == ["stew"]


def refuses_with(code: ReadCode) -> Callable[[], Awaitable[None]]:
    async def refuse() -> None:
        raise ReadError("a.txt is no use.", code=code)

    return refuse


@pytest.mark.parametrize("code", list(ReadCode))
async def test_bytes_that_nobody_can_ever_read_are_not_kept(
    world: World, script: Script, code: ReadCode
) -> None:
    script.before_read = refuses_with(code)
    agent, file = await add(world, b"soup")
    await index(world)
    gone = code in HOPELESS
    assert len(files(world)) == (not gone)
    assert ("Its bytes were deleted." in str((await row(world, file)).reason)) is gone
    async with world.client() as client:
        url = f"/api/v1/agents/{agent}/critical-knowledge-files/{file}"
        status = (await client.get(f"{url}/status")).json()
        assert (status["state"], status["code"]) == ("failed", code)
        answer = await client.get(url)
        assert answer.status_code == (404 if gone else 200)
        assert not gone or "The bytes of a.txt were deleted" in answer.json()["message"]
        assert (await client.get(url.rpartition("/")[0])).json()[0]["size"] == 4
    script.before_read = None
    await put(world, agent, file, b"stew")
    await index(world)
    assert (await row(world, file)).state == "ready"
    assert await texts(world, agent) == ["stew"]
    assert len(files(world)) == 1


async def test_deleted_bytes_count_no_more_and_can_be_forgotten(
    tmp_path: Path, script: Script
) -> None:
    async with open_world(tmp_path, max_sources_bytes=2000) as world:
        script.install(world)
        script.before_read = refuses_with(ReadCode.DAMAGED)
        agent, file = await add(world, b"x" * 1900)
        await index(world)
        async with world.client() as client:
            await upload(client, agent, "b.txt", b"y" * 1900)
            url = f"/api/v1/agents/{agent}/critical-knowledge-files/{file}"
            assert (await client.delete(url)).status_code == 204
            assert (await client.get(f"{url}/status")).status_code == 404


async def test_a_file_replaced_while_it_is_refused_keeps_the_new_bytes(
    world: World, script: Script
) -> None:
    _, file = await add(world, b"soup")

    async def replace_then_refuse() -> None:
        async with world.database.write() as session:
            await session.execute(update(SourceRow).values(version=SourceRow.version + 1))
        raise ReadError("a.txt is damaged.", code=ReadCode.DAMAGED)

    script.before_read = replace_then_refuse
    await index(world)
    assert len(files(world)) == 1
    assert (await row(world, file)).stored_as is not None


async def test_a_server_that_dies_after_it_refused_a_file_tries_it_no_more(
    world: World, script: Script
) -> None:
    """The job is there still, and the bytes are gone."""
    script.before_read = refuses_with(ReadCode.NO_TEXT)
    agent, file = await add(world, b"soup")
    await index(world)
    async with world.database.write() as session:
        await world.library.jobs.add(session, KIND, file, lane="a")
    await index(world)
    now = await row(world, file)
    assert (now.state, now.code, await texts(world, agent)) == ("failed", "no_text", [])


async def test_a_page_that_cannot_be_read_can_be_read_later(world: World, script: Script) -> None:
    script.pages[SITE] = ["a"]
    script.before_read = fail_to_read
    _, page = await add_page(world, SITE)
    await index(world)
    assert "deleted" not in str((await row(world, page)).reason)


async def test_a_file_without_text_says_so(world: World) -> None:
    _, file = await add(world, b"x")
    await put(world, (await row(world, file)).agent_id, file, b" . \n".replace(b".", b"\xc2\xa0"))
    await index(world)
    now = await row(world, file)
    assert (now.state, now.code) == ("failed", "no_text")


async def test_too_many_passages_say_so_at_either_end(world: World, script: Script) -> None:
    script.max_passages = 60
    script.install(world)
    agent, _ = await add(world, lines("soup", 50))
    async with world.client() as client:
        all_ = await upload(client, agent, "b.txt", lines("stew", 61))
        some = await upload(client, agent, "c.txt", lines("cake", 20))
    await index(world)
    for file in (all_, some):
        now = await row(world, file["id"])
        assert (now.state, now.code) == ("failed", "too_many_passages")
        assert "SAYSO_MAX_PASSAGES" in str(now.reason)
    assert len(await texts(world, agent)) == await count(world) == 50


async def test_what_the_server_cannot_do_is_tried_again_and_given_up(
    world: World, script: Script
) -> None:
    async def break_() -> None:
        raise RuntimeError("no disk")

    script.before_read = break_
    agent, file = await add(world, b"soup")
    for _ in range(MAX_TRIES):
        assert await (await begin(world))
        world.clock.at_s += 10_000
    now = await row(world, file)
    assert (now.state, now.code) == ("failed", "server_failed")
    assert not await (await begin(world))
    assert await texts(world, agent) == []


# Pages and sites -----------------------------------------------------------------------------


async def add_page(world: World, url: str, **fields: object) -> tuple[str, str]:
    async with world.client() as client:
        agent = await make_agent(client)
        answer = await client.post(
            f"/api/v1/agents/{agent}/knowledge-pages", json={"url": url, **fields}
        )
        assert answer.status_code == 201, answer.text
    return agent, str(answer.json()["id"])


SITE = "https://example.com/help"


async def test_a_sites_pages_are_known_by_their_addresses_and_each_text_once(
    world: World, script: Script
) -> None:
    script.pages[SITE] = ["Soup is hot.", "Soup is hot.", "Cake is sweet."]
    agent, page = await add_page(world, SITE, crawl=True)
    await index(world)
    passages, _, _ = await world.library.knowledge.load(agent)
    assert [(one.text, one.url, one.source_name) for one in passages] == [
        ("Soup is hot.", f"{SITE}/1", "example.com/help"),
        ("Cake is sweet.", f"{SITE}/3", "example.com/help"),
    ]
    now = await row(world, page)
    assert (now.state, now.pages) == ("ready", 2)
    assert not list((world.settings.data_dir / "knowledge").glob("*/*"))


async def test_a_refreshed_site_can_be_searched_throughout(world: World, script: Script) -> None:
    script.pages[SITE] = ["Soup is hot."]
    agent, page = await add_page(world, SITE, crawl=True)
    await index(world)
    async with world.client() as client:
        url = f"/api/v1/agents/{agent}/knowledge-pages/{page}"
        answer = await client.post(f"{url}/refresh")
        assert (answer.json()["state"], answer.json()["searchable"]) == ("queued", True)
    script.pages[SITE] = ["Soup is cold."]
    assert await texts(world, agent) == ["Soup is hot."]
    await index(world)
    assert await texts(world, agent) == ["Soup is cold."]


async def test_pages_of_a_site_that_cannot_be_read_are_left_out_and_noted(
    world: World, script: Script
) -> None:
    script.pages[SITE] = [f"Page {number}" for number in range(MAX_NOTES + 5)]
    left = iter(range(MAX_NOTES + 5))

    async def fail() -> None:
        if (number := next(left)) > 0:
            raise ReadError(f"{number} is damaged.", code=ReadCode.DAMAGED)

    script.before_read = fail
    agent, page = await add_page(world, SITE, crawl=True)
    await index(world)
    now = await row(world, page)
    assert (now.state, now.notes[0], len(now.notes)) == ("ready", "1 is damaged.", MAX_NOTES)
    assert await texts(world, agent) == ["Page 0"]


async def test_a_site_of_which_nothing_can_be_read_fails(world: World, script: Script) -> None:
    script.pages[SITE] = ["a", "b"]
    script.before_read = fail_to_read
    _, page = await add_page(world, SITE, crawl=True)
    await index(world)
    assert (await row(world, page)).code == "damaged"


async def test_a_page_that_cannot_be_fetched_says_why(world: World, script: Script) -> None:
    async def fail() -> None:
        raise FetchError("It is gone.", code=FetchCode.REFUSED)

    script.pages[SITE] = ["a"]
    script.before_read = fail
    _, page = await add_page(world, SITE)
    await index(world)
    now = await row(world, page)
    assert (now.state, now.code, now.reason) == ("failed", "refused", "It is gone.")


async def test_what_was_said_of_a_file_when_it_came_stays_until_it_is_replaced(
    world: World,
) -> None:
    async with world.client() as client:
        agent = await make_agent(client)
        file = await upload(client, agent, "menu.pdf", b"soup")
    assert file["notes"] == ["menu.pdf is plain text, not a PDF; it is read as one."]
    await index(world)
    now = await row(world, str(file["id"]))
    assert (now.state, now.notes) == ("ready", file["notes"])
    await put(world, agent, str(file["id"]), b"stew")
    await index(world)
    assert (await row(world, str(file["id"]))).notes == []
