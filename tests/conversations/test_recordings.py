from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx2
import numpy as np
import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from rest_world import START, World, open_world
from sayso.audio.formats import Samples
from sayso.conversations.keeping import Keeper, Keeps
from sayso.conversations.recordings import KIND, LATELY_S, Recordings
from sayso.conversations.spool import Spool, Tape, Tracks
from sayso.errors import AudioError, NotFoundError
from sayso.store.jobs import Job
from sayso.store.tables import ConversationRow, JobRow


@dataclass
class PlainCodec:
    """Puts one track behind the other."""

    fails: bool = False
    joined: list[tuple[int, int]] = field(default_factory=list)

    def join(self, left: Path, left_hz: int, right: Path, right_hz: int, to: Path) -> None:
        if self.fails:
            to.write_bytes(b"half")
            raise AudioError("the recording cannot be encoded")
        self.joined.append((left_hz, right_hz))
        to.write_bytes(read(left) + b"|" + read(right))

    def split(self, source: Path, left: Path, left_hz: int, right: Path, right_hz: int) -> None:
        before, _, after = source.read_bytes().partition(b"|")
        left.write_bytes(before)
        right.write_bytes(after)

    def close(self) -> None:
        """There is nothing to let go of."""


def read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def sound(count: int, level: float = 0.5) -> Samples:
    return np.full(count, level, np.float32)


LOUD = (16_384).to_bytes(2, "little")
"""One sample of `sound`, as it is written."""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with open_world(tmp_path) as world:
        yield world


@pytest.fixture
async def agent(world: World) -> str:
    async with world.client() as client:
        return str((await client.post("/api/v1/agents", json={"displayName": "A"})).json()["id"])


@pytest.fixture
def codec() -> PlainCodec:
    return PlainCodec()


@pytest.fixture
async def recordings(world: World, codec: PlainCodec) -> AsyncGenerator[Recordings]:
    folder = world.settings.data_dir / "recordings"
    recordings = Recordings(folder, world.database, world.library.jobs, codec)
    recordings.tell_lost = world.recorder.recording_lost
    await recordings.open()
    yield recordings
    await recordings.close()


async def talk(
    world: World, recordings: Recordings, agent: str, name: str, *, ends: bool = True
) -> Tape:
    """A recorded conversation of ten samples each."""
    world.recorder.opened(name, agent, source="web", at=START, recorded=True)
    tape = recordings.begin(name, 24_000)
    tape.put("left", 0, sound(10))
    tape.put("right", 5, sound(10))
    if ends:
        recordings.end(name, tape)
        end = START + timedelta(seconds=1)
        world.recorder.ended(name, by="user", error_code=None, at=end, reason="caller_left")
    await world.recorder.flush()
    return tape


async def row_of(world: World, name: str) -> ConversationRow:
    async with world.database.read() as session:
        return await session.get_one(ConversationRow, name)


async def jobs(world: World) -> list[str]:
    async with world.database.read() as session:
        return list((await session.scalars(select(JobRow.key).where(JobRow.kind == KIND))).all())


EXPECTED = LOUD * 10 + b"|" + b"\0\0" * 5 + LOUD * 10


async def test_a_recording_is_encoded_by_a_job_that_its_end_makes(
    world: World, recordings: Recordings, agent: str, codec: PlainCodec
) -> None:
    await talk(world, recordings, agent, "c1")
    assert await jobs(world) == ["c1"]
    assert await world.library.jobs.run_one({KIND: recordings})
    row = await row_of(world, "c1")
    assert row.recording == "ready"
    path = await recordings.find(row)
    assert path.read_bytes() == EXPECTED
    assert [one.name for one in path.parent.iterdir()] == ["c1.flac"]
    assert codec.joined == [(16_000, 24_000)]


async def test_who_asks_before_the_job_was_done_hears_it_all_the_same(
    world: World, recordings: Recordings, agent: str
) -> None:
    await talk(world, recordings, agent, "c1")
    found = await asyncio.gather(*[recordings.find(await row_of(world, "c1")) for _ in range(3)])
    assert found[0].read_bytes() == EXPECTED
    assert await world.library.jobs.run_one({KIND: recordings})
    assert (await row_of(world, "c1")).recording == "ready"


