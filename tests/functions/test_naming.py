from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.functions.naming import MAX_TOOL_NAME_CHARS, make_names


@pytest.mark.parametrize(
    ("wanted", "made"),
    [
        ("lookUpOrder", "lookUpOrder"),
        ("Check order status", "Check_order_status"),
        ("  Größe? ", "Groe"),
        ("a.b/c", "a_b_c"),
        ("日本", "function"),
        ("--x--", "x"),
        ("", "function"),
        ("y" * 90, "y" * 64),
    ],
)
def test_a_name_is_kept_as_far_as_it_can_be(wanted: str, made: str) -> None:
    assert make_names([wanted], "function") == [made]


def test_names_alike_are_numbered() -> None:
    wanted = ["Book it", "book it", "book_it", "日", "本", "z" * 70, "Z" * 80]
    assert make_names(wanted, "function") == [
        "Book_it",
        "book_it_2",
        "book_it_3",
        "function",
        "function_2",
        "z" * 64,
        "Z" * 62 + "_2",
    ]


@given(st.lists(st.text(max_size=80), max_size=50))
def test_every_llm_takes_every_name(wanted: list[str]) -> None:
    made = make_names(wanted, "value")
    assert len(made) == len(wanted)
    assert len({name.lower() for name in made}) == len(made)
    assert all(re.fullmatch(rf"[a-zA-Z0-9_-]{{1,{MAX_TOOL_NAME_CHARS}}}", name) for name in made)
