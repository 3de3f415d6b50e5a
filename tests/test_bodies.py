"""What JSON lets through and no database takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.bodies import refuse_unstorable
from sayso.errors import BadRequestError


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"a": {"b": [0, float("nan")]}}, "a.b.1"),
        ({"a": float("inf")}, "a"),
        ({"a": "x\0"}, "a"),
        ({"a": "\ud800"}, "a"),
        ({"a": {"\0": 1}}, "a"),
        ("\0", None),
    ],
)
def test_what_no_database_takes_is_refused_with_its_place(value: object, field: str | None) -> None:
    with pytest.raises(BadRequestError) as caught:
        refuse_unstorable(value)
    assert caught.value.field == field


def test_nesting_has_a_limit() -> None:
    deep: object = 1
    for _ in range(32):
        deep = [deep]
    refuse_unstorable(deep)
    with pytest.raises(BadRequestError, match="32 levels"):
        refuse_unstorable([deep])


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers()
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("k"), inner),
    max_leaves=10,
)  # fmt: skip


@given(json_values)
def test_what_a_database_takes_passes_unchanged(value: object) -> None:
    assert refuse_unstorable(value) is value
