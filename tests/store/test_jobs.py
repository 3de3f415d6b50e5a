from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import OperationalError

from sayso.store.database import Database
from sayso.store.jobs import _ADD, BACK_OFF_S, DEAD_S, MAX_TRIES, Job, Jobs, OutgrownError
from sayso.store.tables import JobRow


class Hand:
    """A clock that stands still until it is moved."""

    at = datetime(2024, 5, 1, tzinfo=UTC)

    def now_s(self) -> float:
        return self.at.timestamp()

    def utc(self) -> datetime:
        return self.at

    def move(self, by_s: float) -> None:
        self.at += timedelta(seconds=by_s)


class Note:
    """A duty that notes what it did, and does what it is told."""

    def __init__(self, then: Callable[[Job], Awaitable[None]] | None = None) -> None:
        self.done: list[str] = []
        self.given_up: list[Job] = []
        self._then = then

    async def perform(self, job: Job) -> None:
        self.done.append(job.key)
        if self._then is not None:
            await self._then(job)

    async def give_up(self, job: Job) -> None:
        self.given_up.append(job)


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def jobs(database: Database, clock: Hand) -> Jobs:
    return Jobs(database, clock)


async def add(
    database: Database, jobs: Jobs, *keys: str, lane: str = "a", small: bool = False
) -> None:
    async with database.write() as session:
        for key in keys:
            await jobs.add(session, "note", key, lane=lane, small=small)
            await session.flush()
    jobs.wake()


async def rows(database: Database) -> Sequence[JobRow]:
    async with database.read() as session:
        return (await session.scalars(select(JobRow).order_by(JobRow.number))).all()


async def is_empty(database: Database) -> bool:
    return not await rows(database)


async def run_all(jobs: Jobs, duty: Note) -> None:
    while await jobs.run_one({"note": duty}):
        pass


async def test_jobs_are_done_in_order_and_are_gone(database: Database, jobs: Jobs) -> None:
    await add(database, jobs, "x", "y", "z")
    duty = Note()
    await run_all(jobs, duty)
    assert duty.done == ["x", "y", "z"]
    assert await rows(database) == []


async def test_lanes_take_turns(database: Database, jobs: Jobs) -> None:
    await add(database, jobs, "a1", "a2", "a3", "a4")
    duty = Note()
    await jobs.run_one({"note": duty})
    await add(database, jobs, "b1", "b2", lane="b")
    await add(database, jobs, "c1", lane="c")
    await run_all(jobs, duty)
    assert duty.done == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]


async def run_small(jobs: Jobs, duty: Note) -> None:
    while await jobs.run_one({"note": duty}, only_small=True):
        pass


async def test_small_jobs_are_done_beside_large_ones(database: Database, jobs: Jobs) -> None:
    await add(database, jobs, "large", "larger")
    await add(database, jobs, "x", "y", small=True)
    beside, duty = Note(), Note()
    await run_small(jobs, beside)
    assert beside.done == ["x", "y"]
    await run_all(jobs, duty)
    assert duty.done == ["large", "larger"]


async def test_whoever_does_large_jobs_does_small_ones_too(database: Database, jobs: Jobs) -> None:
    await add(database, jobs, "large", "larger", "largest")
    await add(database, jobs, "x", small=True)
    duty = Note()
    await run_all(jobs, duty)
    assert duty.done == ["large", "x", "larger", "largest"]


async def test_lanes_take_turns_with_small_jobs_whatever_else_they_have(
    database: Database, jobs: Jobs
) -> None:
    await add(database, jobs, *(f"large {n}" for n in range(9)))
    await add(database, jobs, "b1", "b2", lane="b", small=True)
    await add(database, jobs, "a1", small=True)
    duty = Note()
    await run_small(jobs, duty)
    assert duty.done == ["b1", "a1", "b2"]


@pytest.mark.parametrize("small", [True, False])
async def test_a_job_is_replaced_by_one_of_another_size(
    database: Database, jobs: Jobs, small: bool
) -> None:
    await add(database, jobs, "x", small=small)
    await add(database, jobs, "x", small=not small)
    assert len(await rows(database)) == 1
    async with database.write() as session:
        await jobs.drop(session, "note", ["x"])
    assert await is_empty(database)


