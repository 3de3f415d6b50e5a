from __future__ import annotations

import pytest

from sayso.errors import Blame, LlmError
from sayso.llm.catalogue import Severity
from sayso.llm.findings import (
    MAX_EVIDENCE_CHARS,
    MAX_QUOTED_CHARS,
    Finding,
    FindingError,
    Scene,
    blame_for,
    quote,
    redact,
    round_s,
    show_url,
)

SCENE = Scene("https://llm.example.com/v1/chat/completions?key=sk-12345678", ("sk-12345678",))


def test_a_finding_names_the_call_and_quotes_the_answer() -> None:
    finding = SCENE.find("http.html", b"<!DOCTYPE html>\n<html>", status=200)
    assert finding == Finding(
        "http.html",
        Severity.ERROR,
        "POST https://llm.example.com/v1/chat/completions?… answered 200 with a web page, not with "
        "a chat completion. It said: <!DOCTYPE html> <html>",
        "<!DOCTYPE html> <html>",
        "Correct baseURL: this path belongs to a web site, not to the API.",
    )


def test_secrets_are_never_quoted() -> None:
    finding = SCENE.find(
        "stream.error_object", "bad key sk-12345678!", reason="key sk-12345678 is bad"
    )
    assert "sk-1234" not in str(finding)
    assert "sk-1234" not in repr(SCENE)
    assert finding.evidence == "bad key [secret]!"


def test_longer_secrets_go_first_and_short_ones_are_words() -> None:
    assert redact("abcdefgh abcd abc", ("abcd", "abcdefgh", "abc")) == "[secret] [secret] abc"


def test_evidence_is_short_and_printable() -> None:
    assert quote(b"a\x00b\xff\n\tc") == "a�b� c"
    long = quote("x" * 1000)
    assert len(long) == MAX_EVIDENCE_CHARS
    assert long.endswith("…")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p@h:8/v1?k=s#f", "https://h:8/v1?…"),
        ("http://h/v1/", "http://h/v1/"),
        ("http://[::1/v1", "the given URL"),
        ("nonsense", "nonsense"),
    ],
)
def test_urls_are_shown_without_secrets(url: str, shown: str) -> None:
    assert show_url(url) == shown


def test_of_a_long_answer_only_the_beginning_is_quoted_and_no_secret() -> None:
    for blanks in range(MAX_QUOTED_CHARS - 12, MAX_QUOTED_CHARS + 2):
        assert "sk-" not in quote(" " * blanks + "sk-12345678", ("sk-12345678",))
    assert len(quote("word " * 1_000_000)) <= MAX_EVIDENCE_CHARS


def test_a_finding_is_raised_as_an_llm_error() -> None:
    finding = SCENE.find("stream.empty")
    error = FindingError(finding)
    assert isinstance(error, LlmError)
    assert (error.finding, error.message, error.hint) == (
        "stream.empty",
        finding.message,
        finding.fix,
    )
    assert error.detail is finding
    assert error.blame is Blame.LLM


@pytest.mark.parametrize(
    ("code", "blame"),
    [
        ("outbound.refused", Blame.OPERATOR),
        ("auth.refused", Blame.OWNER),
        ("stream.tool_calls_only", Blame.LLM),
    ],
)
def test_who_must_act(code: str, blame: Blame) -> None:
    assert blame_for(code) is blame


@pytest.mark.parametrize(
    ("wait_s", "said"),
    [(11.999, 12.0), (7.43, 7.4), (20.0, 20.0), (0.2996, 0.3), (0.0, 0.0)],
)
def test_waits_are_said_as_people_say_them(wait_s: float, said: float) -> None:
    assert round_s(wait_s) == said
