"""Tools of servers as an LLM is offered them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.functions.mcp import McpServer, ServerTool
from sayso.functions.mcp.offers import (
    MAX_DESCRIPTION_CHARS,
    MAX_SCHEMA_CHARS,
    is_fit,
    make_schema,
    make_tool,
    name_tools,
)


def server(name: str, *tools: str) -> McpServer:
    return McpServer(name, url="http://a.example", tools=tools)


def test_names_stay_where_they_can_and_are_made_fit() -> None:
    named = name_tools([server("files", "read file", "läs/fil", "a.b"), server("x", "time")])
    assert list(named.values()) == ["read_file", "las_fil", "a_b", "time"]


def test_tools_of_one_name_get_that_of_their_server() -> None:
    named = name_tools([server("web", "search", "open"), server("mail", "Search", "search")])
    assert named == {
        ("web", "search"): "web_search",
        ("web", "open"): "open",
        ("mail", "Search"): "mail_Search",
        ("mail", "search"): "mail_search_2",
    }


def test_a_tool_named_twice_is_one() -> None:
    assert name_tools([server("a", "x", "x")]) == {("a", "x"): "x"}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.lists(st.text(min_size=1)))))
def test_every_llm_takes_every_name(given_: list[tuple[str, list[str]]]) -> None:
    named = name_tools([server(name, *tools) for name, tools in given_])
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", one) for one in named.values())
    assert len({one.lower() for one in named.values()}) == len(named)


@pytest.mark.parametrize(
    ("parameters", "fit"),
    [
        ({}, True),
        ({"type": "object"}, True),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, True),
        ({"type": "array"}, False),
        ({"properties": []}, False),
        ({"description": "x" * MAX_SCHEMA_CHARS}, False),
    ],
)
def test_only_objects_of_bounded_length_are_offered(
    parameters: dict[str, object], fit: bool
) -> None:
    assert is_fit(ServerTool("t", "", parameters)) is fit


def test_a_schema_is_always_an_object_with_properties() -> None:
    assert make_schema({"$schema": "x", "required": []}) == {
        "type": "object",
        "properties": {},
        "required": [],
    }


def test_hints_of_the_server_say_how_calls_are_treated() -> None:
    reads = make_tool("a", ServerTool("a", "Reads.\n Much.", {}, safe=True, destructive=True))
    assert (reads.safe, reads.confirm, reads.description) == (True, False, "Reads. Much.")
    wipes = make_tool("b", ServerTool("wipe it", "", {}, destructive=True))
    assert (wipes.safe, wipes.confirm, wipes.description) == (False, True, "wipe it")
    long = make_tool("c", ServerTool("c", "x" * 5000))
    assert len(long.description) == MAX_DESCRIPTION_CHARS
