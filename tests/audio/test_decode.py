from __future__ import annotations

import asyncio
import io
import shutil
import subprocess

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso.audio import mulaw
from sayso.audio.decode import MAX_SOUND_PER_MESSAGE_S, Decoder, _codec, open_decoder
from sayso.audio.encode import open_encoder
from sayso.audio.formats import (
    EAR_RATE_HZ,
    InputAudio,
    InputEncoding,
    OutputAudio,
    OutputFormat,
    Samples,
    pcm16_of,
)
from sayso.audio.framing import Flac
from sayso.audio.wav import write_header
from sayso.errors import AudioError
from sounds import Listener, alike, at_rate, cut, packets, played, recorded, saved, voice

SECONDS = 2.0
SPOKEN = voice(SECONDS, EAR_RATE_HZ)


def listen(
    encoding: InputEncoding, rate_hz: int | None, listener: Listener | None = None
) -> tuple[Decoder, Listener]:
    listener = listener or Listener()
    return open_decoder(InputAudio(encoding, rate_hz), listener.emit), listener


def heard(encoding: InputEncoding, rate_hz: int | None, *messages: bytes) -> Samples:
    """For the encodings that emit from within `feed`."""
    decoder, listener = listen(encoding, rate_hz)
    for message in messages:
        decoder.feed(message)
    decoder.close()
    assert decoder.damaged == 0
    return listener.sound


def assert_is_spoken(sound: Samples, likeness: float = 0.99, late_ms: float = 10) -> None:
    found, late = alike(sound, SPOKEN)
    assert found > likeness
    assert abs(late) / EAR_RATE_HZ * 1000 < late_ms
    assert sound.dtype == np.float32
    assert len(sound) / EAR_RATE_HZ == pytest.approx(SECONDS, abs=0.07)


def linear16(samples: Samples) -> bytes:
    return pcm16_of(samples).astype("<i2").tobytes()


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 24_000, 44_100, 48_000])
def test_plain_sound_at_any_rate(rate_hz: int) -> None:
    sound = voice(SECONDS, rate_hz)
    assert_is_spoken(heard(InputEncoding.LINEAR16, rate_hz, *cut(linear16(sound), 999)))
    assert_is_spoken(heard(InputEncoding.MULAW, rate_hz, *cut(mulaw.encode(sound), 1_536)))


