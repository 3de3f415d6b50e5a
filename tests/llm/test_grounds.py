from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.llm.grounds import (
    MAX_READ_CHARS,
    WORLD,
    Grounds,
    Near,
    Odd,
    Weighed,
    is_asking,
    is_english,
    is_odd,
    is_request,
    join_question,
    judge,
    list_readings,
)


@pytest.mark.parametrize(
    ("fit", "world", "grounds"),
    [
        (0.7, 0.2, Grounds.FIRM),
        (0.45, 0.5, Grounds.THIN),  # where to leave a car, in the words of somebody with parking
        (0.3, 0.1, Grounds.THIN),
        (0.2, 0.5, Grounds.NONE),
        (0.1, 0.1, Grounds.NONE),
    ],
)
def test_what_an_answer_stands_on(fit: float, world: float, grounds: Grounds) -> None:
    assert judge(Weighed(fit, world)) is grounds


def test_what_nobody_weighed_is_not_refused() -> None:
    assert judge(None) is Grounds.UNKNOWN


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 1))
def test_a_better_fit_is_never_less_ground(fit: float, world: float, more: float) -> None:
    order = [Grounds.NONE, Grounds.THIN, Grounds.FIRM]
    less, better = judge(Weighed(fit, world)), judge(Weighed(fit + more, world))
    assert order.index(less) <= order.index(better)


def test_a_new_word_is_no_ground_however_close_the_rest_is() -> None:
    new, strange = Odd("a unicycle", 0.3), Odd("a scooter", 0.45)
    assert judge(Weighed(0.9, 0.1, (new,))) is Grounds.NONE
    assert judge(Weighed(0.9, 0.1, (strange,))) is Grounds.THIN
    assert judge(Weighed(0.9, 0.1, (strange, new))) is Grounds.NONE


def test_what_a_sentence_says_word_for_word_is_not_refused() -> None:
    assert judge(Weighed(0.1, 0.1, said=True)) is Grounds.THIN
    assert judge(Weighed(0.1, 0.2, said=True)) is Grounds.NONE
    assert judge(Weighed(0.9, 0.1, said=True)) is Grounds.FIRM
    assert judge(Weighed(0.1, 0.1, (Odd("a unicycle", 0.3),), said=True)) is Grounds.NONE


def test_no_other_word_stands_for_a_name() -> None:
    assert Odd("French", 0.45, is_name=True).is_new
    assert not Odd("a scooter", 0.45).is_new
    near = Near(0.43, ("german",))
    assert is_odd(near, is_name=True)
    assert not is_odd(near, is_name=False)


def test_a_clause_that_asks() -> None:
    assert is_asking(" and what does it cost")
    assert not is_asking("my son is six")


def test_the_world_is_named_once() -> None:
    assert len(set(WORLD)) == len(WORLD)


@pytest.mark.parametrize(
    "words",
    [
        "What time is it?",
        "and on Sundays?",
        "Tell me a joke.",
        "Okay, so who won the cup",
        "Please write a poem about rain.",
        "um how far is it",
        "The parking, is it free?",
    ],
)
def test_requests(words: str) -> None:
    assert is_request(words)


@pytest.mark.parametrize(
    "words",
    ["Yes.", "No, thank you.", "My name is Anna.", "Four people on Sunday.", "", "555 0142"],
)
def test_no_requests(words: str) -> None:
    assert not is_request(words)


@pytest.mark.parametrize(
    "text",
    [
        "What is the capital of Denmark?",
        "The shop is open Monday to Friday from 9 am to 6:30 pm and on Saturday.",
        "I don't know what it's about.",
        "Who’s that?",
        "Translate good evening into Japanese.",
        "The museum opens at ten. Tickets for adults cost twelve euros.",
    ],
)
def test_english(text: str) -> None:
    assert is_english(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9 9 9",
        "Wann habt ihr geöffnet?",
        "Was ist in der Stadt so los, und was kostet das im Museum an der Ecke?",
        "Wat is de hoofdstad van Denemarken en waar is het?",
        "Co to jest, a gdzie on jest?",
        "Hvor er I, og kan man komme i dag?",
        "O que você faz no domingo, e como é que se chega a Lisboa?",
        "Der Laden ist von Montag bis Freitag geöffnet und hat einen Hof mit Parkplätzen.",
        "¿Cuál es la capital de Dinamarca?",
        "Le magasin est ouvert du lundi au vendredi.",
        "营业时间是几点?",
        "Margherita; 9 euros; Diavola; 11 euros",
    ],
)
def test_perhaps_not_english(text: str) -> None:
    assert not is_english(text)


def test_only_the_beginning_of_a_long_text_is_looked_at() -> None:
    assert not is_english("x " * MAX_READ_CHARS + "what is the and of " * MAX_READ_CHARS)


def test_a_short_question_continues_the_one_before() -> None:
    assert join_question(["When do you open?"]) == "When do you open?"
    assert join_question(["When do you open?", "And on Sunday?"]) == (
        "When do you open? And on Sunday?"
    )
    assert join_question(["Hello.", "When do you open on Sunday?"]) == "When do you open on Sunday?"


def test_a_question_that_refers_back_has_two_readings() -> None:
    asked = ["Do you rent tandems?", "How much does it cost for a week then?"]
    assert list_readings(asked) == [asked[1], f"{asked[0]} {asked[1]}"]
    assert list_readings([asked[0], "Who is the president of Peru?"]) == [
        "Who is the president of Peru?"
    ]
    assert list_readings(asked[1:]) == asked[1:]
    assert list_readings([asked[0], "And helmets?"]) == ["Do you rent tandems? And helmets?"]
