from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import pytest
from sqlalchemy import Engine, event, func, select
from sqlalchemy.exc import DataError, OperationalError, StatementError
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.testing import capture_logs

from rest_world import START, World, open_world
from sayso.accounts.schema import Account
from sayso.agents.schema import NewAgent
from sayso.conversations import recorder as module
from sayso.conversations.recorder import BATCH_RECORDS, Recorder
from sayso.llm import Exchanged
from sayso.store.database import Database
from sayso.store.tables import ConversationRow, LineRow, TurnRow

pytestmark = pytest.mark.usefixtures("both_databases")

UNREADABLE = Exchanged(
    llm="",
    model="m",
    request=b"no JSON",
    response="",
    calls=(),
    outcome="failed",
    finding="",
    status=None,
    first_token_ms=None,
    total_ms=1.0,
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with open_world(tmp_path) as world:
        yield world


@pytest.fixture
async def agent(world: World) -> str:
    account = Account(world.user_id, "key")
    return (await world.agents.create(account, NewAgent.model_validate({"displayName": "A"}))).id


Writing: TypeAlias = Callable[[float], AbstractAsyncContextManager[None]]


@pytest.fixture
def writing(world: World, agent: str, monkeypatch: pytest.MonkeyPatch) -> Writing:
    """Opens a conversation, `c1`, with the writer's own task running, until it is closed."""

    @asynccontextmanager
    async def writing(interval_s: float) -> AsyncGenerator[None]:
        monkeypatch.setattr(module, "INTERVAL_S", interval_s)
        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            tasks.create_task(world.recorder.run())
            world.recorder.opened("c1", agent, source="web", at=START)
            yield
            await world.recorder.close()

    return writing


class FailingDatabase(Database):
    """A database that fails a number of times."""

    fails = 0

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncSession]:
        if self.fails > 0:
            self.fails -= 1
            raise OperationalError("", {}, OSError("disk full"))
        async with super().write() as session:
            yield session


async def until_stored(recorder: Recorder) -> None:
    while recorder.waiting:  # noqa: ASYNC110 the recorder tells nobody when it is done
        await asyncio.sleep(0.005)


async def lines(world: World) -> list[str]:
    async with world.database.read() as session:
        return list(await session.scalars(select(LineRow.content).order_by(LineRow.number)))


async def conversation(world: World, name: str) -> ConversationRow:
    async with world.database.read() as session:
        row = await session.get(ConversationRow, name)
    assert row is not None
    return row


async def test_nothing_is_stored_until_asked_and_then_everything_in_order(
    world: World, agent: str
) -> None:
    world.recorder.opened("c1", agent, source="web", at=START)
    for at in range(BATCH_RECORDS * 2 + 5):
        world.recorder.line("c1", "user", str(at), START)
    assert await lines(world) == []
    await world.recorder.flush()
    assert await lines(world) == [str(at) for at in range(BATCH_RECORDS * 2 + 5)]
    assert world.recorder.waiting == 0


async def test_the_writer_task_stores_on_its_own_and_ends_when_closed(
    world: World, writing: Writing
) -> None:
    async with writing(0.01):
        world.recorder.line("c1", "user", "Hello", START)
        await until_stored(world.recorder)
        assert await lines(world) == ["Hello"]
        world.recorder.line("c1", "user", "Last words", START)
    assert await lines(world) == ["Hello", "Last words"]


async def test_many_records_do_not_wait_for_the_interval(world: World, writing: Writing) -> None:
    async with writing(3600.0):
        for at in range(BATCH_RECORDS):
            world.recorder.line("c1", "user", str(at), START)
        await until_stored(world.recorder)


async def test_an_ending_does_not_wait_for_the_interval(world: World, writing: Writing) -> None:
    async with writing(3600.0):
        world.recorder.ended("c1", by="user", error_code=None, at=START)
        await until_stored(world.recorder)


async def test_an_ending_is_kept_with_who_and_why(world: World, agent: str) -> None:
    world.recorder.opened("c1", agent, source="api", at=START)
    end = START + timedelta(seconds=90)
    world.recorder.ended("c1", by="error", error_code=4500, at=end)
    await world.recorder.flush()
    row = await conversation(world, "c1")
    assert (row.source, row.ended_by, row.error_code) == ("api", "error", 4500)
    assert (row.ended_at, row.duration_s) == (end, 90.0)


