from __future__ import annotations

import json

import pytest

from sayso.llm import Excerpt, Message, Tool
from sayso.llm.excerpts import present
from sayso.llm.fake.functions import (
    FunctionCall,
    Rule,
    choose_calls,
    fill,
    list_offers,
    list_told,
    read_results,
    read_words,
)
from sayso.llm.prompted import teach


def user(content: str) -> dict[str, object]:
    return {"role": "user", "content": content}


HOURS = {"name": "opening_hours", "description": "Says when the shop is open."}
WEATHER = {"name": "weather", "description": "Says what it is like outside."}


def choose(words: str, *rules: Rule) -> list[str]:
    return [call.name for call in choose_calls([WEATHER, HOURS], [user(words)], rules)]


def test_the_words_choose() -> None:
    assert choose("Are you open on Monday?") == ["opening_hours"]
    assert choose("How is the weather in Graz?") == ["weather"]
    assert choose("What is it like outside?") == ["weather"]
    assert choose("Hello there.") == []


def test_rules_choose_before_words_do() -> None:
    rule = Rule(r"book (\w+)", "weather", {"what": r"\g<1>", "count": 2})
    assert choose("Are you open?", rule) == []
    calls = choose_calls([WEATHER], [user("Please Book tables.")], [rule])
    assert calls == [FunctionCall("weather", {"what": "tables", "count": 2})]
    assert choose_calls([HOURS], [user("Please book tables.")], [rule]) == []


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"role": "assistant", "content": "open"}],
        [{"role": "tool", "content": "open"}],
        [user('<tool_result name="x">open</tool_result>')],
    ],
)
def test_only_a_caller_makes_it_call(messages: list[dict[str, object]]) -> None:
    assert choose_calls([HOURS], messages) == []


@pytest.mark.parametrize("tools", [None, [], ["x"], [{}], [{"function": None}], [{"function": {}}]])
def test_nothing_is_offered(tools: object) -> None:
    assert list_offers({"tools": tools}) == []
    assert choose_calls([], [user("open")]) == []


def test_functions_told_in_words_are_found() -> None:
    tool = Tool("opening_hours", "Says when.", {"type": "object"})
    lines = teach([Message("system", 'Be kind.\n{"name" no json\n{"name": 3}')], [tool])
    messages: list[dict[str, object]] = [{"role": m.role, "content": m.content} for m in lines]
    (offer,) = list_told(messages)
    assert (offer["name"], offer["parameters"]) == ("opening_hours", {"type": "object"})
    assert list_told([user("Hello.")]) == []


def test_results_are_read_as_messages_and_in_words() -> None:
    tool = {"role": "tool", "content": "42"}
    assert read_results([user("?"), tool, {**tool, "content": "43"}]) == ["42", "43"]
    told = "Data: <tool_result name='a'>42</tool_result><tool_result name='b'>43</tool_result>"
    assert read_results([user(told)]) == ["42", "43"]
    assert read_results([user("42")]) == []


WORDS = "A small table on Monday at the Ritz, 3 people, 2.5 hours"
PROPERTIES: dict[str, object] = {
    "day": {"type": "string"},
    "place": {"type": "string"},
    "rest": {"type": "string"},
    "size": {"enum": ["big", "small"]},
    "other": {"enum": ["red", "blue"]},
    "nothing": {"enum": []},
    "people": {"type": "integer"},
    "share": {"type": "number"},
    "none": {"type": "number"},
    "no": {"type": "integer"},
    "sure": {"type": "boolean"},
    "names": {"type": "array"},
    "more": {"type": "object"},
    "odd": None,
}


def test_arguments_come_from_the_words_and_nothing_is_made_up() -> None:
    schema = {"properties": PROPERTIES, "required": list(PROPERTIES)}
    assert json.loads(json.dumps(fill(schema, WORDS))) == {
        "day": "Monday",
        "place": "Ritz",
        "size": "small",
        "people": 3,
        "share": 2.5,
    }
    assert fill(None, WORDS) == fill({}, WORDS) == fill({"properties": 1}, WORDS) == {}


def test_what_is_optional_is_left_out_unless_something_plainly_fits() -> None:
    assert fill({"properties": PROPERTIES}, WORDS) == {
        "day": "Monday",
        "size": "small",
        "people": 3,
        "share": 2.5,
    }
    assert fill({"properties": PROPERTIES}, "The day is Monday.") == {"day": "Monday"}


