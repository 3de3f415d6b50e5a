"""Functions within a conversation: on the stage, with a scripted LLM and a toolbox of the test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import pytest

from sayso.errors import LlmError
from sayso.functions import NO_TOOLS, Outcome
from sayso.llm import Message, Tool, ToolCall
from sayso.llm.written import UNREADABLE
from sayso.talk.calls import FAILED, MAX_KEPT_CHARS, MAX_RESULT_CHARS, STILL_RUNNING
from sayso.talk.hands import MAX_ROUNDS
from sayso.talk.history import Deed, Line
from sayso.talk.phrases import ENGLISH
from sayso.talk.refusal import ASK_FIRST, MAX_CALLS_AT_ONCE, TOO_MANY, UNREAD
from sayso.transport import line as wire
from stage import Stage, Step, staged

Answers: TypeAlias = list[list[Step]]

HOURS = Tool("hours", "Says when we are open.", safe=True)
BOOK = Tool("book", "Books a table.", secret=("pin",))
ERASE = Tool("erase", "Erases everything.", confirm=True)
WAIT_S = 0.05
"""After how long the agent says that it takes a moment, in seconds."""


@dataclass(frozen=True)
class Came(Outcome):
    ok: bool = True
    text: str = "9 to 5"
    ms: float = 12.0


@dataclass
class Box:
    """Gives what is listed for each function, once it is let to; an exception is raised."""

    gives: Mapping[str, Came | Exception] = field(default_factory=dict)
    tools: tuple[Tool, ...] = (HOURS, BOOK, ERASE)
    called: list[ToolCall] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    waits: dict[str, asyncio.Event] = field(default_factory=dict)

    async def call(self, call: ToolCall) -> Came:
        self.called.append(call)
        try:
            if call.name in self.waits:
                await self.waits[call.name].wait()
        except asyncio.CancelledError:
            self.given_up.append(call.name)
            raise
        self.ended.append(call.name)
        came = self.gives.get(call.name, Came())
        if isinstance(came, Exception):
            raise came
        return came

    @property
    def names(self) -> list[str]:
        return [call.name for call in self.called]


def call(name: str, id_: str = "", **arguments: object) -> ToolCall:
    return ToolCall(id_, name, json.dumps(arguments))


def results(messages: list[Message]) -> list[str]:
    return [message.content for message in messages if message.role == "tool"]


async def ask(stage: Stage, words: str = "When are you open?", replies: int = 1) -> None:
    """Type something, and hear the answer to its end."""
    stage.line.client(wire.Text(words))
    await stage.until_sent(wire.ReplyEnded, replies)
    await stage.until(lambda: len(stage.record.turns) >= replies)


async def test_what_a_function_returns_is_spoken() -> None:
    box = Box()
    answers: Answers = [[call("hours", "c1", day="Monday")], ["From nine to five."]]
    async with staged(answers=answers, tools=box) as stage:
        await ask(stage)
    assert box.called == [call("hours", "c1", day="Monday")]
    assert stage.llm.prompts[1][1:] == [
        Message("assistant", "", (box.called[0],)),
        Message("tool", "9 to 5", call_id="c1"),
    ]
    assert stage.record.lines == [
        ("user", "When are you open?"),
        ("assistant", "From nine to five."),
    ]
    assert stage.record.deeds == [Deed("c1", "hours", '{"day": "Monday"}', "9 to 5")]
    ((_, timings),) = stage.record.turns
    (row,) = timings["calls"]
    assert {key: row[key] for key in ("name", "arguments", "result", "ok", "ms", "finding")} == {
        "name": "hours",
        "arguments": '{"day": "Monday"}',
        "result": "9 to 5",
        "ok": 1.0,
        "ms": 12.0,
        "finding": "",
    }
    assert timings["first_call_s"] <= timings["calls_done_s"] <= timings["llm_first_token_s"]
    assert "fillers" not in timings


async def test_an_agent_without_functions_is_asked_as_ever() -> None:
    async with staged(answers=[["Hello."]]) as stage:
        await ask(stage)
    assert stage.llm.offered == [[]]
    assert "calls" not in stage.record.turns[0][1]
    assert (await NO_TOOLS.call(call("x"))).ok is False


async def test_the_next_prompts_know_what_was_done() -> None:
    answers: Answers = [[call("hours", "c1")], ["At nine."], ["You are welcome."]]
    async with staged(answers=answers, tools=Box()) as stage:
        await ask(stage)
        await ask(stage, "Thanks.", 2)
    assert [message.role for message in stage.llm.prompts[2]] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
    ]


async def test_so_do_those_of_a_conversation_that_goes_on() -> None:
    earlier = Deed("c1", "hours", "{}", "9 to 5")
    lines = [Line("user", "When?"), Line("assistant", "At nine.", (earlier,))]
    async with staged(answers=[["Hello again."]], lines=lines) as stage:
        await ask(stage)
    assert results(stage.llm.prompts[0]) == ["9 to 5"]


async def test_several_calls_go_side_by_side() -> None:
    box = Box(waits={"hours": asyncio.Event(), "book": asyncio.Event()})
    answers: Answers = [[call("hours", "a"), call("book", "b")], ["Done."]]
    async with staged(answers=answers, tools=box) as stage:
        stage.line.client(wire.Text("Book a table."))
        await stage.until(lambda: box.names == ["hours", "book"])
        box.waits["book"].set()
        await stage.until(lambda: box.ended == ["book"])
        box.waits["hours"].set()
        await stage.until_sent(wire.ReplyEnded)
    assert [message.call_id for message in stage.llm.prompts[1] if message.call_id] == ["a", "b"]


async def test_rounds_are_bounded_and_then_the_llm_must_answer() -> None:
    answers: Answers = [[call("hours", day=n)] for n in range(MAX_ROUNDS)]
    answers.append(["That is all."])
    async with staged(answers=answers, tools=Box()) as stage:
        await ask(stage)
    assert [bool(names) for names in stage.llm.offered] == [True] * MAX_ROUNDS + [False]
    assert stage.record.lines[-1] == ("assistant", "That is all.")
    ids = [message.call_id for message in stage.llm.prompts[-1] if message.call_id]
    assert len(set(ids)) == MAX_ROUNDS
    assert all(len(id_) == 9 and id_.isalnum() for id_ in ids)


async def test_an_id_that_comes_again_is_changed() -> None:
    answers: Answers = [[call("hours", "c1")], [call("book", "c1")], ["Done."]]
    async with staged(answers=answers, tools=Box()) as stage:
        await ask(stage)
    one, other = [message.call_id for message in stage.llm.prompts[-1] if message.call_id]
    assert one == "c1" != other


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (ToolCall("", "hours", "{oh"), "not a JSON object"),
        (ToolCall("", "fly", "{}"), "no function 'fly'. You have: hours, book, erase."),
        (ToolCall("", UNREADABLE, "{}"), UNREAD),
    ],
)
async def test_what_cannot_be_called_is_said_to_the_llm(wrong: ToolCall, told: str) -> None:
    box = Box()
    async with staged(answers=[[wrong], ["Sorry."]], tools=box) as stage:
        await ask(stage)
    assert box.called == []
    assert told in results(stage.llm.prompts[1])[0]
    assert stage.record.turns[0][1]["calls"][0]["finding"].startswith("call.")


async def test_too_many_at_once() -> None:
    box = Box()
    many: list[Step] = [call("hours", day=n) for n in range(MAX_CALLS_AT_ONCE + 2)]
    async with staged(answers=[many, ["Done."]], tools=box) as stage:
        await ask(stage)
    assert len(box.called) == MAX_CALLS_AT_ONCE
    assert results(stage.llm.prompts[1])[-2:] == [TOO_MANY] * 2


async def test_a_name_in_other_capitals_is_still_that_function() -> None:
    box = Box()
    async with staged(answers=[[call("Erase")], ["Shall I?"]], tools=box) as stage:
        await ask(stage)
    assert results(stage.llm.prompts[1]) == [ASK_FIRST], "and not one that need not be confirmed"


async def test_a_toolbox_with_a_bug_is_no_end() -> None:
    box = Box({"book": RuntimeError("a bug"), "hours": Came(ok=False, text="no", finding="x.y")})
    answers: Answers = [[call("book"), call("hours")], ["Sorry."]]
    async with staged(answers=answers, tools=box) as stage:
        await ask(stage)
    assert results(stage.llm.prompts[1]) == [FAILED, "no"]
    calls = stage.record.turns[0][1]["calls"]
    assert [one["finding"] for one in calls] == ["call.failed", "x.y"]


async def test_secrets_and_long_results_are_not_kept() -> None:
    box = Box({"book": Came(text="x" * (MAX_RESULT_CHARS + 1))})
    answers: Answers = [[call("book", "c1", pin=1234), ToolCall("c2", "book", "{1234")], ["Done."]]
    async with staged(answers=answers, tools=box) as stage:
        await ask(stage)
    assert json.loads(box.called[0].arguments) == {"pin": 1234}
    assert len(results(stage.llm.prompts[1])[0]) < MAX_RESULT_CHARS + 50
    kept = stage.record.deeds[0]
    assert (kept.arguments, len(kept.result)) == ('{"pin": "…"}', MAX_KEPT_CHARS)
    assert [deed.arguments for deed in stage.record.deeds] == ['{"pin": "…"}', "…"]
    assert "1234" not in json.dumps(stage.record.turns[0][1]["calls"])


# Waiting -----------------------------------------------------------------------------------------


async def test_who_waits_long_is_told_so_before_the_answer() -> None:
    box = Box(waits={"hours": asyncio.Event()})
    answers: Answers = [[call("hours")], ["At nine."]]
    async with staged(answers=answers, tools=box, filler_after_s=WAIT_S) as stage:
        stage.line.client(wire.Text("When?"))
        await stage.until(lambda: ENGLISH.one_moment in " ".join(stage.tts.spoken))
        box.waits["hours"].set()
        await stage.until_sent(wire.ReplyEnded)
        await stage.until(lambda: stage.record.turns)
    assert stage.record.lines[-1] == ("assistant", f"{ENGLISH.one_moment} At nine.")
    assert stage.record.turns[0][1]["fillers"] == 1
    assert all(ENGLISH.one_moment not in message.content for message in stage.llm.prompts[1])


@pytest.mark.parametrize("slow", ["function", "llm"])
async def test_what_we_say_meanwhile_is_nobodys_example(slow: str) -> None:
    """Neither the next round nor the next turn reads it as the LLM's own words."""
    wait: list[Step] = [4 * WAIT_S] if slow == "llm" else []
    answers: Answers = [
        [call("hours")],
        [*wait, "Let me see", call("hours")],
        ["At nine."],
        ["You are welcome."],
    ]
    box = Box(waits={"hours": asyncio.Event()} if slow == "function" else {})
    filler = "One moment. I look it up."
    async with staged(answers=answers, tools=box, filler_after_s=WAIT_S, filler=filler) as stage:
        stage.line.client(wire.Text("When?"))
        await stage.until(lambda: "One moment." in stage.tts.spoken)
        for wait_for in box.waits.values():
            wait_for.set()
        await stage.until(lambda: stage.record.turns)
        assert stage.record.lines[-1] == ("assistant", f"{filler} Let me see. At nine.")
        stage.line.client(wire.Text("Thanks."))
        await stage.until(lambda: len(stage.record.turns) == 2)
    assert len(stage.llm.prompts) == 4
    for prompt in stage.llm.prompts:
        assert not any("moment" in message.content for message in prompt)
    assert "Let me see. At nine." in [message.content for message in stage.llm.prompts[3]]


