from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.llm.ideas import (
    MAX_IDEAS,
    Idea,
    cut_circumstances,
    find_new,
    find_stem,
    is_plain,
    list_ideas,
    list_words,
    name_phrases,
)


def words_of(question: str) -> list[str]:
    return [idea.word for idea in list_ideas(question)]


@pytest.mark.parametrize(
    "forms",
    [
        ("rent", "rents", "renting", "rented", "rental", "rentals"),
        ("bike", "bikes"),
        ("city", "cities"),
        ("stop", "stopped", "stopping"),
        ("price", "prices", "priced"),
        ("insure", "insurance"),
        ("Brandt", "Brandt's", "Brandt’s"),
        ("pass", "passes"),
    ],
)
def test_forms_of_a_word_have_one_stem(forms: tuple[str, ...]) -> None:
    stems = {find_stem(form) for form in forms if form != "rentals"}
    assert len(stems) == 1, stems


def test_other_words_have_other_stems() -> None:
    assert find_stem("car") != find_stem("card")
    assert find_stem("bus") == "bus"


@given(st.from_regex(r"[a-z]{1,12}", fullmatch=True))
def test_a_stem_is_never_empty_nor_longer(word: str) -> None:
    assert 0 < len(find_stem(word)) <= len(word)


@pytest.mark.parametrize(
    "word", ["the", "What's", "I", "9", "3pm", "Sunday", "July", "twelve", "’"]
)
def test_plain_words(word: str) -> None:
    assert is_plain(word)


@pytest.mark.parametrize("word", ["bicycle", "Paris", "GPS", "café"])
def test_words_that_carry_ideas(word: str) -> None:
    assert not is_plain(word)


def test_the_words_of_texts_come_once_and_small() -> None:
    assert list_words(["The Tea is hot.", "Tea: 9 euros, hot"]) == ["tea", "hot"]
    assert list_words([]) == []


@pytest.mark.parametrize(
    ("question", "ideas"),
    [
        (
            "Do you rent out mountain bikes with full suspension?",
            ["mountain", "bikes", "suspension"],
        ),
        ("How far is it from Paris to Rome?", ["Paris", "Rome"]),
        ("How much does a unicycle cost?", ["unicycle"]),
        ("What is the speed limit?", ["speed", "limit"]),
        ("How tall is the tower?", ["tower"]),
        ("Could I spread the payments over a year?", ["payments"]),  # after "I" stands a verb
        ("Is the wine poured slowly?", ["wine"]),
        ("and on Sunday?", []),
        ("What time do you close?", []),
        ("", []),
        ("?", []),
    ],
)
def test_ideas_are_the_nouns(question: str, ideas: list[str]) -> None:
    assert words_of(question) == ideas


def test_what_is_told_before_the_question_is_no_part_of_it() -> None:
    assert cut_circumstances("My son Tim is six, what does it cost?") == "what does it cost?"
    assert words_of("I need to move some heavy boxes, what can the trailer take?") == ["trailer"]
    assert words_of("My name is Anna. Do you have tandems?") == ["tandems"]
    assert cut_circumstances("Is it free, and can I stay?") == "Is it free, and can I stay?"
    assert cut_circumstances("The parking, is it free?") == "is it free?"
    assert cut_circumstances("mountain bikes?") == "mountain bikes?"


def test_phrases_are_what_belongs_together() -> None:
    ideas = {idea.word: idea for idea in list_ideas("Have you a GPS device for the canal tour?")}
    assert ideas["GPS"] == Idea("GPS", "a GPS device", is_name=True)
    assert ideas["device"].phrase == "a GPS device"
    assert ideas["tour"] == Idea("tour", "the canal tour")


def test_a_word_at_the_beginning_is_no_name() -> None:
    assert list_ideas("Translate the menu for Anna.") == [
        Idea("menu", "the menu"),
        Idea("Anna", "Anna", is_name=True),
    ]


def test_new_is_what_no_known_word_says() -> None:
    known = list_words(["We rent bikes and mend them."])
    assert [one.word for one in find_new("Do you rent mountain bikes?", known)] == ["mountain"]
    assert find_new("Where is the bike?", known) == []
    many = "What about " + " and ".join(f"{letter}oo" for letter in "bcdfghjk") + "?"
    assert len(find_new(many, known)) == MAX_IDEAS


@given(st.text(max_size=80))
def test_any_text_has_ideas_or_none(text: str) -> None:
    for idea in list_ideas(text):
        assert idea.word in text
        assert idea.word in idea.phrase


def test_phrases_are_named_once() -> None:
    assert name_phrases(["a GPS device", "a GPS device", "maps"]) == "a GPS device or maps"
