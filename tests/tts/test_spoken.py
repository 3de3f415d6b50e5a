"""What is written for the eye, as it is said; and what holds for any text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.tts.markup import SILENT
from sayso.tts.spoken import MOST_CHARS, is_plain, speakable, value_of


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("# Hello *there*", "Hello there"),
        ("Rock & roll @ noon, AT&T, Q&A", "Rock and roll at noon, AT and T, Q and A"),
        (
            "Dr. Smith lives on Main St. near St. Mary's, approx. 2 mi. away.",
            ("Doctor Smith lives on Main Street near Saint Mary's, approximately two miles away."),
        ),
        ("No. 10 Downing St.", "Number ten Downing Street"),
        ("No. I mean it", "No. I mean it"),
        ("E.g. this, i.e. that, etc.", "for example, this, that is, that, et cetera."),
        ("tea vs. milk and/or juice", "tea versus milk and or juice"),
        (
            "R&D costs more w/o a plan, w/ one it's n/a",
            "R and D costs more without a plan, with one it's not available",
        ),
        ("C# and F# and C++", "C sharp and F sharp and C plus plus"),
        ("@john said so", "at john said so"),
        ("Section § 5, see p. 7 and fig. 2", "Section five, see page seven and figure two"),
        (
            "World War II, Chapter IV, Act I and Henry VIII",
            "World War two, Chapter four, Act one and Henry the eighth",
        ),
        (
            "Pope John Paul II and Louis XIV. I ruled.",
            "Pope John Paul the second and Louis the fourteenth. I ruled.",
        ),
        ("well -- ok--then", "well — ok — then"),
        ("It's 68°F", "It's sixty-eight degrees Fahrenheit"),
        ("Use x_1 and snake_case", "Use x one and snake case"),
        (
            "2+2=4, 5-3=2, 10/2=5, 3*3=9, 7 - 2 = 5",
            (
                "two plus two equals four, five minus three equals two, ten divided by two "
                "equals five, three times three equals nine, seven minus two equals five"
            ),
        ),
        ("f(x) = 2x + 1", "f(x) equals two x plus one"),
        ("E = mc²", "E equals mc squared"),
        (
            "10^6 and 2^-3 and 5³",
            "ten to the power of six and two to the power of minus three and five cubed",
        ),
        (
            "π ≈ 3.14, √9 and ∞",
            "pi about three point one four, the square root of nine and infinity",
        ),
        ("$x^2 + y^2 = z^2$", "x squared plus y squared equals z squared"),
        ("\\(x = \\frac{1}{2}\\) is it", "x equals one half is it"),
        (
            "5 > 3 and 2 < 4, a <= b, c >= d, x != y",
            (
                "five greater than three and two less than four, a is at most b, c is at "
                "least d, x is not equal to y"
            ),
        ),
        ("So x ≥ 9, i.e. x = ±3", "So x is at least nine, that is, x equals plus or minus three"),
        (
            "It costs >$5bn and <10%",
            "It costs more than five billion dollars and less than ten percent",
        ),
        (
            "10 x 20 cm, 1920x1080, 3x as fast, 4 × 5",
            (
                "ten by twenty centimeters, nineteen twenty by one thousand eighty, three "
                "times as fast, four times five"
            ),
        ),
        ("8 / 2 and 8 ÷ 2, a / b", "eight divided by two and eight divided by two, a over b"),
        (
            "1½ cups, ½ spoon, 2 1/2 cups, 3/4 of it, 1/2 tsp, 5½%",
            (
                "one and a half cups, one half spoon, two and a half cups, three quarters of "
                "it, one half teaspoon, five and a half percent"
            ),
        ),
        (
            "page 3/10, 8/10, 50/50, 9/11",
            "page three of ten, eight out of ten, fifty fifty, nine eleven",
        ),
        ("1st, 2nd, 3rd, 21st, 1,000th", "first, second, third, twenty-first, one thousandth"),
        (
            "Pages 10-12, from 2019–2023",
            "Pages ten to twelve, from twenty nineteen to twenty twenty-three",
        ),
        ("16:9 and 4:1", "sixteen to nine and four to one"),
        ("A 5-year-old with COVID-19", "A five-year-old with COVID nineteen"),
        ("-5 degrees and .5 more", "minus five degrees and zero point five more"),
        ("I have 3 cats. And 2.", "I have three cats. And two."),
        (
            "1,000,000 or 15000 or 0.5 or 1500 or 2005",
            (
                "one million or fifteen thousand or zero point five or fifteen hundred or "
                "two thousand five"
            ),
        ),
        ("H2O, B2B, 5G, 4K, MP3, x86", "H2O, B2B, 5G, 4K, MP3, x86"),
        ("A → B -> C", "A to B to C"),
        ("👍", ""),
        ("...", ""),
        ("", ""),
    ],
)
def test_what_is_said_for_what_is_written(written: str, spoken: str) -> None:
    assert speakable(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("**你好**，价格是 5元，50%。", "你好，价格是 5元，50%。"),
        ("السعر ٥٠ ريال 🎉", "السعر ٥٠ ريال"),
        ("कीमत ₹500 है", "कीमत ₹500 है"),
        ("ราคา 500 บาท", "ราคา 500 บาท"),
        ("Привет, [вот](https://x.y/z) 5 минут", "Привет, вот 5 минут"),
    ],
)
def test_another_script_keeps_its_numbers(written: str, spoken: str) -> None:
    assert speakable(written) == spoken


def test_another_language_keeps_its_numbers_and_loses_its_markup() -> None:
    text = "## Preis\n- **20 €** bis 31.12., siehe https://www.beispiel.de/a?b! 🎉"
    assert speakable(text, "german") == "Preis. 20 € bis 31.12., siehe beispiel.de!"
    assert speakable("20 € bis 3", "german", "on") == "twenty euros bis three"


def test_what_is_to_be_left_alone_is_left_alone() -> None:
    assert speakable("It's  $5,\n<break/> *now*", reading="off") == "It's $5, <break/> *now*"
    assert speakable("***", reading="off") == ""


def test_a_roman_numeral_has_a_value() -> None:
    assert [value_of(one) for one in ("I", "IV", "IX", "XIV", "XXX")] == [1, 4, 9, 14, 30]


def test_most_clauses_need_no_reading() -> None:
    assert is_plain("I am sorry, let's look into it; it's a well-known thing.")
    assert not is_plain("It is 5 now.")
    assert not is_plain("On Main St.")


PARTS = (
    "$ € 5 12 3.14 1,200 - – / : % * _ ` # | a B km GB pm May 2024 + = x ^ @ .com http:// <b> "
    "&amp; 1/2 ½ ² ( ) . , ' 0 00 ~ < > → [ ] k m 1st v1 ID AB12 's 🎉 Z T ° { } II"
).split()
BITS = st.one_of(
    st.text(max_size=6),
    st.sampled_from([*PARTS, "\\", " ", "\n", "No. ", "Dr. ", "St. "]),
)
TEXTS = st.lists(BITS, max_size=14).map("".join)


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_said_again_it_is_the_same(text: str) -> None:
    spoken = speakable(text)
    assert speakable(spoken) == spoken


@settings(max_examples=500, deadline=None)
@given(TEXTS, st.sampled_from(["english", "german"]))
def test_any_text_becomes_one_tidy_line_or_nothing(text: str, language: str) -> None:
    spoken = speakable(text, language)
    assert "\n" not in spoken
    assert "  " not in spoken
    assert spoken == spoken.strip()
    assert not spoken or any(character.isalnum() for character in spoken)


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_nothing_is_left_that_a_voice_would_read_as_a_sign(text: str) -> None:
    for character in speakable(text, reading="on"):
        silent = character in SILENT or unicodedata.category(character)[0] in "SC"
        assert not silent or character in "\u200c\u200d"


WORDS = st.text(st.characters(categories=["Ll", "Lo"]), min_size=3, max_size=9).filter(
    lambda word: word not in {"etc", "vol", "approx", "dept"}
)


@settings(deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=12), st.sampled_from([" ", ", ", "; ", "-", " — "]))
def test_no_letter_of_plain_prose_is_lost(words: list[str], between: str) -> None:
    said = speakable(between.join(words) + ".")
    assert "".join(filter(str.isalpha, said)) == "".join(filter(str.isalpha, "".join(words)))


@given(st.lists(st.sampled_from("It is a plain sentence, or two of them".split()), min_size=1))
def test_plain_words_are_left_alone(words: list[str]) -> None:
    text = " ".join(words)
    assert speakable(text) == text


@pytest.mark.parametrize(
    "mark",
    "* [ a. 1- ` _ <a +1 https:// a@ | 1, 1. A1- ( x^ 1/2 &amp; 1: :a 1x ~ ' v1. $ =".split(),
)
def test_a_hostile_text_takes_no_time(mark: str) -> None:
    speakable(mark * (MOST_CHARS // len(mark)))


def test_what_is_endless_is_cut() -> None:
    assert len(speakable("word " * MOST_CHARS)) <= MOST_CHARS
