"""Markdown without its marks, under its headings."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from papers import read_bytes, texts
from sayso.knowledge.formats.markdown import pages_of_markdown, read_markdown, unmark

TEXT = """\
---
title: dropped
---
<!-- dropped,
too -->
Before
all.

# Boats #

We have *two*
boats.

## Anna

- seats **four**
- [ ] has a [roof](https://example.com "x")
  that folds
1. first

> Quoted,
> too.

Otto
----

| Seat | Price |
|------|:-----:|
| front | 12 |
| back \\| side | 9 |

```python
# no heading
row()
```

***

Big
===
[link]: https://example.com
The end.
"""


def test_a_whole_document() -> None:
    assert texts(read_bytes(read_markdown, TEXT.replace("\n", "\r\n").encode())) == [
        ("", "Before all."),
        ("Boats", "We have two boats."),
        ("Boats › Anna", "- seats four\n- has a roof that folds\n- first\nQuoted, too."),
        (
            "Boats › Otto",
            "Seat: front; Price: 12\nSeat: back | side; Price: 9\n# no heading\nrow()",
        ),
        ("Big", "The end."),
    ]


@pytest.mark.parametrize(
    ("line", "bare"),
    [
        ("a **b** _c_ `d*e*` ~~f~~", "a b c d*e* f"),
        ("snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"),
        ("![logo](x.png) and [a][1] <https://x.y>", "logo and a https://x.y"),
        (r"\*not\* &amp; <b>bold</b>", "*not* & bold"),
    ],
)
def test_marks_come_off(line: str, bare: str) -> None:
    assert unmark(line) == bare


def test_text_without_marks_is_itself() -> None:
    assert texts(list(pages_of_markdown("We open at nine.\n\nWe close at five."))) == [
        ("", "We open at nine.\nWe close at five.")
    ]


def test_what_never_ends_is_text() -> None:
    assert texts(list(pages_of_markdown("a <!-- b\n\n```\nc"))) == [("", "a <!-- b\nc")]
    assert texts(list(pages_of_markdown("---\nno: end"))) == [("", "no: end")]


@settings(deadline=None)
@given(st.text("ab #-=|`*_[]()<>!\n\\.:1 ", max_size=200))
def test_nothing_fails_and_no_word_is_lost(text: str) -> None:
    pages = list(pages_of_markdown(text))
    assert all(page.text.strip() for page in pages)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["# one", "two", "", "- three", "four five", "## six"]), max_size=12)
)
def test_every_word_is_somewhere(lines: list[str]) -> None:
    pages = list(pages_of_markdown("\n".join(lines)))
    said = " ".join(f"{page.title} {page.text}" for page in pages)
    for word in "\n".join(lines).replace("#", "").replace("-", "").split():
        assert word in said
