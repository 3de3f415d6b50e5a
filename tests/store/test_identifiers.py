from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.store.identifiers import (
    MAX_SLUG_CHARS,
    is_id,
    new_agent_id,
    new_api_key,
    new_id,
    new_user_id,
    slug,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Front desk", "front-desk"),
        ("  Café — Zürich!  ", "cafe-zurich"),
        ("受付", "agent"),
        ("", "agent"),
        ("a" * 40, "a" * MAX_SLUG_CHARS),
        ("a" * 31 + " b", "a" * 31),
    ],
)
def test_a_slug_is_readable_in_a_url(name: str, expected: str) -> None:
    assert slug(name) == expected


@given(st.text(max_size=300))
def test_every_name_gives_a_usable_agent_id(name: str) -> None:
    made = new_agent_id(name)
    assert is_id(made)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*-[A-Za-z0-9]{14}", made)


def test_ids_have_the_shapes_seen_in_the_wild() -> None:
    assert re.fullmatch(r"ak-[0-9a-f]{32}", new_api_key())
    assert re.fullmatch(r"[A-Za-z0-9]{28}", new_user_id())
    assert len({new_id() for _ in range(1000)}) == 1000


@pytest.mark.parametrize("text", ["", "a b", "ä", "a\0", "../x", "x" * 101, "x\n"])
def test_what_cannot_be_an_id_is_known(text: str) -> None:
    assert not is_id(text)
