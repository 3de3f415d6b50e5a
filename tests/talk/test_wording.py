import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.talk.wording import (
    Ending,
    find_ending,
    is_backchannel,
    is_grunt,
    is_impatient,
    is_noise,
    is_open,
    is_unsure,
    says,
    wants_floor,
    words_of,
)


def test_words_are_bare_and_lower_case() -> None:
    assert words_of("Well—I'm at 42, Mm-hm St.!") == ["well", "i'm", "at", "42", "mm-hm", "st"]
    assert words_of("it’s") == ["it's"]


@pytest.mark.parametrize(
    "text",
    [
        "I would like to", "my number is", "um", "apples and.", "first,", "so I thought…",
        "My name is.", "My phone number is:", "Is there a way to?", "I live in.", "wait -",
        "I was wondering if.", "I want to speak with.", "The last time I called, I.", "I'm",
        "Well,", "It depends on the.", "You can reach me at.", "If it rains.",
        "The problem is that.", "Because,", "Yes. Um,",
    ],
)  # fmt: skip
def test_a_sentence_that_goes_on_is_open(text: str) -> None:
    assert find_ending(text) is Ending.OPEN


@pytest.mark.parametrize(
    "text",
    [
        "Let me see.", "Let me think.", "Hold on.", "One moment, please.", "Just a second.",
        "Okay, let me check.", "Yes. Hang on.", "I mean", "Give me a minute.", "Well.",
    ],
)  # fmt: skip
def test_who_thinks_aloud_has_not_finished(text: str) -> None:
    assert find_ending(text) is Ending.OPEN


@pytest.mark.parametrize(
    "text",
    [
        "", "  ", "What time is it?", "Yes.", "I am done.", "Agent logged in.", "What is it for?",
        "Who am I talking to?", "There it is.", "Yes, it is.", "What is that?", "Can you do that?",
        "The first one.", "I need a room for two.", "It was in 2019.", "Room 305.", "I see.",
        "Twenty five.", "If it rains, we stay.", "Will you come if it rains?",
        "That's what I put in.", "What did you put it in?", "My email is broken?",
    ],
)  # fmt: skip
def test_a_sentence_that_ends_is_closed(text: str) -> None:
    assert find_ending(text) is Ending.CLOSED


@pytest.mark.parametrize(
    "text",
    [
        "Two, zero, two.", "My number is six one seven", "555", "Four, one, one, one. 1111",
        "my code is 48", "It is S, M, I.", "Q.", "It is spelled S-M-I", "B as in boy,", "double",
        "My email is john", "My e-mail address is john.smith", "john dot smith underscore", "K. a.",
        "6011 0009 9013", "nine oh", "one two double three", "account 12", "one triple",
    ],
)  # fmt: skip
def test_what_is_dictated_grows(text: str) -> None:
    assert find_ending(text) is Ending.DICTATING
    assert is_open(text)


@pytest.mark.parametrize(
    "text",
    [
        "617 555 0192", "My number is six one seven, five five five, zero one nine two.",
        "1 800 555 0199", "4111 1111 1111 1111", "one eight hundred, no: 1 800 555 0199",
        "My email is john at example.com", "My email is john at example dot com.",
        "That's all.", "No, thank you very much.", "Okay, bye.", "A coffee, please.",
    ],
)  # fmt: skip
def test_what_has_all_its_parts_is_complete(text: str) -> None:
    assert find_ending(text) is Ending.COMPLETE
    assert not is_open(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "Uh-huh.", "Yeah, right.", "Mm-hm", "okay", "I see.", "Oh, really?", "Mm-hmm.", "Mhm.",
        "Uh huh", "Hmm", "Ha, ha, ha!", "Ha ha ha ha ha ha ha", "Uh-huh, huh, h", "Uh, uh, uh, u",
    ],
)  # fmt: skip
def test_listening_noises_are_backchannels(text: str) -> None:
    assert is_backchannel(text)


@pytest.mark.parametrize("text", ["Stop.", "Wait, yes.", "no", "yeah yeah yeah yeah", "42"])
def test_words_with_a_message_are_not(text: str) -> None:
    assert not is_backchannel(text)
    assert not is_backchannel(text, 0.5)


@pytest.mark.parametrize("text", ["Mama.", "Mamma,,", "Mummy.", "Money.", "Moon, right?"])
def test_a_hum_written_down_as_a_word_is_told_by_its_length(text: str) -> None:
    assert is_backchannel(text, 0.4)
    assert not is_backchannel(text, 1.2)
    assert not is_backchannel(text)


@pytest.mark.parametrize(
    "text", ["Tataha.", "Kahaha!", "Fatata.", "Tata Tata.", "How, how, how?", "For for for."]
)
def test_a_laugh_is_one_whatever_is_written_down(text: str) -> None:
    assert is_backchannel(text)


@pytest.mark.parametrize("text", ["No, no, no!", "Stop stop stop", "Help, help, help!", "data"])
def test_what_is_said_three_times_may_be_meant(text: str) -> None:
    assert not is_backchannel(text, 0.8)


@pytest.mark.parametrize("text", ["Professor,", "Part of her."])
def test_unsure_words_are_known_by_their_engine(text: str) -> None:
    assert is_unsure(text, 0.2)
    assert not is_unsure(text, 0.3)
    assert not is_unsure(text, None)


