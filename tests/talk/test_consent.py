from __future__ import annotations

import pytest

from sayso.talk.consent import MAX_ASKED, Consent, says_no

KEY = 'book({"day": "Monday"})'


def asked(number: int = 1, *, heard: bool = True) -> Consent:
    consent = Consent()
    assert not consent.has(KEY, number, "Book a table.")
    if heard:
        consent.heard(number)
    return consent


def test_it_is_asked_first_and_done_when_called_for_again() -> None:
    consent = asked()
    assert consent.has(KEY, 2, "Yes, please.")
    assert not consent.has(KEY, 3, "And again."), "each time is asked about"


def test_the_same_reply_cannot_answer_its_own_question() -> None:
    consent = asked()
    assert not consent.has(KEY, 1, "Book a table.")


def test_a_question_that_nobody_heard_was_not_asked() -> None:
    assert not asked(heard=False).has(KEY, 2, "Book a table at nine.")


@pytest.mark.parametrize(
    "words", ["No.", "No, not that.", "Nein danke", "", " ", "不用了", "いいえ"]
)
def test_no_and_nothing_are_no_consent(words: str) -> None:
    consent = asked()
    assert not consent.has(KEY, 2, words)
    assert not consent.has(KEY, 2, "Yes."), "the LLM must ask anew"
    consent.heard(2)
    assert consent.has(KEY, 3, "Yes.")


def test_no_problem_is_a_yes() -> None:
    assert asked().has(KEY, 2, "No problem, go ahead.")


def test_other_arguments_are_another_question() -> None:
    consent = asked()
    assert not consent.has("book({})", 2, "Yes.")
    assert consent.has(KEY, 2, "Yes.")


def test_questions_are_bounded() -> None:
    consent = asked()
    for n in range(MAX_ASKED):
        consent.has(f"other {n}", 1, "x")
    assert not consent.has(KEY, 2, "Yes.")


@pytest.mark.parametrize(
    ("words", "no"),
    [
        ("Yes, do that.", False),
        ("I know", False),
        ("Don’t do it", True),
        ("Нет, спасибо", True),
        ("नहीं", True),
        ("हाँ", False),
        ("아니요", True),
        ("ไม่ต้องค่ะ", True),
        ("Sí", False),
        ("لا شكرا", True),
        ("hayır", True),
        ("No problem, go ahead.", False),
        ("No problem.", False),
        ("That's not a problem", False),
        ("I don’t mind.", False),
        ("Sure, no worries!", False),
        ("Kein Problem.", False),
        ("No hay problema", False),
        ("Pas de problème", False),
        ("Нет проблем", False),
        ("No, problems come of that.", True),
        ("No. No problem, leave it.", True),
        ("No problem, but don't do it.", True),
        ("No problem, cancel it.", True),
        ("Not problem-free, no", True),
    ],
)
def test_what_says_no(words: str, no: bool) -> None:
    assert says_no(words) is no