async def test_a_duty_does_not_hear_how_large_its_job_is(database: Database, jobs: Jobs) -> None:
    await add(database, jobs, "x", small=True)
    seen: list[Job] = []

    async def keep(job: Job) -> None:
        seen.append(job)

    await run_small(jobs, Note(keep))
    assert seen == [Job("note", "x", 1)]


async def outgrow(job: Job) -> None:
    """What every duty may do whose job is larger than it was taken for."""
    if job.crowded is not None:
        raise OutgrownError


async def test_a_small_job_that_is_large_waits_again_among_the_large_ones(
    database: Database, jobs: Jobs
) -> None:
    await add(database, jobs, "large")
    await add(database, jobs, "x", "y", small=True)
    beside, duty = Note(outgrow), Note(outgrow)
    await jobs.run_one({"note": beside}, only_small=True)
    found = {
        row.key: (row.kind, row.turn, row.claimed_by, row.tries) for row in await rows(database)
    }
    assert found["x"] == ("note", 1, None, 0), "behind its lane's large ones, and this was no try"
    await jobs.run_one({"note": beside}, only_small=True)
    assert not await jobs.run_one({"note": beside}, only_small=True)
    await run_all(jobs, duty)
    assert (beside.done, duty.done) == (["x", "y"], ["large", "x", "y"])
    assert await is_empty(database)


async def test_a_small_job_that_was_dropped_meanwhile_does_not_come_back_as_a_large_one(
    database: Database, jobs: Jobs
) -> None:
    await add(database, jobs, "x", small=True)

    async def drop(job: Job) -> None:
        async with database.write() as session:
            await jobs.drop(session, "note", [job.key])
        raise OutgrownError

    await run_small(jobs, Note(drop))
    assert await is_empty(database)


async def test_a_small_job_is_told_whether_others_wait(
    database: Database, jobs: Jobs, clock: Hand
) -> None:
    await add(database, jobs, "x", "y", small=True)
    await add(database, jobs, "large")
    told: dict[str, bool] = {}

    async def ask(job: Job) -> None:
        assert job.crowded is not None
        told[job.key] = await job.crowded()

    await run_small(jobs, Note(ask))
    assert told == {"x": True, "y": False}, "large ones do not wait for this worker"


async def test_the_worker_of_all_jobs_lets_none_of_them_give_way(
    database: Database, jobs: Jobs
) -> None:
    await add(database, jobs, "x", small=True)
    seen: list[Job] = []

    async def keep(job: Job) -> None:
        seen.append(job)

    await run_all(jobs, Note(keep))
    assert [job.crowded for job in seen] == [None]


async def test_a_job_replaces_one_about_the_same_object(database: Database, jobs: Jobs) -> None:
    await add(database, jobs, "x", "y")
    await add(database, jobs, "x")
    duty = Note()
    await run_all(jobs, duty)
    assert duty.done == ["y", "x"]


async def test_a_worker_leaves_the_claim_of_its_neighbour_alone(
    database: Database, jobs: Jobs, clock: Hand
) -> None:
    await add(database, jobs, "x")
    begun: asyncio.Queue[asyncio.Event] = asyncio.Queue()

    async def wait(_job: Job) -> None:
        done = asyncio.Event()
        begun.put_nowait(done)
        await done.wait()

    duties = {"note": Note(wait)}
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        slow = tasks.create_task(jobs.run_one(duties))
        of_slow = await begun.get()
        clock.move(DEAD_S + 1)
        neighbour = tasks.create_task(jobs.run_one(duties))
        of_neighbour = await begun.get()
        of_slow.set()
        await slow
        assert len(await rows(database)) == 1
        of_neighbour.set()
        await neighbour
    assert await is_empty(database)


async def test_other_kinds_are_left_alone(database: Database, jobs: Jobs) -> None:
    await add(database, jobs, "x")
    assert not await jobs.run_one({"else": Note()})
    assert len(await rows(database)) == 1


async def test_a_dropped_job_is_not_done(database: Database, jobs: Jobs) -> None:
    await add(database, jobs, "x", "y")
    async with database.write() as session:
        await jobs.drop(session, "note", ["x"])
    duty = Note()
    await run_all(jobs, duty)
    assert duty.done == ["y"]


