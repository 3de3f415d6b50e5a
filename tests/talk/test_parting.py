"""The agent ends the call: on the stage, with a scripted LLM."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sayso.functions import Outcome
from sayso.llm import Tool, ToolCall
from sayso.talk.actions import ENDED, Action, Allowed
from sayso.talk.events import EndedBy
from sayso.talk.phrases import ENGLISH
from sayso.transport import line as wire
from stage import Stage, Step, staged

HANGS_UP = Allowed((Action.END_CALL,))


@dataclass
class Booking:
    """A toolbox whose function fails, or does not."""

    ok: bool
    tools: tuple[Tool, ...] = (Tool("book", "Books a table."),)

    async def call(self, call: ToolCall) -> Outcome:
        return Outcome(ok=self.ok, text=f"{call.name}: {self.ok}")


def end_call(farewell: str | None = None) -> ToolCall:
    return ToolCall("", "end_call", json.dumps({"farewell": farewell} if farewell else {}))


async def part(*answer: Step, goodbye: str = "") -> Stage:
    """Say goodbye, and hear how the agent ends the call."""
    async with staged(answers=[list(answer)], allowed=HANGS_UP, goodbye=goodbye) as stage:
        stage.line.client(wire.Text("Bye."))
        await stage.until(stage.running.done)
    return stage


async def test_the_farewell_is_heard_before_the_agent_hangs_up() -> None:
    stage = await part(end_call("Good night."))
    assert stage.record.lines == [("user", "Bye."), ("assistant", "Good night.")]
    assert (stage.record.end, stage.record.reason) == ((EndedBy.AGENT, None), "agent_done")
    assert stage.line.of(wire.Goodbye) == [wire.Goodbye("agent")]
    assert len(stage.llm.prompts) == 1
    assert stage.record.deeds[0].result == ENDED


async def test_without_a_farewell_the_usual_one_is_said() -> None:
    assert (await part(end_call())).record.lines[-1] == ("assistant", ENGLISH.goodbye)
    own = await part(end_call(), goodbye="See you.")
    assert own.record.lines[-1] == ("assistant", "See you.")


async def test_nothing_is_said_twice() -> None:
    stage = await part("You are welcome. Good night.", end_call("Good night."))
    assert stage.record.lines[-1] == ("assistant", "You are welcome. Good night.")
    said = await part("You are welcome.", end_call())
    assert said.record.lines[-1] == ("assistant", "You are welcome.")


async def test_a_caller_who_interrupts_the_farewell_is_not_hung_up_on() -> None:
    answers: list[list[Step]] = [[end_call("Good night, and thank you for calling us.")], ["Yes."]]
    async with staged(answers=answers, allowed=HANGS_UP) as stage:
        stage.line.client(wire.Text("Bye."))
        await stage.until_sent(wire.ReplySound)
        stage.line.client(wire.Text("Wait, are you open on Sunday?"))
        await stage.until_sent(wire.ReplyEnded)
        await stage.until(lambda: len(stage.record.turns) == 2)
        assert not stage.running.done()
        assert stage.record.end is None
    roles = [(message.role, bool(message.calls)) for message in stage.llm.prompts[1]]
    assert roles[:3] == [("user", False), ("assistant", True), ("tool", False)]
    assert stage.llm.prompts[1][-1].content == "Wait, are you open on Sunday?"


async def test_the_call_goes_on_where_something_else_failed() -> None:
    book = ToolCall("", "book", "{}")
    answers: list[list[Step]] = [[book, end_call("Bye.")], ["That did not work."]]
    async with staged(answers=answers, allowed=HANGS_UP, tools=Booking(ok=False)) as stage:
        stage.line.client(wire.Text("Book it, and bye."))
        await stage.until(lambda: stage.record.turns)
        assert stage.record.lines[-1] == ("assistant", "That did not work.")
        assert not stage.running.done()
    async with staged(answers=answers[:1], allowed=HANGS_UP, tools=Booking(ok=True)) as stage:
        stage.line.client(wire.Text("Book it, and bye."))
        await stage.until(stage.running.done)
        assert stage.record.lines[-1] == ("assistant", "Bye.")


async def test_what_a_caller_leaves_is_written_down() -> None:
    leave = ToolCall("", "leave_message", '{"message": "I am late"}')
    allowed = Allowed((Action.LEAVE_MESSAGE,))
    async with staged(answers=[[leave], ["Kept."]], allowed=allowed) as stage:
        stage.line.client(wire.Text("Tell them I am late."))
        await stage.until(lambda: stage.record.turns)
    assert [left.message for left in stage.record.messages] == ["I am late"]
