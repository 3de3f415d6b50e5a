from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sayso.tts.sentences import (
    FIRST_CHARS,
    LONGEST_CHARS,
    LONGEST_CODE_CHARS,
    Sentences,
    cut_long,
    is_abbreviation,
)

REPLIES_SEEN = (
    "Sure, I can help you with that. What day works best for you?",
    "Your total comes to $42.50, including tax. Would you like to pay now?",
    "Great question. The battery lasts about ten hours on a single charge.",
    "Yes, breakfast is included with every room.",
    "Absolutely, we can arrange airport pickup if you tell me your flight number.",
    "Okay, so you'd like to move your cleaning from the fifth to the twelfth, is that right?",
    "Your next payment of eighty-five dollars is due on the first of May.",
    "Please note that parking is limited so we suggest that you arrive a few minutes early.",
    "Since your warranty is still valid the repair won't cost you anything at all.",
    "Good morning! Thanks for waiting. I have good news about your application.",
    "Honestly, I think the blue one would look better with that jacket.",
    "That's correct, the deposit is fully refundable.",
)


def cut(*parts: str) -> list[str]:
    """The clauses of a reply that came in `parts`."""
    sentences = Sentences()
    pieces = [piece for part in parts for piece in sentences.feed(part)]
    return pieces + sentences.finish()


def rest(text: str) -> list[str]:
    """The clauses of `text` after a first one was spoken."""
    first, *pieces = cut("First.\n" + text)
    assert first == "First."
    return pieces


def test_sentences_come_one_by_one() -> None:
    assert cut("Hello there. How are you? Fine!") == ["Hello there.", "How are you?", "Fine!"]


def test_the_first_clause_goes_out_at_a_comma() -> None:
    text = "Sure, I can help you with that, no problem, really."
    assert cut(text) == ["Sure, I can help you with that,", "no problem, really."]


def test_only_the_first_clause_does() -> None:
    text = "After the first one, sentences stay whole; all of them, to the end."
    assert rest(text) == [text]


def test_a_first_clause_too_short_to_speak_waits() -> None:
    assert cut("Well, yes.") == ["Well, yes."]
    assert len("Well,") < FIRST_CHARS


@pytest.mark.parametrize(
    ("so_far", "clauses"),
    [
        ("Of course yes,", ["Of course yes,"]),
        ("That would be;", ["That would be;"]),
        ("It comes to 1,", []),  # 1,000
        ("See the page:", []),  # https://
        ("That is done.", []),  # ..
    ],
)
def test_a_comma_behind_a_word_does_not_wait_for_what_follows(
    so_far: str, clauses: list[str]
) -> None:
    assert Sentences().feed(so_far) == clauses


@pytest.mark.parametrize("mark", [",", ";", ":", " —", "，", "："])
def test_the_marks_that_end_a_first_clause(mark: str) -> None:
    text = f"Here is what I found{mark} a table for four."
    assert cut(text) == [f"Here is what I found{mark}", "a table for four."]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Of course, I can.", "Of course,"),
        (
            "I'd recommend the grilled salmon because it is our best dish.",
            "I'd recommend the grilled salmon",
        ),
        (
            "We don't have any tables left for tonight but I could offer you one tomorrow.",
            "We don't have any tables left for tonight",
        ),
        (
            "The museum is open from nine in the morning until six in the evening.",
            "The museum is open from nine in the morning",
        ),
        ("当然可以，请问您几位？", "当然可以，"),
        ("สวัสดีครับ ยินดีต้อนรับ วันนี้", "สวัสดีครับ"),
    ],
)
def test_the_first_clause_ends_where_a_speaker_might_breathe(text: str, first: str) -> None:
    assert cut(text)[0] == first


@pytest.mark.parametrize(
    "text",
    [
        "You can reach our friendly team between eight and five.",
        "Please open the big red file (the one with the blue cover and stripes).",
        'He always said "the sun will rise again in the morning and shine" to us.',
        "This is the most beautiful thing that there ever was and is.",
        "It is bright-and-early there.",
    ],
)
def test_nothing_is_torn_that_belongs_together(text: str) -> None:
    assert cut(text)[0] in {text, "This is the most beautiful thing"}


def test_where_a_space_is_the_only_mark_it_is_one() -> None:
    pieces = rest("ราคาของห้องพักคืนนี้คือหนึ่งพันบาทรวมอาหารเช้าแล้วครับ " * 3)
    assert len(pieces) == 3


@pytest.mark.parametrize("stop", "۔।॥።។။｡")
def test_other_scripts_have_stops_of_their_own(stop: str) -> None:
    assert rest(f"abc{stop} def{stop}") == [f"abc{stop}", f"def{stop}"]