async def fail(_job: Job) -> None:
    raise ValueError("no")


async def test_a_failed_job_is_tried_later_and_later_and_given_up(
    database: Database, jobs: Jobs, clock: Hand
) -> None:
    await add(database, jobs, "x")
    duty = Note(fail)
    for wait in [0, *(BACK_OFF_S * 4**n for n in range(MAX_TRIES - 1))]:
        clock.move(wait - 0.5)
        assert not wait or not await jobs.run_one({"note": duty})
        clock.move(0.5)
        assert await jobs.run_one({"note": duty})
    assert duty.done == ["x"] * MAX_TRIES
    assert duty.given_up == [Job("note", "x", MAX_TRIES)]
    assert await rows(database) == []


@pytest.mark.parametrize("stored", [True, False])
async def test_a_duty_finishes_its_job_with_what_it_stores_or_not_at_all(
    database: Database, jobs: Jobs, *, stored: bool
) -> None:
    async def store(job: Job) -> None:
        async with database.write() as session:
            await job.finish(session)
            assert await session.scalar(select(JobRow.number)) is None
            if not stored:
                raise OSError("no space left on device")

    await add(database, jobs, "a")
    assert await jobs.run_one({"note": Note(store)})
    async with database.read() as session:
        left = await session.scalar(select(JobRow.tries))
    assert left == (None if stored else 1)


async def test_others_are_done_while_a_failed_one_waits(database: Database, jobs: Jobs) -> None:
    await add(database, jobs, "x", "y")
    failing, duty = Note(fail), Note()
    await jobs.run_one({"note": failing})
    await run_all(jobs, duty)
    assert (failing.done, duty.done) == (["x"], ["y"])


async def until(is_so: Callable[[], Awaitable[object]]) -> None:
    """Look again and again whether it is so."""
    async with asyncio.timeout(60):
        while not await is_so():  # noqa: ASYNC110 - what is waited for happens in a database
            await asyncio.sleep(0.005)


async def hang(jobs: Jobs, duty: Note) -> asyncio.Task[None]:
    """A worker in the middle of its job."""
    task = asyncio.create_task(jobs.run({"note": duty}))

    async def has_begun() -> object:
        return duty.done

    await until(has_begun)
    return task


async def forever(_job: Job) -> None:
    await asyncio.Event().wait()


async def end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


async def test_the_job_of_a_stopped_server_is_anybodys_at_once(
    database: Database, jobs: Jobs, clock: Hand
) -> None:
    await add(database, jobs, "x")
    await end(await hang(jobs, Note(forever)))
    (row,) = await rows(database)
    assert (row.claimed_by, row.tries) == (None, 0)
    duty = Note()
    assert await Jobs(database, clock).run_one({"note": duty})
    assert duty.done == ["x"]


async def test_the_job_of_a_dead_server_is_taken_up_when_its_signs_of_life_stop(
    database: Database, jobs: Jobs, clock: Hand
) -> None:
    await add(database, jobs, "x")
    assert await jobs._claim(["note"]) is not None
    other, duty = Jobs(database, clock), Note()
    clock.move(DEAD_S)
    assert not await other.run_one({"note": duty})
    clock.move(1)
    assert await other.run_one({"note": duty})
    assert duty.done == ["x"]


async def test_a_job_that_kills_its_server_is_given_up(
    database: Database, jobs: Jobs, clock: Hand
) -> None:
    await add(database, jobs, "x")
    for _ in range(MAX_TRIES):
        assert await jobs._claim(["note"]) is not None
        clock.move(DEAD_S + 1)
    duty = Note()
    assert await jobs.run_one({"note": duty})
    assert (duty.done, [job.key for job in duty.given_up]) == ([], ["x"])
    assert await rows(database) == []


async def test_signs_of_life_are_shown(database: Database, clock: Hand) -> None:
    jobs = Jobs(database, clock, beat_s=0.005)
    await add(database, jobs, "x")
    task = await hang(jobs, Note(forever))
    clock.move(100)

    async def is_alive() -> bool:
        return (await rows(database))[0].beat_at == clock.at

    await until(is_alive)
    await end(task)