async def test_an_llm_that_is_slow_after_a_call_is_waited_for_as_well() -> None:
    answers: Answers = [[call("hours")], [4 * WAIT_S, "At nine."]]
    async with staged(
        answers=answers, tools=Box(), filler_after_s=WAIT_S, filler="Let me look."
    ) as stage:
        await ask(stage)
    assert stage.record.lines[-1] == ("assistant", "Let me look. At nine.")


async def test_a_function_may_have_words_of_its_own() -> None:
    box = Box(
        tools=(Tool("hours", filler="I look at the door."),), waits={"hours": asyncio.Event()}
    )
    async with staged(
        answers=[[call("hours")], ["At nine."]], tools=box, filler_after_s=WAIT_S
    ) as stage:
        stage.line.client(wire.Text("When?"))
        await stage.until(lambda: "I look at the door." in stage.tts.spoken)
        box.waits["hours"].set()
        await stage.until_sent(wire.ReplyEnded)


async def test_who_heard_something_already_is_not_asked_to_wait() -> None:
    box = Box(waits={"hours": asyncio.Event()})
    answers: Answers = [["Let me look", call("hours")], ["At nine."]]
    async with staged(answers=answers, tools=box, filler_after_s=0.01) as stage:
        stage.line.client(wire.Text("When?"))
        await stage.until(lambda: "Let me look." in stage.tts.spoken)  # spoken while it waits
        await asyncio.sleep(5 * WAIT_S)
        box.waits["hours"].set()
        await stage.until_sent(wire.ReplyEnded)
        await stage.until(lambda: stage.record.turns)
    assert stage.record.lines[-1] == ("assistant", "Let me look. At nine.")
    assert stage.llm.prompts[1][1].content == "Let me look"