async def test_there_is_nothing_to_hear_of_what_is_under_way_lost_or_elsewhere(
    world: World, recordings: Recordings, agent: str
) -> None:
    await talk(world, recordings, agent, "c1", ends=False)
    row = await row_of(world, "c1")
    with pytest.raises(NotFoundError, match="under way"):
        await recordings.find(row)
    row.ended_at, row.recording = START, "lost"
    with pytest.raises(NotFoundError, match="given up"):
        await recordings.find(row)
    row.recording = None
    with pytest.raises(NotFoundError, match="no recording"):
        await recordings.find(row)
    row.id, row.recording = "other", "ready"
    with pytest.raises(NotFoundError, match="not on this server"):
        await recordings.find(row)


async def test_a_job_leaves_a_conversation_alone_that_goes_on(
    world: World, recordings: Recordings, agent: str
) -> None:
    await talk(world, recordings, agent, "c1")
    again = recordings.begin("c1", 24_000)
    assert await world.library.jobs.run_one({KIND: recordings})
    assert (await row_of(world, "c1")).recording == "raw"
    again.put("left", 20, sound(5))
    recordings.end("c1", again)
    path = await recordings.find(await row_of(world, "c1"))
    assert path.read_bytes().startswith(LOUD * 10 + b"\0\0" * 10 + LOUD * 5 + b"|")


async def test_a_recording_that_was_encoded_goes_on(
    world: World, recordings: Recordings, agent: str
) -> None:
    await talk(world, recordings, agent, "c1")
    await world.library.jobs.run_one({KIND: recordings})
    again = recordings.begin("c1", 24_000)
    again.put("left", 12, sound(2))
    recordings.end("c1", again)
    assert await recordings.encode("c1")
    path = await recordings.find(await row_of(world, "c1"))
    left, _, right = path.read_bytes().partition(b"|")
    assert left == LOUD * 10 + b"\0\0" * 2 + LOUD * 2
    assert right == b"\0\0" * 5 + LOUD * 10


async def test_the_late_end_of_a_lost_line_does_not_end_the_tape_of_who_is_back(
    world: World, recordings: Recordings, agent: str
) -> None:
    first = await talk(world, recordings, agent, "c1", ends=False)
    second = recordings.begin("c1", 24_000)
    first.put("left", 10, sound(99))
    recordings.end("c1", first)
    assert not await recordings.encode("c1"), "it is under way"
    second.put("left", 12, sound(2))
    recordings.end("c1", second)
    assert await recordings.encode("c1")
    [whole] = (world.settings.data_dir / "recordings").glob("*/*")
    left, _, right = whole.read_bytes().partition(b"|")
    assert left == LOUD * 10 + b"\0\0" * 2 + LOUD * 2
    assert right == b"\0\0" * 5 + LOUD * 10


async def test_what_goes_on_while_it_is_encoded_is_encoded_again(
    world: World, recordings: Recordings, agent: str, codec: PlainCodec
) -> None:
    await talk(world, recordings, agent, "c1")
    joining, go_on = threading.Event(), threading.Event()
    plain = codec.join

    def join(left: Path, left_hz: int, right: Path, right_hz: int, to: Path) -> None:
        plain(left, left_hz, right, right_hz, to)
        joining.set()
        go_on.wait(10)

    codec.join = join  # type: ignore[method-assign]
    encoding = asyncio.create_task(recordings.encode("c1"))
    await asyncio.to_thread(joining.wait, 10)
    again = recordings.begin("c1", 24_000)
    again.put("left", 10, sound(5))
    recordings.end("c1", again)
    go_on.set()
    assert await encoding
    [whole] = (world.settings.data_dir / "recordings").glob("*/*")
    assert whole.read_bytes().startswith(LOUD * 15 + b"|")
    assert len(codec.joined) == 2


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"c1.16000.left.unpacking": b"ha"}, {}),
        ({"c1.16000.left.unpacking": LOUD * 10}, {"c1.24000.right.unpacking": b"h"}),
        ({"c1.16000.left": LOUD * 10}, {"c1.24000.right.unpacking": b"\0\0" * 5 + LOUD * 10}),
    ],
    ids=["one begun", "both begun", "one in its place"],
)
@pytest.mark.parametrize("goes_on", [True, False])
async def test_a_crash_while_a_recording_is_unpacked_loses_nothing(
    world: World,
    recordings: Recordings,
    agent: str,
    left: dict[str, bytes],
    right: dict[str, bytes],
    goes_on: bool,
) -> None:
    await talk(world, recordings, agent, "c1")
    await recordings.encode("c1")
    folder = (await recordings.find(await row_of(world, "c1"))).parent
    for name, data in (left | right).items():
        (folder / name).write_bytes(data)
    expected = EXPECTED
    if goes_on:
        again = recordings.begin("c1", 24_000)
        again.put("right", 15, sound(2))
        recordings.end("c1", again)
        expected = EXPECTED + LOUD * 2
    assert await recordings.encode("c1")
    assert (folder / "c1.flac").read_bytes() == expected
    assert [one.name for one in folder.iterdir()] == ["c1.flac"]


