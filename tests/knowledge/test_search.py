from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.knowledge.passages import Passage
from sayso.knowledge.search import (
    HEADING_SHARE,
    SENTENCE_SHARE,
    SHORTLIST,
    WORDS_WEIGHT,
    Index,
    build_index,
)
from sayso.knowledge.sentences import Meanings, Vectors, round_off


def vector(*numbers: float) -> Vectors:
    row = np.array(numbers, np.float32)
    return np.asarray(row / np.linalg.norm(row), np.float32)


def index(*known: tuple[str, Vectors]) -> Index:
    passages = [Passage(str(n), text, "s", "s") for n, (text, _) in enumerate(known)]
    vectors = np.stack([row for _, row in known]) if known else np.zeros((0, 2), np.float32)
    *_, built = build_index(passages, Meanings(vectors))
    assert built is not None
    return built


def test_meaning_comes_first() -> None:
    found = index(("cars", vector(1, 0)), ("boats", vector(0, 1))).search(
        vector(0.9, 0.1), "where are boats", 2
    )
    assert [one.passage.text for one in found] == ["cars", "boats"]


def test_words_decide_between_equals() -> None:
    known = index(("part AB-1", vector(1, 0)), ("part XJ-42", vector(1, 0)))
    assert known.search(vector(1, 0), "the XJ-42 please", 1)[0].passage.text == "part XJ-42"


def test_a_title_is_searched_too() -> None:
    passages = [Passage("0", "Nine to five.", "s", "s", title="Opening hours")]
    *_, known = build_index(passages, Meanings(vector(1, 0)[None]))
    assert known is not None
    assert known.search(vector(0, 1), "closing", 1)[0].score == 0.0
    assert known.search(vector(0, 1), "opening", 1)[0].score == pytest.approx(WORDS_WEIGHT)


def test_one_that_alone_has_the_words_wins_over_others_that_mean_a_little_more() -> None:
    known = index(
        ("Valves are fastened. Spare parts are kept in Rotterdam.", vector(0.30, 1)),
        *[(f"Red impeller model {n}.", vector(0.34, 1)) for n in range(9)],
    )
    found = known.search(vector(1, 0), "Where are the spare parts kept?", 1)
    assert "Rotterdam" in found[0].passage.text


def test_the_better_of_two_that_could_not_be_told_apart_by_a_score_of_1() -> None:
    known = index(("red apples", vector(1, 0.8)), ("red apples", vector(1, 0)))
    assert [one.passage.id for one in known.search(vector(1, 0), "red apples", 2)] == ["1", "0"]


def test_a_sentence_that_answers_counts_among_others_that_do_not() -> None:
    passages = [Passage("cars", "", "s", "s"), Passage("all", "", "s", "s")]
    whole = np.stack([vector(0.8, 1), vector(0.7, 1)])
    sentences = [None, round_off([vector(0, 1), vector(1, 0)])]
    *_, known = build_index(passages, Meanings(whole, sentences))
    assert known is not None
    first, second = known.search(vector(1, 0), "", 2)
    assert (first.passage.id, second.passage.id) == ("all", "cars")
    cosine = float(whole[1, 0])
    assert first.score == pytest.approx(cosine + SENTENCE_SHARE * (1 - cosine), abs=0.01)
    assert second.score == pytest.approx(float(whole[0, 0]), abs=0.001)


def test_a_heading_that_is_asked_for_counts_and_one_about_something_else_counts_against() -> None:
    passages = [Passage(name, "", "s", "s") for name in ("named", "plain", "else")]
    whole = np.stack([vector(1, 1)] * 3)
    headings = [round_off([vector(1, 0)]), None, round_off([vector(0, 1)])]
    *_, known = build_index(passages, Meanings(whole, headings=headings))
    assert known is not None
    found = known.search(vector(1, 0), "", 3)
    assert [one.passage.id for one in found] == ["named", "plain", "else"]
    cosine = float(whole[0, 0])
    assert found[0].score == pytest.approx(cosine + HEADING_SHARE * (1 - cosine), abs=0.01)
    assert found[2].score == pytest.approx(cosine - HEADING_SHARE * cosine, abs=0.01)


def test_more_may_be_wanted_than_are_looked_at_closely() -> None:
    count = SHORTLIST + 10
    known = index(*[("a", vector(1, n)) for n in range(count)])
    assert len(known.search(vector(1, 0), "", count)) == count


def test_an_empty_index_finds_nothing() -> None:
    assert index().search(vector(1, 0), "x", 3) == []


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_no_more_than_wanted(limit: int) -> None:
    known = index(*[("a", vector(1, n)) for n in range(3)])
    assert len(known.search(vector(1, 0), "a", limit)) == min(limit, 3)


@given(
    st.lists(
        st.tuples(st.text("ab ", max_size=6), st.tuples(*[st.floats(0.1, 1)] * 3)),
        min_size=1,
        max_size=12,
    ),
    st.tuples(*[st.floats(0.1, 1)] * 3),
    st.text("ab ", max_size=6),
    st.integers(1, 15),
)
def test_best_first_and_between_0_and_1(
    known: list[tuple[str, tuple[float, float, float]]],
    asked: tuple[float, float, float],
    words: str,
    limit: int,
) -> None:
    built = index(*[(text, vector(*row)) for text, row in known])
    found = built.search(vector(*asked), words, limit)
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert len({one.passage.id for one in found}) == min(limit, len(known))