async def test_a_failure_after_a_call_is_a_sentence() -> None:
    answers: Answers = [[call("hours")], [LlmError("gone", finding="connect.refused")]]
    async with staged(answers=answers, tools=Box()) as stage:
        await ask(stage)
    assert stage.record.lines[-1] == ("assistant", ENGLISH.llm_failed)


# Drafts and interruptions ------------------------------------------------------------------------


async def test_a_draft_has_no_effect() -> None:
    box = Box()
    answers: Answers = [[call("book")], [call("book", who="Ada")], ["Booked."]]
    async with staged(answers=answers, heard=["Book a table", "for Ada."], tools=box) as stage:
        await stage.speak(1.0, pause_s=0.35)  # long enough for a draft, too short for a turn
        await stage.until(lambda: len(stage.llm.prompts) == 1)
        await asyncio.sleep(0.05)
        assert box.called == []
        await stage.speak(1.0, pause_s=1.5)
        await stage.until_sent(wire.ReplyEnded)
        await stage.until(lambda: stage.record.turns)
    assert [json.loads(one.arguments) for one in box.called] == [{"who": "Ada"}]
    assert len(stage.record.deeds) == 1


async def test_what_changes_nothing_is_given_up_when_the_caller_goes_on() -> None:
    box = Box(waits={"hours": asyncio.Event()})
    async with staged(answers=[[call("hours")], ["Fine."]], tools=box) as stage:
        stage.line.client(wire.Text("When are you open?"))
        await stage.until(lambda: box.names == ["hours"])
        await ask(stage, "Never mind.")
    assert box.given_up == ["hours"]
    assert stage.record.deeds == []
    (row,) = stage.record.turns[0][1]["calls"]
    assert row["finding"] == "call.given_up"


