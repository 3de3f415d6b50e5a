"""Passages are short, whole, in order, and nothing is lost between them."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.knowledge.passages import Page
from sayso.knowledge.split import (
    MAX_WORDS,
    OVERLAP_WORDS,
    SHORT_WORDS,
    split,
    split_sentences,
    weigh,
)

WORDS = st.sampled_from("the river guide rows a long boat under seven bridges by night".split())
SENTENCES = st.lists(WORDS, min_size=1, max_size=30).map(
    lambda words: " ".join(words).capitalize() + "."
)
LINES = st.lists(SENTENCES, min_size=1, max_size=12).map(" ".join)
TEXTS = st.lists(LINES, max_size=12).map("\n".join)
ANY = st.text(
    st.sampled_from("ab .,!?\n\t-—;:()'\"0日本語。、สวั\u0301é🙂") | st.characters(), max_size=400
)


def of(text: str, max_words: int = MAX_WORDS) -> list[str]:
    return [page.text for page in split([Page(text)], max_words)]


def without_repeats(passages: list[str], text: str) -> str:
    """The passages sewn together, each repeated sentence once."""
    whole, at = "".join(text.split()), 0
    for passage in passages:
        bare = "".join(passage.split())
        start = whole.rfind(bare, 0, at + len(bare))
        assert start >= 0, "not a stretch of the text"
        assert start <= at, "something was lost"
        at = max(at, start + len(bare))
    return whole[:at]


@settings(deadline=None)
@given(TEXTS)
def test_nothing_is_lost_and_all_is_in_order(text: str) -> None:
    assert without_repeats(of(text), text) == "".join(text.split())


@settings(deadline=None)
@given(ANY, st.integers(1, 20))
def test_whatever_is_written_no_character_is_lost(text: str, most: int) -> None:
    assert without_repeats(of(text, most), text) == "".join(text.split())


@settings(deadline=None)
@given(ANY, st.integers(1, 20))
def test_no_passage_is_longer_than_it_may_be(text: str, most: int) -> None:
    assert all(0 < weigh(passage) <= 2 * most for passage in of(text, most))


@settings(deadline=None)
@given(TEXTS)
def test_no_sentence_is_cut(text: str) -> None:
    sentences = {s for line in text.split("\n") for s in re.findall(r"[^.]+\.", line)}
    for passage in of(text):
        for sentence in re.findall(r"[^.\n]+\.", passage):
            assert sentence.strip() in {s.strip() for s in sentences}
        assert not passage or passage.endswith(".")


@settings(deadline=None)
@given(TEXTS)
def test_a_line_that_fits_is_whole(text: str) -> None:
    for line in text.split("\n"):
        if line and weigh(line) <= 2 * MAX_WORDS:
            assert any(line in passage.split("\n") for passage in of(text))


@settings(deadline=None)
@given(ANY)
def test_what_was_split_stays_as_it_is(text: str) -> None:
    once = split([Page(text)])
    assert split(once) == once


@settings(deadline=None)
@given(st.lists(TEXTS, max_size=5))
def test_a_passage_stays_on_its_page(pages: list[str]) -> None:
    given_pages = [Page(text, n, f"title {n}", "u") for n, text in enumerate(pages, start=1)]
    passages = split(given_pages)
    alone = [passage for page in given_pages for passage in split([page])]
    assert passages == alone
    assert [page.number for page in passages] == sorted(page.number or 0 for page in passages)
    assert all(page.title == f"title {page.number}" and page.url == "u" for page in passages)


def test_passages_are_of_about_the_same_length() -> None:
    sentence = "The river guide rows a long boat under seven bridges by night. "
    lengths = [weigh(passage) // 2 for passage in of(sentence * 40)]
    assert all(60 <= length <= MAX_WORDS for length in lengths), lengths


def test_a_short_sentence_is_said_again_where_a_paragraph_is_cut() -> None:
    passages = of(" ".join(f"Number {n} is a sentence of some nine words." for n in range(40)))
    for one, two in pairwise(passages):
        last = re.findall(r"Number[^.]+\.", one)[-1]
        assert two.startswith(last)
        assert weigh(last) <= 2 * OVERLAP_WORDS


def test_lines_are_not_said_again() -> None:
    rows = [f"Name: item {n}; Price: {n} euros and a few cents" for n in range(60)]
    passages = of("\n".join(rows))
    assert [row for passage in passages for row in passage.split("\n")] == rows


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Smith saw e.g. Mr. Jones at No. 7 on St. James Street.",
        "It costs 3.50 euros, i.e. less than before.",
        "The U.S. Senate met. It was late.",
        "Wait... what did she say?",
        "J. R. Tolkien wrote it.",
    ],
)
def test_a_full_stop_is_not_always_an_end(text: str) -> None:
    """With room for the sentence and no more, it is not cut at the stop within it."""
    most = -(-max(weigh(s) for s in re.split(r"(?<=met\.) ", text)) // 2)
    assert " ".join(of(text, most)).replace("\n", " ") == text
    assert len(of(text, most)) == text.count("met.") + 1


def test_a_sentence_longer_than_a_passage_is_cut_after_a_clause() -> None:
    clause = "and the boat went on under the bridges until the morning came, "
    passages = of("So " + clause * 30 + "and that was all.")
    assert len(passages) > 2
    assert all(passage.endswith(",") for passage in passages[:-1])


def test_scripts_without_spaces_are_cut_between_sentences() -> None:
    passages = of("これは川の案内書です。" * 100)
    assert len(passages) > 4
    assert all(passage.endswith("。") for passage in passages)
    assert all(len(passage) <= 2 * MAX_WORDS for passage in passages)


def test_thai_without_any_stop_is_cut_between_characters() -> None:
    passages = of("สวัสดี" * 300)
    assert "".join(passages) == "สวัสดี" * 300


def test_a_word_without_an_end_is_cut() -> None:
    passages = of("x" * 100_000)
    assert "".join(passages) == "x" * 100_000
    assert all(weigh(passage) <= 2 * MAX_WORDS for passage in passages)


@pytest.mark.parametrize("text", ["", " \n\t\n ", "\n"])
def test_no_words_give_no_passage(text: str) -> None:
    assert split([Page(text)]) == []


@pytest.mark.parametrize(
    ("text", "half"),
    [
        ("", 0),
        ("two words", 4),
        ("don't.", 3),
        ("f(x)", 6),
        ("a" * 8, 2),
        ("a" * 9, 3),
        ("1234", 2),
        ("12345", 3),
        ("日本語", 3),
        ("日本語ok。", 6),
        ("étéétéété", 3),
        ("Лодка", 5),
        ("я", 1),
        ("배는", 3),
        ("é", 2),
        ("—", 1),
    ],
)
def test_length_is_counted_in_half_words(text: str, half: int) -> None:
    assert weigh(text) == half


LONG = "A city bicycle with seven gears costs 14 euros a day or 60 euros a week."
OTHER = "Lock and lights are included, and so is a map of the town."


def test_each_sentence_stands_under_its_innermost_heading() -> None:
    assert split_sentences("Renting › Prices", f"{LONG} {OTHER}") == [
        f"Prices: {LONG}",
        f"Prices: {OTHER}",
    ]
    assert split_sentences("", f"{LONG}\n{OTHER}") == [LONG, OTHER]


@pytest.mark.parametrize("text", ["", LONG, f"{LONG} Yes.", "Yes. No."])
def test_what_is_one_sentence_is_not_told_apart(text: str) -> None:
    assert split_sentences("Prices", text) == []


def test_short_sentences_go_with_their_neighbours() -> None:
    assert split_sentences("", f"Yes. {LONG} No. {OTHER} Maybe.") == [
        f"Yes. {LONG}",
        f"No. {OTHER} Maybe.",
    ]


@given(TEXTS | ANY)
def test_sentences_hold_all_of_a_text_and_none_is_short(text: str) -> None:
    sentences = split_sentences("", text)
    if sentences:
        assert "".join("".join(sentences).split()) == "".join(text.split())
        assert all(weigh(one) >= SHORT_WORDS * 2 for one in sentences)
