from __future__ import annotations

import numpy as np

from sayso.audio.formats import pcm16_of, samples_of


def test_every_16_bit_value_survives() -> None:
    every = np.arange(-32_768, 32_768).astype(np.int16)
    assert np.array_equal(pcm16_of(samples_of(every)), every)


def test_sound_beyond_full_scale_is_clipped() -> None:
    loud = np.array([-3.0, -1.0, 1.0, 3.0], dtype=np.float32)
    assert pcm16_of(loud).tolist() == [-32_768, -32_768, 32_767, 32_767]


def test_samples_are_float32_within_one() -> None:
    samples = samples_of(np.array([-32_768, 0, 32_767], dtype=np.int16))
    assert samples.dtype == np.float32
    assert samples.tolist() == [-1.0, 0.0, 32_767 / 32_768]