async def test_work_stops_when_another_took_the_job(database: Database, clock: Hand) -> None:
    jobs = Jobs(database, clock, beat_s=0.005)
    await add(database, jobs, "x")
    stopped = asyncio.Event()

    async def wait(_job: Job) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    task = await hang(jobs, Note(wait))
    async with database.write() as session:
        for row in await session.scalars(select(JobRow)):
            row.claimed_by = "another"
    await stopped.wait()
    await end(task)
    assert [row.claimed_by for row in await rows(database)] == ["another"]


async def test_work_can_be_stopped(database: Database, jobs: Jobs) -> None:
    await add(database, jobs, "x", "y")

    async def wait(job: Job) -> None:
        if job.key == "x":
            await asyncio.Event().wait()

    jobs.stop("note", ["x"])  # nothing is under way
    duty = Note(wait)
    task = await hang(jobs, duty)
    async with database.write() as session:
        await jobs.drop(session, "note", ["x"])
    jobs.stop("note", ["y"])
    jobs.stop("note", ["x"])
    await until(partial(is_empty, database))
    await end(task)
    assert duty.done == ["x", "y"]


async def test_a_new_job_wakes_the_worker(database: Database, jobs: Jobs) -> None:
    duty = Note()
    task = asyncio.create_task(jobs.run({"note": duty}))
    await asyncio.sleep(0.02)
    await add(database, jobs, "x")
    await until(partial(is_empty, database))
    await end(task)
    assert duty.done == ["x"]


async def test_two_workers_of_a_server_are_both_woken(database: Database, jobs: Jobs) -> None:
    both = asyncio.Barrier(2)

    async def meet(_job: Job) -> None:
        await both.wait()

    duty, beside = Note(meet), Note(meet)
    tasks = [
        asyncio.create_task(jobs.run({"note": duty})),
        asyncio.create_task(jobs.run({"note": beside}, only_small=True)),
    ]
    await asyncio.sleep(0.02)
    async with database.write() as session:
        await jobs.add(session, "note", "large", lane="a")
        await session.flush()
        await jobs.add(session, "note", "small", lane="a", small=True)
    jobs.wake()
    await until(partial(is_empty, database))
    for task in tasks:
        await end(task)
    assert sorted(duty.done + beside.done) == ["large", "small"]
    assert "large" in duty.done


async def test_all_that_runs_can_be_stopped_and_is_handed_back(
    database: Database, jobs: Jobs
) -> None:
    await add(database, jobs, "large")
    await add(database, jobs, "small", small=True)
    duty, beside = Note(forever), Note(forever)
    tasks = [
        asyncio.create_task(jobs.run_one({"note": beside}, only_small=True)),
        asyncio.create_task(jobs.run_one({"note": duty})),
    ]

    async def have_begun() -> object:
        return duty.done and beside.done

    await until(have_begun)
    jobs.stop("note", ["small"])
    await tasks[0]
    tasks[1].cancel()
    await asyncio.wait(tasks)
    by_key = {row.key: (row.claimed_by is None, row.tries) for row in await rows(database)}
    assert by_key == {"small": (False, 1), "large": (True, 0)}, "who stops a job drops it"


async def test_two_servers_share_the_jobs(database: Database, jobs: Jobs, clock: Hand) -> None:
    await add(database, jobs, *"abcdefgh")
    duty, other = Note(), Note()
    await asyncio.gather(run_all(jobs, duty), run_all(Jobs(database, clock), other))
    assert sorted(duty.done + other.done) == list("abcdefgh")


async def test_a_broken_database_is_asked_again(
    database: Database, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def broken(_kinds: Sequence[str], *, only_small: bool) -> None:
        asked.set()
        raise OperationalError("", None, ValueError())

    monkeypatch.setattr(jobs, "_claim", broken)
    task = asyncio.create_task(jobs.run({"note": Note()}))
    await asked.wait()
    asked.clear()
    jobs.wake()
    await asked.wait()
    await end(task)


def test_what_is_asked_of_postgres() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    text = " ".join(str(_ADD.compile(dialect=dialect)).split())
    assert "coalesce((SELECT max(jobs.turn)" in text
