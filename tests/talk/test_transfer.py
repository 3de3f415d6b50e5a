"""What an LLM is told of whom a caller may be handed on to."""

from __future__ import annotations

import json

import pytest

from sayso.clock import SystemClock
from sayso.functions import Toolbox
from sayso.llm import ToolCall
from sayso.talk.actions import NOTHING, Action, Actions, Allowed
from sayso.talk.transfer import (
    CONNECTED,
    MAX_TRANSFERS,
    TOO_MANY,
    Destination,
    make_tool,
    tell_failure,
)

DESK = Destination("Front desk", "+15550100123", "they want a table")
OWNER = Destination("The owner", "sip:anna@example.com", "they complain", "Anna will talk to you.")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def box(*destinations: Destination) -> Toolbox:
    allowed = Allowed((Action.TRANSFER,), destinations=destinations)
    return Actions(allowed, SystemClock(), print, print)


def call(destination: object) -> ToolCall:
    return ToolCall("1", "transfer", json.dumps({"destination": destination}))


def test_the_llm_sees_names_and_no_numbers() -> None:
    tool = make_tool([DESK, OWNER])
    assert tool.description.endswith(
        "\n- Front desk: they want a table\n- The owner: they complain"
    )
    shown = str(tool)
    assert "'enum': ['Front desk', 'The owner']" in shown
    for secret in ("555", "anna@example.com"):
        assert secret not in shown
        assert secret not in repr([DESK, OWNER])


def test_it_is_offered_where_there_is_somebody() -> None:
    assert box().tools == []
    assert Actions(NOTHING, SystemClock(), print, print).tools == []
    assert [tool.name for tool in box(DESK).tools] == ["transfer"]


async def test_a_call_names_whom_and_what_is_said() -> None:
    actions = box(DESK, OWNER)
    outcome = await actions.call(call("the owner"))
    assert (outcome.ok, outcome.text) == (True, CONNECTED)
    assert (outcome.farewell, outcome.transfers_to) == ("Anna will talk to you.", "The owner")
    usual = await actions.call(call("Front desk"))
    assert (usual.farewell, usual.transfers_to) == ("", "Front desk")


@pytest.mark.parametrize("destination", ["", "somebody", None, ["Front desk"]])
async def test_who_is_not_there_is_no_destination(destination: object) -> None:
    outcome = await box(DESK, OWNER).call(call(destination))
    assert (outcome.ok, outcome.farewell, outcome.transfers_to) == (False, None, "")
    assert outcome.text.startswith("Nothing was done: ")


async def test_it_is_not_tried_for_ever() -> None:
    actions = box(DESK)
    outcomes = [await actions.call(call("Front desk")) for _ in range(MAX_TRANSFERS + 1)]
    assert [one.ok for one in outcomes] == [True] * MAX_TRANSFERS + [False]
    assert (outcomes[-1].text, outcomes[-1].finding) == (TOO_MANY, "call.too_many")


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("", "The transfer to Front desk failed. The caller is"),
        ("busy.", "The transfer to Front desk failed: busy. The caller is"),
        ("+15550100123 is busy", "failed: Front desk is busy. The caller is"),
    ],
)
def test_a_failure_is_told_without_the_number(reason: str, told: str) -> None:
    assert told in tell_failure(DESK, reason)
