from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from sayso.audio.pair import BLOCK_S, RATE_HZ, RawTrack, join, split
from sayso.errors import AudioError
from sounds import tone


def raw(path: Path, rate_hz: int, seconds: float, frequency_hz: float) -> RawTrack:
    sound = np.rint(tone(frequency_hz, seconds, rate_hz) * 20_000).astype("<i2")
    path.write_bytes(sound.tobytes())
    return RawTrack(path, rate_hz)


def read(path: Path) -> npt.NDArray[np.int16]:
    with av.open(str(path)) as container:
        assert container.streams.audio[0].sample_rate == RATE_HZ
        frames = [frame.to_ndarray().reshape(-1, 2) for frame in container.decode(audio=0)]
    return np.concatenate(frames).astype(np.int16)


def pitch_hz(track: npt.NDArray[np.int16]) -> float:
    spectrum = np.abs(np.fft.rfft(track.astype(np.float64)))
    return float(np.fft.rfftfreq(len(track), 1 / RATE_HZ)[spectrum.argmax()])


def test_two_tracks_become_the_channels_of_one_file(tmp_path: Path) -> None:
    seconds = 2 * BLOCK_S + 1.5
    left = raw(tmp_path / "left", 16_000, seconds, 440)
    right = raw(tmp_path / "right", 24_000, seconds - 3, 880)
    lasts_s = join(left, right, tmp_path / "both")
    both = read(tmp_path / "both")
    assert len(both) / RATE_HZ == lasts_s == pytest.approx(seconds, abs=0.001)
    assert pitch_hz(both[:, 0]) == pytest.approx(440, abs=1)
    assert pitch_hz(both[:, 1]) == pytest.approx(880, abs=1)
    assert (both[:, 0] == np.frombuffer(left.path.read_bytes(), "<i2")).all()
    assert not both[int((seconds - 2.9) * RATE_HZ) :, 1].any()
    with av.open(str(tmp_path / "both")) as container:
        assert container.duration == pytest.approx(seconds * 1_000_000, abs=1000)


def test_a_side_that_was_never_heard_is_silent(tmp_path: Path) -> None:
    left = raw(tmp_path / "left", 16_000, 1, 440)
    join(left, RawTrack(tmp_path / "none", 24_000), tmp_path / "both")
    both = read(tmp_path / "both")
    assert both[:, 0].any()
    assert not both[:, 1].any()
    nobody = RawTrack(tmp_path / "none", 16_000)
    assert join(nobody, nobody, tmp_path / "nothing") == 0


def test_a_track_that_a_crash_cut_inside_a_sample_can_be_read(tmp_path: Path) -> None:
    left = raw(tmp_path / "left", 16_000, 1, 440)
    left.path.write_bytes(left.path.read_bytes()[:-1])
    lasts_s = join(left, RawTrack(tmp_path / "none", 24_000), tmp_path / "both")
    assert lasts_s == pytest.approx(1, abs=0.001)


def test_a_file_becomes_two_tracks_again(tmp_path: Path) -> None:
    left = raw(tmp_path / "left", 16_000, 7, 440)
    right = raw(tmp_path / "right", 24_000, 7, 880)
    join(left, right, tmp_path / "both")
    again = RawTrack(tmp_path / "left2", 16_000), RawTrack(tmp_path / "right2", 24_000)
    split(tmp_path / "both", *again)
    assert again[0].path.read_bytes() == left.path.read_bytes()
    before, after = (np.frombuffer(one.path.read_bytes(), "<i2") for one in (right, again[1]))
    assert len(after) == pytest.approx(len(before), abs=4)
    middle = slice(24_000, 48_000)
    assert np.corrcoef(before[middle], after[middle])[0, 1] > 0.99


def test_what_cannot_be_written_or_read_says_so(tmp_path: Path) -> None:
    left = raw(tmp_path / "left", 16_000, 1, 440)
    with pytest.raises(AudioError, match="cannot be encoded"):
        join(left, left, tmp_path / "no" / "such" / "folder")
    with pytest.raises(AudioError, match="cannot be read"):
        split(left.path, RawTrack(tmp_path / "a", 16_000), RawTrack(tmp_path / "b", 16_000))
