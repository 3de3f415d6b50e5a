from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from rest_world import World, open_world
from sayso.agents import checks
from sayso.agents.checks import Checked, LlmChecks
from sayso.agents.issues import LlmIssue
from sayso.agents.reports import LlmCheckView, Tell
from sayso.agents.schema import NewAgent
from sayso.errors import BadRequestError, NotFoundError
from sayso.llm import Endpoint
from sayso.store.tables import LlmCheckRow

pytestmark = pytest.mark.usefixtures("both_databases")

ENDPOINT = Endpoint("https://llm.example.com/v1")


def report(state: str = "quick", answer: str = "") -> LlmCheckView:
    return LlmCheckView.model_validate(
        {
            "state": state,
            "ok": True,
            "url": "https://llm.example.com/v1/chat/completions",
            "suggestion": None,
            "answer": answer,
            "firstTokenMs": 12.5,
            "totalMs": 20.0,
            "stages": [{"name": "url", "state": "ok", "ms": None}],
            "findings": [],
            "profile": None,
        }
    )


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with open_world(tmp_path, keep_deleted_min=0) as world:
        yield world


@pytest.fixture
async def agent_id(world: World) -> str:
    account = await world.accounts.authenticate(world.key, None)
    return (await world.agents.create(account, NewAgent(displayName="Desk"))).id


