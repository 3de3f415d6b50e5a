import pytest

from sayso.talk.endpointing import Policy, is_backchannel, is_unfinished, patience_s, words_of


def test_words_are_bare_and_lower_case() -> None:
    assert words_of("Well—I'm at 42, Mm-hm St.!") == ["well", "i'm", "at", "42", "mm-hm", "st"]


@pytest.mark.parametrize(
    "text",
    ["I would like to", "my number is", "um", "apples and.", "first,", "so I thought…", "wait -"],
)
def test_a_sentence_that_goes_on_is_unfinished(text: str) -> None:
    assert is_unfinished(text)


@pytest.mark.parametrize(
    "text",
    ["", "  ", "What time is it?", "Yes.", "I am done.", "Agent logged in.", "What is it for?"],
)
def test_a_sentence_that_ends_is_finished(text: str) -> None:
    assert not is_unfinished(text)


@pytest.mark.parametrize("text", ["", "Uh-huh.", "Yeah, right.", "Mm-hm", "okay", "I see."])
def test_listening_noises_are_backchannels(text: str) -> None:
    assert is_backchannel(text)


@pytest.mark.parametrize("text", ["Stop.", "Wait, yes.", "no", "yeah yeah yeah yeah", "42"])
def test_words_with_a_message_are_not(text: str) -> None:
    assert not is_backchannel(text)


def test_patience_is_longer_for_an_unfinished_sentence() -> None:
    policy = Policy(patience_s=0.5, unfinished_s=1.5)
    assert patience_s("Book a table.", policy) == 0.5
    assert patience_s("Book a table for", policy) == 1.5


def test_a_client_that_asks_for_more_patience_keeps_it() -> None:
    assert patience_s("and", Policy(patience_s=5.0, unfinished_s=1.2)) == 5.0
