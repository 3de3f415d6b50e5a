from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.llm.notes import (
    MAX_PASSAGE_CHARS,
    Notes,
    Passage,
    answer_small_talk,
    choose_best,
    cut_passages,
    cut_sentences,
    end_sentence,
    is_fact,
    is_order,
    list_answers,
    list_rows,
    read_notes,
    recognise_small_talk,
)

KNOWLEDGE = """# Opening hours
- Monday to Friday: 9 to 5
- Sunday: closed

Delivery:
We deliver within 5 km. It costs 3 euros! Is it fast? Yes.

Parking is free.
"""


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Dr. Smith is in. Call St. Mary.", ["Dr. Smith is in.", "Call St. Mary."]),
        ("J. K. Rowling wrote it.", ["J. K. Rowling wrote it."]),
        ("It costs 3.50 euros. e.g. Tea.", ["It costs 3.50 euros. e.g. Tea."]),
        ('He said "Go." Then he left.', ['He said "Go.', "Then he left."]),
        ("- one\n* two\n3. three\n\n> four", ["one", "two", "three", "four"]),
        ("**Bold** and `code`", ["Bold and code"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert cut_sentences(text) == sentences


def test_passages_end_at_blank_lines_and_headings() -> None:
    assert cut_passages(KNOWLEDGE) == [
        Passage(("Monday to Friday: 9 to 5", "Sunday: closed"), "Opening hours"),
        Passage(
            ("We deliver within 5 km.", "It costs 3 euros!", "Is it fast?", "Yes."), "Delivery"
        ),
        Passage(("Parking is free.",), "Delivery"),
    ]


def test_a_passage_is_searched_with_its_heading() -> None:
    assert Passage(("A.", "B."), "Title").text == "Title: A. B."
    assert Passage(("A.", "B.")).text == "A. B."


def test_long_paragraphs_are_cut_between_sentences() -> None:
    passages = cut_passages("This is a sentence of some length. " * 40)
    assert len(passages) > 3
    assert all(sum(map(len, one.sentences)) <= MAX_PASSAGE_CHARS for one in passages)


@given(st.text(alphabet="aB .?!\n#-:", max_size=200))
def test_no_letter_is_lost(text: str) -> None:
    passages = cut_passages(text)
    kept = "".join(p.heading + "".join(p.sentences) for p in passages)
    assert set(kept) <= set(text)
    assert all(one.sentences for one in passages)


@pytest.mark.parametrize(
    "sentence",
    [
        "You are a helpful receptionist.",
        "Never give discounts.",
        "Always be polite",
        "If the caller is angry, stay calm.",
        "Please respond briefly.",
        "The user wants pizza.",
        "This assistant is friendly.",
        "Keep your answers short.",
    ],
)
def test_orders_are_no_facts(sentence: str) -> None:
    assert is_order(sentence)
    assert not is_fact(sentence)


@pytest.mark.parametrize(
    "sentence", ["The restaurant seats sixty guests.", "Pizza costs 9 euros", "Users like it here."]
)
def test_facts(sentence: str) -> None:
    assert is_fact(sentence)


def test_questions_labels_and_single_words_are_no_facts() -> None:
    assert not is_fact("Is it open?")
    assert not is_fact("Menu of today:")
    assert not is_fact("Hm.")


def test_notes_are_the_knowledge_and_the_facts_of_the_prompt() -> None:
    notes = Notes(
        agent_prompt="You run the desk. The hotel has a pool.\n\nBe brief.\n\n"
        "# Your rules\nNever lie. Cats sleep.",
        critical_knowledge="Open 9 to 5.",
    )
    assert read_notes(notes) == [
        Passage(("Open 9 to 5.",)),
        Passage(("The hotel has a pool.",)),
        Passage(("Cats sleep.",)),
    ]


def test_only_the_knowledge_if_so_told() -> None:
    notes = Notes(agent_prompt="Tea is hot.", critical_knowledge="Ice is cold.", answer_only=True)
    assert read_notes(notes) == [Passage(("Ice is cold.",))]


def test_what_can_be_spoken_of_a_passage() -> None:
    passage = Passage(("Q: When?", "A: At nine.", "Is it fast?", "A:"))
    assert list_answers(passage) == ["At nine."]


def test_which_lines_were_rows_of_a_table() -> None:
    passage = Passage(("Tea: green; Price: 2", "Who?", "It is hot."))
    assert list_answers(passage) == ["green: price 2.", "It is hot."]
    assert list_rows(passage) == [True, False]


@pytest.mark.parametrize(
    ("line", "ended"),
    [("Open", "Open."), ("Open.", "Open."), ("Go!", "Go!"), ("a, b;", "a, b."), ("Hm…", "Hm…")],
)
def test_a_spoken_line_has_an_end(line: str, ended: str) -> None:
    assert end_sentence(line) == ended


def test_the_best_scores_in_their_order() -> None:
    assert choose_best([0.1, 0.9, 0.2, 0.8], 2, 0.6) == [1, 3]
    assert choose_best([0.8, 0.1, 0.9], 2, 0.6) == [0, 2]
    assert choose_best([0.1, 0.9], 2, 0.6) == [1]
    assert choose_best([0.5], 2, 0.6) == [0]


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Hi!", "hello"),
        ("Hello there", "hello"),
        ("Good morning.", "hello"),
        ("Thank you very much", "thanks"),
        ("OK, thanks, bye", "thanks"),
        ("Goodbye!", "bye"),
        ("That's all", "bye"),
        ("Who are you?", "who"),
        ("What’s your name?", "who"),
        ("How are you today?", "how"),
        ("What can you do?", "what"),
        ("Can you help me?", "what"),
        ("Hello, are you open?", None),
        ("When do you open?", None),
        ("Thanks for that but when do you open on Sunday then", None),
        ("Highway directions", None),
        ("Can you help me park my car?", None),
        ("", None),
    ],
)
def test_small_talk(words: str, kind: str | None) -> None:
    assert recognise_small_talk(words) == kind


def test_small_talk_is_answered_from_the_agents_own_words() -> None:
    notes = Notes("Ada", "Hi, Ada here.", critical_knowledge=KNOWLEDGE)
    assert answer_small_talk("hello", notes, greeted=False) == "Hi, Ada here."
    assert answer_small_talk("hello", notes, greeted=True).startswith("Hello!")
    assert answer_small_talk("who", notes, greeted=True).startswith("I am Ada.")
    assert "opening hours, delivery" in answer_small_talk("what", notes, greeted=True)
    assert answer_small_talk("thanks", notes, greeted=True) == "You are welcome."
    assert "Goodbye" in answer_small_talk("bye", notes, greeted=True)
    assert "thank you" in answer_small_talk("how", notes, greeted=True)


def test_small_talk_of_an_agent_without_words() -> None:
    assert answer_small_talk("hello", Notes(), greeted=False).startswith(
        "Hello! I am a voice agent."
    )
    assert answer_small_talk("what", Notes(), greeted=False).endswith("in my notes.")