async def test_what_changes_something_goes_on_and_the_next_prompts_know_it() -> None:
    box = Box({"book": Came(text="booked")}, waits={"book": asyncio.Event()})
    answers: Answers = [["I try. ", call("book", "c1")], ["Fine."], ["You are welcome."]]
    async with staged(answers=answers, tools=box) as stage:
        stage.line.client(wire.Text("Book a table."))
        await stage.until(lambda: box.names == ["book"])
        await stage.until_sent(wire.ReplyBegan)
        stage.line.client(wire.Text("What is the time?"))
        await stage.until_sent(wire.ReplyEnded)
        assert results(stage.llm.prompts[1]) == [STILL_RUNNING]
        assert box.given_up == []
        box.waits["book"].set()
        await stage.until(lambda: stage.record.deeds[-1].result == "booked")
        await stage.until(lambda: len(stage.record.turns) == 2)
        stage.line.client(wire.Text("Thanks."))
        await stage.until_sent(wire.ReplyEnded, 2)
    assert results(stage.llm.prompts[2]) == ["booked"]
    assert stage.record.turns[0][1]["calls"][0]["finding"] == "call.unfinished"


async def test_the_same_words_wait_for_what_was_begun_for_them() -> None:
    box = Box({"book": Came(text="booked")}, waits={"book": asyncio.Event()})
    answers: Answers = [[call("book", "c1")], ["Booked."]]
    async with staged(answers=answers, tools=box, filler_after_s=WAIT_S) as stage:
        stage.line.client(wire.Text("Book a table."))
        await stage.until(lambda: box.names == ["book"])
        stage.line.client(wire.Text("Quickly."))
        await stage.until(lambda: ENGLISH.one_moment in " ".join(stage.tts.spoken))
        assert len(stage.llm.prompts) == 1
        box.waits["book"].set()
        await stage.until_sent(wire.ReplyEnded)
    assert results(stage.llm.prompts[1]) == ["booked"]
    assert box.names == ["book"]


