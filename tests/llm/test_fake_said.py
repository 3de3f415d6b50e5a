from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.llm.fake.said import Said, stems


@pytest.mark.parametrize(
    ("words", "values", "found"),
    [
        ("Give me the owner.", ["Front desk", "The owner"], "The owner"),
        ("At the harbor", ["station", "harbour"], "harbour"),
        ("Both stations", ["station"], "station"),
        ("An extra large one", ["large", "extra_large"], "extra_large"),
        ("Not red, but blue", ["red", "blue"], "blue"),
        ("Blue or red", ["red", "blue"], "blue"),
        ("Number two", [1, 2], 2),
        ("The", ["the"], "the"),
        ("Green", ["red", "blue"], None),
        ("Reddish", ["red", ""], None),
        ("Anything", [], None),
    ],
)
def test_of_several_values_one_that_was_said_is_chosen(
    words: str, values: list[object], found: object
) -> None:
    assert Said(words).choose(values) == found


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("On the terrace, please", True),
        ("Not on the terrace", False),
        ("Without a terrace", False),
        ("Inside, no terrace", False),
        ("No, I said the terrace", True),
        ("Not inside but on the terrace", True),
        ("Yes, please", True),
        ("No, thanks", False),
        ("Monday", None),
    ],
)
def test_a_yes_or_a_no_is_heard(words: str, found: bool | None) -> None:
    assert Said(words).agrees(stems("terrace")) is found


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("on Friday at noon", "Friday"),
        ("next monday", "next monday"),
        ("The day after tomorrow", "The day after tomorrow"),
        ("on May third", "May third"),
        ("the 3rd of May", "3rd of May"),
        ("the twenty first of June", "twenty first of June"),
        ("2026-05-03", "2026-05-03"),
        ("on 3.5.2026", "3.5.2026"),
        ("May I come?", None),
        ("at the harbor", None),
    ],
)
def test_days_have_names(words: str, found: str | None) -> None:
    assert Said(words).day() == found


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("at seven thirty", None),
        ("at 7:30 pm", "7:30 pm"),
        ("at seven pm", "7 pm"),
        ("half past three", "half past 3"),
        ("a quarter to nine", "a quarter to 9"),
        ("at seven", "7"),
        ("at seven for two", "7"),
        ("at noon", "noon"),
        ("seven guests", None),
    ],
)
def test_times_are_told(words: str, found: str | None) -> None:
    assert Said(words).time() == found


def test_a_number_belongs_to_the_word_behind_it() -> None:
    said = Said("Two children and four guests on May 3 at 7 o'clock, 1,000 in all")
    assert said.number(stems("guests")) == "4"
    assert said.number(stems("guests")) == "2"
    assert said.number(()) == "1000"
    assert said.number(()) is None


def test_a_phone_number_is_no_other_number() -> None:
    said = Said("We are two. Call +1 555-0100, room seven.")
    assert said.digits() == "+15550100"
    assert said.digits() == "2"
    assert said.digits() == "7"
    assert said.digits() is None


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("at the Grand Hotel on Friday for me", ["Grand Hotel"]),
        ("I want to leave", []),
        ("connect me to billing", ["billing"]),
        ("in the morning for four", ["morning"]),
    ],
)
def test_words_behind_prepositions_are_texts(words: str, found: list[str]) -> None:
    said = Said(words)
    texts = []
    while (text := said.text()) is not None:
        texts.append(text)
    assert texts == found


def test_people_say_who_they_are() -> None:
    assert Said("This is Ada, for Monday.").person() == "Ada"
    assert Said("A table for Monday.").person() is None
    assert Said("my name is Ada").named("name") == "Ada"
    assert Said("name it").named("name") is None


@given(st.text(max_size=80))
def test_whatever_is_said_can_be_looked_into(text: str) -> None:
    said = Said(text)
    assert said.choose(["red"]) in {"red", None}
    for found in (said.day(), said.place(), said.text(), said.person(), said.number(())):
        assert found is None or found
