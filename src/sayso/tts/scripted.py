"""A text-to-speech engine that hums: an ordinary engine for tests and benchmarks.

It speaks no words. After a known delay it makes a soft tone as long as the text would take to
say, in pieces of a quarter of a second, so a server can be measured, or a conversation rehearsed,
without the cost of a model. Choose it with `SAYSO_TTS=scripted`; `SAYSO_TTS_OPTIONS` takes

    delay_ms      how long each clause takes to make, in milliseconds (default 0)
    chars_per_s   how fast it "speaks" at speed 1.0 (default 15)
    silent        `true` for silence in place of the tone (default `false`)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import numpy as np

from sayso.audio.formats import Samples
from sayso.engines import EngineConfig
from sayso.errors import InstallationError, SpeechError
from sayso.tts import Voice

RATE_HZ = 24_000
PIECE_S = 0.25
LOUDNESS = 0.1

VOICES = {
    voice.id: (voice, tone_hz)
    for voice, tone_hz in (
        (Voice("hum", "Hum", "female", "any", "A tone of 220 Hz."), 220.0),
        (Voice("drone", "Drone", "male", "any", "A tone of 110 Hz."), 110.0),
    )
}


class ScriptedTts:
    """The humming engine; see `sayso.tts.Tts`."""

    def __init__(self, config: EngineConfig) -> None:
        self._delay_s = read_number(config, "delay_ms", 0.0, most=600_000.0) / 1000
        self._chars_per_s = read_number(config, "chars_per_s", 15.0, least=1.0, most=10_000.0)
        self._silent = config.options.get("silent", "false") == "true"
        self._timeout_s = config.timeout_s

    @property
    def sample_rate_hz(self) -> int:
        """24,000."""
        return RATE_HZ

    @property
    def voices(self) -> Sequence[Voice]:
        """Two tones."""
        return [voice for voice, _ in VOICES.values()]

    async def open(self) -> None:
        """Nothing to load."""

    async def speak(self, text: str, *, voice: str, speed: float = 1.0) -> AsyncIterator[Samples]:
        """Hum for as long as `text` takes to say. Raises SpeechError."""
        if voice not in VOICES:
            raise SpeechError(f"there is no voice {voice!r}; there are {', '.join(VOICES)}")
        try:
            async with asyncio.timeout(self._timeout_s):
                await asyncio.sleep(self._delay_s)
        except TimeoutError as error:
            raise SpeechError(f"no sound came within {self._timeout_s:g} s") from error
        sound = self._hum(len(text.strip()) / (self._chars_per_s * speed), VOICES[voice][1])
        step = int(PIECE_S * RATE_HZ)
        for begin in range(0, len(sound), step):
            yield sound[begin : begin + step]

    async def close(self) -> None:
        """Nothing to let go of."""

    def _hum(self, duration_s: float, tone_hz: float) -> Samples:
        times_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
        loudness = 0.0 if self._silent else LOUDNESS
        return np.asarray(loudness * np.sin(2 * np.pi * tone_hz * times_s), np.float32)


def read_number(
    config: EngineConfig, name: str, default: float, *, least: float = 0.0, most: float
) -> float:
    """A numeric option within its limits. Raises InstallationError otherwise."""
    text = config.options.get(name, str(default))
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not least <= value <= most:
        raise InstallationError(
            f"the option `{name}` is a number, {least:g} to {most:g}, not {text!r}"
        )
    return value
