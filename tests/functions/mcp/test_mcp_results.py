"""Results of tools in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.functions.mcp.results import (
    CUT_NOTE,
    MAX_COMPLAINT_CHARS,
    MAX_PARTS,
    MAX_TEXT_CHARS,
    complain,
    cut,
    list_secrets,
    make_text,
    redact,
)


def text(*words: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": one} for one in words]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (text("one", "two"), "one\ntwo"),
        ([], "(The tool answered nothing.)"),
        (text("  "), "(The tool answered nothing.)"),
        ([{"type": "image", "data": "AAAA", "mimeType": "image/png"}],
         "[a picture (image/png), left out]"),
        ([{"type": "audio", "data": "AAAA"}], "[a sound, left out]"),
        ([{"type": "hologram"}], "[a something, left out]"),
        ([{"type": "resource", "resource": {"uri": "a:b", "text": "words"}}], "words"),
        ([{"type": "resource", "resource": {"uri": "a:b", "blob": "AA", "mimeType": "x/y"}}],
         "[a file (x/y), left out]"),
        ([{"type": "resource"}], "[a file, left out]"),
        ([{"type": "resource_link", "uri": "https://a.example/x", "name": "menu"}],
         "[link to menu: https://a.example/x]"),
        ([{"type": "resource_link"}], "[link to a file: ]"),
        ([*text("a"), {"type": "image"}], "a\n[a picture, left out]"),
    ],
)  # fmt: skip
def test_each_kind_of_content_is_told_or_named(content: list[dict[str, Any]], told: str) -> None:
    assert make_text(content) == told


@pytest.mark.parametrize(
    ("words", "structured", "told"),
    [
        ((), {"a": 1}, '{"a":1}'),
        (('{\n  "a": 1\n}',), {"a": 1}, '{"a":1}'),
        (("sunny",), {"result": "sunny"}, "sunny"),
        (("3",), {"result": 3}, "3"),
        (("here:",), {"a": "ü"}, 'here:\n{"a":"ü"}'),
        (("1", "2"), {"result": [1, 2]}, '1\n2\n{"result":[1,2]}'),
    ],
)
def test_json_is_told_once(words: tuple[str, ...], structured: object, told: str) -> None:
    assert make_text(text(*words), structured) == told


def test_long_answers_are_cut() -> None:
    assert cut("x" * MAX_TEXT_CHARS) == "x" * MAX_TEXT_CHARS
    assert make_text(text("x" * 20_000)) == "x" * MAX_TEXT_CHARS + CUT_NOTE
    assert make_text(text(*["y"] * (MAX_PARTS + 7))).endswith("[7 more parts, left out]")


def test_secrets_are_blacked_out_however_they_are_written() -> None:
    secrets = list_secrets(["Bearer se/cret+1", "abc"])
    assert "abc" not in secrets, "shorter ones would black out words"
    said = "You sent Bearer se/cret+1, se/cret+1 and se%2Fcret%2B1."
    assert redact(said, secrets) == "You sent [secret], [secret] and [secret]."


@given(st.text(min_size=4), st.text())
def test_nothing_that_is_secret_is_left(secret: str, around: str) -> None:
    told = redact(around + secret + around, list_secrets([secret]))
    assert secret not in told or secret in "[secret]"


@given(st.lists(st.dictionaries(st.sampled_from(["type", "text", "uri", "name", "mimeType"]),
                                st.text())), st.none() | st.integers())  # fmt: skip
def test_whatever_comes_there_are_words(content: list[dict[str, Any]], structured: object) -> None:
    assert make_text(content, structured)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", "The call failed: the tool reports an error."),
        (" \n", "The call failed: the tool reports an error."),
        ("No\n\nsuch  day", "The call failed: the tool reports an error. It said: No such day"),
    ],
)
def test_an_error_is_framed_as_the_words_of_its_server(said: str, told: str) -> None:
    assert complain("the tool reports an error", said) == told


def test_an_error_is_short_whatever_its_server_says() -> None:
    told = complain("the tool reports an error", "Traceback\n" * 5_000)
    assert len(told) <= MAX_COMPLAINT_CHARS + 60
    assert "\n" not in told


def test_a_secret_at_the_edge_of_a_cut_is_not_told_by_half() -> None:
    secret = "sk-0123456789"
    told = make_text(text("x" * (MAX_TEXT_CHARS - 5) + secret), None, (secret,))
    assert "sk-0" not in told
