"""Why a function is not carried out."""

from __future__ import annotations

import pytest

from sayso.llm import Tool, ToolCall
from sayso.llm.written import UNREADABLE
from sayso.talk.refusal import (
    ASK_FIRST,
    DAMAGED,
    MAX_CALLS_AT_ONCE,
    TOO_MANY,
    UNREAD,
    find_tool,
    refuse,
)

HOURS = Tool("hours", "Says when we are open.")
BOOK = Tool("Book", "Books a table.", secret=("pin",))
ERASE = Tool("erase", "Erases everything.", confirm=True)
TOOLS = (HOURS, BOOK, ERASE, Tool("book", "Books a room."))


def refusal(call: ToolCall, place: int = 0, *agreed: str) -> tuple[str, str] | None:
    outcome = refuse(call, place, TOOLS, lambda key: key in agreed)
    return None if outcome is None else (outcome.finding, outcome.text)


@pytest.mark.parametrize(
    ("name", "tool"),
    [("hours", HOURS), (" HOURS ", HOURS), ("Book", BOOK), ("BOOK", BOOK), ("minutes", None)],
)
def test_a_tool_is_found_in_whatever_case(name: str, tool: Tool | None) -> None:
    assert find_tool(TOOLS, name) is tool


def test_the_exact_name_goes_before_one_alike() -> None:
    assert find_tool(TOOLS, "book") is TOOLS[3]


@pytest.mark.parametrize(
    ("call", "finding", "told"),
    [
        (ToolCall("1", UNREADABLE, "{}"), "call.unreadable", UNREAD),
        (ToolCall("1", "Book", "{"), "call.damaged", DAMAGED),
        (ToolCall("1", "erase", "{}"), "call.unconfirmed", ASK_FIRST),
    ],
)
def test_the_llm_is_told_what_to_do(call: ToolCall, finding: str, told: str) -> None:
    assert refusal(call) == (finding, told)


def test_what_is_unknown_is_answered_with_what_is_known() -> None:
    finding, told = refusal(ToolCall("1", "minutes", "{}")) or ("", "")
    assert finding == "call.unknown"
    assert told == "There is no function 'minutes'. You have: hours, Book, erase, book."


def test_damaged_arguments_are_quoted_where_they_hold_no_secret() -> None:
    finding, told = refusal(ToolCall("1", "hours", "[tomorrow")) or ("", "")
    assert finding == "call.damaged"
    assert told != DAMAGED


def test_too_many_at_once_are_too_many_whatever_they_are() -> None:
    assert refusal(ToolCall("1", "hours", "{}"), MAX_CALLS_AT_ONCE - 1) is None
    for name in ("hours", "minutes", "erase"):
        call = ToolCall("1", name, "{}")
        assert refusal(call, MAX_CALLS_AT_ONCE) == ("call.too_many", TOO_MANY)


def test_what_the_caller_agreed_to_is_this_call_and_no_other() -> None:
    call = ToolCall("1", "erase", '{"what": "all"}')
    asked: list[str] = []

    def note(key: str) -> bool:
        asked.append(key)
        return False

    refuse(call, 0, TOOLS, note)
    assert len(asked) == 1
    assert refusal(call, 0, *asked) is None
    assert refusal(ToolCall("1", "erase", "{}"), 0, *asked) == ("call.unconfirmed", ASK_FIRST)
