from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle

import numpy as np
import numpy.typing as npt
import pytest

import speech
from pauses import trim
from sayso.audio import mulaw
from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.audio.resample import resample
from sayso.talk.mirror import KEPT_S, LONGEST_S, Mirror

RATE_HZ = 24_000
PIECE = RATE_HZ // 10


def at(loudness: float, sound: npt.NDArray[np.floating]) -> Samples:
    return np.asarray(loudness * sound, np.float32)


def noise(count: int, seed: int = 0) -> Samples:
    return at(0.1, np.random.default_rng(seed).standard_normal(count))


def sent(sound: Samples, rate_hz: int = RATE_HZ) -> Mirror:
    """A mirror of `sound`, at 16 kHz, sent at another rate."""
    mirror = Mirror(rate_hz)
    voice = resample(sound, EAR_RATE_HZ, rate_hz) if len(sound) else sound
    for begin in range(0, len(voice), PIECE):
        mirror.said(voice[begin : begin + PIECE])
    return mirror


def straight(sound: Samples) -> Samples:
    return at(0.5, sound)


def telephone(sound: Samples) -> Samples:
    line = mulaw.decode(mulaw.encode(resample(sound, EAR_RATE_HZ, 8_000)))
    return at(0.5, resample(line, 8_000, EAR_RATE_HZ))


def cheap(sound: Samples) -> Samples:
    """A small loudspeaker that is too loud."""
    return at(0.5 / 4, np.tanh(4 * sound))


def room(sound: Samples) -> Samples:
    """As much comes from the walls, for 0.3 s, as comes straight."""
    time_s = np.arange(EAR_RATE_HZ * 3 // 10) / EAR_RATE_HZ
    walls = noise(len(time_s)) * 10 ** (-3 * time_s / 0.3)
    walls[:32] = 0
    walls /= np.sqrt((walls**2).sum())
    walls[0] = 1
    return at(0.5, np.convolve(sound, walls)[: len(sound)])


def pairs() -> Iterator[tuple[Samples, Samples]]:
    """What an agent says, and a caller: 1.2 s of each, as loud as each other."""
    whole = [trim(each.samples) for each in speech.prompts() if each.seconds >= 2]
    cut = [one[: EAR_RATE_HZ * 12 // 10] / np.sqrt((one**2).mean()) / 15 for one in whole[:60]]
    return zip(cut[:30], cycle(cut[30:]), strict=False)


@pytest.mark.skipif(not speech.prompts(), reason="no recordings installed")
@pytest.mark.parametrize(
    ("way", "least"), [(straight, 0.95), (telephone, 0.95), (cheap, 0.95), (room, 0.7)]
)
def test_an_echo_is_the_agents(way: Callable[[Samples], Samples], least: float) -> None:
    part = slice(EAR_RATE_HZ // 4, EAR_RATE_HZ)  # a reply that was held went on here, and stopped
    whole = [sent(agent).shows(np.pad(way(agent), (3_000, 1_000))) for agent, _ in pairs()]
    parts = [sent(agent).shows(np.pad(way(agent)[part], (4_800, 1_600))) for agent, _ in pairs()]
    assert np.mean(whole) >= least
    assert np.mean(parts) >= least


@pytest.mark.skipif(not speech.prompts(), reason="no recordings installed")
@pytest.mark.parametrize("way", [straight, telephone, room])
@pytest.mark.parametrize("loudness", [2.0, 1.0, 0.5])
def test_a_caller_is_heard_alone_after_an_echo_and_over_it(
    way: Callable[[Samples], Samples], loudness: float
) -> None:
    """`loudness` is the caller's by the echo's; who is less loud is not heard over it."""
    alone, after, over = [], [], []
    for agent, caller in pairs():
        mirror, own, half = sent(agent), loudness / 2 * caller, len(agent) // 2
        alone.append(mirror.shows(own))
        after.append(mirror.shows(np.concatenate((way(agent)[:half], own[:half]))))
        over.append(mirror.shows(way(agent) + own))
    assert np.mean(alone) == 0
    assert np.mean(after) <= 0.05
    assert loudness < 1 or np.mean(over) <= 0.1


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000, 11_025])
def test_any_rate_is_mirrored(rate_hz: int) -> None:
    sound = resample(resample(noise(EAR_RATE_HZ), EAR_RATE_HZ, 4_000), 4_000, EAR_RATE_HZ)
    mirror = sent(sound, rate_hz)
    assert mirror.shows(sound)
    assert not mirror.shows(noise(EAR_RATE_HZ, seed=1))


def test_what_was_sent_long_ago_is_forgotten() -> None:
    mirror, sound = sent(noise(EAR_RATE_HZ)), noise(EAR_RATE_HZ)
    mirror.said(sound[:0])
    assert mirror.shows(sound)
    for piece in np.split(noise(int(KEPT_S * RATE_HZ), seed=1), 50):
        mirror.said(piece)
    assert not mirror.shows(sound)


@pytest.mark.parametrize("count", [0, 1, 255, 1_000, int(LONGEST_S * EAR_RATE_HZ) + 1])
def test_the_shortest_and_the_longest_are_left_to_their_words(count: int) -> None:
    assert not sent(noise(EAR_RATE_HZ)).shows(noise(EAR_RATE_HZ * 4)[:count])


def test_silence_is_nobodys() -> None:
    silence = np.zeros(EAR_RATE_HZ, np.float32)
    assert not Mirror(RATE_HZ).shows(noise(EAR_RATE_HZ))
    assert not sent(silence[:0]).shows(noise(EAR_RATE_HZ))
    assert not sent(noise(EAR_RATE_HZ)).shows(silence)
    assert not sent(silence).shows(noise(EAR_RATE_HZ))
    assert not sent(silence).shows(silence)