@pytest.mark.parametrize("text", ["Stop?", "Oh, no.", "Hold her.", "Wait a"])
def test_who_may_want_the_floor_is_never_unsure(text: str) -> None:
    assert not is_unsure(text, 0.05)


@pytest.mark.parametrize("text", ["You", "The.", "It's a"])
def test_what_nobody_says_alone_is_unsure(text: str) -> None:
    assert is_unsure(text, 0.9)
    assert is_unsure(text, None)
    assert not is_unsure(text, None, "german")


def test_no_words_are_sure() -> None:
    assert not is_unsure("", None)


@pytest.mark.parametrize(
    ("text", "wants"), [("Stop.", True), ("Oh, no", True), ("Okay.", False), ("", False)]
)
def test_who_wants_the_floor_says_so(text: str, wants: bool) -> None:
    assert wants_floor(text) is wants
    assert not wants_floor(text, "german")


@pytest.mark.parametrize("text", ["All right.", "Of course.", "That's great!", "Oh, that’s good."])
def test_who_is_pleased_listens(text: str) -> None:
    assert is_backchannel(text)


@pytest.mark.parametrize(
    "text", ["That's all.", "That's wrong.", "That's not right.", "All of it."]
)
def test_who_says_more_than_that_does_not(text: str) -> None:
    assert not is_backchannel(text, 0.8)


def test_in_another_language_any_word_may_be_unsure() -> None:
    assert is_unsure("no", 0.05, "italian")


@pytest.mark.parametrize("text", ["Uh-huh.", "Mm-hm", "Oh,", "Mama."])
def test_a_grunt_is_one_if_it_is_short(text: str) -> None:
    assert is_grunt(text, 0.3)
    assert not is_grunt(text, 0.6)


@pytest.mark.parametrize("text", ["", "Yeah.", "Okay.", "Huh?", "Oh, no."])
def test_a_word_is_no_grunt(text: str) -> None:
    assert not is_grunt(text, 0.3)


@pytest.mark.parametrize(
    ("text", "spoken_s"),
    [
        ("You", 0.2),
        ("Uh?", 0.3),
        ("Twins,", 0.2),
        ("That's it.", 0.29),
        ("The.", 0.22),
        ("It's", 0.0),
        ("Power.", 0.19),
        ("Two.", 0.16),
        ("Uh-huh", 0.19),
        ("I like it.", 0.2),
        ("What's the other thing?", 0.61),
        ("Tassassassassassassassassassass", 0.77),
    ],
)
def test_a_cough_is_no_word(text: str, spoken_s: float) -> None:
    assert is_noise(text, spoken_s)


@pytest.mark.parametrize(
    ("text", "spoken_s"),
    [
        ("You", 0.6), ("Stop.", 0.29), ("No.", 0.35), ("Yes.", 0.2), ("Yeah.", 0.35), ("Oh.", 0.2),
        ("Thank you.", 0.4), ("", 0.1), ("Wait.", 0.32), ("Hello.", 0.42), ("Two.", 0.2),
        ("No.", 0.15), ("That's right.", 0.42), ("Thank you very much.", 0.64),
    ],
)  # fmt: skip
def test_a_short_word_is_one(text: str, spoken_s: float) -> None:
    assert not is_noise(text, spoken_s)


@given(st.text(max_size=60))
def test_any_text_has_an_ending(text: str) -> None:
    assert is_open(text) == (find_ending(text) in {Ending.OPEN, Ending.DICTATING})


@given(st.text(alphabet="0123456789 ,.-", max_size=40))
def test_any_row_of_digits_has_an_ending(text: str) -> None:
    assert find_ending(text) in Ending


@pytest.mark.parametrize("text", ["Hello?", "Hello? Hello?", "Are you still there?", "Hey."])
def test_who_only_asks_whether_anybody_is_there_is_impatient(text: str) -> None:
    assert is_impatient(text)


@pytest.mark.parametrize("text", ["", "Hello, I need a taxi.", "There.", "Stop."])
def test_who_says_more_is_not(text: str) -> None:
    assert not is_impatient(text)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("All done. Goodbye!", "goodbye"), ("Good-bye, Ann.", "good bye"),
        ("Good bye.", "good-bye"), ("THAT’S all,\nfolks", "that's all"), ("Bye", "bye!"),
        ("Um Grüße, tschüß", "TSCHÜSS"), ("cafe\u0301 au lait", "caf\u00e9"),
        ("それではさようならまた", "さようなら"), ("再见！", "再见"), ("ลาก่อนนะคะ", "ลาก่อน"),
        ("Code 42.", "code 42"), ("Привет", "привет"),
    ],
)  # fmt: skip
def test_a_phrase_is_found_whatever_stands_between_its_words(text: str, phrase: str) -> None:
    assert says(text, phrase)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("A byway.", "bye"), ("Standby.", "by"), ("It depends.", "end"), ("The end.", "ends"),
        ("Anything", ""), ("Anything!", "!"), ("", "bye"), ("", "-"), ("Code 421.", "code 42"),
        ("Good. Goodness, bye", "good bye"),
    ],
)  # fmt: skip
def test_a_phrase_is_whole_words_and_nothing_says_nothing(text: str, phrase: str) -> None:
    assert not says(text, phrase)


@given(st.text(), st.text())
def test_what_is_within_words_is_said_in_any_case(before: str, after: str) -> None:
    assert says(f"{before} Good-Bye {after}", "good bye")