@pytest.fixture
async def running(world: World) -> AsyncGenerator[LlmChecks]:
    async def check(_: Endpoint, __: Tell) -> Checked:
        return Checked(report())

    made = LlmChecks(world.database, world.clock, check)
    task = asyncio.create_task(made.run())
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until(done: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(5):
        while not await done():  # noqa: ASYNC110 nobody says when a report is stored
            await asyncio.sleep(0.005)


def completing(
    view: LlmCheckView, begun: asyncio.Event, go_on: asyncio.Event
) -> Callable[[], Awaitable[LlmCheckView]]:
    async def deepen() -> LlmCheckView:
        begun.set()
        await go_on.wait()
        return view

    return deepen


async def test_a_check_says_when_it_was_made(running: LlmChecks) -> None:
    checked = await running.check(ENDPOINT)
    assert checked.view.checked_at is not None
    assert checked.issues == []


async def test_a_report_is_quick_then_running_then_complete(
    running: LlmChecks, agent_id: str
) -> None:
    begun, go_on, learned = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def learn() -> None:
        learned.set()

    deepen = completing(report("complete", "deep"), begun, go_on)
    await running.keep(agent_id, Checked(report(), learn, deepen))
    assert learned.is_set()
    assert (await running.read(agent_id)).state == "running"
    await begun.wait()
    assert (await running.read(agent_id)).state == "running"
    go_on.set()

    async def complete() -> bool:
        return (await running.read(agent_id)).state == "complete"

    await until(complete)
    found = await running.read(agent_id)
    assert found.answer == "deep"
    assert found.checked_at is not None


async def test_a_check_that_is_overtaken_changes_nothing(running: LlmChecks, agent_id: str) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    old = completing(report("complete", "old"), begun, go_on)
    await running.keep(agent_id, Checked(report(answer="first"), None, old))
    await begun.wait()
    await running.keep(agent_id, Checked(report(answer="second")))
    go_on.set()

    async def settled() -> bool:
        return (await running.read(agent_id)).state != "running"

    await until(settled)
    assert (await running.read(agent_id)).answer == "second"


async def test_fallbacks_are_completed_one_after_the_other_after_the_llm(
    running: LlmChecks, agent_id: str
) -> None:
    order: list[str] = []
    inside = 0

    def one(name: str, go_on: asyncio.Event) -> Checked:
        async def learn() -> None:
            order.append(f"learn {name}")

        async def deepen() -> LlmCheckView:
            nonlocal inside
            inside += 1
            order.append(f"deepen {name}")
            await go_on.wait()
            assert inside == 1
            inside -= 1
            return report("complete", f"deep {name}")

        return Checked(report(answer=name), learn, deepen)

    gates = [asyncio.Event() for _ in range(3)]
    main, first, second = (one(name, gate) for name, gate in zip("abc", gates, strict=True))
    await running.keep(agent_id, main, first, None, second)

    async def states() -> list[str | None]:
        view = await running.read(agent_id)
        return [view.state, *(None if one is None else one.state for one in view.fallbacks)]

    assert await states() == ["running", "running", None, "running"]
    for gate, expected in zip(
        gates,
        (
            ["complete", "running", None, "running"],
            ["complete", "complete", None, "running"],
            ["complete", "complete", None, "complete"],
        ),
        strict=True,
    ):
        gate.set()

        async def settled(wanted: list[str | None] = expected) -> bool:
            return await states() == wanted

        await until(settled)
    view = await running.read(agent_id)
    assert [view.answer, *(one and one.answer for one in view.fallbacks)] == [
        "deep a", "deep b", None, "deep c",
    ]  # fmt: skip
    assert all(one is None or one.checked_at for one in view.fallbacks)
    assert order == ["learn a", "learn b", "learn c", "deepen a", "deepen b", "deepen c"]


async def test_a_save_ends_the_completion_of_older_fallbacks(
    running: LlmChecks, agent_id: str
) -> None:
    begun, go_on, never = asyncio.Event(), asyncio.Event(), asyncio.Event()
    old = completing(report("complete", "old"), begun, go_on)
    unwanted = completing(report("complete", "unwanted"), never, go_on)
    await running.keep(
        agent_id, Checked(report(answer="first"), None, old), Checked(report(), None, unwanted)
    )
    await begun.wait()
    await running.keep(agent_id, Checked(report(answer="second")))
    go_on.set()

    async def settled() -> bool:
        return (await running.read(agent_id)).state != "running"

    await until(settled)
    view = await running.read(agent_id)
    assert (view.answer, view.fallbacks) == ("second", [])
    assert not never.is_set()


async def test_one_that_breaks_does_not_keep_its_fallbacks_from_being_completed(
    running: LlmChecks, agent_id: str
) -> None:
    async def breaks() -> LlmCheckView:
        raise RuntimeError("odd")

    begun, go_on = asyncio.Event(), asyncio.Event()
    go_on.set()
    deepen = completing(report("complete", "deep"), begun, go_on)
    with capture_logs() as logs:
        await running.keep(
            agent_id, Checked(report(), None, breaks), Checked(report(), None, deepen)
        )

        async def settled() -> bool:
            return (await running.read(agent_id)).state == "quick"

        await until(settled)
    (fallback,) = (await running.read(agent_id)).fallbacks
    assert fallback is not None
    assert (fallback.state, fallback.answer) == ("complete", "deep")
    assert [line["event"] for line in logs] == ["llm_check_not_completed"]


async def test_a_report_of_an_earlier_version_has_no_fallbacks(
    running: LlmChecks, world: World, agent_id: str
) -> None:
    await running.keep(agent_id, Checked(report()))
    async with world.database.write() as session:
        row = await session.get(LlmCheckRow, agent_id)
        assert row is not None
        row.report = {name: value for name, value in row.report.items() if name != "fallbacks"}
    assert (await running.read(agent_id)).fallbacks == []


async def test_an_llm_is_demanded_to_pass_with_its_fallbacks(world: World) -> None:
    made = LlmChecks(world.database, world.clock, world.check)
    assert await made.demand([]) == checks.Passed([], [])
    world.check.issues = (LlmIssue("late.first", "Late", "Hurry", "warning"),)
    passed = await made.demand([ENDPOINT, None, ENDPOINT])
    assert [issue.message for issue in passed.issues] == [
        "Late",
        "Fallback 2 (llm.fallbacks.1): Late",
    ]
    assert [one is None for one in passed.checked] == [False, True, False]
    world.check.issues = (LlmIssue("http.html", "It answered HTML", "Look", "error"),)
    with pytest.raises(
        BadRequestError,
        match=r"The LLM \(llm\): .*HTML\. Fallback 2 \(llm\.fallbacks\.1\): It answered HTML\.",
    ) as caught:
        await made.demand([ENDPOINT, None, ENDPOINT])
    assert caught.value.field == "llm"
    assert caught.value.hint == "The LLM (llm): Look. Fallback 2 (llm.fallbacks.1): Look."


async def test_an_agent_without_an_llm_has_no_report(running: LlmChecks, agent_id: str) -> None:
    await running.keep(agent_id, Checked(report()))
    await running.keep(agent_id, None)
    with pytest.raises(NotFoundError):
        await running.read(agent_id)


async def test_a_deleted_agent_leaves_no_report(
    running: LlmChecks, world: World, agent_id: str
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    deepen = completing(report("complete"), begun, go_on)
    await running.keep(agent_id, Checked(report(), None, deepen))
    await begun.wait()
    await world.agents.delete(await world.accounts.authenticate(world.key, None), agent_id)
    go_on.set()
    await running.keep("gone", Checked(report()))
    with pytest.raises(NotFoundError):
        await running.read(agent_id)


async def test_one_that_breaks_is_logged_and_does_not_stop_the_others(
    running: LlmChecks, agent_id: str
) -> None:
    async def breaks() -> LlmCheckView:
        raise RuntimeError("odd")

    begun, go_on = asyncio.Event(), asyncio.Event()
    go_on.set()
    with capture_logs() as logs:
        await running.keep("other", Checked(report(), None, breaks))
        deepen = completing(report("complete"), begun, go_on)
        await running.keep(agent_id, Checked(report(), None, deepen))
        await begun.wait()
    assert [line["event"] for line in logs] == ["llm_check_not_completed"]


async def test_the_oldest_waiting_check_stays_quick_when_there_are_too_many(
    world: World, agent_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check(_: Endpoint, __: Tell) -> Checked:
        return Checked(report())

    monkeypatch.setattr(checks, "MAX_WAITING", 1)
    made = LlmChecks(world.database, world.clock, check)
    deepen = completing(report("complete"), asyncio.Event(), asyncio.Event())
    await made.keep(agent_id, Checked(report(), None, deepen))
    assert (await made.read(agent_id)).state == "running"
    await made.keep("other", Checked(report(), None, deepen))
    assert (await made.read(agent_id)).state == "quick"
