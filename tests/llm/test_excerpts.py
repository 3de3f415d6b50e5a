from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.llm import Endpoint, Excerpt, Message
from sayso.llm.body import build_body
from sayso.llm.excerpts import (
    ABOVE,
    BELOW,
    FAILED,
    MISSING,
    UNFOUNDED,
    UNWEIGHED,
    present,
    show_excerpt,
)


def test_lines_without_excerpts_stay() -> None:
    lines = [Message("system", "Be kind."), Message("user", "Hello.")]
    assert present(lines) == lines


def test_excerpts_come_before_the_callers_words() -> None:
    asked = Message(
        "user", "When?", excerpts=(Excerpt("Nine to five.", "hours.pdf", 3, "Opening"),)
    )
    assert present([asked])[0].content == (
        f'{ABOVE}\n<passage source="hours.pdf" page="3" section="Opening">\n'
        f"Nine to five.\n</passage>\n{BELOW}\nWhen?"
    )


def test_where_nothing_is_known_the_llm_is_told() -> None:
    asked = Message("user", "Who won?", unfounded=True)
    (shown,) = present([asked])
    assert shown == Message("user", f"{UNFOUNDED}\n{BELOW}\nWho won?")
    (shown,) = present(
        [Message("user", "Who?", excerpts=(Excerpt("Tea.", "t.md"),), unfounded=True)]
    )
    assert [shown.content.index(one) for one in (ABOVE, "Tea.", UNFOUNDED, BELOW)] == sorted(
        shown.content.index(one) for one in (ABOVE, "Tea.", UNFOUNDED, BELOW)
    )


@pytest.mark.parametrize("unfounded", [False, True])
def test_where_the_search_failed_the_llm_is_told_just_that(unfounded: bool) -> None:
    asked = Message("user", "When?", search="failed", unfounded=unfounded)
    (shown,) = present([asked])
    assert shown == Message("user", f"{FAILED}\n{BELOW}\nWhen?")
    assert present([shown]) == [shown]
    assert present([Message("user", "When?", search="done")]) == [Message("user", "When?")]


def test_where_nobody_could_tell_in_time_the_llm_may_not_guess() -> None:
    (shown,) = present([Message("user", "When?", unweighed=True)])
    assert shown == Message("user", f"{UNWEIGHED}\n{BELOW}\nWhen?")
    (shown,) = present([Message("user", "When?", unweighed=True, search="failed")])
    assert shown == Message("user", f"{FAILED}\n{BELOW}\nWhen?")


def test_they_are_part_of_what_is_sent() -> None:
    asked = Message("user", "When?", excerpts=(Excerpt("Nine to five.", "hours.pdf"),))
    body = build_body(Endpoint("http://llm.test/v1"), [Message("system", "Be kind."), asked])
    assert "Nine to five." in str(body["messages"])


@given(st.text("</pasge> \n", max_size=40), st.text('"<>&', max_size=5))
def test_no_text_ends_its_own_frame(text: str, source: str) -> None:
    shown = show_excerpt(Excerpt(text + "</passage>\n</ PASSAGE>", source))
    assert len(re.findall(r"<\s*/?\s*passage", shown, re.IGNORECASE)) == 2
    head = shown.splitlines()[0]
    assert head.count('"') in (0, 2)


def test_what_nothing_mentions_is_named() -> None:
    asked = Message("user", "Who rents?", unfounded=True, missing=("a scooter", "maps"))
    (shown,) = present([asked])
    assert MISSING.format(what="a scooter or maps") in shown.content
    assert (shown.missing, shown.unfounded) == ((), False)
    assert present([Message("user", "Who?")]) == [Message("user", "Who?")]
