from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.functions.answer import (
    CUT_NOTE,
    MAX_COMPLAINT_CHARS,
    MAX_TEXT_CHARS,
    Answer,
    Read,
    compact,
    read_answer,
    shorten,
    strip_html,
)


def read(
    body: str | bytes, kind: str = "", *, status: int = 200, charset: str = "", cut: bool = False
) -> Read:
    raw = body.encode() if isinstance(body, str) else body
    return read_answer(Answer(status, kind, charset, raw, cut), ("sk-123456",))


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ('{ "a": [1,\n 2], "ü": "é" }', "application/json", '{"a":[1,2],"ü":"é"}'),
        ('{"a": 1}', "application/problem+json", '{"a":1}'),
        ("not json", "application/json", "not json"),
        ('"\\ud800"', "application/json", '"\\ud800"'),
        ("Ready\x07 at\n\n\n5.", "text/plain", "Ready  at\n5."),
        ("a,b\n1,2", "text/csv", "a,b\n1,2"),
        ("<a>1</a>", "application/xml", "<a>1</a>"),
        ("a: 1", "application/yaml", "a: 1"),
        ("a=1", "application/x-www-form-urlencoded", "a=1"),
        ('{"a": 1}', "", '{"a":1}'),
        ("plain", "application/octet-stream", "plain"),
        ("<p>Hi <b>you</b></p><p>Bye</p>", "text/html", "Hi you\nBye"),
    ],
)
def test_text_is_told_as_text(body: str, kind: str, text: str) -> None:
    assert read(body, kind) == Read(ok=True, text=text)


def test_a_charset_is_heeded_if_it_is_one() -> None:
    assert read("Grüße".encode("latin-1"), "text/plain", charset="latin-1").text == "Grüße"
    assert read("Grüße", "text/plain", charset="klingon").text == "Grüße"
    assert read("\ufeffx", "text/plain", charset="utf-8").text == "x"
    assert read(b"\xff!", "text/plain").text == "\ufffd!"


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"\x89PNG", "image/png"), (b"a\0b", ""), (b"\xff\xfe", ""), (b"%PDF", "application/pdf")],
)
def test_what_is_no_text_is_not_read_out(body: bytes, kind: str) -> None:
    found = read(body, kind)
    assert (found.ok, found.finding) == (False, "answer.binary")
    assert found.text == (
        f"The call was made, but the answer is {kind or 'data of an unknown kind'}, which cannot "
        "be read as text."
    )


def test_the_middle_of_a_character_at_the_end_is_no_harm() -> None:
    found = read("Grüße".encode()[:3], cut=True)
    assert found == Read(ok=True, text="Gr" + CUT_NOTE)


def test_nothing_is_a_success() -> None:
    assert read("", status=204) == Read(ok=True, text="Done. The answer is empty.")
    assert read(" \n", "text/plain").text == "Done. The answer is empty."


def test_a_refusal_is_a_sentence_with_its_reason() -> None:
    found = read('{"detail": "No table\\nfor 12"}', "application/json", status=409)
    assert (found.ok, found.finding) == (False, "http.status")
    assert found.text == (
        'The call failed: the server answered 409 (Conflict). It said: {"detail":"No table\\nfor '
        '12"}'
    )
    assert read(b"\0", status=499).text == "The call failed: the server answered 499."
    long = read("x" * 9000, "text/plain", status=400).text
    assert long.count("x") == MAX_COMPLAINT_CHARS


@pytest.mark.parametrize(
    ("status", "said"),
    [(500, "500 (Internal Server Error)"), (503, "503 (Service Unavailable)"), (599, "599")],
)
def test_nothing_of_a_broken_service_but_its_status_is_told(status: int, said: str) -> None:
    found = read("Traceback: password=hunter2", "text/plain", status=status)
    assert (found.ok, found.finding) == (False, "http.status")
    assert found.text == f"The call failed: the service failed with {said}."


def test_long_answers_are_cut_and_say_so() -> None:
    for body in ("x" * 9000, json.dumps(["x"] * 9000)):
        found = read(body, "application/json").text
        assert len(found) == MAX_TEXT_CHARS
        assert found.endswith(CUT_NOTE)
    assert read('{"a": 1', "application/json", cut=True).text == '{"a": 1' + CUT_NOTE
    assert shorten("abc", 3) == "abc"


def test_secrets_are_blacked_out_before_anything_is_cut() -> None:
    assert read('{"key": "sk-123456"}', "application/json").text == '{"key":"[secret]"}'
    body = "x" * (MAX_TEXT_CHARS - len(CUT_NOTE) - 4) + "sk-123456" + "y" * 100
    assert "sk-" not in read(body, "text/plain").text
    body = "x" * (MAX_COMPLAINT_CHARS - 4) + "sk-123456"
    assert "sk-" not in read(body, "text/plain", status=400).text


class TestHtml:
    def test_the_words_of_a_page(self) -> None:
        page = """<!doctype html><html><head><title>T</title><style>p{}</style></head><body>
        <script>evil("<p>")</script><!-- no --><h1>Opening&nbsp;hours</h1>
        <ul><li>Mo &amp; Tu<li>9&ndash;17</ul><svg><text>x</text></svg> end</body></html>"""
        assert strip_html(page) == "Opening hours\nMo & Tu\n9–17\nend"

    def test_a_head_nobody_closed(self) -> None:
        assert strip_html("<head><title>T<body><p>Words") == "Words"

    def test_a_page_without_tags(self) -> None:
        assert strip_html("just words & more") == "just words & more"

    @pytest.mark.parametrize(
        "piece", ["<", "<!--", "<a ", "&", "<![CDATA[", "</", "<script>", "<p>"]
    )
    def test_hostile_pages_take_no_time(self, piece: str) -> None:
        strip_html(piece * (131_072 // len(piece)))


def test_deep_json_is_told_as_it_is() -> None:
    assert compact("[" * 100_000).startswith("[[[")


@given(st.binary(max_size=200), st.sampled_from(["", "application/json", "text/html", "text/x"]))
def test_whatever_comes_is_told(body: bytes, kind: str) -> None:
    found = read(body, kind)
    assert found.text
    found.text.encode()
    assert len(found.text) <= MAX_TEXT_CHARS


@given(st.text(max_size=300))
def test_any_page_is_stripped(page: str) -> None:
    assert "\x00" not in strip_html(page)
