"""Does what need not be done at once: a table of jobs, and whoever works through it.

A job is added in the transaction of what makes it necessary, so neither exists without the other.
It is claimed by one worker, who shows a sign of life now and then; if the signs stop, the server
died, and another worker takes it up again. A job that fails is tried again later, and after
`MAX_TRIES` it is given up. What is done is gone from the table.

Jobs stand in lanes, one for each owner of work, and lanes take turns: whoever brings a hundred
jobs delays others by one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Protocol, cast

import structlog
from sqlalchemy import Table, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from sayso.clock import Clock
from sayso.store.database import Database
from sayso.store.identifiers import new_id
from sayso.store.tables import JobRow

MAX_TRIES = 5
"""So often a job is begun; a server it kills is killed no more often."""
BACK_OFF_S = 5.0
"""Wait before the second try, in seconds; before each later one four times as long."""
BEAT_S = 5.0
"""How often the worker of a job shows that it is alive, in seconds."""
DEAD_S = 20.0
"""After so long without a sign of life a job is anybody's again, in seconds."""
POLL_S = 5.0
"""How often to look for jobs nobody here knows of: those that wait, or of other servers."""

SMALL = ".small"
"""Ends the stored kind of jobs that are quickly done: a worker of their own takes no others."""

Crowded = Callable[[], Awaitable[bool]]
"""Says whether others wait for the worker that does small jobs only."""
Finish = Callable[[AsyncSession], Awaitable[None]]
"""Takes a job from the table."""

_log = structlog.get_logger(__name__)


async def _leave(_: AsyncSession) -> None:
    """It is in no table."""


# Statements are made once, and of the table: making one anew costs more than running it.