async def test_the_same_call_is_joined_and_not_made_twice() -> None:
    box = Box({"book": Came(text="booked")}, waits={"book": asyncio.Event()})
    answers: Answers = [["I try. ", call("book")], [call("book")], ["Booked."]]
    async with staged(answers=answers, tools=box) as stage:
        stage.line.client(wire.Text("Book a table."))
        await stage.until_sent(wire.ReplyBegan)
        await stage.until(lambda: box.names == ["book"])
        stage.line.client(wire.Text("Did you?"))
        await stage.until(lambda: len(stage.llm.prompts) == 2)
        await asyncio.sleep(0.02)
        box.waits["book"].set()
        await stage.until_sent(wire.ReplyEnded)
    assert box.names == ["book"]
    assert results(stage.llm.prompts[2])[-1] == "booked"


async def test_an_interrupted_filler_leaves_the_call_on_the_record() -> None:
    box = Box(waits={"hours": asyncio.Event()})
    answers: Answers = [[call("hours")], ["Fine."]]
    async with staged(
        answers=answers, tools=box, filler_after_s=0.01, filler="One moment, I look it up for you."
    ) as stage:
        stage.line.client(wire.Text("When are you open?"))
        await stage.until_sent(wire.ReplyBegan)
        await ask(stage, "Never mind.")
        await stage.until(lambda: len(stage.record.turns) == 2)
    assert stage.record.turns[0][1]["calls"][0]["finding"] == "call.given_up"
    assert "calls" not in stage.record.turns[1][1]


async def test_a_call_that_changes_something_outlasts_a_hang_up() -> None:
    box = Box({"book": Came(text="booked")}, waits={"book": asyncio.Event()})
    async with staged(answers=[[call("book")]], tools=box) as stage:
        stage.line.client(wire.Text("Book a table. Bye."))
        await stage.until(lambda: box.names == ["book"])
        stage.line.client(wire.Left(cleanly=True))
        await stage.until(lambda: stage.record.end)
        box.waits["book"].set()
        await stage.running
    assert (box.ended, box.given_up) == (["book"], [])
    assert stage.record.deeds[-1].result == "booked"


# Confirmation ------------------------------------------------------------------------------------


async def test_the_caller_is_asked_before_it_is_done() -> None:
    box = Box({"erase": Came(text="erased")})
    answers: Answers = [[call("erase")], ["Shall I?"], [call("erase")], ["Done."]]
    async with staged(answers=answers, tools=box) as stage:
        await ask(stage, "Erase everything.")
        assert box.called == []
        assert results(stage.llm.prompts[1]) == [ASK_FIRST]
        await ask(stage, "Yes.", 2)
    assert box.names == ["erase"]
    assert results(stage.llm.prompts[3])[-1] == "erased"


async def test_an_llm_cannot_confirm_for_the_caller() -> None:
    box = Box()
    answers: Answers = [
        [call("erase")],
        [call("erase")],
        ["Shall I?"],
        [call("erase")],
        ["Then not."],
    ]
    async with staged(answers=answers, tools=box) as stage:
        await ask(stage, "Erase everything.")
        await ask(stage, "No, do not.", 2)
    assert box.called == []