async def test_the_file_is_kept_where_it_cannot_be_unpacked_or_made_anew(
    world: World, recordings: Recordings, agent: str, codec: PlainCodec
) -> None:
    await talk(world, recordings, agent, "c1")
    await recordings.encode("c1")
    folder = (await recordings.find(await row_of(world, "c1"))).parent
    again = recordings.begin("c1", 24_000)
    again.put("left", 10, sound(5))
    recordings.end("c1", again)
    codec.fails = True
    with pytest.raises(AudioError):
        await recordings.encode("c1")
    assert (folder / "c1.flac").read_bytes() == EXPECTED
    assert not list(folder.glob("*.making"))
    (folder / "c1.making").write_bytes(b"half")  # as a crash leaves it
    await recordings.drop("c1")
    assert not list(folder.iterdir())


async def test_what_cannot_be_encoded_is_lost_and_says_so(
    world: World, recordings: Recordings, agent: str, codec: PlainCodec
) -> None:
    await talk(world, recordings, agent, "c1")
    codec.fails = True
    with pytest.raises(AudioError):
        await recordings.perform(Job(KIND, "c1", 1))
    await recordings.give_up(Job(KIND, "c1", 5))
    assert (await row_of(world, "c1")).recording == "lost"
    assert not list((world.settings.data_dir / "recordings").glob("*/*"))


async def test_the_sound_of_a_deleted_conversation_is_gone(
    world: World, recordings: Recordings, agent: str
) -> None:
    await talk(world, recordings, agent, "c1")
    async with world.database.write() as session:
        await session.delete(await session.get_one(ConversationRow, "c1"))
    await recordings.perform(Job(KIND, "c1", 1))
    assert not list((world.settings.data_dir / "recordings").glob("*/*"))


async def test_a_disk_that_fails_ends_the_recording_and_not_the_conversation(
    world: World, agent: str, codec: PlainCodec, tmp_path: Path
) -> None:
    folder = tmp_path / "full"
    folder.write_bytes(b"a file, and no folder")
    recordings = Recordings(folder, world.database, world.library.jobs, codec)
    recordings.tell_lost = world.recorder.recording_lost
    await recordings.open()
    with capture_logs() as logs:
        world.recorder.opened("c1", agent, source="web", at=START, recorded=True)
        tape = recordings.begin("c1", 24_000)
        tape.put("left", 0, sound(10))
        async with asyncio.timeout(10):
            while not tape.lost:  # noqa: ASYNC110 - a thread changes it
                await asyncio.sleep(0.01)
        await asyncio.sleep(0)
    tape.put("left", 10, sound(10))
    tape.cut("left", 5)
    await recordings.close()
    await world.recorder.flush()
    assert [one["event"] for one in logs] == ["recording_given_up"]
    assert (await row_of(world, "c1")).recording == "lost"


# The writer ----------------------------------------------------------------------------------


@pytest.fixture
def lost() -> list[Tape]:
    return []


@pytest.fixture
def spool(lost: list[Tape]) -> Iterator[Spool]:
    """A writer without a thread: `drain` does its work."""
    spool = Spool(lost.append, max_waiting_bytes=4000)
    yield spool
    spool.finish()


def tracks(folder: Path) -> Tracks:
    return Tracks(folder / "x" / "left", folder / "x" / "right")


