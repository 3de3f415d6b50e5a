"""Which page a request comes from."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.accounts.origins import ORIGIN_PATTERN, address_of, is_ours, origin_of, read_origin

URL = "https://talk.example.com/sayso"


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://shop.example", "https://shop.example"),
        ("HTTPS://Shop.Example:443/", "https://shop.example"),
        ("http://shop.example:80", "http://shop.example"),
        ("http://localhost:8400", "http://localhost:8400"),
        ("https://shop.example:80", "https://shop.example:80"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("https://xn--mller-kva.example", "https://xn--mller-kva.example"),
    ],
)
def test_an_origin_is_read_as_a_browser_writes_it(text: str, origin: str) -> None:
    assert read_origin(text) == origin
    assert re.match(ORIGIN_PATTERN, text) or text.startswith("HTTPS")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "*",
        "shop.example",
        "ftp://shop.example",
        "https://shop.example/page",
        "https://shop.example?x",
        "https://user@shop.example",
        "https://müller.example",
        "https://shop.example\n",
        "https://*.example",
        "https://shop.example//",
    ],
)
def test_what_is_no_origin_is_none(text: str) -> None:
    assert read_origin(text) is None


@given(st.from_regex(ORIGIN_PATTERN, fullmatch=True))
def test_what_the_document_allows_is_an_origin(text: str) -> None:
    origin = read_origin(text)
    assert origin is not None
    assert read_origin(origin) == origin


@given(st.text())
def test_anything_can_be_asked(text: str) -> None:
    assert read_origin(text) is None or text.lower().startswith("http")
    assert is_ours(text, text, "") in {True, False}
    assert address_of(text, text, 1)


@pytest.mark.parametrize(
    ("origin", "host", "ours"),
    [
        ("https://talk.example.com", None, True),
        ("https://talk.example.com", "127.0.0.1:8400", True),
        ("http://talk.example.com", "127.0.0.1:8400", False),
        ("http://127.0.0.1:8400", "127.0.0.1:8400", True),
        ("https://lan.example", "lan.example", True),
        ("https://lan.example", "lan.example:443", True),
        ("http://127.0.0.1:3000", "127.0.0.1:8400", False),
        ("https://evil.example", "talk.example.com", False),
        ("https://talk.example.com.evil.example", "talk.example.com", False),
        ("null", None, False),
    ],
)
def test_our_pages_are_those_of_our_url_and_of_the_name_we_were_called_by(
    origin: str, host: str | None, ours: bool
) -> None:
    assert is_ours(origin, host, URL) is ours


def test_a_server_without_a_url_has_pages_by_its_name_only() -> None:
    assert origin_of("") is None
    assert not is_ours("null", None, "")
    assert is_ours("http://here", "here", "")


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "address"),
    [
        ("10.0.0.1", None, 0, "10.0.0.1"),
        ("10.0.0.1", "6.6.6.6", 0, "10.0.0.1"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4", 1, "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2", 2, "1.2.3.4"),
        ("10.0.0.1", "1.2.3.4", 2, "10.0.0.1"),
        ("10.0.0.1", "unknown", 1, "10.0.0.1"),
        ("10.0.0.1", "", 1, "10.0.0.1"),
        ("2001:db8::17", None, 0, "2001:0db8:0000:0000::/64"),
        ("2001:db8::18:1", None, 0, "2001:0db8:0000:0000::/64"),
        ("::ffff:1.2.3.4", None, 0, "1.2.3.4"),
        (None, None, 0, "unknown"),
    ],
)
def test_whose_attempts_count_together(
    peer: str | None, forwarded: str | None, proxies: int, address: str
) -> None:
    assert address_of(peer, forwarded, proxies) == address