def test_most_replies_begin_after_a_few_words() -> None:
    """Characters that pass before the first clause is certain, over what agents say."""
    waits = sorted(first_wait(reply) for reply in REPLIES_SEEN)
    assert waits[len(waits) // 2] <= 40
    assert waits[-1] <= 85


def first_wait(reply: str) -> int:
    sentences = Sentences()
    for count, character in enumerate(reply, start=1):
        if sentences.feed(character):
            return count
    return len(reply)


def test_a_clause_comes_as_soon_as_it_is_certain() -> None:
    sentences = Sentences()
    assert sentences.feed("Hello there.") == []
    assert sentences.feed(" H") == ["Hello there."]
    assert sentences.feed("ow are you") == []
    assert sentences.finish() == ["How are you"]
    assert sentences.finish() == []


@pytest.mark.parametrize(
    "sentence",
    [
        "Dr. Smith and Mrs. Jones met Prof. Li.",
        "It is e.g. this, i.e. that, vs. nothing.",
        "Pi is 3.14 and v1.2.3 costs $4.50.",
        "Come at 5 p.m. Tuesday or at 9:30 a.m. Friday.",
        "See example.com, www.a.org/x?y=1 or https://b.dev/z.html?q=1.2&r.",
        "Mail jo.doe@example.co.uk now.",
        "J. K. Rowling and George R. R. Martin write.",
        "The U.S. Senate sits in Washington D.C. Monday.",
        "Take No. 5 on Jan. 5 or vol. 2 on p. 7.",
        "Yahoo! is a name, and so is Who? as a title.",
        "Wait... what do you mean?",
        "1. Open the app.",
        "a. Close it.",
        "Main St. is closed.",
        '"Really?" he said.',
        "(It was Mr. Brown.)",
    ],
)
def test_stops_inside_a_sentence_do_not_cut_it(sentence: str) -> None:
    assert rest(sentence + " Next one.") == [sentence, "Next one."]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("all lower case. so it is cut. ok", ["all lower case.", "so it is cut.", "ok"]),
        ("No. I mean it.", ["No.", "I mean it."]),
        ("So do I. You too?", ["So do I.", "You too?"]),
        ("Hm... Let me see.", ["Hm...", "Let me see."]),
        ("What?! Never!!", ["What?!", "Never!!"]),
        ('She said "Yes." Then left.', ['She said "Yes."', "Then left."]),
        ("(Aside.) Then this.", ["(Aside.)", "Then this."]),
        ("**Bold.** Plain.", ["**Bold.**", "Plain."]),
        ("Go to example.com. Then call.", ["Go to example.com.", "Then call."]),
        ("In 2024. Then in 2025.", ["In 2024.", "Then in 2025."]),
        ("Then… Next.", ["Then…", "Next."]),
        ("你好。我很好！「好吗？」是的。", ["你好。", "我很好！", "「好吗？」", "是的。"]),
        ("नमस्ते। कैसे हैं?", ["नमस्ते।", "कैसे हैं?"]),
        ("One\nTwo\n\nThree", ["One", "Two", "Three"]),
        ("- one\n- two", ["- one", "- two"]),
        ("1.\nOpen it.", ["1.", "Open it."]),
        ("---\nAfter", ["---\nAfter"]),
        ("Hello.        World.", ["Hello.", "World."]),
    ],
)
def test_where_cuts_fall(text: str, pieces: list[str]) -> None:
    assert rest(text) == pieces


def test_a_stop_at_the_end_of_a_piece_waits_for_the_next_character() -> None:
    assert cut("It is 3.", "14 today. ", "Bye") == ["It is 3.14 today.", "Bye"]
    assert cut("It is 3.", " Then 4.") == ["It is 3.", "Then 4."]


def test_a_code_block_is_one_piece() -> None:
    code = "```py\nx = 1. Y\n\nprint(x)\n```"
    assert cut(f"Like this: {code}\nDone. Bye.") == ["Like this:", code, "Done.", "Bye."]


def test_a_code_block_that_never_ends_is_flushed_at_the_end() -> None:
    assert cut("```\nx = 1. Y\n") == ["```\nx = 1. Y"]


def test_code_is_bounded() -> None:
    pieces = cut("``` " + "x" * (LONGEST_CODE_CHARS + 10))
    assert len(pieces[0]) == LONGEST_CODE_CHARS


def test_single_backticks_are_text() -> None:
    assert rest("Use `x. Y` now. Then `z`.") == ["Use `x.", "Y` now.", "Then `z`."]


def test_a_long_sentence_is_cut_at_its_last_comma() -> None:
    text = "word " * 30 + "here, " + "word " * 30
    pieces = rest(text)
    assert pieces[0].endswith("here,")
    assert all(len(piece) <= LONGEST_CHARS for piece in pieces)


