from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sayso.talk.history import Clause, Deed, Ledger, Line, cut_at_word, find_written


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


def test_an_aside_is_written_down_and_not_told_to_the_llm() -> None:
    ledger = Ledger()
    ledger.open(1, "What is the capital?")
    told(ledger, 1, ("The capital of…", 1.0))
    ledger.clause(1, "Sorry, I lost it.", aside=True)
    ledger.sound(1, 1.0)
    ledger.finish(1)
    assert ledger.heard(1, 2.0) == ledger.text(1) == "The capital of… Sorry, I lost it."
    question = Line("user", "What is the capital?")
    assert ledger.close(1, 2.0) == (
        question,
        Line("assistant", "The capital of… Sorry, I lost it."),
    )
    assert ledger.prompt == (question, Line("assistant", "The capital of…"))


def test_an_aside_alone_is_written_down() -> None:
    ledger = Ledger()
    ledger.open(1)
    ledger.clause(1, "Sorry.", aside=True)
    ledger.sound(1, 1.0)
    ledger.finish(1)
    assert ledger.close(1, 1.0) == (Line("assistant", "Sorry."),)
    assert ledger.lines == ()


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
    assert (ledger.text(1), ledger.heard(1, 9.0), ledger.made_s(1)) == ("", "", 0.0)
    assert ledger.text(2) == ""
    ledger.sound(2, 1.0)
    ledger.clause(2, "new")
    assert ledger.text(2) == "new"
    assert ledger.heard(2, 0.5) == ""


def test_a_price_is_heard_when_all_of_its_words_are() -> None:
    said = "It costs twelve dollars and fifty cents a night."
    clause = Clause("It costs $12.50 a night.", 0.0, len(said) / 10, whole=True, said=said)
    assert clause.heard(1.5) == "It costs"
    assert clause.heard(3.5) == "It costs"
    assert clause.heard(4.1) == "It costs $12.50 a"
    assert clause.heard(4.8) == "It costs $12.50 a night."


def test_markup_is_heard_with_its_words() -> None:
    assert find_written("**Call** [us](x) now.", "Call us now.", "Call us") == "**Call** [us](x)"
    assert find_written("* a b", "a b", "a") == "* a"
    assert find_written("$5", "five dollars", "five") == ""


def test_where_words_have_no_spaces_any_letter_may_be_the_last() -> None:
    assert cut_at_word("你好我们今天见", 3) == "你好我"
    assert cut_at_word("สวัสดีครับ", 4) == "สวัส"
    assert cut_at_word("สวัสดี", 1) == "ส"
    assert cut_at_word("hello there", 8) == "hello"
    assert cut_at_word("hello", 3) == ""


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


WORDS = st.lists(st.text("abcd", min_size=1, max_size=8), min_size=1, max_size=10)


@given(
    spoken=st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=5),
    stops=st.lists(st.floats(0, 1), min_size=1, max_size=4),
)
def test_history_never_holds_what_was_not_heard(
    spoken: list[tuple[list[str], list[str]]], stops: list[float]
) -> None:
    """Replies cut off anywhere, their sound as long as their words: no word too many."""
    ledger = Ledger()
    for number, stop in enumerate(stops, start=1):
        ledger.open(number, f"question {number}")
        truth: list[tuple[float, str]] = []
        at_s = 0.0
        for written, said in spoken:
            text, words = " ".join(written), " ".join(said)
            ledger.clause(number, text, words)
            ledger.sound(number, len(words) / 10)
            if text == words:
                ends = [len(" ".join(written[: n + 1])) for n in range(len(written))]
                truth += [(at_s + end / 10, word) for end, word in zip(ends, written, strict=True)]
            else:  # all of it is certainly over when the clause is
                truth += [(at_s, word) for word in written]
            at_s += len(words) / 10
        ledger.finish(number)
        ledger.begin(number)
        heard = [line for line in ledger.close(number, stop * at_s) if line.role == "assistant"]
        told = " ".join(line.content for line in heard).split()
        assert told == [word for _, word in truth][: len(told)]
        assert all(ends_s <= stop * at_s + 1e-6 for ends_s, _ in truth[: len(told)])
    assert [line.content for line in ledger.lines if line.role == "user"] == [
        f"question {number}" for number in range(1, len(stops) + 1)
    ]


@given(WORDS, WORDS, st.integers(0, 12))
def test_what_was_written_for_what_was_heard_is_a_beginning(
    written: list[str], said: list[str], reach: int
) -> None:
    text, whole = " ".join(written), " ".join(said)
    found = find_written(text, whole, " ".join(said[:reach]))
    assert text.startswith(found)
    assert find_written(text, whole, whole) == text


# Deeds -----------------------------------------------------------------------------------------

RUNNING = Deed("c1", "book", "{}", "(running)")
BOOKED = Deed("c1", "book", "{}", "booked")


def test_what_was_done_is_settled_with_the_words_behind_it() -> None:
    ledger = Ledger()
    ledger.open(1, "Book.")
    assert ledger.deed(1, RUNNING) == ()
    assert ledger.prompt == (Line("user", "Book."), Line("assistant", "", (RUNNING,)))
    assert ledger.deed(1, BOOKED) == ()
    told(ledger, 1, ("Done.", 1.0))
    settled = (Line("user", "Book."), Line("assistant", "Done.", (BOOKED,)))
    assert ledger.close(1, 1.0) == settled
    assert ledger.lines == settled


def test_what_was_done_is_kept_where_nothing_was_heard() -> None:
    ledger = Ledger()
    ledger.open(1, "Book.")
    ledger.begin(1)
    ledger.deed(1, BOOKED)
    assert ledger.close(1, 0.0) == (Line("assistant", "", (BOOKED,)),)


def test_the_deeds_of_a_retracted_reply_pass_to_the_next() -> None:
    ledger = Ledger()
    ledger.open(1, "Book.")
    ledger.deed(1, RUNNING)
    ledger.retract(1)
    assert ledger.deed(1, BOOKED) == ()
    ledger.open(2, "Book. Quickly.")
    assert ledger.prompt == (Line("user", "Book. Quickly."), Line("assistant", "", (BOOKED,)))
    assert ledger.deed(1, RUNNING) == ()
    assert ledger.prompt[-1].deeds == (RUNNING,)


def test_an_end_that_comes_late_is_told_and_written_down() -> None:
    ledger = Ledger()
    ledger.open(1, "Book.")
    ledger.deed(1, RUNNING)
    told(ledger, 1, ("I do.", 1.0))
    written = ledger.close(1, 1.0)
    late = ledger.deed(1, BOOKED)
    assert late == (Line("assistant", "", (BOOKED,)),)
    assert ledger.lines == (Line("user", "Book."), Line("assistant", "I do.", (BOOKED,)))
    assert Ledger((*written, *late)).lines == ledger.lines, "so it is when the conversation goes on"


def test_a_deed_nobody_knew_of_is_a_line_of_its_own() -> None:
    ledger = Ledger()
    assert ledger.deed(7, BOOKED) == (Line("assistant", "", (BOOKED,)),)
    assert ledger.lines == (Line("assistant", "", (BOOKED,)),)


def test_the_last_deeds_are_settled_at_the_end() -> None:
    ledger = Ledger()
    ledger.open(1, "Book.")
    ledger.deed(1, BOOKED)
    assert ledger.conclude("Book.") == (Line("user", "Book."), Line("assistant", "", (BOOKED,)))
    ledger.open(2, "Again.")
    ledger.deed(2, replace(BOOKED, id="c2"))
    ledger.retract(2)
    assert [len(line.deeds) for line in ledger.conclude("")] == [1]
