"""The yardstick itself is tested: a lenient word error rate proves nothing."""

import numpy as np
import pytest

import speech
from speech import Errors, count_errors, normalize, over_the_phone


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I can't, we won't.", "i can not we will not"),
        ("It's 25% off", "it is 25 % off"),
        ("twenty five percent", "25 %"),
        ("two hundred and five", "200 and 5"),
        ("two hundred five", "205"),
        ("one hundred twenty three", "123"),
        ("three thousand", "3000"),
        ("twenty zero", "20 0"),
        ("$4.50 and 1,250", "4 dollars and 50 cents and 1250"),
        ("$5, or $20.", "5 dollars or 20 dollars"),
        ("at 2:15 p.m.", "at 2 15 pm"),
        ("the third, the 3rd", "the 3rd the 3rd"),
        ("Mister Smith's uh e-mail", "mr smiths e mail"),
        ("press # or", "press pound or"),
        ("fifty", "50"),
    ],
)
def test_the_normalizer_writes_one_spelling(text: str, words: str) -> None:
    assert normalize(text) == words.split()


@pytest.mark.parametrize(
    ("said", "heard", "wrong"),
    [
        ("one two three", "one two three", 0),
        ("one two three", "one three", 1),
        ("one two three", "one two two three", 1),
        ("one two three", "one six three", 1),
        ("one two three", "", 3),
        ("check your voice mail", "check your voicemail", 0),
    ],
)
def test_errors_are_counted(said: str, heard: str, wrong: int) -> None:
    assert count_errors(said, heard) == Errors(wrong, len(normalize(said)))


def test_errors_add_up() -> None:
    assert (Errors(1, 10) + Errors(2, 30)).rate == 0.075
    assert Errors(0, 0).rate == 0


def test_a_telephone_line_keeps_the_voice_and_drops_the_treble() -> None:
    times_s = np.arange(16_000) / 16_000
    voice = (0.5 * np.sin(2 * np.pi * 440 * times_s)).astype(np.float32)
    treble = (0.5 * np.sin(2 * np.pi * 6_000 * times_s)).astype(np.float32)
    heard = over_the_phone(voice)
    assert heard.dtype == np.float32
    assert np.abs(heard - voice)[1_000:-1_000].max() < 0.05
    assert np.abs(over_the_phone(treble))[1_000:-1_000].max() < 0.05


@pytest.mark.skipif(not speech.prompts(), reason="no recordings installed")
@pytest.mark.speech
def test_recordings_come_with_their_words() -> None:
    chosen = speech.sentences(count=10)
    assert len({recording.name for recording in chosen}) == len(chosen) >= 10
    for recording in chosen:
        assert recording.text
        assert recording.samples.dtype == np.float32
        assert 0.02 < np.abs(recording.samples).max() <= 1.5
        assert 1 < recording.seconds < 13
