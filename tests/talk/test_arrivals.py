"""Tools that are on their way when an agent is to answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from sayso.functions import Outcome
from sayso.llm import Tool, ToolCall
from sayso.talk import arrivals
from sayso.talk.arrivals import Arrivals
from sayso.talk.record import Stopwatch
from sayso.transport import line as wire
from stage import Stage, staged

HOURS = Tool("hours", "Says when we are open.", safe=True)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Late:
    """A toolbox whose tool comes once it is let to; `asked` is set while somebody waits for it."""

    here: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def tools(self) -> Sequence[Tool]:
        return (HOURS,) if self.here.is_set() else ()

    async def call(self, call: ToolCall) -> Outcome:
        return Outcome(ok=True, text=f"{call.name}: nine to five")

    async def arrive(self) -> None:
        self.asked.set()
        await self.here.wait()


async def test_where_no_tool_is_on_its_way_nobody_waits() -> None:
    nobody, watch = Arrivals(None), Stopwatch(0.0)
    await nobody.wait(watch)
    assert (nobody.possible, dict(watch.timings)) == (False, {})


async def test_what_comes_in_time_is_waited_for() -> None:
    box, watch = Late(), Stopwatch(0.0)
    coming = Arrivals(box.arrive)
    assert coming.possible
    waiting = asyncio.create_task(coming.wait(watch))
    await box.asked.wait()
    box.here.set()
    await waiting
    assert dict(watch.timings) == {}


async def test_the_time_is_one_for_all_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "MAX_ARRIVAL_S", 0.01)
    box = Late()
    coming = Arrivals(box.arrive)
    for _ in range(2):
        watch = Stopwatch(0.0)
        await coming.wait(watch)
        assert dict(watch.timings) == {"tools": "late"}
        monkeypatch.setattr(arrivals, "MAX_ARRIVAL_S", 3600.0)  # whoever began anew would hang
    box.here.set()
    watch = Stopwatch(0.0)
    await coming.wait(watch)
    assert dict(watch.timings) == {}


async def ask(stage: Stage, words: str, replies: int) -> None:
    stage.line.client(wire.Text(words))
    await stage.until_sent(wire.ReplyEnded, replies)
    await stage.until(lambda: len(stage.record.turns) >= replies)


async def test_the_first_answer_has_tools_that_come_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "MAX_ARRIVAL_S", 3600.0)
    box = Late()
    async with staged(answers=[["At nine."]], tools=box, arrival=box.arrive) as stage:
        stage.line.client(wire.Text("When are you open?"))
        await box.asked.wait()
        assert stage.llm.offered == []
        box.here.set()
        await stage.until_sent(wire.ReplyEnded, 1)
        await stage.until(lambda: bool(stage.record.turns))
    assert stage.llm.offered == [["hours"]]
    assert "tools" not in stage.record.turns[0][1]


async def test_one_that_does_not_come_is_gone_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "MAX_ARRIVAL_S", 0.01)
    box = Late()
    answers = [["I do not know."], ["At nine."]]
    async with staged(answers=answers, tools=box, arrival=box.arrive) as stage:
        await ask(stage, "When are you open?", 1)
        box.here.set()
        await ask(stage, "And now?", 2)
    assert stage.llm.offered == [[], ["hours"]]
    assert [turn.get("tools") for _, turn in stage.record.turns] == ["late", None]