def test_neighbours_gaps_and_cuts_are_written_in_order(spool: Spool, tmp_path: Path) -> None:
    tape = spool.begin(tracks(tmp_path))
    tape.put("right", 0, sound(4))
    tape.put("right", 4, sound(4))
    tape.put("left", 2, sound(1))
    tape.cut("right", 5)
    tape.put("right", 7, sound(1))
    spool.drain()
    assert tape.tracks.left.read_bytes() == b"\0\0" * 2 + LOUD
    assert tape.tracks.right.read_bytes() == LOUD * 5 + b"\0\0" * 2 + LOUD
    assert tape.tracks.left.stat().st_mode & 0o077 == 0
    assert tape.tracks.left.parent.stat().st_mode & 0o077 == 0


def test_the_recording_that_finds_the_queue_full_is_given_up(
    spool: Spool, lost: list[Tape], tmp_path: Path
) -> None:
    first, second = spool.begin(tracks(tmp_path)), spool.begin(tracks(tmp_path / "2"))
    with capture_logs() as logs:
        first.put("left", 0, sound(900))
        second.put("left", 0, sound(200))
    assert lost == [second]
    assert [one["reason"] for one in logs] == ["the disk is too slow"]
    spool.drain()
    first.put("left", 900, sound(900))
    spool.drain()
    assert len(first.tracks.left.read_bytes()) == 3600
    assert not second.tracks.left.exists()


def test_nothing_is_put_behind_the_end(spool: Spool, tmp_path: Path) -> None:
    tape = spool.begin(tracks(tmp_path))
    tape.put("left", 0, sound(2))
    tape.over = True
    tape.put("left", 2, sound(2))
    spool.drain()
    assert tape.tracks.left.read_bytes() == LOUD * 2


def test_what_cannot_be_prepared_is_given_up(
    spool: Spool, lost: list[Tape], tmp_path: Path
) -> None:
    def fail() -> None:
        raise AudioError("the recording cannot be read")

    with capture_logs() as logs:
        tape = spool.begin(tracks(tmp_path), fail)
        spool.drain()
    assert lost == [tape]
    assert logs[0]["reason"] == "the recording cannot be read"


async def test_what_waits_is_written_when_the_server_stops(spool: Spool, tmp_path: Path) -> None:
    tape = spool.begin(tracks(tmp_path))
    spool.open()
    tape.put("left", 0, sound(3))
    await spool.settle(tape.tracks)
    assert tape.tracks.left.read_bytes() == LOUD * 3
    tape.put("left", 3, sound(3))
    await spool.close()
    assert tape.tracks.left.read_bytes() == LOUD * 6


async def test_who_stops_waiting_does_not_stop_the_writer(spool: Spool, tmp_path: Path) -> None:
    tape = spool.begin(tracks(tmp_path))
    waiting = asyncio.create_task(spool.settle(tape.tracks))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    spool.open()
    tape.put("left", 0, sound(3))
    async with asyncio.timeout(10):
        await spool.settle(tape.tracks)
    assert tape.tracks.left.read_bytes() == LOUD * 3
    await spool.close()


def test_work_that_fails_does_not_stop_the_writer(
    spool: Spool, lost: list[Tape], tmp_path: Path
) -> None:
    broken, tape = spool.begin(tracks(tmp_path / "1")), spool.begin(tracks(tmp_path / "2"))
    broken.put("left", -1, sound(3))  # nobody may seek there
    tape.put("left", 0, sound(3))
    with capture_logs() as logs:
        spool.drain()
    assert lost == [broken]
    assert [one["event"] for one in logs] == ["recording_given_up"]
    assert tape.tracks.left.read_bytes() == LOUD * 3