async def test_a_known_conversation_goes_on(world: World, agent: str) -> None:
    world.recorder.opened("c1", agent, source="web", at=START)
    world.recorder.ended("c1", by="user", error_code=None, at=START)
    world.recorder.opened("c1", agent, source="web", at=START + timedelta(seconds=9))
    await world.recorder.flush()
    row = await conversation(world, "c1")
    assert (row.started_at, row.ended_at, row.ended_by) == (START, None, None)


async def test_the_late_end_of_a_lost_line_does_not_end_who_is_back(
    world: World, agent: str
) -> None:
    onlooker = Onlooker()
    recorder = Recorder(world.database, witness=onlooker)
    for _ in range(2):
        recorder.opened("c1", agent, source="web", at=START)
    recorder.ended("c1", by="error", error_code=None, at=START + timedelta(seconds=5))
    await recorder.flush()
    assert (await conversation(world, "c1")).ended_at is None
    now = START + timedelta(seconds=8)
    await recorder.beat(now)
    assert (await conversation(world, "c1")).alive_at == now
    end = START + timedelta(seconds=9)
    recorder.ended("c1", by="user", error_code=None, at=end)
    await recorder.flush()
    row = await conversation(world, "c1")
    assert (row.ended_at, row.ended_by, row.duration_s) == (end, "user", 9.0)
    assert [what for what, *_ in onlooker.seen] == ["opened", "opened", "ended"]


async def test_records_of_a_deleted_agent_do_not_hold_up_the_others(
    world: World, agent: str
) -> None:
    world.recorder.opened("c1", agent, source="web", at=START)
    world.recorder.line("gone", "user", "nobody hears this", START)
    world.recorder.opened("c2", "deleted-agent", source="web", at=START)
    world.recorder.ended("c2", by="user", error_code=None, at=START)
    world.recorder.line("c1", "user", "Hello", START)
    with capture_logs() as logs:
        await world.recorder.flush()
    assert await lines(world) == ["Hello"]
    assert world.recorder.dropped == 2
    assert [line["kind"] for line in logs] == ["line", "opened"]
    assert "nobody hears this" not in str(logs)


async def test_when_the_database_fails_nothing_is_lost(
    world: World, agent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "INTERVAL_S", 0.0)
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    database = FailingDatabase(world.settings.database)
    database.fails = 2
    recorder = Recorder(database)
    recorder.opened("c1", agent, source="web", at=START)
    recorder.line("c1", "user", "Hello", START)
    with pytest.raises(OperationalError):
        await recorder.flush()
    assert recorder.waiting == 2
    with capture_logs() as logs:
        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            tasks.create_task(recorder.run())
            await until_stored(recorder)
            await recorder.close()
    assert await lines(world) == ["Hello"]
    assert logs[0]["event"] == "records_not_stored"
    await database.close()


async def test_a_record_that_cannot_be_stored_does_not_hold_up_the_others(
    world: World, agent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "INTERVAL_S", 0.0)
    monkeypatch.setattr(module, "RETRY_S", 0.0)
    recorder = Recorder(world.database)
    recorder.opened("c1", agent, source="web", at=START)
    recorder.line("c1", "user", "Hello", START)
    recorder.line("c1", "user", "\ud83d", START)
    recorder.turn("c1", 1, {"odd": object()}, START)
    recorder.exchange("c1", 1, UNREADABLE, START)
    recorder.line("c1", "user", "Bye", START)
    with capture_logs() as logs:
        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            tasks.create_task(recorder.run())
            await until_stored(recorder)
            await recorder.close()
    assert await lines(world) == ["Hello", "Bye"]
    assert recorder.dropped == 3
    kinds = [line["kind"] for line in logs if line["event"] == "record_not_storable"]
    assert kinds == ["line", "turn", "exchange"]


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (OperationalError("", {}, OSError("disk full")), True),
        (ConnectionRefusedError(), True),
        (TimeoutError(), True),
        (DataError("", {}, ValueError()), False),
        (StatementError("", "", {}, ValueError()), False),
        (KeyError("x"), False),
    ],
)
def test_only_what_may_go_well_later_is_tried_again(error: Exception, *, passing: bool) -> None:
    assert module.is_passing(error) is passing


async def test_past_its_limit_records_are_dropped_counted_and_said_once(
    world: World, agent: str
) -> None:
    recorder = Recorder(world.database, max_records=3)
    recorder.opened("c1", agent, source="web", at=START)
    with capture_logs() as logs:
        for at in range(10):
            recorder.line("c1", "user", str(at), START)
    assert [line["event"] for line in logs] == ["records_dropped"]
    assert recorder.dropped == 8
    await recorder.flush()
    assert await lines(world) == ["0", "1"]