_JOBS = cast("Table", JobRow.__table__)
_ROW = _JOBS.c
_KINDS = _ROW.kind.in_(bindparam("kinds", expanding=True))
_FREE = or_(_ROW.claimed_by.is_(None), _ROW.beat_at < bindparam("dead"))
_OURS = (_ROW.number == bindparam("job")) & (_ROW.claimed_by == bindparam("claim"))
_DUE = (
    select(_ROW.number)
    .where(_KINDS, _FREE, _ROW.due_at <= bindparam("now"))
    .order_by(_ROW.turn, _ROW.number)
    .limit(1)
)
_CLAIM = (
    update(_JOBS)
    # For PostgreSQL; SQLite has one writer.
    .where(_ROW.number == _DUE.with_for_update(skip_locked=True).scalar_subquery())
    .values(claimed_by=bindparam("claim"), beat_at=bindparam("now"), tries=_ROW.tries + 1)
    .returning(_ROW.number, _ROW.kind, _ROW.key, _ROW.tries)
)
_NEXT_TURN = func.coalesce(
    select(func.max(_ROW.turn) + 1)
    .where(_ROW.lane == bindparam("its_lane"), _ROW.kind == bindparam("its_kind"))
    .scalar_subquery(),
    select(func.min(_ROW.turn)).where(_ROW.kind == bindparam("its_kind")).scalar_subquery(),
    0,
)
"""Behind the lane's own jobs, but not behind those that other lanes have more than one of.

Small jobs are counted apart: a lane's large ones do not put its small ones behind others'.
"""
_ADD = insert(_JOBS).values(
    kind=bindparam("its_kind"),
    key=bindparam("its_key"),
    lane=bindparam("its_lane"),
    turn=_NEXT_TURN,
    tries=0,
    due_at=bindparam("now"),
)
_DROP = delete(_JOBS).where(_KINDS, _ROW.key.in_(bindparam("keys", expanding=True)))
_FINISH = delete(_JOBS).where(_OURS)


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is told: which object its work is about, and the how-manieth try this is."""

    kind: str
    key: str
    tries: int
    crowded: Crowded | None = field(default=None, compare=False, repr=False)
    """Given where the worker does small jobs only: one that is large may raise `OutgrownError`."""
    finish: Finish = field(default=_leave, compare=False, repr=False)
    """May be called in the transaction that stores what the job was for, to spare one."""


class OutgrownError(Exception):
    """A job that was taken for small is large: it waits again, among the large ones."""


class Duty(Protocol):
    """Does one kind of job."""

    async def perform(self, job: Job, /) -> None:
        """Do it, from the beginning, whatever an earlier try has left. May be cancelled.

        Raises:
            OutgrownError: `job.crowded` is given, and the job is not small after all.
        """
        ...

    async def give_up(self, job: Job, /) -> None:
        """It was tried too often: tell whoever waits for it."""
        ...


@dataclass(slots=True, eq=False)
class _Claim:
    """Whose a job is: `name` is another one each time, for one server has several workers."""

    number: int
    name: str
    kind: str
    key: str
    tries: int
    crowded: Crowded | None
    finished: bool = False

    @property
    def job(self) -> Job:
        return Job(self.kind, self.key, self.tries, self.crowded, self.finish)

    @property
    def params(self) -> dict[str, object]:
        """What `_OURS` asks for."""
        return {"job": self.number, "claim": self.name}

    async def finish(self, session: AsyncSession) -> None:
        """Take it from the table. If `session` is undone, so is this, and the work has failed."""
        await session.execute(_FINISH, self.params)
        self.finished = True


class Jobs:
    """The jobs of an installation, and workers for them: each does one job at a time.

    Small jobs are jobs of their kind in all but one thing: where a worker does small ones only,
    none of them waits for a large one to be done. How small one is can only be guessed when it is
    added; one that turns out to be large leaves that worker, and begins anew among the large ones.
    """

    def __init__(self, database: Database, clock: Clock, *, beat_s: float = BEAT_S) -> None:
        self._database = database
        self._clock = clock
        self._beat_s = beat_s
        self._waiting: dict[asyncio.Event, None] = {}  # woken in the order they came
        self._running: dict[str, tuple[_Claim, asyncio.Task[None]]] = {}

    async def add(
        self, session: AsyncSession, kind: str, key: str, *, lane: str, small: bool = False
    ) -> None:
        """Add a job to what `session` stores; one about the same object is replaced by it.

        Call `wake` when that is stored.
        """
        await self.drop(session, kind, [key])
        stored = kind + SMALL if small else kind
        values = {"its_kind": stored, "its_key": key, "its_lane": lane, "now": self._clock.utc()}
        await session.execute(_ADD, values)

    async def drop(self, session: AsyncSession, kind: str, keys: Sequence[str]) -> None:
        """Take jobs about these objects from the table."""
        await session.execute(_DROP, {"kinds": _stored(kind), "keys": list(keys)})

    def wake(self) -> None:
        """Have the workers look for jobs now."""
        for some in self._waiting:
            some.set()

    def stop(self, kind: str, keys: Sequence[str]) -> None:
        """Stop work about these objects, if it is under way here: it was dropped or replaced."""
        for claim, work in self._running.values():
            if claim.kind == kind and claim.key in keys:
                work.cancel()

    async def run(self, duties: Mapping[str, Duty], *, only_small: bool = False) -> None:
        """Work through the jobs of these kinds, one after the other, until cancelled."""
        some = asyncio.Event()
        self._waiting[some] = None
        try:
            while True:
                some.clear()
                if not await self._try_one(duties, only_small=only_small):
                    with suppress(TimeoutError):
                        await asyncio.wait_for(some.wait(), POLL_S)
        finally:
            del self._waiting[some]

    async def _try_one(self, duties: Mapping[str, Duty], *, only_small: bool) -> bool:
        """As `run_one`, but what goes wrong is logged."""
        try:
            return await self.run_one(duties, only_small=only_small)
        except SQLAlchemyError as error:
            _log.error("jobs_not_read", reason=type(error).__name__)
        except Exception:  # noqa: BLE001 - whatever it is, the jobs behind it must be done
            _log.exception("jobs_not_done")
        return False

    async def run_one(self, duties: Mapping[str, Duty], *, only_small: bool = False) -> bool:
        """Do one job, if there is one that is due; whether there was."""
        claim = await self._claim(list(duties), only_small=only_small)
        if claim is None:
            return False
        duty = duties[claim.kind]
        if claim.tries > MAX_TRIES:
            await duty.give_up(claim.job)
            await self._finish(claim)
        else:
            await self._work(duty, claim)
        return True

    async def _claim(self, kinds: Sequence[str], *, only_small: bool = False) -> _Claim | None:
        wanted = [kind + SMALL for kind in kinds] + ([] if only_small else list(kinds))
        due = self._due(wanted)
        async with self._database.read() as session:
            if await session.scalar(_DUE, due) is None:
                return None  # the usual case, and no writer waits for it
        name = new_id()
        async with self._database.write() as session:
            row = (await session.execute(_CLAIM, {**due, "claim": name})).one_or_none()
        if row is None:
            return None
        number, kind, key, tries = row
        crowded = partial(self._is_crowded, kinds) if only_small else None
        return _Claim(number, name, kind.removesuffix(SMALL), key, tries, crowded)

    def _due(self, kinds: Sequence[str]) -> dict[str, object]:
        """What `_DUE` asks for, by kinds as they are stored."""
        now = self._clock.utc()
        return {"kinds": list(kinds), "now": now, "dead": now - timedelta(seconds=DEAD_S)}

    async def _is_crowded(self, kinds: Sequence[str]) -> bool:
        """Whether a small job is due that nobody does."""
        due = self._due([kind + SMALL for kind in kinds])
        async with self._database.read() as session:
            return await session.scalar(_DUE, due) is not None

    async def _work(self, duty: Duty, claim: _Claim) -> None:
        work = asyncio.create_task(duty.perform(claim.job))
        beat = asyncio.create_task(self._beat(claim, work))
        self._running[claim.name] = claim, work
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError:
            await _end(work)
            await self._hand_back(claim)
            raise
        finally:
            del self._running[claim.name]
            await _end(beat)
        if work.cancelled():
            return  # it is another's now, or nobody's
        if (error := work.exception()) is None:
            if not claim.finished:
                await self._finish(claim)
        elif isinstance(error, OutgrownError):
            await self._enlarge(claim)
        else:
            await self._fail(duty, claim, error)

    async def _beat(self, claim: _Claim, work: asyncio.Task[None]) -> None:
        """Show signs of life; stop the work when it is ours no more."""
        while True:
            await asyncio.sleep(self._beat_s)
            try:
                ours = await self._change(claim, beat_at=self._clock.utc())
            except SQLAlchemyError as error:
                _log.error("job_sign_of_life_not_stored", reason=type(error).__name__)
                continue
            if not ours:
                work.cancel()

    async def _fail(self, duty: Duty, claim: _Claim, error: BaseException) -> None:
        job = claim.job
        _log.error("job_failed", kind=job.kind, key=job.key, tries=job.tries, exc_info=error)
        if job.tries >= MAX_TRIES:
            await duty.give_up(job)
            await self._finish(claim)
            return
        wait = timedelta(seconds=BACK_OFF_S * 4 ** (job.tries - 1))
        await self._change(claim, claimed_by=None, beat_at=None, due_at=self._clock.utc() + wait)

    async def _hand_back(self, claim: _Claim) -> None:
        """The server stops: somebody else may begin at once, and this was no try."""
        await self._change(claim, claimed_by=None, beat_at=None, tries=claim.tries - 1)

    async def _enlarge(self, claim: _Claim) -> None:
        """It waits again, behind its lane's large ones; this was no try."""
        async with self._database.write() as session:
            ours = select(_ROW.lane).where(_OURS).with_for_update()
            lane = await session.scalar(ours, claim.params)
            if lane is None:
                return
            turn = await session.scalar(
                select(_NEXT_TURN), {"its_lane": lane, "its_kind": claim.kind}
            )
            free = {"claimed_by": None, "beat_at": None, "tries": _ROW.tries - 1}
            large = update(_JOBS).where(_OURS).values(kind=claim.kind, turn=turn, **free)
            await session.execute(large, claim.params)
        _log.info("job_outgrown", kind=claim.kind, key=claim.key)
        self.wake()

    async def _finish(self, claim: _Claim) -> None:
        async with self._database.write() as session:
            await claim.finish(session)

    async def _change(self, claim: _Claim, **values: object) -> bool:
        """Change a job that is still ours; whether it is."""
        change = update(_JOBS).where(_OURS).values(**values).returning(_ROW.number)
        async with self._database.write() as session:
            return await session.scalar(change, claim.params) is not None


def _stored(kind: str) -> tuple[str, str]:
    """How jobs of a kind are stored, large and small ones."""
    return kind, kind + SMALL


async def _end(task: asyncio.Task[None]) -> None:
    """Cancel a task, and wait until it has cleaned up."""
    task.cancel()
    await asyncio.wait([task])
