"""Callers who wait for a function, one reply at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from sayso.clock import SystemClock
from sayso.llm import Piece, no_spare
from sayso.talk.patience import MAX_FILLERS, Manners, Patience
from sayso.talk.record import Stopwatch
from sayso.talk.reply import Aside

MANNERS = Manners("One moment.", 0.0)


def wait(manners: Manners = MANNERS, watch: Stopwatch | None = None) -> Patience:
    return Patience(lambda: manners, no_spare, SystemClock(), watch or Stopwatch(0.0))


async def write(*pieces: Piece, after: asyncio.Event | None = None) -> AsyncGenerator[Piece, None]:
    if after is not None:
        await after.wait()
    for piece in pieces:
        yield piece


def never() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


async def test_nobody_is_asked_to_wait_who_does_not() -> None:
    patience = wait()
    assert await patience.outlast({never(): ""}) == ""
    patience.begin()
    patience.end()
    assert await patience.outlast({never(): ""}) == ""


async def test_nobody_is_asked_where_it_is_done() -> None:
    done, patience = never(), wait()
    done.set_result(None)
    patience.begin()
    assert await patience.outlast({done: "Booking."}) == ""


async def test_what_takes_long_may_have_words_of_its_own() -> None:
    done, patience = never(), wait()
    done.set_result(None)
    patience.begin()
    filler = await patience.outlast({done: "Looking.", never(): "", never(): "Booking."})
    assert filler == "Booking."
    assert isinstance(filler, Aside)


async def test_it_is_said_a_few_times_and_counted() -> None:
    watch = Stopwatch(0.0)
    patience = wait(watch=watch)
    said = []
    for _ in range(MAX_FILLERS + 2):
        patience.begin()
        said.append(await patience.outlast({never(): ""}))
    assert said == ["One moment."] * MAX_FILLERS + [""] * 2
    assert watch.timings["fillers"] == MAX_FILLERS


async def test_an_answer_that_comes_late_has_it_before_it() -> None:
    patience, written = wait(), asyncio.Event()
    patience.begin()
    heard = []
    async for piece in patience.hear(write("At nine", ".", after=written)):
        heard.append(piece)
        written.set()
    assert heard == ["One moment.", "At nine", "."]


async def test_an_answer_for_which_nobody_waits_is_left_alone() -> None:
    assert [piece async for piece in wait().hear(write("At nine."))] == ["At nine."]


async def test_an_answer_without_words_ends() -> None:
    patience = wait(Manners("One moment.", 5.0))
    patience.begin()
    assert [piece async for piece in patience.hear(write())] == []
    assert await patience.outlast({never(): ""}) == "", "nobody waits any more"
