from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.spelling import MAX_COMPARED_CHARS, nearest

KNOWN = ("baseURL", "apiKey", "greeting", "firstTokenMs", "betweenTokensMs", "connectMs", "model")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("baseUrl", "baseURL"),
        ("base_url", "baseURL"),
        ("BASE-URL", "baseURL"),
        ("greting", "greeting"),
        ("firstToken", "firstTokenMs"),
        ("between", "betweenTokensMs"),
        ("api_key", "apiKey"),
        ("modle", "model"),
        ("url", None),
        ("customerNumber", None),
        ("", None),
        ("x" * (MAX_COMPARED_CHARS + 1), None),
    ],
)
def test_the_name_that_was_meant_is_found_if_one_is_close(name: str, meant: str | None) -> None:
    assert nearest(name, KNOWN) == meant


def test_of_nothing_nothing_is_near() -> None:
    assert nearest("model", ()) is None


@given(st.text(max_size=150))
def test_only_known_names_are_suggested(name: str) -> None:
    assert nearest(name, KNOWN) in {None, *KNOWN}


@given(st.sampled_from(KNOWN))
def test_a_known_name_is_nearest_to_itself(name: str) -> None:
    assert nearest(name.upper(), KNOWN) == name
