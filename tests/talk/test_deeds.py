from __future__ import annotations

import json

from sayso.llm import Tool, ToolCall
from sayso.talk.deeds import as_messages, dump_deeds, read_deeds, show_arguments
from sayso.talk.history import Deed, Line


def test_deeds_are_stored_and_read_again() -> None:
    deeds = [Deed("c1", "book", '{"a": 1}', "booked", 2)]
    assert read_deeds(json.loads(json.dumps(dump_deeds(deeds)))) == tuple(deeds)
    assert read_deeds(None) == read_deeds(["x"]) == ()


def test_rounds_are_told_one_behind_the_other() -> None:
    deeds = (Deed("a", "x"), Deed("b", "y"), Deed("c", "z", nth=1))
    messages = as_messages([Line("user", "Hi"), Line("assistant", "Done.", deeds)])
    assert [(m.role, len(m.calls), m.call_id) for m in messages] == [
        ("user", 0, ""),
        ("assistant", 2, ""),
        ("tool", 0, "a"),
        ("tool", 0, "b"),
        ("assistant", 1, ""),
        ("tool", 0, "c"),
        ("assistant", 0, ""),
    ]


def test_what_a_tool_calls_secret_is_not_shown() -> None:
    tool = Tool("book", secret=("pin",))
    assert show_arguments(ToolCall("", "book", '{"pin": 1, "n": 2}'), tool) == (
        '{"pin": "…", "n": 2}'
    )
    assert show_arguments(ToolCall("", "book", "{pin: 1"), tool) == "…"
    assert show_arguments(ToolCall("", "book", "{n: 1"), Tool("book")) == "{n: 1"
    assert show_arguments(ToolCall("", "x", '{"n": 1}'), None) == '{"n": 1}'
