from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.talk.echo import TAIL_S, Echo, without_echo

SAID = "We are open from nine to five, Monday to Friday. Shall I book you a table for Tuesday?"


@pytest.mark.parametrize(
    "heard",
    [
        "We are open from nine to five.",
        "open from nine",
        "Monday to Friday, shall I book you",
        "a stable for Tuesday",  # misheard
        "Shall I book you a table",
    ],
)
def test_the_agents_own_words_are_an_echo(heard: str) -> None:
    assert without_echo(heard, SAID) == ""


@pytest.mark.parametrize(
    "heard",
    [
        "Wait, stop.",
        "Tuesday.",  # an answer
        "No, Wednesday at nine.",
        "Can you make it five people on Friday?",
        "I said Monday",
        "",
    ],
)
def test_other_words_are_the_callers(heard: str) -> None:
    assert without_echo(heard, SAID) == heard


def test_what_is_said_over_an_echo_is_kept() -> None:
    heard = "from nine to five, Monday no stop, not on Mondays please"
    assert without_echo(heard, SAID) == "no stop, not on Mondays please"


@pytest.mark.parametrize("said", ["", SAID])
def test_what_is_no_echo_is_left_as_it_was_written(said: str) -> None:
    assert without_echo("No,  wait.\nStop.", said) == "No,  wait.\nStop."


def test_where_nothing_was_said_nothing_echoes() -> None:
    assert without_echo("We are open from nine to five.", "") == "We are open from nine to five."


@given(st.text(max_size=80), st.text(max_size=80))
def test_it_only_takes_away(heard: str, said: str) -> None:
    left = without_echo(heard, said).split()
    words = iter(heard.split())
    assert all(word in words for word in left)


def overlapped() -> Echo:
    echo = Echo()
    echo.reply_began()
    echo.speech_started()
    return echo


def test_speech_that_began_in_silence_is_no_echo() -> None:
    echo = Echo()
    echo.speech_started()
    echo.reply_began()
    assert echo.said_over(1.0, "Hello.") == ""


def test_speech_over_a_reply_may_be_one() -> None:
    assert overlapped().said_over(1.0, "Hello.") == "Hello."


def test_until_shortly_after_its_end() -> None:
    echo = overlapped()
    echo.reply_ended("Hello.", 5.0)
    assert echo.said_over(5.0 + TAIL_S, "") == "Hello."
    assert echo.said_over(5.01 + TAIL_S, "") == ""


def test_the_next_speech_is_looked_at_anew() -> None:
    echo = overlapped()
    echo.reply_ended("Hello.", 5.0)
    echo.speech_started()
    assert echo.said_over(5.5, "") == ""
