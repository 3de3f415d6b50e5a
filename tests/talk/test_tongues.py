"""What is known of languages other than English, and what it changes about turns."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.agents.options import Language
from sayso.talk.endpointing import Policy, patience_s
from sayso.talk.events import (
    Answer,
    Command,
    Event,
    Heard,
    Hold,
    Hush,
    ReplyStarted,
    Resume,
    SpeechStarted,
    SpeechStopped,
    Tick,
    Typed,
)
from sayso.talk.state import Turn
from sayso.talk.tongues import TONGUES, Tongue, split_words
from sayso.talk.turn import step
from sayso.talk.wording import Ending, find_ending, is_backchannel, is_noise, is_open

LANGUAGES = st.sampled_from(sorted(TONGUES))


def run(*events: Event, policy: Policy) -> list[Command]:
    turn, said = Turn(), list[Command]()
    for event in events:
        turn, commands = step(turn, event, policy)
        said += commands
    return said


def test_every_language_but_english_has_its_words() -> None:
    assert set(TONGUES) == set(get_args(Language)) - {"english"}


@pytest.mark.parametrize("tongue", TONGUES.values(), ids=TONGUES)
def test_who_listens_has_said_it(tongue: Tongue) -> None:
    """A word cannot both be all of a turn and leave it open."""
    assert tongue.listening
    assert not tongue.listening & tongue.open


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Oui, d'accord !", ["oui", "d'accord"]),
        ("हाँ, ठीक है।", ["हाँ", "ठीक", "है"]),
        ("はい、そうですね。", ["はい", "そうですね"]),
        ("Ναι… - «καλά»", ["ναι", "καλά"]),
        ("e\u0301t\u00e9", ["été"]),
        ("'—'", []),
    ],
)
def test_words_of_any_script_are_whole(text: str, words: list[str]) -> None:
    assert split_words(text) == words


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("german", "Ja, genau."), ("german", "Mhm."), ("german", "Alles klar."),
        ("spanish", "Sí, claro."), ("spanish", "Perfecto."), ("french", "D'accord."),
        ("french", "Oui, c'est ça."), ("italian", "Va bene."),
        ("portuguese", "Tá bom."), ("polish", "No tak."), ("russian", "Да, понятно."),
        ("turkish", "Tamam."), ("greek", "Εντάξει."), ("hindi", "जी हाँ।"), ("arabic", "نعم."),
        ("malay", "Ya, betul."), ("mandarin", "嗯，对。"), ("japanese", "はい、なるほど。"),
        ("korean", "네, 그렇군요."), ("thai", "ครับ"),
    ],
)  # fmt: skip
def test_i_am_listening_takes_no_floor(language: str, text: str) -> None:
    assert is_backchannel(text, language=language)
    assert not is_open(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [("german", "Nein."), ("german", "Ja, aber morgen."), ("spanish", "Espere."), ("dutch", "Ja.")],
)
def test_anything_else_does(language: str, text: str) -> None:
    assert not is_backchannel(text, language=language)


@pytest.mark.parametrize(
    ("language", "text", "ending"),
    [
        ("german", "Ich hätte gern einen", Ending.OPEN),
        ("german", "Rufen Sie mich bitte an.", Ending.CLOSED),
        ("spanish", "Quiero una mesa para.", Ending.OPEN),
        ("spanish", "Quiero una mesa.", Ending.CLOSED),
        ("french", "Je voudrais un", Ending.OPEN),
        ("mandarin", "我想，", Ending.OPEN),
        ("japanese", "予約をお願いします。", Ending.CLOSED),
        ("french", "C'est le 06 12 34", Ending.DICTATING),
        ("french", "C'est le 06 12 34 56 78.", Ending.COMPLETE),
        ("polish", "Mieszkam w", Ending.OPEN),
        ("dutch", "Ik wil een", Ending.CLOSED),
        ("dutch", "Ik wil,", Ending.OPEN),
        ("korean", "", Ending.CLOSED),
    ],
)
def test_an_ending_is_told_by_the_language(language: str, text: str, ending: Ending) -> None:
    assert find_ending(text, language) is ending


@given(st.text(max_size=40), LANGUAGES)
def test_any_text_has_an_ending(text: str, language: str) -> None:
    assert find_ending(text, language) in Ending
    assert is_open(text, language) == (
        find_ending(text, language) in {Ending.OPEN, Ending.DICTATING}
    )
    is_backchannel(text, language=language)


def test_what_english_ears_write_for_a_cough_may_be_a_word_elsewhere() -> None:
    assert is_noise("Mm.", 0.2)
    assert not is_noise("Mm.", 0.2, "german")
    assert is_noise("Donaudampfschifffahrt", 0.2, "german"), "nobody speaks so fast"


def test_patience_goes_by_the_language() -> None:
    german = replace(Policy(), language="german")
    assert patience_s("Ich nehme den", None, german) == german.unfinished_s
    assert patience_s("Ich nehme den", None, Policy()) == Policy().patience_s


def test_ja_over_a_reply_lets_it_go_on_in_german_only() -> None:
    over = (
        Typed(0.0, "Erzähl!"),
        ReplyStarted(0.5, 1),
        SpeechStarted(3.0),
        SpeechStopped(3.6, 3.4),
        Heard(3.8, "Ja, genau.", 0.6),
    )
    german = replace(Policy(), language="german")
    assert run(*over, policy=german)[1:] == [Hold(1), Resume(1)]
    assert run(*over, policy=Policy())[1:3] == [Hold(1), Hush(1)]


def test_a_turn_that_ends_with_and_waits_in_any_language() -> None:
    said = (SpeechStarted(1.0), SpeechStopped(2.2, 2.0), Heard(2.3, "Äpfel und"), Tick(2.5))
    german = replace(Policy(), language="german")
    assert not [c for c in run(*said, policy=german) if isinstance(c, Answer)]
    assert [c for c in run(*said, policy=Policy()) if isinstance(c, Answer)]
