from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.knowledge.robots import (
    EVERYTHING,
    MAX_DELAY_S,
    MAX_RULES,
    Rule,
    _fits,
    parse_robots,
)

TEXT = """\ufeff# a comment
User-agent: other
Disallow: /

User-Agent: *
Disallow: /private   # not for robots
Allow: /private/open
Disallow: /*.pdf$
Disallow: /search*q=
Disallow:
Crawl-delay: 2

Sitemap: https://example.com/sitemap.xml
"""


@pytest.mark.parametrize(
    ("path", "may"),
    [
        ("/", True),
        ("/private", False),
        ("/private/x", False),
        ("/privateer", False),
        ("/private/open/x", True),
        ("/x.pdf", False),
        ("/x.pdf?y", True),
        ("/search?page=1&q=x", False),
        ("/search?page=1", True),
        ("/%70rivate", False),
    ],
)
def test_the_longest_rule_that_fits_decides(path: str, may: bool) -> None:
    assert parse_robots(TEXT).allow(path) is may


def test_a_group_that_names_us_is_the_only_one_for_us() -> None:
    text = "User-agent: *\nDisallow: /\n\nUser-agent: other\nUser-agent: Sayso/1.0\nDisallow: /x"
    robots = parse_robots(text)
    assert (robots.allow("/y"), robots.allow("/x")) == (True, False)


def test_groups_of_the_same_name_are_one() -> None:
    robots = parse_robots("User-agent: sayso\nDisallow: /a\nUser-agent: sayso\nDisallow: /b")
    assert [robots.allow(path) for path in ("/a", "/b", "/c")] == [False, False, True]


def test_of_two_equal_rules_the_kind_one_holds() -> None:
    assert parse_robots("User-agent: *\nDisallow: /a\nAllow: /a").allow("/a")


@pytest.mark.parametrize("text", ["", "Disallow: /", "<html>No such page</html>", "User-agent: *"])
def test_what_says_nothing_allows_all(text: str) -> None:
    assert parse_robots(text).allow("/x")


def test_the_pause_is_limited() -> None:
    assert parse_robots(TEXT).delay_s == 2.0
    assert parse_robots("User-agent: *\nCrawl-delay: 3600").delay_s == MAX_DELAY_S
    assert parse_robots("User-agent: *\nCrawl-delay: nan").delay_s == 0.0


def test_no_rules_allow_everything() -> None:
    assert EVERYTHING.allow("/x")


def test_a_dollar_ends_and_a_star_is_anything() -> None:
    assert _fits("/a$", "/a")
    assert not _fits("/a$", "/ab")
    assert _fits("/a*b*c$", "/a-b-b-c-c")
    assert not _fits("/a*bc*c$", "/abc")
    assert _fits("*", "/x")


@given(st.text("ab*$/", max_size=8).map("/".__add__), st.text("ab/", max_size=12).map("/".__add__))
def test_patterns_mean_what_a_regular_expression_would(pattern: str, path: str) -> None:
    import re

    body = pattern.removesuffix("$")
    meant = ".*".join(map(re.escape, body.split("*"))) + ("$" if pattern.endswith("$") else "")
    assert _fits(pattern, path) is (re.match(meant, path) is not None)


def test_hostile_files_are_limited() -> None:
    text = "User-agent: *\n" + "Disallow: /*a*a*a*a*a*a*a*b\n" * 20_000
    robots = parse_robots(text)
    assert len(robots.rules) <= MAX_RULES
    began = time.process_time()
    assert robots.allow("/" + "a" * 2000)
    assert time.process_time() - began < 5
    assert (
        Rule("/*" + "*" * 30, allows=False)
        not in parse_robots("User-agent: *\nDisallow: /*" + "*" * 30).rules
    )
