"""Who waits for whom, with a quiet that follows a script."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from picky_server import Picky, running
from sayso.llm import Endpoint
from sayso.llm.aside import MAX_ABANDONED, Aside
from sayso.llm.check import LlmCheck
from sayso.llm.client import LlmClient


def script(*moments: bool) -> Callable[[], bool]:
    """Quiet as listed, and then for good."""
    left = list(moments)
    return lambda: left.pop(0) if left else True


async def at_once() -> None:
    """Work that is done before anybody looks."""


class Endless:
    """Work that is never done."""

    def __init__(self) -> None:
        self.freed = 0
        self.begun = asyncio.Event()

    async def __call__(self) -> None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.freed += 1


async def test_quiet_is_waited_for() -> None:
    left = [False, False, True]
    aside = Aside(lambda: left.pop(0), poll_s=0)
    await aside.wait()
    assert (left, aside.gave_up) == ([], False)


async def test_patience_has_an_end_and_does_not_come_back() -> None:
    aside = Aside(script(False, False), patience_s=0, poll_s=0)
    await aside.wait()
    assert aside.gave_up
    await aside.wait()
    assert aside.gave_up


async def test_undisturbed_work_is_done() -> None:
    assert await Aside(lambda: True).attempt(at_once)


async def test_what_goes_wrong_in_it_is_not_hidden() -> None:
    async def breaks() -> None:
        raise ValueError("oops")

    with pytest.raises(ValueError, match="oops"):
        await Aside(lambda: True).attempt(breaks)


async def test_work_under_way_is_abandoned_when_somebody_begins_to_talk() -> None:
    work = Endless()
    assert not await Aside(script(True, False), poll_s=0.001).attempt(work)
    assert work.freed == 1


async def test_it_is_not_begun_for_ever() -> None:
    aside, work = Aside(lambda: False, poll_s=0.001), Endless()
    for _ in range(MAX_ABANDONED):
        assert not aside.gave_up
        await aside.attempt(work)
    assert aside.gave_up
    assert work.freed == MAX_ABANDONED


async def test_whoever_ends_the_check_ends_the_work() -> None:
    work = Endless()
    task = asyncio.create_task(Aside(lambda: True).attempt(work))
    await work.begun.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert work.freed == 1


async def test_a_deep_check_sends_nothing_while_somebody_talks(client: LlmClient) -> None:
    checker, picky, talking = LlmCheck(client), Picky(), True
    async with running(picky) as url:
        report = await checker.check(Endpoint(url))
        asked = len(picky.bodies)
        deep = asyncio.create_task(checker.deepen(Endpoint(url), report, lambda: not talking))
        await asyncio.sleep(0.05)
        assert len(picky.bodies) == asked
        talking = False
        assert (await deep).complete
    assert len(picky.bodies) > asked


async def test_a_deep_check_without_any_quiet_stays_quick(
    client: LlmClient,
) -> None:
    checker, picky = LlmCheck(client, patience_s=0.0), Picky()
    async with running(picky) as url:
        report = await checker.check(Endpoint(url))
        assert report.ok
        deep = await checker.deepen(Endpoint(url), report, lambda: False)
    assert (deep.complete, deep.ok, deep.profile) == (False, True, report.profile)
