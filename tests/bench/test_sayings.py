from __future__ import annotations

import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import speech
from sayings import (
    LONGEST_GAP_S,
    LONGEST_S,
    choose,
    cut_frames,
    is_fit,
    load_sayings,
    longest_gap_s,
    make_room,
    speak,
    trim,
)
from sayso.audio.formats import EAR_RATE_HZ, Samples
from script import FRAME_S


def quiet(seconds: float) -> Samples:
    return np.zeros(int(seconds * EAR_RATE_HZ), np.float32)


def loud(seconds: float) -> Samples:
    return np.full(int(seconds * EAR_RATE_HZ), 0.5, np.float32)


def sound_of(frame: str) -> bytes:
    message = json.loads(frame)
    assert message["type"] == "audioIn"
    return base64.b64decode(message["data"])


def test_trimmed_sound_begins_and_ends_loud() -> None:
    assert len(trim(np.concatenate([quiet(0.3), loud(1.0), quiet(0.5)]))) == EAR_RATE_HZ
    assert len(trim(quiet(1.0))) == 0


def test_a_gap_is_silence_inside_the_sound() -> None:
    assert longest_gap_s(loud(1.0)) == 0.0
    assert longest_gap_s(np.concatenate([loud(0.5), quiet(0.2), loud(0.5)])) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("sound", "fit"),
    [
        (loud(1.0), True),
        (loud(0.1), False),
        (loud(LONGEST_S + 0.1), False),
        (np.concatenate([loud(0.5), quiet(LONGEST_GAP_S + 0.02), loud(0.5)]), False),
        (quiet(0.0), False),
    ],
)
def test_a_saying_is_one_short_sentence_in_one_breath(sound: Samples, fit: bool) -> None:
    assert is_fit(sound) is fit


@given(st.integers(1, 40_000))
def test_the_last_frame_ends_with_the_sound(length: int) -> None:
    sound = np.full(length, 0.5, np.float32)
    saying = cut_frames(sound)
    data = b"".join(sound_of(frame) for frame in saying.frames)
    assert len(data) == 2 * round(saying.seconds * EAR_RATE_HZ)
    assert np.frombuffer(data, "<i2")[-length:].min() == 16_384
    assert saying.seconds - FRAME_S < length / EAR_RATE_HZ <= saying.seconds + 1e-9


def test_a_room_is_a_second_of_almost_silence() -> None:
    room = make_room()
    data = b"".join(sound_of(frame) for frame in room)
    assert len(data) == 2 * EAR_RATE_HZ
    assert 0 < np.abs(np.frombuffer(data, "<i2")).max() < 0.01 * 32_768
    assert room == make_room()


def test_sayings_are_spread_over_what_fits() -> None:
    sounds = [loud(0.9 + at / 100) for at in range(10)] + [loud(9.0)]
    lengths = [round(s.seconds, 2) for s in choose(sounds, 5)]
    assert lengths == [0.9, 0.92, 0.94, 0.96, 0.98]
    assert choose([quiet(1.0)], 5) == []
    assert len(choose(sounds, 99)) == 10


@pytest.mark.skipif(not speech.prompts(), reason="no recordings installed")
async def test_people_say_enough_different_things() -> None:
    sayings = await load_sayings(24)
    assert len(sayings) == 24
    assert len({saying.frames for saying in sayings}) == 24


@pytest.mark.speech
async def test_the_bundled_voice_stands_in_for_people() -> None:
    (sound,) = await speak(["What is the price?"])
    assert 0.5 < len(trim(sound)) / EAR_RATE_HZ < 3.0
