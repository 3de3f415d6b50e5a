"""Silero VAD v6 on ONNX Runtime: the bundled voice-activity detector.

0.2 ms per 32 ms window, so it runs on the event loop. The session is shared; what a caller said
before lives in the caller's own stream.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sayso.audio.formats import EAR_RATE_HZ, Samples
from sayso.engines import EngineConfig
from sayso.errors import SpeechError
from sayso.models import locate
from sayso.models.session import open_session
from sayso.vad import WINDOW_SAMPLES

CONTEXT_SAMPLES = 64
"""Each window is judged with the 64 samples before it; without them v5 and v6 go deaf."""


class Silero:
    """The detector; see `sayso.vad.Vad`."""

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        self._session: Any = None

    async def open(self) -> None:
        """Load and warm the model. Raises InstallationError if it is missing."""
        self._session = open_session(locate("silero-vad.onnx", self._config.models_dir))
        self.stream().feed(np.zeros(WINDOW_SAMPLES, np.float32))

    def stream(self) -> SileroStream:
        """Begin listening to one caller."""
        if self._session is None:
            raise SpeechError("the voice-activity detector is not open")
        return SileroStream(self._session)

    async def close(self) -> None:
        """Let go of the model; streams that still exist keep it until they are dropped."""
        self._session = None


class SileroStream:
    """What the detector remembers of one caller."""

    def __init__(self, session: Any) -> None:  # noqa: ANN401 - onnxruntime has no types
        self._session = session
        self._state = np.zeros((2, 1, 128), np.float32)
        self._rate = np.array(EAR_RATE_HZ, np.int64)
        self._held: Samples = np.zeros(CONTEXT_SAMPLES, np.float32)

    def feed(self, samples: Samples) -> list[float]:
        """Take 16 kHz samples of any length; get one probability for each full window so far."""
        self._held = np.concatenate([self._held, np.asarray(samples, np.float32)])
        probabilities = []
        at = CONTEXT_SAMPLES
        while at + WINDOW_SAMPLES <= len(self._held):
            window = self._held[at - CONTEXT_SAMPLES : at + WINDOW_SAMPLES]
            probabilities.append(self._judge(window))
            at += WINDOW_SAMPLES
        self._held = self._held[at - CONTEXT_SAMPLES :]
        return probabilities

    def _judge(self, window: Samples) -> float:
        feed = {"input": window[None], "state": self._state, "sr": self._rate}
        try:
            output, self._state = self._session.run(None, feed)
        except Exception as error:  # onnxruntime raises its own classes, straight below Exception
            raise SpeechError(f"the voice-activity detector failed: {error}") from error
        return float(output[0, 0])
