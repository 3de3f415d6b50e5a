"""Built-in actions: what the LLM is offered, and what each of them does."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from sayso.functions import Toolbox
from sayso.llm import ToolCall
from sayso.talk.actions import (
    LEFT,
    MAX_FAREWELL_CHARS,
    MAX_MESSAGE_CHARS,
    MAX_MESSAGES,
    NO_MESSAGE,
    NOTHING,
    TOO_MANY,
    Action,
    Actions,
    Allowed,
)
from sayso.talk.record import LeftMessage

ALL = Allowed(tuple(Action), "Europe/Vienna")


class StoppedClock:
    def now_s(self) -> float:
        return 0.0

    def utc(self) -> datetime:
        return datetime(2026, 7, 3, 22, 30, tzinfo=UTC)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def left() -> list[LeftMessage]:
    return []


@pytest.fixture
def actions(left: list[LeftMessage]) -> Toolbox:
    return Actions(ALL, StoppedClock(), left.append, print)


def call(tool: str, **arguments: object) -> ToolCall:
    return ToolCall("1", tool, json.dumps(arguments))


async def test_only_what_is_allowed_is_offered(left: list[LeftMessage]) -> None:
    none = Actions(NOTHING, StoppedClock(), left.append, print)
    assert none.tools == []
    assert (await none.call(call("end_call", farewell="Bye"))).farewell is None
    one = Actions(Allowed((Action.CURRENT_TIME,)), StoppedClock(), left.append, print)
    assert [tool.name for tool in one.tools] == ["current_time"]
    assert (await one.call(call("leave_message", message="x"))).finding == "function.unknown"


async def test_who_ends_the_call_says_goodbye(actions: Toolbox) -> None:
    outcome = await actions.call(call("end_call", farewell=" Good night! "))
    assert (outcome.ok, outcome.farewell) == (True, "Good night!")
    assert (await actions.call(call("end_call"))).farewell == ""
    long = await actions.call(call("end_call", farewell="x" * 5000))
    assert len(long.farewell or "") == MAX_FAREWELL_CHARS


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("", "It is Saturday, 4 July 2026, 00:30 in Europe/Vienna (UTC+02:00)."),
        ("new york", "It is Friday, 3 July 2026, 18:30 in America/New_York (UTC-04:00)."),
        ("Asia/Kolkata", "It is Saturday, 4 July 2026, 04:00 in Asia/Kolkata (UTC+05:30)."),
    ],
)
async def test_the_time_is_told_where_it_is_asked_for(
    actions: Toolbox, zone: str, told: str
) -> None:
    outcome = await actions.call(call("current_time", time_zone=zone))
    assert (outcome.ok, outcome.text) == (True, told)


async def test_a_bad_zone_is_a_clear_text(actions: Toolbox) -> None:
    outcome = await actions.call(call("current_time", time_zone="Mars"))
    assert (outcome.ok, outcome.finding) == (False, "arguments.bad")
    assert outcome.text.startswith("'Mars' is no time zone; write its IANA name")


async def test_a_language_is_gone_over_to_where_there_are_two(left: list[LeftMessage]) -> None:
    went: list[str] = []
    languages = ("english", "german")
    both = Allowed((Action.SWITCH_LANGUAGE,), languages=languages)
    actions = Actions(both, StoppedClock(), left.append, went.append)
    (tool,) = actions.tools
    assert tool.parameters["properties"] == {
        "language": {"type": "string", "enum": ["english", "german"]}
    }
    outcome = await actions.call(call("switch_language", language="German"))
    assert outcome.text == "From now on you hear and speak German. Go on in German."
    refused = await actions.call(call("switch_language", language="dutch"))
    assert refused.text == 'Nothing was changed: language must be one of "english", "german".'
    assert went == ["german"]
    one = Allowed(both.actions, languages=languages[:1])
    assert Actions(one, StoppedClock(), left.append, went.append).tools == []


async def test_a_message_is_kept_with_who_left_it(
    actions: Toolbox, left: list[LeftMessage]
) -> None:
    given = {"message": "Call me back", "name": "Anna", "phone_number": 15550100}
    outcome = await actions.call(call("leave_message", **given))
    assert (outcome.ok, outcome.text) == (True, LEFT)
    await actions.call(call("leave_message", message="x" * 5000, name=None))
    assert left == [
        LeftMessage("Call me back", "Anna", "15550100"),
        LeftMessage("x" * MAX_MESSAGE_CHARS),
    ]


async def test_no_message_and_too_many_are_said(actions: Toolbox, left: list[LeftMessage]) -> None:
    assert (await actions.call(call("leave_message", name="Anna"))).text == NO_MESSAGE
    outcomes = [
        await actions.call(call("leave_message", message=f"{n}")) for n in range(MAX_MESSAGES + 1)
    ]
    assert outcomes[-1].text == TOO_MANY
    assert len(left) == MAX_MESSAGES


@pytest.mark.parametrize("arguments", ["{", '{"message": ["a"]}', '{"message": {"a": 1}}'])
async def test_damaged_arguments_are_said(
    actions: Toolbox, left: list[LeftMessage], arguments: str
) -> None:
    outcome = await actions.call(ToolCall("1", "leave_message", arguments))
    assert (outcome.ok, left) == (False, [])
    assert outcome.text.startswith("Nothing was done: ")
