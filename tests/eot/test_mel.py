import numpy as np
import pytest

from sayso.audio.formats import EAR_RATE_HZ
from sayso.eot.mel import BANDS, draw_mel

REFERENCE = {
    (0, 0): -0.34903,
    (57, 400): 1.62382,
    (59, 400): 0.34809,
    (69, 650): 1.55923,
    (79, 799): 0.4551,
}

TIMES_S = np.arange(8 * EAR_RATE_HZ) / EAR_RATE_HZ


def loudest_band(hz: float) -> int:
    picture = draw_mel(np.sin(2 * np.pi * hz * TIMES_S).astype(np.float32))
    return int(picture[:, 100:700].mean(1).argmax())


def test_eight_seconds_are_eight_hundred_columns() -> None:
    picture = draw_mel(np.zeros(8 * EAR_RATE_HZ, np.float32))
    assert picture.shape == (BANDS, 800)
    assert picture.dtype == np.float32


@pytest.mark.parametrize(("hz", "band"), [(200, 4), (1000, 26), (2000, 43), (4000, 61), (7000, 77)])
def test_a_tone_lights_up_its_band(hz: float, band: int) -> None:
    """Bands lie evenly on Slaney's scale: 45.2 mels to 8 kHz, 200/3 Hz a mel below 1 kHz."""
    assert loudest_band(hz) == pytest.approx(band, abs=1)


def test_loudness_does_not_matter() -> None:
    noise = np.random.default_rng(0).normal(0, 0.2, 8 * EAR_RATE_HZ).astype(np.float32)
    assert np.allclose(draw_mel(noise), draw_mel(noise * 0.1), atol=2e-3)


def test_it_is_what_whisper_sees() -> None:
    """Some numbers of the reference, `transformers.WhisperFeatureExtractor(chunk_length=8)`."""
    sweep = np.sin(2 * np.pi * (100 + 400 * TIMES_S) * TIMES_S).astype(np.float32)
    sweep[: 3 * EAR_RATE_HZ] = 0
    picture = draw_mel(sweep)
    assert {place: picture[place] for place in REFERENCE} == pytest.approx(REFERENCE, abs=1e-4)
