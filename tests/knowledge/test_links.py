from __future__ import annotations

import time
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.knowledge.links import (
    MAX_LINKS,
    LinkFinder,
    Links,
    is_variant,
    may_be_page,
    normalise,
    origin_of,
    path_of,
    windows,
    without_tags,
)

HERE = "https://example.com/a/b"


@pytest.mark.parametrize(
    ("href", "meant"),
    [
        ("c", "https://example.com/a/c"),
        ("/c?x=1#part", "https://example.com/c?x=1"),
        ("HTTPS://EXAMPLE.com:443", "https://example.com/"),
        ("https://example.com:8443/", "https://example.com:8443/"),
        ("http://example.com:80/x", "http://example.com/x"),
        ("//other.org/x", "https://other.org/x"),
        ("../../../../x", "https://example.com/x"),
        ("https://example.com/a/./b/../c/", "https://example.com/a/c/"),
        ("https://example.com/a/..", "https://example.com/"),
        ("/é und ü", "https://example.com/%C3%A9%20und%20%C3%BC"),
        ("/a%20b", "https://example.com/a%20b"),
        ("?utm_source=x&page=2&fbclid=y", "https://example.com/a/b?page=2"),
        ("?q=ü", "https://example.com/a/b?q=%C3%BC"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        (" /x\n", "https://example.com/x"),
        ("mailto:a@b.c", None),
        ("javascript:void(0)", None),
        ("ftp://example.com/", None),
        ("https://user:secret@example.com/", None),
        ("https://", HERE),
        ("https://[::1/", None),
        ("https://example.com:99999/", None),
        ("/" + "x" * 3000, None),
    ],
)
def test_an_address_has_one_spelling(href: str, meant: str | None) -> None:
    assert normalise(href, HERE) == meant


@given(st.text(max_size=60))
def test_a_normal_address_stays_as_it_is(href: str) -> None:
    once = normalise(href, HERE)
    if once is not None:
        assert normalise(once) == once
        assert urlsplit(once).fragment == ""
        assert "/../" not in once.partition("?")[0]
        assert origin_of(once) + path_of(once) == once


def find(html: str, size: int = 65_536) -> Links:
    finder = LinkFinder(HERE)
    for window in windows(html, size):
        finder.feed(window)
    return finder.finish()


def test_links_are_found_once_in_order() -> None:
    html = """<A class=x HREF="/one">1</A> <a href='/two?a=1&amp;b=2'>2</a><a href=/three>3</a>
      <a href="/one#again">1</a> <a href="#top">top</a> <a href="">none</a> <a name="x">x</a>
      <area href="/four"> <abbr href="/no"> <a data-href="/no">no</a> <a rel="nofollow" href="/no">
      <a href="/film.mp4">film</a> <a href="/prices.PDF">prices</a>"""
    assert find(html).leads_to == tuple(
        f"https://example.com/{end}" for end in ("one", "two?a=1&b=2", "three", "four")
    )


def test_a_base_holds_for_what_follows() -> None:
    found = find('<base href="/docs/"><a href="x">x</a><base href="https://["><a href="y">y</a>')
    assert found.leads_to == ("https://example.com/docs/x", "https://example.com/docs/y")


def test_a_pages_own_address_is_found() -> None:
    html = '<link rel="stylesheet" href="/s"><link href="/a/b?page=1" rel="next canonical">'
    assert find(html) == Links((), "https://example.com/a/b?page=1")


@pytest.mark.parametrize(
    ("canonical", "is_one"),
    [
        ("https://example.com/a/b?x=1", True),
        ("https://example.com/a/b/", True),
        ("https://example.com/", False),
        ("https://other.org/a/b", False),
        (HERE, False),
    ],
)
def test_only_another_query_makes_a_variant(canonical: str, is_one: bool) -> None:
    assert is_variant(canonical, HERE) is is_one


def test_the_number_of_links_is_limited() -> None:
    assert len(find("".join(f'<a href="/{n}">' for n in range(MAX_LINKS + 9))).leads_to) == (
        MAX_LINKS
    )


@given(st.text("<a href='\">/x", max_size=300), st.integers(1, 50))
def test_windows_are_the_text(text: str, size: int) -> None:
    assert "".join(windows(text, size)) == text


def test_windows_cut_no_link() -> None:
    html = "".join(f'<p>{"x" * n}</p><a href="/{n}">' for n in range(200))
    assert find(html, 256) == find(html)


@pytest.mark.parametrize(
    "bait",
    [
        "<a " * 300_000,
        "<a href=" * 100_000,
        ('<a href="' + "x" * 4000) * 200,
        ("<a " + 'href="' * 600) * 250,
        ("<a " + "href= " * 600 + ">") * 250,
        ("<a " + "\n" * 4000 + ">") * 250,
        "<" * 1_000_000,
    ],
)
def test_hostile_pages_take_no_longer_than_others(bait: str) -> None:
    began = time.process_time()
    find(bait)
    assert time.process_time() - began < 5


def test_two_pages_that_say_the_same_are_the_same() -> None:
    assert without_tags('<a href="/1">x</a> <b>y</b> 1 < 2') == without_tags("x y 1 < 2")


def test_what_ends_like_a_picture_is_no_page() -> None:
    assert may_be_page("https://example.com/x.html?file=y.png")
    assert not may_be_page("https://example.com/x.PNG?size=2")
