from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.api.mistakes import Mistake, describe_fields, describe_json, dotted

SEED = """{
  "baseURL": "https://my.own.llm.api.example.com",
  "apiKey": "sk-secret",
}"""


def describe(text: str) -> str:
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads(text)
    return describe_json(text, caught.value.pos)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('{"a": 1,}', 1, 8),
        ("[1, 2,]", 1, 6),
        ('{"a": [1,\n ]}', 1, 9),
        (SEED, 3, 24),
        ('{"a": {"b": 1 ,  \n} }', 1, 15),
    ],
)
def test_a_trailing_comma_has_its_own_sentence(text: str, line: int, column: int) -> None:
    assert describe(text) == (
        f"The body is not valid JSON: there is a comma at line {line}, column {column} "
        "with nothing after it. Remove this trailing comma."
    )


@pytest.mark.parametrize("position", [7, 8])
def test_the_comma_is_found_from_where_any_python_gives_up(position: int) -> None:
    """3.11 points behind the comma, 3.13 at it."""
    assert "line 1, column 8" in describe_json('{"a": 1,}', position)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("{'a': 1}", "column 2 has a single quote where it cannot be; JSON strings are in double"),
        ("{a: 1}", "column 2 has a where it cannot be; names and texts are in double quotes"),
        ('{"a": True}', "column 7 has T where it cannot be; JSON writes true, false and null"),
        ('{"a": 1 // x\n}', "column 9 has / where it cannot be; JSON has no comments"),
        ("{“a”: 1}", "column 2 has “ where it cannot be; these are typographic quotes"),
        ('{"a" 1}', "column 6 has 1 where it cannot be"),
        ('{"a": 1 "b": 2}', "column 9 has a double quote where it cannot be"),
        ('{"a": 1', "line 1, column 8 has the end of the text where more was expected"),
        ('{"a":\n\n  ]', "line 3, column 3 has ] where it cannot be"),
        ('{"a": "x\ny"}', "U+000A where it cannot be; inside a string a line break is written"),
        ('{"a": 1}}', "column 9 has } where it cannot be"),
        ("{,}", "trailing comma"),
        ("", "The body is empty"),
        (" \n", "The body is empty"),
    ],
)
def test_broken_json_says_where_and_what_was_seen(text: str, part: str) -> None:
    assert part in describe(text)


def test_a_byte_order_mark_is_named() -> None:
    assert "byte-order mark" in describe_json("\ufeff{}", 0)


def test_no_secret_of_the_body_is_repeated() -> None:
    assert "secret" not in describe(SEED)


@given(st.text(alphabet='{}[]",:1a\n ', max_size=30))
def test_every_broken_text_gets_a_sentence(text: str) -> None:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        sentence = describe_json(text, error.pos)
        assert sentence.startswith("The body is ")
        assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ({"type": "missing", "loc": ("body", "displayName")}, "displayName is required."),
        ({"type": "missing", "loc": ("body",)}, "A JSON body is required."),
        (
            {"type": "string_too_long", "loc": ("body", "a"), "ctx": {"max_length": 2},
             "input": "xyz"},
            "a must have at most 2 characters; it has 3.",
        ),
        (
            {"type": "string_too_short", "loc": ("body", "a"), "ctx": {"min_length": 1}},
            "a must not be empty.",
        ),
        (
            {"type": "too_long", "loc": ("body", "a"), "ctx": {"max_length": 2}, "input": [1]},
            "a must have at most 2 entries.",
        ),
        ({"type": "less_than_equal", "loc": ("body", "a"), "ctx": {"le": 1.5}},
         "a must be at most 1.5."),
        ({"type": "greater_than_equal", "loc": ("body", "a"), "ctx": {"ge": 60.0}},
         "a must be at least 60."),
        ({"type": "string_type", "loc": ("body", "actions", 0)}, "actions.0 must be a string."),
        ({"type": "model_type", "loc": ("body",)}, "The body must be a JSON object."),
        ({"type": "base_url", "loc": ("body", "llm", "openai-compatible", "baseURL"),
          "msg": "is not a valid URL"}, "llm.baseURL is not a valid URL."),
        ({"type": "unheard_of", "loc": ("body", "a"), "msg": "Input should be odd"},
         "a is not valid: Input should be odd."),
    ],
)  # fmt: skip
def test_a_field_that_does_not_fit_gets_a_sentence(error: dict[str, object], sentence: str) -> None:
    assert [one.message for one in describe_fields([error])] == [sentence]


def test_the_same_mistake_is_said_once() -> None:
    error = {"type": "missing", "loc": ("body", "a")}
    assert describe_fields([error, error]) == (Mistake("a is required.", "a"),)


@pytest.mark.parametrize(
    ("location", "path"),
    [
        (("body",), None),
        (("query", "pageSize"), "pageSize"),
        (("body", "llm", "built-in", "model"), "llm.model"),
        (("body", "llm", "openai-compatible"), "llm"),
        (
            ("body", "llm", "openai-compatible", "fallbacks", 1, "built-in", "x"),
            "llm.fallbacks.1.x",
        ),
        (("body", "fallbacks", "built-in"), "fallbacks.built-in"),
        (("body", "a", "built-in"), "a.built-in"),
        (("body", "h", "x", "[key]"), "h.x"),
    ],
)
def test_a_place_is_a_dotted_path_in_the_callers_words(
    location: tuple[str | int, ...], path: str | None
) -> None:
    assert dotted(location) == path