@given(st.lists(st.binary(max_size=9), max_size=20))
def test_samples_cut_in_two_are_put_together(messages: list[bytes]) -> None:
    sound = heard(InputEncoding.LINEAR16, EAR_RATE_HZ, *messages)
    whole = b"".join(messages)
    assert linear16(sound) == whole[: len(whole) // 2 * 2]


def test_an_sdk_frame_is_heard_at_once() -> None:
    decoder, listener = listen(InputEncoding.MULAW, 16_000)
    decoder.feed(bytes(1_536))
    assert listener.seconds == 0.096


def test_a_phone_frame_is_heard_two_milliseconds_late() -> None:
    decoder, listener = listen(InputEncoding.MULAW, 8_000)
    decoder.feed(bytes(160))
    assert listener.seconds >= 0.017


@pytest.mark.parametrize("encoding", [InputEncoding.MULAW, InputEncoding.LINEAR16])
@pytest.mark.parametrize("rate_hz", [None, 0, 7_999, 48_001])
def test_plain_sound_needs_a_rate(encoding: InputEncoding, rate_hz: int | None) -> None:
    with pytest.raises(AudioError, match="inputSampleRate"):
        listen(encoding, rate_hz)


@pytest.mark.parametrize("encoding", list(InputEncoding))
async def test_nothing_is_a_keep_alive(encoding: InputEncoding) -> None:
    decoder, listener = listen(encoding, 16_000)
    for _ in range(3):
        decoder.feed(b"")
    decoder.close()
    assert listener.seconds == 0
    assert decoder.damaged == 0


@pytest.mark.parametrize("encoding", list(InputEncoding))
async def test_nothing_is_heard_after_close(encoding: InputEncoding) -> None:
    decoder, listener = listen(encoding, 16_000)
    decoder.close()
    decoder.feed(saved("ogg", "libopus", SPOKEN, EAR_RATE_HZ)[:2_000])
    decoder.close()
    await asyncio.sleep(0)
    assert listener.seconds == 0


# Codec packets ---------------------------------------------------------------------------


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
def test_opus_packets(rate_hz: int) -> None:
    messages = packets("libopus", voice(SECONDS, rate_hz), rate_hz, "s16")
    for stated_hz in (rate_hz, None):
        assert_is_spoken(heard(InputEncoding.OPUS, stated_hz, *messages), 0.94)


def test_a_damaged_opus_packet_is_skipped() -> None:
    messages = packets("libopus", voice(SECONDS, 16_000), 16_000, "s16")
    messages[10] = b"\xff"
    decoder, listener = listen(InputEncoding.OPUS, 16_000)
    for message in messages:
        decoder.feed(message)
    assert decoder.damaged == 1
    assert listener.seconds == pytest.approx(SECONDS, abs=0.07)


def test_what_is_no_opus_at_all_is_refused() -> None:
    decoder, listener = listen(InputEncoding.OPUS, 16_000)
    for _ in range(9):
        decoder.feed(b"\xff")
    with pytest.raises(AudioError, match="cannot be read as opus") as caught:
        decoder.feed(b"\xff")
    assert caught.value.hint is not None
    with pytest.raises(AudioError):
        decoder.feed(b"\xff")
    assert listener.seconds == 0


async def test_opus_may_come_in_ogg() -> None:
    decoder, listener = listen(InputEncoding.OPUS, 48_000)
    for page in cut(saved("ogg", "libopus", voice(SECONDS, 48_000), 48_000), 700):
        decoder.feed(page)
    await listener.until(SECONDS - 0.01)
    decoder.close()
    assert decoder.damaged == 0
    assert_is_spoken(listener.sound, 0.94)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
def test_flac_streams_and_bare_frames(rate_hz: int) -> None:
    stream = b"".join(recorded("flac", "flac", voice(SECONDS, rate_hz), rate_hz))
    assert_is_spoken(heard(InputEncoding.FLAC, rate_hz, *cut(stream, 777)))
    assert_is_spoken(heard(InputEncoding.FLAC, None, *Flac().feed(stream)))


def test_flac_is_heard_without_waiting_for_more() -> None:
    stream = b"".join(recorded("flac", "flac", SPOKEN, EAR_RATE_HZ))
    decoder, listener = listen(InputEncoding.FLAC, EAR_RATE_HZ)
    for frame in Flac().feed(stream):
        before_s = listener.seconds
        decoder.feed(frame)
        assert listener.seconds > before_s


def test_a_damaged_flac_frame_is_skipped() -> None:
    frames = list(Flac().feed(b"".join(recorded("flac", "flac", SPOKEN, EAR_RATE_HZ))))
    frames[4] = frames[4][:50] + b"\x55" + frames[4][51:]
    decoder, listener = listen(InputEncoding.FLAC, EAR_RATE_HZ)
    for message in cut(b"".join(frames), 400):
        decoder.feed(message)
    assert decoder.damaged == 1
    lost_s = SECONDS - listener.seconds
    assert 0.02 < lost_s < 0.15


def test_a_message_that_claims_to_be_hours_is_refused() -> None:
    silence = np.zeros(EAR_RATE_HZ * 10, dtype=np.float32)
    frames = b"".join(Flac().feed(b"".join(recorded("flac", "flac", silence, EAR_RATE_HZ))))
    decoder, _ = listen(InputEncoding.FLAC, EAR_RATE_HZ)
    with pytest.raises(AudioError, match="over 120 s"):
        decoder.feed(frames * (round(MAX_SOUND_PER_MESSAGE_S) // 10 + 1))


def test_amr_narrow_band() -> None:
    """Its own decoder's word for what the packets hold: AMR keeps no waveform."""
    messages = packets("libopencore_amrnb", voice(SECONDS, 8_000), 8_000, "s16")
    whole = b"#!AMR\n" + b"".join(messages)
    sound = heard(InputEncoding.AMR_NB, 8_000, *messages)
    assert np.array_equal(heard(InputEncoding.AMR_NB, None, *cut(whole, 500)), sound)
    assert len(sound) / EAR_RATE_HZ == pytest.approx(SECONDS, abs=0.05)
    assert alike(sound, played(whole, EAR_RATE_HZ)[0])[0] > 0.99


@pytest.mark.parametrize(
    ("encoding", "frames"),
    [
        (InputEncoding.AMR_NB, [b"\x3c" + bytes(31), b"\x44" + bytes(5), b"\x7c"]),
        (InputEncoding.AMR_WB, [b"\x44" + bytes(60), b"\x4c" + bytes(5), b"\x74", b"\x7c"]),
    ],
)
def test_amr_speech_noise_and_loss_keep_time(encoding: InputEncoding, frames: list[bytes]) -> None:
    """20 ms each; there is no free encoder of the wide band to compare with."""
    sound = heard(encoding, None, *frames * 5)
    assert len(sound) / EAR_RATE_HZ == pytest.approx(len(frames) * 0.1, abs=0.003)


def test_g729_keeps_time() -> None:
    """Nor for this one: any 10 bytes are 10 ms of some sound."""
    sound = heard(InputEncoding.G729, 8_000, bytes(range(20)), bytes(range(12)))
    assert len(sound) / EAR_RATE_HZ == pytest.approx(0.03, abs=0.003)


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs an encoder: the ffmpeg program")
@pytest.mark.parametrize("rate_hz", [8_000, 16_000])
async def test_speex_packets_and_speex_in_ogg(rate_hz: int) -> None:
    command = f"ffmpeg -v error -f s16le -ar {rate_hz} -ac 1 -i - -c:a libspeex -f ogg -"
    made = await asyncio.to_thread(
        subprocess.run,
        command.split(),
        input=linear16(voice(SECONDS, rate_hz)),
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("this ffmpeg cannot write Speex")
    with av.open(io.BytesIO(made.stdout), "r") as container:
        messages = [bytes(packet) for packet in container.demux() if packet.size]
    expected, _ = played(made.stdout, EAR_RATE_HZ)
    assert alike(heard(InputEncoding.SPEEX, rate_hz, *messages), expected)[0] > 0.99

    decoder, listener = listen(InputEncoding.SPEEX, rate_hz)
    decoder.feed(made.stdout)
    await listener.until(SECONDS - 0.05)
    decoder.close()
    assert alike(listener.sound, expected)[0] > 0.99


# Containers ------------------------------------------------------------------------------

LIVE = [
    ("webm", "libopus", 48_000),
    ("matroska", "pcm_s16le", 16_000),
    ("ogg", "libopus", 48_000),
    ("ogg", "flac", 16_000),
    ("mp3", "libmp3lame", 44_100),
    ("adts", "aac", 24_000),
    ("wav", "pcm_s16le", 44_100),
    ("flac", "flac", 24_000),
]
FILES = [*LIVE, ("mp4", "aac", 44_100), ("ipod", "aac", 44_100), ("aiff", "pcm_s16be", 22_050)]


@pytest.mark.parametrize(("muxer", "codec", "rate_hz"), LIVE)
async def test_live_recordings_in_slices(muxer: str, codec: str, rate_hz: int) -> None:
    decoder, listener = listen(InputEncoding.MEDIA_CONTAINER, None)
    for part in recorded(muxer, codec, voice(SECONDS, rate_hz), rate_hz, slice_s=0.25):
        decoder.feed(part)
        await asyncio.sleep(0)
    await listener.until(SECONDS - 0.06)
    decoder.close()
    assert_is_spoken(listener.sound, 0.93, late_ms=60)


async def test_a_fragmented_mp4_in_slices() -> None:
    """What Safari's recorder makes."""
    slices = recorded(
        "mp4",
        "aac",
        voice(SECONDS, 44_100),
        44_100,
        slice_s=0.25,
        movflags="frag_every_frame+empty_moov+default_base_moof",
    )
    decoder, listener = listen(InputEncoding.MEDIA_CONTAINER, None)
    for number, part in enumerate(slices):
        decoder.feed(part)
        await listener.until(0.25 * number - 0.08)
    await listener.until(SECONDS - 0.01)
    decoder.close()
    assert_is_spoken(listener.sound, 0.95, late_ms=60)


@pytest.mark.parametrize(("muxer", "codec", "rate_hz"), FILES)
@pytest.mark.parametrize("size", [101, 10_000_000])
async def test_files_whole_and_in_crumbs(muxer: str, codec: str, rate_hz: int, size: int) -> None:
    """Heard to the end, though the client says no more and does not hang up."""
    decoder, listener = listen(InputEncoding.MEDIA_CONTAINER, None)
    for part in cut(saved(muxer, codec, voice(SECONDS, rate_hz), rate_hz), size):
        decoder.feed(part)
        await asyncio.sleep(0)
    await listener.until(SECONDS - 0.06)
    decoder.close()
    assert decoder.damaged == 0
    assert_is_spoken(listener.sound, 0.93, late_ms=60)


@pytest.mark.parametrize("codec", ["pcm_u8", "pcm_s24le", "pcm_f32le", "pcm_mulaw", "pcm_alaw"])
@pytest.mark.parametrize("layout", ["mono", "stereo"])
async def test_wav_of_every_kind(codec: str, layout: str) -> None:
    file = b"".join(
        recorded("wav", codec, voice(SECONDS, 16_000), 16_000, slice_s=0.25, layout=layout)
    )
    decoder, listener = listen(InputEncoding.MEDIA_CONTAINER, None)
    for part in cut(file, 1_001):
        decoder.feed(part)
    decoder.close()
    assert_is_spoken(listener.sound, 0.98)


@pytest.mark.parametrize("kind", [OutputFormat.WAV, OutputFormat.OGG, OutputFormat.FLAC])
async def test_our_own_output_is_heard(kind: OutputFormat) -> None:
    encoder = open_encoder(OutputAudio(kind, 24_000), 24_000)
    decoder, listener = listen(InputEncoding.MEDIA_CONTAINER, None)
    decoder.feed(encoder.encode(voice(SECONDS, 24_000)) + encoder.finish())
    await listener.until(SECONDS - 0.03)
    decoder.close()
    assert_is_spoken(listener.sound, 0.95)


@pytest.mark.parametrize(
    ("muxer", "codec", "rate_hz"),
    [
        ("wav", "pcm_s16le", 16_000),
        ("flac", "flac", 16_000),
        ("webm", "libopus", 48_000),
        ("mp4", "aac", 44_100),
        ("aiff", "pcm_s16be", 16_000),
    ],
)
async def test_a_recorder_that_makes_every_slice_a_file(
    muxer: str, codec: str, rate_hz: int
) -> None:
    sound = voice(SECONDS, rate_hz)
    decoder, listener = listen(InputEncoding.MEDIA_CONTAINER, None)
    for number in range(4):
        part = sound[number * rate_hz // 2 : (number + 1) * rate_hz // 2]
        decoder.feed(saved(muxer, codec, part, rate_hz))
    await listener.until(SECONDS - 0.06)
    decoder.close()
    assert listener.seconds == pytest.approx(SECONDS, abs=0.4)
    assert listener.errors == []


async def test_damage_is_counted_over_all_files() -> None:
    frames = list(Flac().feed(b"".join(recorded("flac", "flac", SPOKEN, EAR_RATE_HZ))))
    frames[4] = frames[4][:50] + b"\x55" + frames[4][51:]
    file = saved("flac", "flac", SPOKEN, EAR_RATE_HZ)
    damaged = file[: file.index(frames[0])] + b"".join(frames)
    decoder, _ = listen(InputEncoding.MEDIA_CONTAINER, None)
    for data in (damaged, damaged, saved("wav", "pcm_s16le", SPOKEN, EAR_RATE_HZ), b"\0\0"):
        decoder.feed(data)
    assert decoder.damaged == 2
    decoder.close()


@pytest.mark.parametrize(
    "garbage",
    [b"Hello, this is no sound.", b"#EXTM3U\nhttp://localhost/", bytes(400), b"\xff" * 40],
)
async def test_what_is_no_container_is_refused(garbage: bytes) -> None:
    decoder, listener = listen(InputEncoding.MEDIA_CONTAINER, None)
    decoder.feed(garbage[:5])
    with pytest.raises(AudioError, match="no container we read") as caught:
        decoder.feed(garbage[5:])
    assert garbage[:12].hex(" ") in str(caught.value)
    assert caught.value.hint is not None
    decoder.close()
    assert listener.seconds == 0


async def test_a_recording_joined_late_is_refused_until_one_begins() -> None:
    file = saved("webm", "libopus", voice(SECONDS, 48_000), 48_000)
    decoder, listener = listen(InputEncoding.MEDIA_CONTAINER, None)
    with pytest.raises(AudioError):
        decoder.feed(file[1_000:2_000])
    decoder.feed(file)
    await listener.until(SECONDS - 0.06)
    decoder.close()


async def test_errors_found_between_two_messages_are_told() -> None:
    listener = Listener()
    decoder = open_decoder(InputAudio(), listener.emit, on_error=listener.on_error)
    decoder.feed(b"OggS" + bytes(range(256)) * 300)
    decoder.feed(b"\x1a\x45\xdf\xa3" + bytes(range(256)) * 40)
    await listener.until_error()
    with pytest.raises(AudioError):
        decoder.feed(b"more")


async def test_a_wav_we_cannot_read_is_refused() -> None:
    adpcm = saved("wav", "adpcm_ms", SPOKEN, EAR_RATE_HZ)
    decoder, _ = listen(InputEncoding.MEDIA_CONTAINER, None)
    with pytest.raises(AudioError, match="a codec we do not read") as caught:
        decoder.feed(adpcm)
    assert caught.value.hint == "Send 16-bit PCM."


async def test_a_wav_of_floats_that_are_no_samples() -> None:
    header = write_header(16_000).replace(b"\x01\0\x01\0", b"\x03\0\x01\0", 1)
    header = header[:32] + b"\x04\0\x20\0" + header[36:]
    wild = np.array([np.nan, np.inf, -np.inf, 9.0] * 800, dtype="<f4").tobytes()
    decoder, listener = listen(InputEncoding.MEDIA_CONTAINER, None)
    decoder.feed(header + wild)
    assert np.isfinite(listener.sound).all()
    assert np.abs(listener.sound).max() <= 1.0


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([e for e in InputEncoding if e is not InputEncoding.MEDIA_CONTAINER]),
    st.lists(st.binary(max_size=300), max_size=12),
)
def test_no_bytes_do_anything_but_sound_or_an_audio_error(
    encoding: InputEncoding, messages: list[bytes]
) -> None:
    listener = Listener()
    loop = asyncio.new_event_loop()
    decoder = open_decoder(InputAudio(encoding, 16_000), listener.emit, loop=loop)
    try:
        for message in messages:
            decoder.feed(message)
    except AudioError:
        pass
    finally:
        decoder.close()
        loop.close()
    assert np.isfinite(listener.sound).all()
    assert np.abs(listener.sound).max(initial=0) <= 1.0


def test_a_codec_this_server_lacks_is_named() -> None:
    with pytest.raises(AudioError, match="cannot read libnothing"):
        _codec("libnothing", 8_000)


@pytest.mark.parametrize("muxer", ["wav", "flac"])
async def test_close_in_the_middle_of_a_file(muxer: str) -> None:
    codec = {"wav": "pcm_s16le", "flac": "flac"}[muxer]
    decoder, listener = listen(InputEncoding.MEDIA_CONTAINER, None)
    file = saved(muxer, codec, SPOKEN, EAR_RATE_HZ)
    decoder.feed(file[:20])
    decoder.close()
    decoder.feed(file[20:])
    decoder, _ = listen(InputEncoding.MEDIA_CONTAINER, None, listener)
    decoder.feed(file[:20])
    decoder.feed(file[20:40])
    decoder.close()
    assert listener.seconds == 0


def test_rates_are_helped_by_the_whole_resampler() -> None:
    assert at_rate(SPOKEN, 16_000, 16_000) is SPOKEN
