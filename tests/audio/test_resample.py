from __future__ import annotations

import av
import numpy as np
import pytest

from sayso.audio.formats import Samples
from sayso.audio.resample import FrameResampler, Resampler, frame_of, resample
from sounds import alike, pieces, tone, voice

RATES = [(24_000, 8_000), (8_000, 16_000), (48_000, 16_000), (24_000, 44_100), (44_100, 16_000)]


def run(samples: Samples, from_hz: int, to_hz: int, *, live: bool = True) -> Samples:
    resampler = Resampler(from_hz, to_hz, live=live)
    parts = [resampler.feed(piece) for piece in pieces(samples, 333)]
    return np.concatenate([*parts, resampler.finish()])


def level_db(samples: Samples) -> float:
    """Against the tones these tests use."""
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    return float(10 * np.log10(np.mean(middle**2) / 0.125 + 1e-12))


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
@pytest.mark.parametrize("live", [True, False])
def test_length_and_sound_are_kept(from_hz: int, to_hz: int, live: bool) -> None:
    out = run(voice(2.0, from_hz), from_hz, to_hz, live=live)
    assert out.dtype == np.float32
    assert abs(len(out) - 2 * to_hz) <= 1
    likeness, late = alike(out, voice(2.0, to_hz))
    assert likeness > 0.999
    assert abs(late) <= 1


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_live_holds_back_two_milliseconds_at_most(from_hz: int, to_hz: int) -> None:
    resampler, put_s, got_s, behind_s = Resampler(from_hz, to_hz), 0.0, 0.0, 0.0
    for piece in pieces(voice(1.0, from_hz), from_hz // 50):
        put_s += len(piece) / from_hz
        got_s += len(resampler.feed(piece)) / to_hz
        behind_s = max(behind_s, put_s - got_s)
    assert behind_s < 0.0025


@pytest.mark.parametrize("frequency_hz", [4_400, 5_000, 6_000, 8_000, 11_000])
def test_a_phone_call_hears_nothing_folded_back(frequency_hz: int) -> None:
    assert level_db(run(tone(frequency_hz, 1.0, 24_000), 24_000, 8_000)) < -40


@pytest.mark.parametrize("frequency_hz", [200, 1_000, 2_000, 3_000, 3_400])
def test_a_phone_call_hears_the_whole_band_of_the_telephone(frequency_hz: int) -> None:
    assert level_db(run(tone(frequency_hz, 1.0, 24_000), 24_000, 8_000)) > -0.2


def test_equal_rates_change_nothing() -> None:
    sound = voice(0.1, 16_000)
    resampler = Resampler(16_000, 16_000)
    assert resampler.feed(sound) is sound
    assert len(resampler.finish()) == 0


@pytest.mark.parametrize("live", [True, False])
def test_no_sound_gives_none(live: bool) -> None:
    resampler = Resampler(8_000, 16_000, live=live)
    assert len(resampler.feed(np.zeros(0, dtype=np.float32))) == 0
    assert len(resampler.finish()) == 0


def test_whole_recordings() -> None:
    sound = resample(voice(1.0, 44_100), 44_100, 16_000)
    assert len(sound) == 16_000
    assert alike(sound, voice(1.0, 16_000))[0] > 0.9999
    assert level_db(resample(tone(4_400, 1.0, 24_000), 24_000, 8_000)) < -100


def stereo(left: Samples, right: Samples, rate_hz: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.stack([left, right]), format="fltp", layout="stereo")
    frame.sample_rate = rate_hz
    return frame


def heard(*frames: av.AudioFrame) -> Samples:
    resampler = FrameResampler(16_000)
    return np.concatenate([*map(resampler.feed, frames), resampler.finish()])


def test_frames_of_two_channels_become_their_mean() -> None:
    sound = voice(0.5, 48_000)
    out = heard(stereo(sound, np.zeros_like(sound), 48_000))
    likeness, _ = alike(out, voice(0.5, 16_000))
    assert likeness > 0.999
    assert np.abs(out).max() == pytest.approx(np.abs(sound).max() / 2, rel=0.02)


def test_full_scale_on_both_channels_does_not_clip() -> None:
    loud = tone(440, 0.5, 48_000) * 1.9
    assert np.abs(heard(stereo(loud, loud, 48_000))).max() == pytest.approx(0.95, abs=0.01)


def test_frames_may_change_their_shape() -> None:
    sound = voice(0.5, 48_000)
    out = heard(stereo(sound, sound, 48_000), frame_of(voice(0.5, 24_000), 24_000))
    assert len(out) == pytest.approx(16_000, abs=50)


def test_what_is_no_sample_becomes_one() -> None:
    wild = np.array([np.nan, np.inf, -np.inf, 7.0] * 400, dtype=np.float32)
    out = heard(frame_of(wild, 16_000))
    assert np.isfinite(out).all()
    assert np.abs(out).max() <= 1.0


def test_no_frames_no_sound() -> None:
    assert len(FrameResampler(16_000).finish()) == 0
