"""The usual sentences: every one in every language, and which of them an agent has."""

from __future__ import annotations

from dataclasses import astuple, fields
from string import Formatter
from typing import get_args

import pytest

from sayso.agents.options import Language
from sayso.talk.phrases import ENGLISH, PHRASES, Phrases, phrases_in
from sayso.tts.spoken import speakable

NAMES = [field.name for field in fields(Phrases)]


def placeholders(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text)} - {None}


def test_every_language_an_agent_may_have_has_them() -> None:
    assert set(PHRASES) == set(get_args(Language))


@pytest.mark.parametrize("language", PHRASES)
def test_all_are_there_and_leave_the_same_gaps(language: str) -> None:
    for name in NAMES:
        said: str = getattr(PHRASES[language], name)
        assert said == said.strip() != ""
        assert placeholders(said) == placeholders(getattr(ENGLISH, name))
    assert len(set(astuple(PHRASES[language]))) == len(NAMES)


@pytest.mark.parametrize("language", PHRASES)
def test_all_have_words_to_speak(language: str) -> None:
    for said in astuple(PHRASES[language]):
        assert any(map(str.isalpha, speakable(said.format(seconds=30), language)))


def test_no_language_was_copied_from_another() -> None:
    said = [phrase for usual in PHRASES.values() for phrase in astuple(usual)]
    assert len(set(said)) == len(said)


@pytest.mark.parametrize(
    ("language", "voice", "spoken"),
    [
        ("german", "any", "german"),
        ("german", "de-DE", "german"),
        ("german", "en-US", "english"),
        ("japanese", "en_GB", "english"),
        ("german", "spanish", "spanish"),
        ("mandarin", "zh-Hans-CN", "mandarin"),
        ("english", "fr", "french"),
        ("german", "nl-NL", "german"),
        ("dutch", "any", "english"),
        ("dutch", "nl", "english"),
        ("dutch", "", "english"),
    ],
)
def test_a_voice_of_one_language_speaks_its_own(language: str, voice: str, spoken: str) -> None:
    assert phrases_in(language, voice) is PHRASES[spoken]


def test_the_nudges_go_from_one_to_the_next() -> None:
    assert ENGLISH.nudges == (ENGLISH.still_there, ENGLISH.still_here)