BOOK = {
    "name": "Book_a_table",
    "description": "Books a table. Call it when the caller wants to book a table.",
    "parameters": {
        "properties": {
            "branch": {"enum": ["harbour", "station"], "description": "the restaurant's branch"},
            "guests": {"type": "number", "description": "how many guests"},
            "terrace": {"type": "boolean", "description": "whether a table outside"},
            "day": {"type": "string", "description": "the day of the week"},
            "X-Reason": {"type": "string", "description": "the reason for it"},
        },
        "required": ["branch", "guests", "terrace", "day"],
    },
}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (
            "Please book a table at the harbor for four guests on Friday. Yes, on the terrace.",
            {"branch": "harbour", "guests": 4, "terrace": True, "day": "Friday"},
        ),
        (
            "Twenty five guests, book us a table on next Monday at the station, not outside.",
            {"branch": "station", "guests": 25, "terrace": False, "day": "next Monday"},
        ),
        ("Book a table at seven o'clock for two.", {"guests": 2}),
        ("Book a table; the reason is love.", {"X-Reason": "love"}),
        ("Book a table at the castle.", {}),
    ],
)
def test_a_table_is_booked_as_it_is_wanted(words: str, found: dict[str, object]) -> None:
    (call,) = choose_calls([BOOK], [user(words)])
    assert (call.name, call.arguments) == ("Book_a_table", found)


def test_lists_and_objects_are_filled_too() -> None:
    more = {
        "guests": {"type": "array", "items": {"type": "integer"}},
        "colours": {"type": "array", "items": {"enum": ["red", "blue"]}},
        "names": {"type": "array"},
        "at": {"type": "object", "properties": {"time": {"type": "string"}}},
        "empty": {"type": "object"},
    }
    assert fill({"properties": more}, "Blue for three at noon") == {
        "guests": [3],
        "colours": ["blue"],
        "at": {"time": "noon"},
    }


NOTE = "[Message from the application, not spoken by the caller: {}]"


@pytest.mark.parametrize("told", ["book is done", "a [table] failed"])
def test_what_the_application_tells_asks_for_nothing(told: str) -> None:
    note = NOTE.format(told)
    assert choose_calls([BOOK], [user(note)]) == []
    (call,) = choose_calls([BOOK], [user(f"{note} Book for two.")])
    assert (call.name, call.arguments) == ("Book_a_table", {"guests": 2})
    rule = Rule("is done|failed", "Book_a_table")
    assert choose_calls([BOOK], [user(note)], [rule]) == [FunctionCall("Book_a_table")]
    assert read_words(f"{note} Book for two.") == "Book for two."


def test_neither_does_what_was_found_for_the_caller() -> None:
    excerpt = Excerpt("Book a table for nine.", "notes.txt")
    (line,) = present([Message("user", "Hello.", excerpts=(excerpt,))])
    assert read_words(line.content) == "Hello."
    assert choose_calls([BOOK], [user(line.content)]) == []


def fill_one(name: str, words: str, description: str = "", *, required: bool = True) -> object:
    one = {"type": "string", "description": description}
    schema = {"properties": {name: one}, "required": [name] if required else []}
    return fill(schema, words).get(name)


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize(
    ("name", "description", "words", "found"),
    [
        ("orderId", "the number of the order, digits only", "Where is order 1001?", "1001"),
        ("orderId", "", "Where is order 1,001 on Monday?", "1001"),
        ("order", "digits only", "Is ORD-1001 in the shop?", "1001"),
        ("orderId", "", "Where is my order for Ada?", None),
        ("phone_number", "", "Call me at +1 555-0100, please.", "+15550100"),
        ("timezone", "IANA timezone name", "What time is it in Europe/Vienna?", "Europe/Vienna"),
        ("timeZone", "", "What time is it in New York now?", "New York"),
        ("where", "a city", "Is it warm in Graz today?", "Graz"),
        ("pin", "digits only", "My pin is one zero zero one.", "1001"),
        ("when", "the date", "Come on the third of May, please.", "third of May"),
        ("start", "a time", "Come on Friday at half past seven.", "half past 7"),
        ("start", "a time", "Come on Friday.", None),
        ("caller_name", "", "My name is Ada.", "Ada"),
        ("customer", "", "A table for Ada on Friday.", "Ada"),
        ("customer", "", "A table for Friday.", None),
    ],
)
def test_digits_and_places_are_taken_from_the_words(
    name: str, description: str, words: str, found: str | None, required: bool
) -> None:
    assert fill_one(name, words, description, required=required) == found


@pytest.mark.parametrize(
    ("name", "words", "found"),
    [
        ("message", "I want to leave word that I am late.", "I want to leave word that I am late."),
        ("colour", "Change it to red.", "red"),
        ("colour", "I want to change it.", None),
        ("colour", "Change the colour to red.", "red"),
    ],
)
def test_a_needed_text_is_looked_for_more_widely(name: str, words: str, found: str | None) -> None:
    assert fill_one(name, words) == found


def test_a_place_is_used_once() -> None:
    schema = {"properties": {"city": {}, "what": {}}, "required": ["city", "what"]}
    assert fill(schema, "A table in Graz for Ada") == {"city": "Graz", "what": "Ada"}
