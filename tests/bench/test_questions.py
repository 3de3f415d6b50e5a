"""The evaluation set is whole, and answers are graded as a person would."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from questions import (
    MORE,
    Question,
    join_passages,
    read_more,
    read_passages,
    read_questions,
    split_halves,
)


def test_the_set_is_as_large_as_it_should_be() -> None:
    kinds = Counter(one.kind for one in read_questions())
    assert kinds["answerable"] >= 60
    assert sum(kinds.values()) - kinds["answerable"] >= 40
    assert kinds.keys() == {"answerable", "off-topic", "near-topic", "outside"}
    assert 60 <= len(read_passages()) <= 80


def test_every_answer_is_where_it_is_said_to_be() -> None:
    texts = {one.id: one.text for one in read_passages()}
    assert len(texts) == len(read_passages())
    missing = [
        one.words
        for one in read_questions()
        if one.fact and not one.fact.search(f"{one.section}: {texts[one.section]}")
    ]
    assert missing == []


@pytest.mark.parametrize("folder", MORE, ids=lambda folder: folder.name)
def test_more_companies_have_answers_where_it_is_said(folder: Path) -> None:
    texts = {one.id: f"{one.id}: {one.text}" for one in read_passages(folder)}
    assert len(texts) == len(read_passages(folder)) >= 50
    asked = read_more(folder)
    assert len(asked) >= 60
    assert [q.words for q in asked if q.fact and not q.fact.search(texts[q.section])] == []


def test_no_question_is_asked_twice() -> None:
    words = [
        one.words for one in (*read_questions(), *(q for each in MORE for q in read_more(each)))
    ]
    assert len(words) == len(set(words))


def test_passages_are_named_after_their_sections() -> None:
    first = read_passages()[0]
    assert first.title.endswith(f" › {first.id}")
    assert first.source_name.endswith(".md")


@pytest.mark.parametrize(
    ("answer", "grade"),
    [
        ("We are open until eight.", "found"),
        ("I'm sorry, but it closes at eight.", "found"),
        ("I don't have that in my notes, sorry.", "refused"),
        ("I do not know when that is.", "refused"),
        ("There is no information about this.", "refused"),
        ("At nine.", "wrong"),
        ("", "wrong"),
    ],
)
def test_answers_are_graded(answer: str, grade: str) -> None:
    assert Question("When?", "Hours", re.compile("eight")).grade(answer) == grade


def test_what_cannot_be_answered_is_never_found() -> None:
    question = Question("Who won?", kind="outside")
    assert question.grade("France won.") == "wrong"
    assert question.grade("I'm not able to tell.") == "refused"


def test_both_halves_have_every_kind_and_share_nothing() -> None:
    one, other = split_halves(read_questions())
    assert {q.kind for q in one} == {q.kind for q in other}
    assert not {q.words for q in one} & {q.words for q in other}
    assert len(one) + len(other) == len(read_questions())


def test_sections_of_a_document_are_joined_to_long_passages() -> None:
    passages = read_passages()
    joined = join_passages(passages, 3)
    assert [name for one in joined for name in one.id.split("+")] == [one.id for one in passages]
    assert len(joined) < len(passages) / 2
    assert "Parking" not in joined[0].title
    for one in passages:
        (whole,) = [each for each in joined if one.id in each.id.split("+")]
        assert f"{one.id}. {one.text}" in whole.text
        assert whole.source_id == one.source_id
