from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sayso.talk.history import Clause, Ledger, Line


def told(ledger: Ledger, number: int, *clauses: tuple[str, float]) -> None:
    for text, seconds in clauses:
        ledger.clause(number, text)
        ledger.sound(number, seconds)
    ledger.finish(number)


def test_a_reply_heard_to_its_end_is_recorded_whole() -> None:
    ledger = Ledger()
    ledger.open(1, "What time is it?")
    told(ledger, 1, ("It is noon.", 1.0), ("Time for lunch.", 1.5))
    assert ledger.begin(1) == (Line("user", "What time is it?"),)
    assert ledger.close(1, 2.5) == (Line("assistant", "It is noon. Time for lunch."),)
    assert ledger.lines == ledger.prompt
    assert [line.role for line in ledger.lines] == ["user", "assistant"]


def test_a_reply_cut_off_keeps_the_words_that_were_heard() -> None:
    ledger = Ledger()
    ledger.open(1, "Tell me a story.")
    told(ledger, 1, ("Once upon a time.", 1.0), ("There was a king in a castle.", 2.0))
    ledger.begin(1)
    assert ledger.close(1, 2.0) == (Line("assistant", "Once upon a time. There was a"),)


def test_a_word_half_heard_is_left_out() -> None:
    clause = Clause("seven eleven", 0.0, 1.2, whole=True)
    assert clause.heard(0.7) == "seven"
    assert clause.heard(0.4) == ""
    assert clause.heard(0.5) == "seven"
    assert clause.heard(1.2) == "seven eleven"


def test_a_clause_still_being_made_is_never_heard_whole() -> None:
    clause = Clause("one two three", 0.0, 1.0)
    assert clause.heard(0.99) == "one two"
    assert Clause("nothing made of it", 3.0).heard(9.0) == ""


def test_a_reply_dropped_before_it_sounds_takes_its_question_back() -> None:
    ledger = Ledger()
    ledger.open(1, "Book a table.")
    told(ledger, 1, ("For when?", 1.0))
    ledger.retract(1)
    assert ledger.lines == ()
    ledger.open(2, "Book a table. For two.")
    assert ledger.prompt == (Line("user", "Book a table. For two."),)


def test_a_reply_that_never_sounded_still_settles_its_question() -> None:
    ledger = Ledger()
    ledger.open(1, "Hello?")
    assert ledger.close(1, 0.0) == (Line("user", "Hello?"),)


def test_notes_of_the_program_are_marked_as_such() -> None:
    ledger = Ledger()
    ledger.open(1, "Is it paid?", "It is paid.")
    note, words = ledger.begin(1)
    assert "It is paid." in note.content
    assert "not spoken" in note.content
    assert words == Line("user", "Is it paid?")
    assert ledger.begin(1) == ()


def test_words_left_without_an_answer_are_kept_at_the_end() -> None:
    ledger = Ledger([Line("assistant", "Hello!")])
    assert ledger.conclude("Bye") == (Line("user", "Bye"),)
    assert ledger.conclude("") == ()
    assert len(ledger.lines) == 2


def test_a_stale_number_changes_nothing() -> None:
    ledger = Ledger()
    ledger.open(2, "Hi")
    ledger.clause(1, "old")
    ledger.sound(1, 1.0)
    ledger.finish(1)
    ledger.retract(1)
    assert ledger.begin(1) == ()
    assert ledger.close(1, 1.0) == ()
    assert (ledger.text(1), ledger.heard(1, 9.0)) == ("", "")
    assert ledger.text(2) == ""
    ledger.sound(2, 1.0)
    ledger.clause(2, "new")
    assert ledger.text(2) == "new"
    assert ledger.heard(2, 0.5) == ""


CLAUSES = st.lists(
    st.tuples(st.text("abc \n", min_size=1, max_size=20), st.floats(0.1, 5.0)), max_size=6
)


@given(clauses=CLAUSES, up_to=st.floats(0, 40))
def test_heard_text_is_a_beginning_of_the_text_and_grows(
    clauses: list[tuple[str, float]], up_to: float
) -> None:
    ledger = Ledger()
    ledger.open(1)
    told(ledger, 1, *clauses)
    heard = ledger.heard(1, up_to).split()
    whole = ledger.text(1).split()
    assert heard == whole[: len(heard)]
    assert len(ledger.heard(1, up_to + 1.0).split()) >= len(heard)


@given(clauses=CLAUSES)
def test_all_sound_is_all_text(clauses: list[tuple[str, float]]) -> None:
    ledger = Ledger()
    ledger.open(1)
    told(ledger, 1, *clauses)
    total = sum(seconds for _, seconds in clauses)
    assert ledger.heard(1, total + 0.01).split() == ledger.text(1).split()
