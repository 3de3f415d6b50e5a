"""Markup, code and emoji leave no trace in what is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.tts.markup import drop_signs, join_lines, strip_markup


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("# Hello *there*", "Hello there"),
        ("## Hours ##\nWe open.", "Hours. We open."),
        ("- **Bold** item\n- [x] second item", "Bold item. second item"),
        ("***both*** and __this__ and _that_", "both and this and that"),
        ("~~struck~~ out", "struck out"),
        ("1) first\n2) second", "1. first. 2. second"),
        ("> quoted\n>> twice", "quoted. twice"),
        ("| Day | Hours |\n|:---|---:|\n| Monday | late |", "Day, Hours. Monday, late"),
        ("Day | Hours\n---|---\nMonday | late", "Day, Hours. Monday, late"),
        ("one\n\n---\n\ntwo", "one. two"),
        ("Title\n=====\ntext", "Title. text"),
        ("Title:\ntext", "Title: text"),
        ("***", ""),
        ("* * *", ""),
        ("```py\nprint(x)\n```", ""),
        ("Like so: ```x = y``` done", "Like so: done"),
        ("cut off ```x = y", "cut off"),
        ("~~~\ncode\n~~~\ntext", "text"),
        ("run `make test` now", "run make test now"),
        ("see [our site](https://example.com/a_(b)) now", "see our site now"),
        ('see [our site](https://example.com "title").', "see our site."),
        ("![the logo](logo.png)", "the logo"),
        ("as [they say][one][^2].", "as they say."),
        ("it is so[3].", "it is so."),
        ("half a link](https://x.y/z) here", "half a link here"),
        ("[read](/ɹˈɛd/) it", "read it"),
        ("<b>Hi</b><br>there <!-- not this -->", "Hi. there"),
        ('<speak>Hello <break time="500ms"/> there</speak>', "Hello, there"),
        ('<sub alias="as soon as possible">ASAP</sub>', "as soon as possible"),
        ("Tom &amp; Jerry, Tom &amp;amp; Jerry", "Tom Jerry, Tom Jerry"),
        ("Great! 🎉👍🏽", "Great!"),
        ("☀️ Sunny 🇫🇷", "Sunny"),
        ("👨‍👩‍👧 :smile: :) ;-) <3", ""),
        ("👍", ""),
        ("[laughs] well, [pause] yes", "well, yes"),
        ("©Sayso™ ®", "Sayso"),
        ("left**over `marks", "leftover marks"),
        ("so () it goes , well", "so it goes, well"),
        ("  , and so on", "and so on"),
        ("...", "..."),
        ("你好！", "你好！"),
        ("می‌خواهم", "می‌خواهم"),
        ("it's Tom's \"quote\" 'single' (aside)", "it's Tom's \"quote\" 'single' (aside)"),
    ],
)
def test_markup_goes_and_words_stay(written: str, left: str) -> None:
    assert drop_signs(strip_markup(written)) == left


def test_formulas_become_signs() -> None:
    assert strip_markup(r"\[ a \times \frac{1}{2} \leq \sqrt{\text{b}} \unknown \]").split() == (
        "a × 1/2 ≤ √b unknown".split()
    )
    assert strip_markup(r"$x^2$ costs $5 or $6") == "x^2 costs $5 or $6"
    assert strip_markup("2**3 * 4") == "2^3 × 4"


def test_lines_end_like_sentences() -> None:
    assert join_lines("one\n\n  two!\n***\nthree:\nfour") == "one. two! three: four"


def test_some_signs_may_be_spared() -> None:
    assert drop_signs("5 € + ♥ 3 %", spare="€%") == "5 € 3 %"


@given(st.text(alphabet="abc*_`#~ \n-|[]()>{}<\\$", max_size=60))
def test_no_markup_is_left(text: str) -> None:
    assert not set("*`~^|[]_#{}<>\\$\n") & set(drop_signs(strip_markup(text)))


@given(st.text(max_size=60))
def test_any_text_can_be_stripped(text: str) -> None:
    left = drop_signs(strip_markup(text))
    assert left == left.strip()
    assert "  " not in left
