"""Changes the sample rate of sound: live with hardly any delay, whole with none to spare.

Two resamplers, because no one of them suits both. Fed in 20 ms blocks, quality as the level
of what must not be there (a tone 10 % above the lower rate's limit), delay in milliseconds:

    live               24 -> 8 kHz     8 -> 16 kHz    48 -> 16 kHz   24 -> 44.1 kHz
    swresample         2.0 ms -43 dB   2.0 ms         1.0 ms -43 dB  0.7 ms
    soxr QQ            0.0 ms   0 dB   0.3 ms         0.0 ms   0 dB  0.1 ms
    soxr LQ           40   ms -113 dB  61 ms         20   ms -113 dB 0.9 ms
    soxr HQ           73   ms -120 dB  115 ms        37   ms -120 dB 38 ms

soxr's filters work in blocks of a transform, and a caller waits for each block to fill; its
quickest quality has no filter at all, so all of a voice above 4 kHz folds back onto a phone
call. swresample (FFmpeg's, inside PyAV) filters sample by sample: flat within 0.1 dB up to
85 % of the limit, 50-70 µs of CPU for 100 ms. Whole recordings go through soxr HQ.
"""

from __future__ import annotations

from typing import Any, Protocol

import av
import numpy as np
import soxr

from sayso.audio.formats import Samples

SILENCE: Samples = np.zeros(0, dtype=np.float32)
"""No sound at all."""


def frame_of(samples: Samples, rate_hz: int) -> av.AudioFrame:
    """The same sound in PyAV's own shape."""
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples, dtype=np.float32)[np.newaxis], format="flt", layout="mono"
    )
    frame.sample_rate = rate_hz
    return frame


def joined(frames: list[av.AudioFrame]) -> Samples:
    """The sound of mono float frames, one after the other."""
    parts = [frame.to_ndarray()[0] for frame in frames]
    return np.concatenate(parts, dtype=np.float32) if parts else SILENCE


class _Stream(Protocol):
    """What either resampler does for us."""

    def feed(self, samples: Samples) -> Samples: ...

    def finish(self) -> Samples: ...


class _Same:
    """Equal rates: sound passes untouched."""

    def feed(self, samples: Samples) -> Samples:
        return samples

    def finish(self) -> Samples:
        return SILENCE


class _Swresample:
    """FFmpeg's polyphase filter."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._from_hz = from_hz
        self._resampler = av.AudioResampler(format="flt", layout="mono", rate=to_hz)

    def feed(self, samples: Samples) -> Samples:
        return joined(self._resampler.resample(frame_of(samples, self._from_hz)))

    def finish(self) -> Samples:
        return joined(self._resampler.resample(None))


class _Soxr:
    """The SoX resampler at high quality."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._stream: Any = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="HQ")

    def feed(self, samples: Samples) -> Samples:
        return self._take(samples, last=False)

    def finish(self) -> Samples:
        return self._take(SILENCE, last=True)

    def _take(self, samples: Samples, *, last: bool) -> Samples:
        out: Samples = self._stream.resample_chunk(samples, last=last)
        return out


def _stream(from_hz: int, to_hz: int, *, live: bool) -> _Stream:
    if from_hz == to_hz:
        return _Same()
    return _Swresample(from_hz, to_hz) if live else _Soxr(from_hz, to_hz)


class Resampler:
    """One direction of one conversation, or one utterance; pieces of any length.

    On an interruption throw it away, or the last milliseconds of the old reply begin the next.
    """

    def __init__(self, from_hz: int, to_hz: int, *, live: bool = True) -> None:
        self._stream = _stream(from_hz, to_hz, live=live)
        self._used = False

    def feed(self, samples: Samples) -> Samples:
        """The part of the sound so far that is ready at the new rate; may be empty."""
        if not len(samples):
            return SILENCE
        self._used = True
        return self._stream.feed(samples)

    def finish(self) -> Samples:
        """The rest, once; feed nothing after it."""
        return self._stream.finish() if self._used else SILENCE


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """A whole recording at another rate, at high quality, its length kept within a sample."""
    resampler = Resampler(from_hz, to_hz, live=False)
    return np.concatenate((resampler.feed(samples), resampler.finish()))


class FrameResampler:
    """Decoded frames of any rate, format and number of channels, to mono at one rate.

    Channels are averaged; FFmpeg's own mix adds them up and clips. What a file of floats may
    hold and a sample may not (NaN, beyond [-1, 1]) ends here. A stream that changes its shape
    is followed.
    """

    def __init__(self, to_hz: int) -> None:
        self._to_hz = to_hz
        self._shape: tuple[str, str, int] | None = None
        self._resampler: av.AudioResampler | None = None

    def feed(self, frame: av.AudioFrame) -> Samples:
        """The part of the sound so far that is ready; may be empty."""
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._resampler is None or shape != self._shape:
            self._shape = shape
            self._resampler = av.AudioResampler(
                format="fltp", layout=frame.layout, rate=self._to_hz
            )
        frame.pts = None  # gaps in a stream's own clock are not silence to fill
        return _sound_of(self._resampler.resample(frame))

    def finish(self) -> Samples:
        """The last two milliseconds, once; feed nothing after it."""
        return SILENCE if self._resampler is None else _sound_of(self._resampler.resample(None))


def _sound_of(frames: list[av.AudioFrame]) -> Samples:
    parts = [frame.to_ndarray().mean(axis=0) for frame in frames]
    if not parts:
        return SILENCE
    return np.clip(np.nan_to_num(np.concatenate(parts, dtype=np.float32)), -1.0, 1.0)
