"""A speech-to-text engine that follows a script: an ordinary engine for tests and benchmarks.

It hears nothing. Each call waits for a known delay and returns the next line of its script, so a
whole conversation can be rehearsed, or a server measured, without the cost or the mistakes of
a model. Choose it with `SAYSO_STT=scripted`; `SAYSO_STT_OPTIONS` takes

    delay_ms   how long one transcription takes, in milliseconds (default 0)
    text       one text for every call, or a JSON list of texts given in turn, the last one
               again and again (default "")
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from sayso.audio.formats import Samples
from sayso.engines import EngineConfig
from sayso.errors import InstallationError, SpeechError


class ScriptedStt:
    """The scripted engine; see `sayso.stt.Stt`."""

    def __init__(self, config: EngineConfig) -> None:
        self._delay_s = read_delay_s(config)
        self._timeout_s = config.timeout_s
        self._lines = read_lines(config.options.get("text", ""))
        self._next = 0

    async def open(self) -> None:
        """Start the script from its first line."""
        self._next = 0

    async def transcribe(self, samples: Samples, language: str) -> str:  # noqa: ARG002
        """Return the script's next line after the delay; "" for no sound at all."""
        if not len(samples):
            return ""
        try:
            async with asyncio.timeout(self._timeout_s):
                await asyncio.sleep(self._delay_s)
        except TimeoutError as error:
            raise SpeechError(f"no transcript came within {self._timeout_s:g} s") from error
        line = self._lines[min(self._next, len(self._lines) - 1)]
        self._next += 1
        return line

    async def close(self) -> None:
        """Nothing to let go of."""


def read_lines(text: str) -> tuple[str, ...]:
    """The script: a JSON list of texts, or one text."""
    if not text.lstrip().startswith("["):
        return (text,)
    try:
        lines: Any = json.loads(text)
    except ValueError as error:
        raise InstallationError(
            f"the option `text` of the scripted STT is not JSON: {error}"
        ) from error
    if not lines or not all(isinstance(line, str) for line in lines):
        raise InstallationError("the option `text` of the scripted STT is a JSON list of texts")
    return tuple(lines)


def read_delay_s(config: EngineConfig) -> float:
    """The option `delay_ms`, in seconds."""
    text = config.options.get("delay_ms", "0")
    try:
        delay_ms = float(text)
    except ValueError:
        delay_ms = -1.0
    if not 0 <= delay_ms <= 600_000:
        raise InstallationError(f"the option `delay_ms` is 0 to 600000 milliseconds, not {text!r}")
    return delay_ms / 1000
