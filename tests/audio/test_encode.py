from __future__ import annotations

import gc
import io
import time

import av
import numpy as np
import pytest

from sayso.audio import mulaw
from sayso.audio.encode import check_output, nearest_mp3_rate_hz, open_encoder, opus_rate_hz
from sayso.audio.formats import OutputAudio, OutputFormat, Samples
from sayso.errors import AudioError
from sounds import alike, at_rate, pieces, played, voice

SOURCE_HZ = 24_000
SECONDS = 2.0
RATES_HZ = [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000]
FORMATS = list(OutputFormat)
CODED = [OutputFormat.MP3, OutputFormat.OGG, OutputFormat.FLAC]


@pytest.fixture(scope="module")
def speech() -> Samples:
    return voice(SECONDS, SOURCE_HZ)


def encoded(speech: Samples, kind: OutputFormat, rate_hz: int, piece_s: float = 0.1) -> bytes:
    encoder = open_encoder(OutputAudio(kind, rate_hz), SOURCE_HZ)
    parts = [encoder.encode(piece) for piece in pieces(speech, round(piece_s * SOURCE_HZ))]
    return b"".join([*parts, encoder.finish()])


def heard(data: bytes, kind: OutputFormat, rate_hz: int) -> tuple[Samples, int]:
    if kind is OutputFormat.RAW:
        return np.frombuffer(data, dtype="<f4").astype(np.float32), rate_hz
    if kind is OutputFormat.MULAW:
        return mulaw.decode(data), rate_hz
    return played(data, rate_hz, "mp3" if kind is OutputFormat.MP3 else None)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("kind", FORMATS)
def test_a_player_hears_what_was_said(speech: Samples, kind: OutputFormat, rate_hz: int) -> None:
    sound, own_rate_hz = heard(encoded(speech, kind, rate_hz), kind, rate_hz)
    assert own_rate_hz == (48_000 if kind is OutputFormat.OGG else rate_hz)
    likeness, late = alike(sound, at_rate(speech, SOURCE_HZ, rate_hz))
    assert likeness > (0.97 if kind in CODED else 0.995)
    padding_s = len(sound) / rate_hz - SECONDS
    assert -0.001 <= padding_s < (0.2 if kind is OutputFormat.MP3 else 0.03)
    assert 0 <= late / rate_hz + 0.001 < (0.15 if kind is OutputFormat.MP3 else 0.01)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("rate_hz", [9_999, 37_800])
def test_odd_rates_play_too(speech: Samples, kind: OutputFormat, rate_hz: int) -> None:
    sound, own_rate_hz = heard(encoded(speech, kind, rate_hz), kind, rate_hz)
    if kind is OutputFormat.MP3:
        assert own_rate_hz == nearest_mp3_rate_hz(rate_hz)
    assert len(sound) / rate_hz == pytest.approx(SECONDS, abs=0.2)


@pytest.mark.parametrize("kind", FORMATS)
def test_pieces_of_any_size_make_the_same_sound(speech: Samples, kind: OutputFormat) -> None:
    small, _ = heard(encoded(speech, kind, 16_000, piece_s=0.007), kind, 16_000)
    large, _ = heard(encoded(speech, kind, 16_000, piece_s=2.0), kind, 16_000)
    assert len(small) == pytest.approx(len(large), abs=1)
    likeness, late = alike(small, large)
    assert likeness > 0.99
    assert late == 0


