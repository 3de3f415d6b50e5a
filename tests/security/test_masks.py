from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.security.masks import (
    HARMLESS,
    MASK,
    is_mask,
    is_mask_of,
    join_query,
    mask_key,
    mask_url,
    mask_value,
    mask_values,
    number,
    origin,
    read_query,
    split_query,
)

SECRET = "sk-canary-0123456789"
SHOWN = f"{MASK}6789"

printable = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
queries = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=80)


@given(printable)
def test_a_mask_shows_four_characters_of_a_long_key_and_none_of_a_short_one(key: str) -> None:
    assert mask_key(key) == (MASK + key[-4:] if len(key) >= 16 else MASK)
    assert is_mask(mask_key(key))
    assert is_mask_of(f" {mask_key(key)} ", key)


@pytest.mark.parametrize("text", ["•", "Bearer ••••6789", "%E2%80%A2", "x%e2%80%a2"])
def test_what_is_left_of_a_mask_is_no_secret(text: str) -> None:
    assert is_mask(text)
    assert not is_mask_of(text, SECRET)


@pytest.mark.parametrize("name", sorted(HARMLESS))
def test_some_names_hold_no_secrets_however_they_are_written(name: str) -> None:
    assert mask_value(name, SECRET) == SECRET
    assert mask_value(name.upper(), SECRET) == SECRET


@pytest.mark.parametrize(
    "value",
    [
        "",
        "{{agentId}}",
        " {{ conversationId }} ",
        "{{agentId}}/{{callerId}}",
        "{{a}}{{shop.name-2}}",
    ],
)
def test_a_value_of_nothing_but_variables_is_shown(value: str) -> None:
    assert mask_value("x-any", value) == value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Bearer {{token}} of mine", f"{MASK} {{{{token}}}}"),
        ("Bearer SKEY-0123456789 {{orderId}}", f"{MASK} {{{{orderId}}}}"),
        ("{{ a }}-key-{{b}}", f"{MASK} {{{{ a }}}} {{{{b}}}}"),
        ("short", MASK),
        ("{{a}}b", f"{MASK} {{{{a}}}}"),
        ("{{9-canary}}", MASK),
        ("{{sk canary 0123456789}}", f"{MASK}89}}}}"),
        ("{{}}", MASK),
        (SECRET, SHOWN),
    ],
)
def test_every_other_value_is_masked(value: str, shown: str) -> None:
    assert mask_value("x-any", value) == shown


@pytest.mark.parametrize("blanks", ["", " ", "  ", "%20"])
def test_a_mask_with_variables_is_recognised(blanks: str) -> None:
    secret = "Bearer SKEY-0123456789 {{orderId}}"
    assert is_mask_of(f"{MASK}{blanks}{{{{orderId}}}}", secret)
    assert not is_mask_of(f"{MASK}{blanks}{{{{other}}}}", secret)
    assert not is_mask_of(MASK, secret)


def test_null_stays_null() -> None:
    assert mask_values({"a": None, "version": "2", "b": "x"}) == {
        "a": None, "version": "2", "b": MASK,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://h/v1", "https://h/v1"),
        ("https://h/v1/", "https://h/v1/"),
        ("https://h", "https://h"),
        (f"https://h?api_key={SECRET}", f"https://h?api_key={SHOWN}"),
        (f"https://h/v1?api-version=2&code={SECRET}", f"https://h/v1?api-version=2&code={SHOWN}"),
        (f"https://h?{SECRET}", f"https://h?{SHOWN}"),
        (f"https://h?a&{SECRET}", f"https://h?{MASK}&{SHOWN}"),
        ("https://h?c2VjcmV0c2VjcmV0cw==", f"https://h?{MASK}cw=="),
        ("https://h?c2VjcmV0c2VjcmV0c=", f"https://h?{MASK}V0c="),
        ("https://h?flag=", "https://h?flag="),
        (f"https://h?version=1;key={SECRET}", f"https://h?version={SHOWN}"),
        (f"https://h?version=1&amp;key={SECRET}", f"https://h?version=1&amp;key={SHOWN}"),
        (f"https://h?API%2DVersion=1&k=?{SECRET}", f"https://h?API%2DVersion=1&k={SHOWN}"),
        ("https://h?id={{agentId}}", "https://h?id={{agentId}}"),
        ("https://h?k=key-{{agentId}}", f"https://h?k={MASK}{{{{agentId}}}}"),
        ("https://h?k=key;{{agentId}}", f"https://h?k={MASK}{{{{agentId}}}}"),
    ],
)
def test_a_url_is_shown_with_its_querys_values_masked(url: str, shown: str) -> None:
    assert mask_url(url) == shown


@given(queries)
def test_a_query_is_taken_apart_and_put_together_as_it_was(query: str) -> None:
    url = f"https://h/v1?{query}" if query else "https://h/v1"
    base, rest = split_query(url)
    assert (base, rest) == ("https://h/v1", query)
    assert join_query(base, read_query(rest)) == url


@given(queries)
def test_a_masked_url_has_the_same_names_and_a_mask_of_each_value(query: str) -> None:
    values = number(read_query(query))
    shown = number(read_query(split_query(mask_url(f"https://h?{query}"))[1]))
    assert shown.keys() == values.keys()
    for slot, value in values.items():
        assert shown[slot] == value or is_mask_of(shown[slot], value)


def test_values_are_counted_by_name() -> None:
    pairs = read_query("a=1&b=2&a=3&%61=4&bare")
    assert number(pairs) == {
        ("a=", 0): "1", ("b=", 0): "2", ("a=", 1): "3", ("a=", 2): "4", ("", 0): "bare",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://x.example/v1", "https://X.example:443/v2/", True),
        ("http://x.example", "http://x.example.:80", True),
        ("https://x.example", "http://x.example", False),
        ("https://x.example", "https://x.example:8443", False),
        ("https://x.example", "https://x.example.evil.example", False),
    ],
)
def test_an_origin_is_who_is_reached(one: str, other: str, same: bool) -> None:
    assert (origin(one) == origin(other)) is same
