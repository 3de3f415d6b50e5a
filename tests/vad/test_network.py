"""The network as matrix products gives what ONNX Runtime gives for the same file."""

from typing import Protocol

import numpy as np
import pytest

import speech
from sayso.audio.formats import Samples
from sayso.models import locate
from sayso.models.session import open_session
from sayso.models.weights import read_weights
from sayso.vad import WINDOW_SAMPLES
from sayso.vad.network import INPUT_SAMPLES, STATE_SHAPE, Network


class Reference(Protocol):
    """ONNX Runtime's session, which has no types of its own."""

    def run(self, outputs: None, feed: dict[str, Samples]) -> list[Samples]: ...


MODEL = "silero-vad.onnx"
RATE = np.array(16_000)


@pytest.fixture(scope="module")
def network() -> Network:
    return Network(read_weights(locate(MODEL)))


@pytest.fixture(scope="module")
def reference() -> Reference:
    session: Reference = open_session(locate(MODEL))
    return session


def windows_of(sound: Samples) -> list[Samples]:
    padded = np.concatenate([np.zeros(INPUT_SAMPLES - WINDOW_SAMPLES, np.float32), sound])
    begins = range(0, len(padded) - INPUT_SAMPLES + 1, WINDOW_SAMPLES)
    return [padded[begin : begin + INPUT_SAMPLES] for begin in begins]


def compare(network: Network, reference: Reference, sound: Samples) -> float:
    """The largest difference between the two over a whole sound."""
    ours, theirs = np.zeros((1, *STATE_SHAPE), np.float32), np.zeros((2, 1, 128), np.float32)
    worst = 0.0
    for window in windows_of(sound):
        probability, ours = network.judge(window[None], ours)
        feed = {"input": window[None], "state": theirs, "sr": RATE}
        expected, theirs = reference.run(None, feed)
        worst = max(worst, abs(float(probability[0]) - float(expected[0, 0])))
    return worst


@pytest.mark.parametrize("level", [0.0, 1e-4, 0.01, 0.3, 1.0])
def test_noise_of_any_loudness(network: Network, reference: Reference, level: float) -> None:
    sound = np.random.default_rng(1).uniform(-level, level, 32_000).astype(np.float32)
    assert compare(network, reference, sound) < 1e-4


def test_a_voice_like_sound(network: Network, reference: Reference) -> None:
    times_s = np.arange(32_000) / 16_000
    pitch = 120 + 30 * np.sin(2 * np.pi * 3 * times_s)
    voice = sum(np.sin(k * 2 * np.pi * np.cumsum(pitch) / 16_000) / k for k in range(1, 20))
    swell = np.abs(np.sin(2 * np.pi * 2 * times_s))
    assert compare(network, reference, (0.1 * voice * swell).astype(np.float32)) < 1e-4


@pytest.mark.skipif(not speech.prompts(), reason="no recordings installed")
@pytest.mark.speech
def test_recorded_speech(network: Network, reference: Reference) -> None:
    for recording in speech.sentences()[::30]:
        assert compare(network, reference, recording.samples) < 1e-4


def test_company_changes_nothing(network: Network) -> None:
    rng = np.random.default_rng(2)
    windows = rng.normal(0, 0.2, (7, INPUT_SAMPLES)).astype(np.float32)
    states = rng.normal(0, 0.5, (7, *STATE_SHAPE)).astype(np.float32)
    together, after = network.judge(windows, states)
    assert together.shape == (7,)
    assert after.shape == states.shape
    for index in range(7):
        one = slice(index, index + 1)
        alone, after_alone = network.judge(windows[one], states[one])
        np.testing.assert_allclose(alone, together[one], atol=1e-5)
        np.testing.assert_allclose(after_alone, after[one], atol=1e-4)


def test_what_comes_in_is_left_as_it_was(network: Network) -> None:
    windows = np.full((2, INPUT_SAMPLES), 0.1, np.float32)
    states = np.full((2, *STATE_SHAPE), 0.1, np.float32)
    network.judge(windows, states)
    assert (windows == np.float32(0.1)).all()
    assert (states == np.float32(0.1)).all()


def test_the_loudest_possible_sound_is_a_probability(network: Network) -> None:
    square = np.sign(np.sin(np.arange(INPUT_SAMPLES) / 5)).astype(np.float32)[None] * 100
    probabilities, states = network.judge(square, np.zeros((1, *STATE_SHAPE), np.float32))
    assert 0.0 <= probabilities[0] <= 1.0
    assert np.isfinite(states).all()
    assert probabilities.dtype == states.dtype == np.float32