@pytest.mark.parametrize(
    ("kind", "before_s"),
    [
        (OutputFormat.RAW, 0.02),
        (OutputFormat.WAV, 0.02),
        (OutputFormat.MULAW, 0.02),
        (OutputFormat.FLAC, 0.06),
        (OutputFormat.OGG, 0.04),
        (OutputFormat.MP3, 0.06),
    ],
)
def test_first_bytes_come_early(speech: Samples, kind: OutputFormat, before_s: float) -> None:
    encoder = open_encoder(OutputAudio(kind, 24_000), SOURCE_HZ)
    early = pieces(speech[: round(before_s * SOURCE_HZ)], SOURCE_HZ // 50)
    data = b"".join(encoder.encode(piece) for piece in early)
    if kind is OutputFormat.MP3:
        assert data[0] == 0xFF
        assert len(data) == 64_000 * 0.024 / 8  # a whole frame of 576 samples
    else:
        assert len(heard(data, kind, 24_000)[0]) > 0


@pytest.mark.parametrize("kind", FORMATS)
def test_a_stream_cut_off_plays_to_its_cut(speech: Samples, kind: OutputFormat) -> None:
    encoder = open_encoder(OutputAudio(kind, 44_100), SOURCE_HZ)
    parts = [encoder.encode(piece) for piece in pieces(speech[:SOURCE_HZ], 2_400)]
    sound, _ = heard(b"".join(parts), kind, 44_100)
    assert len(sound) / 44_100 > 0.88


@pytest.mark.parametrize("kind", FORMATS)
def test_too_loud_is_clipped(kind: OutputFormat) -> None:
    loud = (voice(0.5, SOURCE_HZ) * 50).astype(np.float32)
    sound, _ = heard(encoded(loud, kind, 24_000), kind, 24_000)
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() <= 1.0
    if kind not in {OutputFormat.MP3, OutputFormat.OGG}:
        assert alike(sound, np.clip(loud, -1, 1))[0] > 0.999


@pytest.mark.parametrize("kind", CODED)
def test_no_sound_no_bytes(kind: OutputFormat) -> None:
    encoder = open_encoder(OutputAudio(kind, 24_000), SOURCE_HZ)
    assert encoder.encode(np.zeros(0, dtype=np.float32)) == b""
    assert encoder.finish() == b""


def test_mp3_has_nothing_before_its_sound(speech: Samples) -> None:
    data = encoded(speech, OutputFormat.MP3, 44_100)
    assert data[0] == 0xFF
    assert b"Xing" not in data[:1_000]
    assert b"Info" not in data[:1_000]


def test_two_mp3_utterances_play_as_one_stream(speech: Samples) -> None:
    data = encoded(speech, OutputFormat.MP3, 44_100)
    assert len(played(data + data, 44_100)[0]) >= 2 * SECONDS * 44_100


def test_ogg_and_flac_say_what_they_are(speech: Samples) -> None:
    with av.open(io.BytesIO(encoded(speech, OutputFormat.OGG, 16_000))) as container:
        assert container.streams.audio[0].codec_context.name in {"opus", "libopus"}
    assert encoded(speech, OutputFormat.FLAC, 16_000).startswith(b"fLaC")
    assert encoded(speech, OutputFormat.WAV, 16_000).startswith(b"RIFF\xff\xff\xff\xffWAVE")


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_light_is_fast(speech: Samples, kind: OutputFormat) -> None:
    encoder = open_encoder(OutputAudio(kind, 48_000), SOURCE_HZ)
    assert encoder.heavy == (kind in CODED)
    if not encoder.heavy:
        begun_s = time.thread_time()
        for piece in pieces(speech, 2_400):
            encoder.encode(piece)
        assert (time.thread_time() - begun_s) / (SECONDS * 10) < 0.002


def test_an_encoder_given_up_leaves_nothing(speech: Samples) -> None:
    for kind in FORMATS:
        open_encoder(OutputAudio(kind, 24_000), SOURCE_HZ).encode(speech)
    gc.collect()


@pytest.mark.parametrize("rate_hz", [0, -1, 7_999, 48_001, 96_000])
def test_rates_out_of_range_are_refused(rate_hz: int) -> None:
    audio = OutputAudio(OutputFormat.RAW, rate_hz)
    with pytest.raises(AudioError, match=r"8,000 to 48,000 Hz"):
        check_output(audio)
    with pytest.raises(AudioError):
        open_encoder(audio, SOURCE_HZ)


def test_rates_of_the_codecs() -> None:
    assert [nearest_mp3_rate_hz(rate) for rate in (8_000, 9_000, 20_000, 40_000)] == [
        8_000,
        8_000,
        22_050,
        44_100,
    ]
    assert [opus_rate_hz(rate) for rate in (8_000, 8_001, 24_000, 44_100)] == [
        8_000,
        12_000,
        24_000,
        48_000,
    ]
