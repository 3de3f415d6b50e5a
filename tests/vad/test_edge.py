import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.vad.edge import BLOCK_SAMPLES, LOOK_AHEAD_S, LOOK_BACK_S, find_end, find_start

RNG = np.random.default_rng(0)
SECOND = EAR_RATE_HZ


def noise(seconds: float, level: float) -> Samples:
    return RNG.normal(0, level, int(seconds * EAR_RATE_HZ)).astype(np.float32)


def said(spoken_s: float, *, room: float = 0.001, speech: float = 0.2) -> Samples:
    """Speech for so long, then 0.4 s of the room."""
    return np.concatenate([noise(spoken_s, speech), noise(0.4, room)])


def ms(samples: float) -> float:
    return samples / EAR_RATE_HZ * 1000


@pytest.mark.parametrize("late_ms", [-30, -20, 0, 31, 64, 107, 150])
def test_the_end_is_where_the_sound_ends(late_ms: int) -> None:
    named = SECOND + late_ms * EAR_RATE_HZ // 1000
    assert abs(ms(find_end(said(1.0), named) - SECOND)) <= 10


def test_an_end_inside_a_block_is_found_to_10_ms() -> None:
    for extra in range(0, 320, 16):
        sound = said(1.0 + extra / EAR_RATE_HZ)
        end = find_end(sound, SECOND + 1_024)
        assert 0 <= end - (SECOND + extra) <= BLOCK_SAMPLES


def test_a_soft_end_belongs_to_the_speech() -> None:
    sound = np.concatenate([noise(1.0, 0.2), noise(0.06, 0.02), noise(0.4, 0.001)])
    assert abs(ms(find_end(sound, SECOND + 2_048) - SECOND) - 60) <= 10


def test_breath_does_not() -> None:
    sound = np.concatenate([noise(1.0, 0.2), noise(0.06, 0.003), noise(0.4, 0.001)])
    assert abs(ms(find_end(sound, SECOND + 2_048) - SECOND)) <= 10


def test_a_room_is_no_speech_however_it_sounds() -> None:
    sound = said(1.0, room=0.01)
    assert abs(ms(find_end(sound, SECOND + 1_600) - SECOND)) <= 10


def test_a_noisy_room_leaves_it_to_the_detector() -> None:
    assert find_end(said(1.0, room=0.08), SECOND + 1_600) == SECOND + 1_600


def test_digital_silence_is_the_quietest_room() -> None:
    assert abs(find_end(said(1.0, room=0.0), SECOND + 1_600) - SECOND) <= BLOCK_SAMPLES


def test_what_was_quiet_for_longer_is_dated_back_only_so_far() -> None:
    sound = np.concatenate([noise(0.5, 0.2), noise(0.9, 0.0001)])
    named = SECOND
    assert ms(named - find_end(sound, named)) == pytest.approx(LOOK_BACK_S * 1000, abs=10)


@pytest.mark.parametrize("named", [0, 100, 1_600])
def test_with_nothing_to_compare_the_detector_is_right(named: int) -> None:
    assert find_end(noise(0.1, 0.1)[: named + 100], named) == named


def test_no_sound_at_all_is_no_error() -> None:
    assert find_end(np.zeros(SECOND, np.float32), SECOND // 2) <= SECOND


@given(st.integers(0, 2 * SECOND), st.integers(0, 2**32 - 1))
def test_the_end_is_never_far_from_where_the_detector_saw_it(named: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    levels = np.repeat(rng.uniform(0, 0.3, 40), SECOND // 20)
    sound = (levels * rng.normal(0, 1, len(levels))).astype(np.float32)
    end = find_end(sound, named)
    slack = BLOCK_SAMPLES
    assert named - LOOK_BACK_S * EAR_RATE_HZ - slack <= end
    assert end <= named + LOOK_AHEAD_S * EAR_RATE_HZ + slack


# Where it began -------------------------------------------------------------------------------


def begun(spoken_s: float, *, room: float = 0.001, speech: float = 0.2) -> Samples:
    """Half a second of the room, then speech."""
    return np.concatenate([noise(0.5, room), noise(spoken_s, speech)])


HALF = SECOND // 2


@pytest.mark.parametrize("late_ms", [0, 28, 64, 100, 150])
def test_the_start_is_where_the_sound_begins(late_ms: int) -> None:
    named = HALF + late_ms * EAR_RATE_HZ // 1000
    assert abs(ms(find_start(begun(0.3), named) - HALF)) <= 10


def test_a_soft_start_belongs_to_the_speech() -> None:
    sound = np.concatenate([noise(0.5, 0.001), noise(0.08, 0.02), noise(0.2, 0.2)])
    assert abs(ms(find_start(sound, HALF + 1_280) - HALF)) <= 10


def test_a_noisy_room_leaves_the_start_to_the_detector() -> None:
    assert find_start(begun(0.3, room=0.08), HALF + 1_600) == HALF + 1_600


@pytest.mark.parametrize("named", [0, 100, 1_600])
def test_with_no_room_before_it_the_detector_is_right(named: int) -> None:
    assert find_start(noise(0.3, 0.1), named) == named


def test_silence_has_no_start() -> None:
    assert find_start(np.zeros(SECOND, np.float32), HALF) <= HALF


@given(st.integers(0, 2 * SECOND), st.integers(0, 2**32 - 1))
def test_the_start_is_never_long_before_the_detector_saw_it(named: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    levels = np.repeat(rng.uniform(0, 0.3, 40), SECOND // 20)
    sound = (levels * rng.normal(0, 1, len(levels))).astype(np.float32)
    start = find_start(sound, named)
    assert start >= named - LOOK_BACK_S * EAR_RATE_HZ - BLOCK_SAMPLES
    assert start <= max(named, len(sound))