async def test_a_nul_in_a_transcript_is_left_away(world: World, agent: str) -> None:
    world.recorder.opened("c1", agent, source="web", at=START)
    world.recorder.line("c1", "user", "a\0b", START)
    await world.recorder.flush()
    assert await lines(world) == ["ab"]


async def test_what_a_caller_leaves_is_kept_with_the_conversation(world: World, agent: str) -> None:
    world.recorder.opened("c1", agent, source="web", at=START)
    for text in ("first\0", "second"):
        world.recorder.message("c1", message=text, name="Anna", phone_number="", at=START)
        await world.recorder.flush()
    world.recorder.message("unknown", message="x", name="", phone_number="", at=START)
    world.recorder.ended("c1", by="user", error_code=None, at=START)
    await world.recorder.flush()
    account = Account(world.user_id, "key")
    view = await world.conversations.get(account, agent, "c1")
    assert [(left.message, left.name, left.phone_number) for left in view.messages] == [
        ("first", "Anna", ""),
        ("second", "Anna", ""),
    ]
    assert view.model_dump(by_alias=True)["messages"][0] == {
        "message": "first",
        "name": "Anna",
        "phoneNumber": "",
        "timestamp": "2024-05-01T12:00:00.123Z",
    }


async def test_conversations_side_by_side_take_few_statements(world: World, agent: str) -> None:
    """Each statement waits for a busy loop: one for each record could not keep up with it."""
    names = [f"c{number}" for number in range(10)]
    for name in names:
        world.recorder.opened(name, agent, source="web", at=START)
    for number in range(2):
        for name in names:
            world.recorder.line(name, "user", f"{name} asks {number}", START)
            world.recorder.turn(name, number, {"endpoint_s": 0.4}, START)
            world.recorder.line(name, "assistant", f"{name} is answered {number}", START)
    for name in names:
        world.recorder.ended(name, by="user", error_code=None, at=START + timedelta(seconds=9))
    with count_statements() as statements:
        await world.recorder.flush()
    assert len(statements) <= 8, statements
    said = await lines(world)
    assert [line for line in said if line.startswith("c3 ")] == [
        "c3 asks 0", "c3 is answered 0", "c3 asks 1", "c3 is answered 1",
    ]  # fmt: skip
    ends = [await conversation(world, name) for name in names]
    assert {(row.ended_by, row.duration_s) for row in ends} == {("user", 9.0)}
    async with world.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(TurnRow)) == 20


@contextmanager
def count_statements() -> Iterator[list[str]]:
    """What is sent to any database meanwhile."""
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def test_flushes_at_the_same_time_store_once(world: World, agent: str) -> None:
    world.recorder.opened("c1", agent, source="web", at=START)
    world.recorder.line("c1", "user", "once", START)
    await asyncio.gather(*(world.recorder.flush() for _ in range(4)))
    async with world.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(LineRow)) == 1


@dataclass
class Onlooker:
    """A witness that remembers."""

    seen: list[tuple[object, ...]] = field(default_factory=list)

    def opened(self, conversation_id: str, agent_id: str, *, source: str, at: datetime) -> None:
        self.seen.append(("opened", conversation_id, agent_id, source, at))

    def turn(
        self,
        conversation_id: str,
        number: int,
        timings: Mapping[str, object],
        at: datetime,
    ) -> None:
        self.seen.append(("turn", conversation_id, number, dict(timings), at))

    def ended(self, conversation_id: str, *, by: str, error_code: int | None, at: datetime) -> None:
        self.seen.append(("ended", conversation_id, by, error_code, at))


async def test_a_witness_is_told_at_once_of_all_but_the_words(world: World) -> None:
    onlooker = Onlooker()
    recorder = Recorder(world.database, max_records=2, witness=onlooker)
    recorder.opened("c1", "a1", source="web", at=START, caller_id="+15550100")
    recorder.line("c1", "user", "My name is Ada.", START)
    recorder.turn("c1", 1, {"endpoint_s": 0.4}, START)
    recorder.ended("c1", by="user", error_code=None, at=START)
    assert recorder.dropped == 2, "the database is full, and yet the witness is told"
    assert onlooker.seen == [
        ("opened", "c1", "a1", "web", START),
        ("turn", "c1", 1, {"endpoint_s": 0.4}, START),
        ("ended", "c1", "user", None, START),
    ]