def test_without_a_comma_it_is_cut_at_a_space_and_without_that_anywhere() -> None:
    assert all(piece.endswith("word") for piece in rest("word " * 100))
    assert [len(piece) for piece in rest("x" * 600)] == [LONGEST_CHARS, LONGEST_CHARS, 120]


def test_a_space_at_the_very_begin_is_no_place_to_cut() -> None:
    assert cut_long("x" * 300, 0) == LONGEST_CHARS


def test_a_word_at_the_end_of_everything_is_no_abbreviation() -> None:
    assert not is_abbreviation("etc.", 0, 3, "")
    assert rest("Tea, milk, etc.") == ["Tea, milk, etc."]


def test_nothing_gives_nothing() -> None:
    assert cut("") == []
    assert cut(" \n ") == []


PIECES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "Dr. ",
            "No. ",
            "3.14 ",
            "e.g. ",
            "```",
            "word " * 60,
            "。",
            "...",
            '." ',
            "\n",
            ", ",
            " and so but with because ",
            "สวัสดี ครับ ",
            " " * 9,
        ]
    ),
)
REPLIES = st.lists(PIECES, max_size=25).map("".join)


@given(REPLIES)
def test_nothing_is_lost_or_added_but_space(text: str) -> None:
    assert "".join("".join(cut(text)).split()) == "".join(text.split())


@given(REPLIES, st.lists(st.integers(0, 400), max_size=12))
@example('Say "no." Then `` ` `` go', [9, 10])
def test_the_cuts_do_not_depend_on_how_the_text_came(text: str, at: list[int]) -> None:
    edges = [0, *sorted(min(index, len(text)) for index in at), len(text)]
    parts = [text[i:j] for i, j in pairwise(edges)]
    assert cut(*parts) == cut(text) == cut(*text)


@given(REPLIES)
@example("word " * 60 + "b and so but with because ")
def test_no_piece_is_empty_or_too_long(text: str) -> None:
    for piece in cut(text):
        assert piece == piece.strip() != ""
        assert len(piece) <= (LONGEST_CODE_CHARS if "```" in piece else LONGEST_CHARS)


@given(REPLIES)
def test_little_is_held_back(text: str) -> None:
    """Outside code, what is not yet spoken never exceeds one longest clause and its look-ahead."""
    sentences = Sentences()
    for character in text.replace("`", "'"):
        sentences.feed(character)
        assert len(sentences._held.strip()) <= LONGEST_CHARS + 20


def test_blanks_without_end_are_not_kept() -> None:
    sentences = Sentences()
    for blank in "\n \t" * 1000:
        sentences.feed(blank)
        assert sentences._held == ""
    assert sentences.feed("Hello") == []
    assert sentences.finish() == ["Hello"]


@pytest.mark.parametrize(
    ("held", "spoken"),
    [
        ("Please hold on.", ["Please hold on."]),
        ('Really?"', ['Really?"']),
        ("Einen Moment。", ["Einen Moment。"]),
        ("Hold on", []),
        ("It costs 3.", []),
        ("Ask Dr.", []),
        ("```a.", []),
        ("...", []),
        ("", []),
    ],
)
def test_at_a_pause_only_a_complete_sentence_is_spoken(held: str, spoken: list[str]) -> None:
    sentences = Sentences()
    assert sentences.feed(held) == []
    assert sentences.pause() == spoken
    assert sentences.finish() == ([] if spoken or not held else [held])


@pytest.mark.parametrize(
    ("came", "kept"),
    [
        ("The capital of Fra", ["The capital of…"]),
        ("The capital of France ", ["The capital of France…"]),
        ("We open at nine. And we", ["We open at nine.", "And…"]),
        ("We open at nine.", ["We open at nine."]),
        ('He said "yes." ', ['He said "yes."']),
        ("It costs $12", ["It costs…"]),
        ("It costs $12. ", ["It costs $12."]),
        ("We open at 9.", ["We open at…"]),
        ("Well, ", ["Well…"]),
        ("Rai", ["Rai…"]),
        ("12", []),
        ("***", []),
        ("", []),
        ("今天天气", ["今天天气…"]),
        ("价格是12", ["价格是…"]),
        ("``` x = 1", ["``` x = 1"]),
    ],
)
def test_a_text_that_broke_off_ends_with_a_whole_word_and_shows_it(
    came: str, kept: list[str]
) -> None:
    sentences = Sentences()
    assert sentences.feed(came) + sentences.break_off() == kept


def test_after_a_first_clause_a_lone_half_word_is_dropped() -> None:
    sentences = Sentences()
    assert sentences.feed("Thank you for calling, an") == ["Thank you for calling,"]
    assert sentences.break_off() == []
