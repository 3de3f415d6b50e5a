"""A page's events as tools: what the LLM is offered, and what the page is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sayso.llm import ToolCall
from sayso.talk.page import MAX_ITEMS, SENT, PageTools
from sayso.transport.line import CustomEvent
from sayso.transport.page import MAX_EVENTS, PageEvent, read_events

ORDER = {
    "name": "order pizza!",
    "when": "the user orders a pizza.",
    "data": {
        "size": {"type": "enum", "values": ["small", "large"], "description": "which size"},
        "count": {"type": "number"},
        "hot": {"type": "boolean"},
        "note": {"type": "string", "required": False},
        "source": {"type": "const-string", "value": "voice"},
        "shelf number": {"type": "const-number", "value": "7"},
        "to": {
            "type": "object",
            "properties": {
                "street name": {"type": "string"},
                "kind": {"type": "const-boolean", "value": "true"},
            },
        },
        "toppings": {"type": "array", "items": {"type": "string"}},
        "levels": {"type": "enum", "values": [1, 2]},
        "fixed": {"type": "array", "items": {"type": "const-number", "value": "3"}},
    },
}
GIVEN: dict[str, Any] = {
    "size": "LARGE",
    "count": "2",
    "hot": "yes",
    "to": {"street_name": "Main"},
    "toppings": ["ham", 5],
    "levels": "2",
    "fixed": ["anything"],
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def sent() -> list[CustomEvent]:
    return []


@pytest.fixture
def page(sent: list[CustomEvent]) -> PageTools:
    tools = PageTools(sent.append)
    tools.offer(read_events([ORDER]).events)
    return tools


def call(arguments: object, name: str = "order_pizza") -> ToolCall:
    return ToolCall("1", name, arguments if isinstance(arguments, str) else json.dumps(arguments))


def test_the_llm_is_offered_what_it_is_to_give(page: PageTools) -> None:
    (tool,) = page.tools
    assert tool.name == "order_pizza"
    assert tool.description.endswith("Call it when: the user orders a pizza.")
    assert tool.parameters == {
        "type": "object",
        "properties": {
            "size": {"type": "string", "enum": ["small", "large"], "description": "which size"},
            "count": {"type": "number"},
            "hot": {"type": "boolean"},
            "note": {"type": "string"},
            "to": {
                "type": "object",
                "properties": {"street_name": {"type": "string"}},
                "required": ["street_name"],
            },
            "toppings": {"type": "array", "items": {"type": "string"}},
            "levels": {"enum": [1, 2]},
            "fixed": {"type": "array", "items": {"const": 3}},
        },
        "required": ["size", "count", "hot", "to", "toppings", "levels", "fixed"],
    }


async def test_the_page_is_sent_its_own_names_and_fixed_values(
    page: PageTools, sent: list[CustomEvent]
) -> None:
    outcome = await page.call(call(GIVEN))
    assert (outcome.ok, outcome.text) == (True, SENT)
    (event,) = sent
    assert event.name == "order pizza!"
    assert event.data == {
        "size": "large",
        "count": 2,
        "hot": True,
        "source": "voice",
        "shelf number": 7,
        "to": {"street name": "Main", "kind": True},
        "toppings": ["ham", "5"],
        "levels": 2,
        "fixed": [3],
    }


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"size": "huge"}, '"size" must be one of "small", "large".'),
        ({"count": "two"}, '"count" must be a number, in digits.'),
        ({"to": "Main street"}, '"to" must be an object.'),
        ({"to": {}}, 'Still missing: "to.street_name".'),
        ({"toppings": [{}]}, '"toppings" must be a single value.'),
        ({"count": None, "hot": None}, 'Still missing: "count", "hot".'),
    ],
)
async def test_what_does_not_fit_is_told_to_the_llm(
    page: PageTools, sent: list[CustomEvent], change: dict[str, object], told: str
) -> None:
    outcome = await page.call(call({**GIVEN, **change}))
    assert (outcome.ok, outcome.finding, sent) == (False, "arguments.bad", [])
    assert outcome.text.startswith("Nothing was sent. ")
    assert told in outcome.text


async def test_small_models_are_understood(page: PageTools, sent: list[CustomEvent]) -> None:
    written = {**GIVEN, "toppings": "ham", "To": {"street name": "Main"}}
    del written["to"]
    assert (await page.call(call(written))).ok
    assert sent[0].data["toppings"] == ["ham"]
    assert not (await page.call(call("no json"))).ok
    unknown = await page.call(call({}, "fly"))
    assert unknown.text == "There is no such function. You have: order_pizza."
    many = await page.call(call({**GIVEN, "toppings": ["x"] * 1000}))
    assert many.ok
    listed = sent[-1].data["toppings"]
    assert isinstance(listed, list)
    assert len(listed) == MAX_ITEMS


def test_later_events_come_to_those_before_and_replace_their_own(page: PageTools) -> None:
    later = [
        PageEvent("order-pizza", "never"),
        PageEvent("order pizza!", "now"),
        PageEvent("?", ""),
    ]
    assert page.offer(later) == ""
    assert [(tool.name, tool.description.partition("when: ")[2]) for tool in page.tools] == [
        ("order_pizza", "now"),
        ("order-pizza", "never"),
        ("event", "it is time for '?'"),
    ]


def test_there_is_an_end_to_events(page: PageTools) -> None:
    said = page.offer([PageEvent(f"e{n}", "") for n in range(MAX_EVENTS)])
    assert said == f"a conversation has at most {MAX_EVENTS} events; left out: e63"
    assert len(page.tools) == MAX_EVENTS