async def test_a_file_that_cannot_be_closed_is_told_to_who_waits(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as patched:
        patched.setattr(spool, "_close", fail)
        spool.open()
        with pytest.raises(OSError, match="the disk is gone"):
            await spool.settle(tracks(tmp_path))
    await spool.settle(tracks(tmp_path))
    await spool.close()


# How long it is kept -------------------------------------------------------------------------


async def count(world: World) -> int:
    async with world.database.read() as session:
        return await session.scalar(select(func.count()).select_from(ConversationRow)) or 0


async def test_recordings_are_kept_for_a_while_and_conversations_longer(
    world: World, recordings: Recordings, agent: str
) -> None:
    await talk(world, recordings, agent, "c1")
    await talk(world, recordings, agent, "live", ends=False)
    await recordings.encode("c1")
    keeper = Keeper(world.database, world.clock, recordings, Keeps(30))
    await keeper.tidy(START + timedelta(days=29))
    assert (await recordings.find(await row_of(world, "c1"))).exists()
    await keeper.tidy(START + timedelta(days=31))
    assert (await row_of(world, "c1")).recording is None
    assert (await row_of(world, "live")).recording == "raw"
    folder = world.settings.data_dir / "recordings"
    assert {path.name.partition(".")[0] for path in folder.glob("*/*")} == {"live"}
    assert await count(world) == 2
    await Keeper(world.database, world.clock, recordings, Keeps(30, 60)).tidy(
        START + timedelta(days=61)
    )
    assert await count(world) == 1


async def test_what_a_crash_left_is_taken_up_again(
    world: World, recordings: Recordings, agent: str
) -> None:
    tape = await talk(world, recordings, agent, "c1", ends=False)
    recordings.end("c1", tape)
    closed = START + timedelta(days=1)
    assert await world.conversations.close_abandoned(closed) == 1
    assert await jobs(world) == []
    keeper = Keeper(world.database, world.clock, recordings, Keeps(30))
    await keeper.tidy(closed)
    assert await jobs(world) == ["c1"]
    await world.library.jobs.run_one({KIND: recordings})
    assert (await recordings.find(await row_of(world, "c1"))).read_bytes() == EXPECTED


async def test_sound_that_belongs_to_nothing_is_swept_away(
    world: World, recordings: Recordings, agent: str
) -> None:
    await talk(world, recordings, agent, "c1")
    await recordings.encode("c1")
    folder = world.settings.data_dir / "recordings" / "go"
    folder.mkdir()
    old, new = folder / "gone.flac", folder / "gone2.flac"
    for path in (old, new):
        path.write_bytes(b"sound")
    before_s = time.time() - LATELY_S - 60
    for path in (old, *(world.settings.data_dir / "recordings").glob("c1/*")):
        os.utime(path, (before_s, before_s))
    await Keeper(world.database, world.clock, recordings, Keeps(30)).tidy(START)
    assert (old.exists(), new.exists()) == (False, True)
    assert (await recordings.find(await row_of(world, "c1"))).exists()


async def test_the_keeper_goes_on_when_the_database_fails(
    world: World, recordings: Recordings
) -> None:
    await world.database.close()
    broken = Keeper(
        type(world.database)("sqlite+aiosqlite:////nowhere/at/all.db"),
        world.clock,
        recordings,
        Keeps(30),
    )
    with capture_logs() as logs:
        task = asyncio.create_task(broken.run(every_s=0.01))
        async with asyncio.timeout(10):
            while len(logs) < 2:  # noqa: ASYNC110 - nobody tells of a line of the log
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
    assert {one["event"] for one in logs} == {"archive_not_tidied"}


async def test_a_recording_is_served_in_parts(world: World, agent: str) -> None:
    recordings = world.archive.recordings
    await recordings.open()
    world.recorder.opened("c1", agent, source="web", at=START, recorded=True)
    tape = recordings.begin("c1", 24_000)
    tape.put("left", 0, sound(16_000))
    recordings.end("c1", tape)
    end = START + timedelta(seconds=1)
    world.recorder.ended("c1", by="user", error_code=None, at=end)
    await world.recorder.flush()
    async with world.client() as client:
        await check_parts(client)
    await recordings.close()


async def check_parts(client: httpx2.AsyncClient) -> None:
    path = "/api/v1/conversations/c1/recording"
    whole = await client.get(path)
    assert (whole.status_code, whole.headers["accept-ranges"]) == (200, "bytes")
    assert whole.headers["content-type"] == "audio/flac"
    assert whole.content.startswith(b"fLaC")
    part = await client.get(path, headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, whole.content[4:8])
    size = len(whole.content)
    assert part.headers["content-range"] == f"bytes 4-7/{size}"
    beyond = await client.get(path, headers={"Range": f"bytes={size}-"})
    assert beyond.status_code == 416
    await client.delete("/api/v1/conversations/c1")
    assert (await client.get(path)).status_code == 404
