from __future__ import annotations

from collections import Counter
from math import log

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sayso.knowledge.keywords import (
    LENGTH_SHARE,
    SATURATION,
    SLICE,
    Keywords,
    build,
    cut_words,
)

TEXTS = (
    "The red car stands in the garage.",
    "The blue car is for sale; the price is 500.",
    "Part XJ-42 fits all red engines.",
    "Opening hours: nine to five.",
)
words = st.text("abc ", max_size=20)


def index(texts: list[str] | tuple[str, ...]) -> Keywords:
    *_, keywords = build(texts)
    assert keywords is not None
    return keywords


def score_slowly(texts: list[str], asked: str) -> list[float]:
    """BM25 as the book has it."""
    cut = [cut_words(text) for text in texts]
    mean = max(1.0, sum(map(len, cut)) / max(1, len(cut)))
    scores = []
    for text in cut:
        often = Counter(text)
        score = 0.0
        for word in dict.fromkeys(cut_words(asked)):
            has = sum(word in other for other in cut)
            if has:
                rarity = log(1 + (len(cut) - has + 0.5) / (has + 0.5))
                norm = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * len(text) / mean)
                score += rarity * often[word] * (SATURATION + 1) / (often[word] + norm)
        scores.append(score)
    return scores


def test_a_part_number_finds_its_text() -> None:
    assert index(TEXTS).score("Do you have an XJ42, sorry, XJ-42?").argmax() == 2


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    assert index(TEXTS).score("the sale").argmax() == 1


def test_nobody_fits_unknown_words() -> None:
    assert not index(TEXTS).score("zebra").any()
    assert not index(TEXTS).score("").any()


def test_no_texts() -> None:
    assert index(()).score("car").shape == (0,)


def test_plurals_are_one_word() -> None:
    assert cut_words("Cars glass bus HOURS") == ["car", "glass", "bus", "hour"]


def test_scripts_without_spaces_are_cut_into_pairs() -> None:
    assert cut_words("营业时间") == ["营业", "业时", "时间"]
    assert index(["我们的营业时间是九点", "停车场在后面"]).score("几点营业").argmax() == 0


def test_building_rests_between_slices() -> None:
    steps = list(build(["a b"] * (2 * SLICE)))
    assert steps[:2] == [None, None]
    assert isinstance(steps[-1], Keywords)


@given(st.lists(words, max_size=8), words)
def test_scores_are_those_of_the_book(texts: list[str], asked: str) -> None:
    scores = index(texts).score(asked)
    assert np.allclose(scores, score_slowly(texts, asked), rtol=1e-4, atol=1e-5)


def test_a_text_covers_what_it_has_of_a_question() -> None:
    keywords = index(TEXTS)
    whole, half = keywords.cover("part XJ-42")[2], keywords.cover("part XJ-42 zebra crossing")[2]
    assert 0.8 < whole <= 1.0
    assert half < 0.7 * whole
    assert not keywords.cover("").any()
    assert keywords.cover("the blue car")[0] < keywords.cover("the blue car")[1]


@given(st.lists(words, max_size=8), words)
def test_covering_is_a_share(texts: list[str], asked: str) -> None:
    shares = index(texts).cover(asked)
    assert shares.shape == (len(texts),)
    assert all(0 <= share <= 1 for share in shares)
