"""Callers are handed on: on the stage, with a scripted LLM."""

from __future__ import annotations

import json

from structlog.testing import capture_logs

from sayso.functions import Outcome
from sayso.llm import Tool, ToolCall
from sayso.talk.actions import Action, Allowed
from sayso.talk.events import EndedBy
from sayso.talk.phrases import ENGLISH
from sayso.talk.transfer import Destination
from sayso.transport import line as wire
from stage import POLICY, Stage, Step, staged

ALLOWED = Allowed(
    (Action.END_CALL, Action.TRANSFER),
    destinations=(
        Destination("Desk", "+15550100123", "they want a table"),
        Destination("Owner", "sip:anna@example.com", "they complain", "Anna will help you."),
    ),
)


def transfer(to: str) -> ToolCall:
    return ToolCall("", "transfer", json.dumps({"destination": to}))


async def hand_on(*answer: Step) -> Stage:
    """Ask for somebody, be handed on, and leave as a bridge does."""
    async with staged(answers=[list(answer)], allowed=ALLOWED, transfers=True) as stage:
        stage.line.client(wire.Text("Somebody, please."))
        await stage.until_sent(wire.HandOn)
        await stage.hang_up()
    return stage


async def test_the_line_is_asked_once_the_caller_was_told() -> None:
    with capture_logs() as logs:
        stage = await hand_on(transfer("Owner"))
    assert stage.line.of(wire.HandOn) == [wire.HandOn("Owner", "sip:anna@example.com")]
    assert stage.record.lines == [
        ("user", "Somebody, please."),
        ("assistant", "Anna will help you."),
    ]
    assert isinstance(stage.line.sent[-2], wire.HandOn)
    assert (stage.record.end, stage.record.reason) == ((EndedBy.AGENT, None), "transferred")
    assert stage.record.deeds[0].arguments == '{"destination": "Owner"}'
    assert "anna@" not in str(logs)
    assert "anna@" not in repr(stage.line.sent)


async def test_the_usual_sentence_is_said_unless_the_llm_has_said_one() -> None:
    assert (await hand_on(transfer("Desk"))).record.lines[-1] == ("assistant", ENGLISH.connecting)
    said = await hand_on("One second, I'll get them.", transfer("Desk"))
    assert said.record.lines[-1] == ("assistant", "One second, I'll get them.")


async def test_who_is_handed_on_is_not_hung_up_on() -> None:
    end = ToolCall("", "end_call", '{"farewell": "Bye."}')
    stage = await hand_on(transfer("Desk"), end)
    assert stage.record.lines[-1] == ("assistant", ENGLISH.connecting)


async def test_a_caller_who_interrupts_stays() -> None:
    answers: list[list[Step]] = [[transfer("Owner")], ["Of course."]]
    async with staged(answers=answers, allowed=ALLOWED, transfers=True) as stage:
        stage.line.client(wire.Text("Somebody, please."))
        await stage.until_sent(wire.ReplySound)
        stage.line.client(wire.Text("No, wait."))
        await stage.until(lambda: len(stage.record.turns) == 2)
        assert stage.line.of(wire.HandOn) == []
        assert stage.record.end is None


async def test_who_could_not_be_handed_on_goes_on_with_the_agent() -> None:
    answers: list[list[Step]] = [[transfer("Desk")], ["Nobody answers. How else can I help?"]]
    async with staged(answers=answers, allowed=ALLOWED, transfers=True) as stage:
        stage.line.client(wire.NotHandedOn("too early"))
        stage.line.client(wire.Text("A table, please."))
        await stage.until_sent(wire.HandOn)
        stage.line.client(wire.NotHandedOn("+15550100123 is busy"))
        await stage.until(lambda: len(stage.record.turns) == 2)
        stage.line.client(wire.NotHandedOn("too late"))
        await stage.hang_up()
    told = stage.llm.prompts[-1][-1].content
    assert "The transfer to Desk failed: Desk is busy. The caller is still on the line" in told
    assert stage.record.lines[-1] == ("assistant", "Nobody answers. How else can I help?")
    assert stage.record.reason == "caller_left"
    assert len(stage.llm.prompts) == 2


async def test_a_client_that_says_nothing_has_done_it() -> None:
    policy = POLICY.__class__(transfer_s=1.0)
    answers = [[transfer("Desk")]]
    async with staged(answers=answers, allowed=ALLOWED, transfers=True, policy=policy) as stage:
        stage.line.client(wire.Text("A table, please."))
        await stage.until_sent(wire.HandOn)
        await stage.be_quiet(2.0)
        await stage.until(stage.running.done)
    assert stage.line.of(wire.Goodbye) == [wire.Goodbye("agent")]
    assert stage.record.reason == "transferred"


async def test_a_line_that_cannot_is_never_asked() -> None:
    answers: list[list[Step]] = [[transfer("Desk")], ["I cannot connect you."]]
    async with staged(answers=answers, allowed=ALLOWED) as stage:
        stage.line.client(wire.Text("A table, please."))
        await stage.until(lambda: stage.record.turns)
    assert stage.llm.offered == [["end_call"], ["end_call"]]
    assert stage.line.of(wire.HandOn) == []


class Booking:
    """A toolbox whose one function fails."""

    tools = (Tool("book", "Books a table."),)

    async def call(self, call: ToolCall) -> Outcome:
        return Outcome(ok=False, text=f"{call.name}: no")


async def test_who_is_to_hear_of_a_failure_is_not_handed_on() -> None:
    answers: list[list[Step]] = [[ToolCall("", "book", "{}"), transfer("Desk")], ["Sorry."]]
    async with staged(answers=answers, allowed=ALLOWED, transfers=True, tools=Booking()) as stage:
        stage.line.client(wire.Text("Book it, and connect me."))
        await stage.until(lambda: stage.record.turns)
        assert stage.record.lines[-1] == ("assistant", "Sorry.")
        assert stage.line.of(wire.HandOn) == []
