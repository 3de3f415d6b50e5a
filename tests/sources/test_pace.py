"""Who is at the worker for small sources gives way when it is long, and only there."""

from __future__ import annotations

import asyncio

import pytest

from sayso.knowledge.passages import Page
from sayso.sources import pace
from sayso.sources.pace import QUICK_CHARS, QUICK_PAGES, Pace
from sayso.store.jobs import Crowded, OutgrownError


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def nobody() -> bool:
    return False


async def somebody() -> bool:
    return True


def text(chars: int) -> list[Page]:
    return [Page("x" * (chars - 1)), Page("x")]


def test_what_is_short_stays() -> None:
    here = Pace(nobody)
    here.see_pages(0)
    here.see_pages(QUICK_PAGES)
    here.see_text(text(QUICK_CHARS))


def test_what_is_long_leaves_whether_others_wait_or_not() -> None:
    with pytest.raises(OutgrownError):
        Pace(nobody).see_pages(QUICK_PAGES + 1)
    with pytest.raises(OutgrownError):
        Pace(nobody).see_text(text(QUICK_CHARS + 1))


def test_another_worker_does_what_is_long() -> None:
    here = Pace(None)
    here.see_pages(QUICK_PAGES + 1)
    here.see_text(text(QUICK_CHARS + 1))


async def test_work_that_takes_long_ends_when_others_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "QUICK_S", 0.0)
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(OutgrownError):
        await Pace(somebody).hold(work())
    assert ended.is_set()


@pytest.mark.parametrize("crowded", [nobody, None])
async def test_work_that_takes_long_goes_on_when_nobody_waits(
    monkeypatch: pytest.MonkeyPatch, crowded: Crowded | None
) -> None:
    monkeypatch.setattr(pace, "QUICK_S", 0.0)
    steps: list[int] = []

    async def work() -> None:
        for number in range(20):
            await asyncio.sleep(0)
            steps.append(number)

    await Pace(crowded).hold(work())
    assert len(steps) == 20


async def test_what_goes_wrong_is_raised() -> None:
    async def work() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await Pace(nobody).hold(work())
