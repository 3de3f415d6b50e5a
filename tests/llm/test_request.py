"""What goes out: URL, headers and bytes of one request."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from pydantic import SecretStr

from sayso.llm import Endpoint, Told
from sayso.llm.findings import FindingError
from sayso.llm.request import build_headers, join_url, list_secrets, make_request

KEY = "sk-very-secret-1234"


def refused(endpoint: Endpoint, body: Mapping[str, object] | None = None) -> str:
    """The finding that says why nothing can be sent."""
    with pytest.raises(FindingError) as failed:
        make_request(endpoint, Told(), body or {})
    assert KEY not in str(failed.value)
    return failed.value.finding


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://h", "https://h/chat/completions"),
        ("https://h/", "https://h/chat/completions"),
        ("http://h:8000/v1", "http://h:8000/v1/chat/completions"),
        ("http://h:8000/v1//", "http://h:8000/v1/chat/completions"),
        (" https://h/v4 \n", "https://h/v4/chat/completions"),
        ("https://h/d?api-version=1", "https://h/d/chat/completions?api-version=1"),
        ("https://h/v1#top", "https://h/v1/chat/completions"),
        ("http://[::1]:80/v1", "http://[::1]:80/v1/chat/completions"),
    ],
)
def test_the_path_goes_directly_below_the_base_url(base_url: str, url: str) -> None:
    assert join_url(base_url) == url


@pytest.mark.parametrize(
    ("base_url", "reason"),
    [
        ("", "begin with"),
        ("h/v1", "begin with"),
        ("ftp://h", "begin with"),
        ("file:///etc/passwd", "begin with"),
        ("http://", "names no host"),
        ("https:///v1", "names no host"),
        ("http://u:p@h", "user or a password"),
        ("http://h/a b", "blank"),
        ("http://h:99999/", "ort"),
        ("http://h:x/", "ort"),
        ("http://[::1/", "IPv6"),
    ],
)
def test_a_base_url_that_cannot_be_called(base_url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        join_url(base_url)


@pytest.mark.parametrize("key", [KEY, f" {KEY}\n", f"Bearer {KEY}", f"bearer  {KEY}"])
def test_the_key_is_sent_once_however_it_was_pasted(key: str) -> None:
    headers = build_headers(Endpoint("http://h", SecretStr(key)))
    assert headers["Authorization"] == f"Bearer {KEY}"


def test_no_key_no_authorization() -> None:
    assert "Authorization" not in build_headers(Endpoint("http://h"))
    assert "Authorization" not in build_headers(Endpoint("http://h", SecretStr(" ")))


def test_default_headers_win() -> None:
    given = {"authorization": "Basic x", "x-my-extra-key": "value", "accept": "*/*"}
    headers = build_headers(Endpoint("http://h", SecretStr(KEY), headers=given))
    assert headers == {
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
        **given,
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", "x"),
        ("a b", "x"),
        ("Authorization ", "x"),
        ("ä", "x"),
        ("Host", "x"),
        ("x", "a\r\nb: c"),
    ],
)
def test_headers_that_cannot_be_sent(name: str, value: str) -> None:
    assert refused(Endpoint("http://h", headers={name: value})) == "header.bad"


def test_a_key_that_cannot_be_sent() -> None:
    assert refused(Endpoint("http://h", SecretStr("sk-\r\nX: y"))) == "header.bad"


def test_a_url_that_cannot_be_called() -> None:
    assert refused(Endpoint("h")) == "url.bad"


def test_a_body_that_cannot_be_written() -> None:
    assert refused(Endpoint("http://h"), {"x": object()}) == "body.bad"


def test_a_request_shows_nothing_secret() -> None:
    endpoint = Endpoint("http://h/v1?k=q-secret", SecretStr(KEY), query={"v": "other-secret"})
    request = make_request(endpoint, Told(), {"model": "m"})
    assert request.url == "http://h/v1/chat/completions?k=q-secret&v=other-secret"
    assert request.shown == "http://h/v1/chat/completions?…"
    assert request.body == b'{"model":"m"}'
    assert set(request.secrets) == {KEY, "q-secret", "other-secret"}


def test_a_key_pasted_bare_is_secret() -> None:
    assert list_secrets(Endpoint("https://h/v1?sk-bare-key&v=2&w=")) == ("sk-bare-key", "2")


def test_an_endpoint_shows_nothing_secret() -> None:
    shown = repr(
        Endpoint("http://h?k=aaa", SecretStr("bbb"), headers={"x": "ccc"}, query={"y": "ddd"})
    )
    assert not [secret for secret in ("aaa", "bbb", "ccc", "ddd") if secret in shown]


def test_variables_are_filled_in() -> None:
    endpoint = Endpoint(
        "http://h", headers={"x-agent": "{{agentId}}"}, query={"c": "{{conversationId}}"}
    )
    request = make_request(endpoint, Told("c-1", "a-1"), {})
    assert request.headers["x-agent"] == "a-1"
    assert request.url.endswith("?c=c-1")


def test_everything_secret_is_known() -> None:
    endpoint = Endpoint(
        "https://h/v1?key=q-secret&v=", SecretStr(KEY), headers={"x": "Bearer h-secret"}
    )
    assert set(list_secrets(endpoint)) == {KEY, "Bearer h-secret", "q-secret", "h-secret"}


def test_what_is_named_as_no_secret_may_be_quoted() -> None:
    headers = {"Accept-Language": "en-GB", "X-Key": "h-secret"}
    query = {"api-version": "2024-05-01", "k": "q-secret"}
    endpoint = Endpoint("https://h/v1?version=2024&s=u-secret", headers=headers, query=query)
    assert set(list_secrets(endpoint)) == {"h-secret", "u-secret", "q-secret"}
