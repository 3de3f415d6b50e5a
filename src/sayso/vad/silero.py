"""Silero VAD v6, the bundled voice-activity detector: one network for all conversations.

    caller's stream ─► windows ─┐
    caller's stream ─► windows ─┼─► one batch ─► probabilities to each
    caller's stream ─► windows ─┘

Windows that something may follow from are judged as they come, and all that wait with them; the
others wait up to 30 ms for company. The more callers there are, the more windows meet in a batch,
and the less each of them costs (`network.py` has the figures), so it all runs on the event loop.
What a caller said before lives in the caller's own stream.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from threadpoolctl import threadpool_limits

from sayso.audio.formats import Samples
from sayso.engines import EngineConfig
from sayso.errors import SpeechError
from sayso.models import locate
from sayso.models.weights import read_weights
from sayso.vad import WINDOW_SAMPLES
from sayso.vad.network import INPUT_SAMPLES, STATE_SHAPE, Network

CONTEXT_SAMPLES: Final = INPUT_SAMPLES - WINDOW_SAMPLES
"""Each window is judged with the 64 samples before it; without them v5 and v6 go deaf."""

JOIN_S: Final = 0.03
"""A window that is not urgent comes at the latest so long after the last batch, in seconds."""

MAX_BATCH: Final = 64
"""Most windows in one batch; they keep the loop for a millisecond."""

SILENT_WINDOWS: Final = 3
"""Silence heard before each caller, in windows; with a second of it a room that begins to hiss
is taken for speech."""


class Silero:
    """The detector; see `sayso.vad.Vad`."""

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        self._batches: Batches | None = None
        self._threads: threadpool_limits | None = None

    async def open(self) -> None:
        """Load and warm the model. Raises InstallationError if it is missing."""
        network = Network(read_weights(locate("silero-vad.onnx", self._config.models_dir)))
        # A second thread spins on the core that another conversation waits for.
        self._threads = threadpool_limits(1, "blas")
        self._batches = Batches(network, _remember_silence(network))

    def stream(self) -> SileroStream:
        """Begin listening to one caller."""
        if self._batches is None:
            raise SpeechError("the voice-activity detector is not open")
        return SileroStream(self._batches)

    async def close(self) -> None:
        """Let go of the model; streams that still exist keep it until they are dropped."""
        self._batches = None
        if self._threads is not None:
            self._threads.restore_original_limits()


@dataclass(slots=True)
class Request:
    """Windows of one caller, in order, and what has been found out about them."""

    windows: list[Samples]
    state: Samples
    answer: asyncio.Future[None]
    probabilities: list[float] = field(default_factory=list)

    @property
    def next_window(self) -> Samples:
        """The first that has not been judged."""
        return self.windows[len(self.probabilities)]

    def take(self, probability: float, state: Samples) -> None:
        """Note the answer about `next_window`."""
        self.probabilities.append(probability)
        self.state = state
        if len(self.probabilities) == len(self.windows):
            self.answer.set_result(None)


class Batches:
    """Judges the windows that wait, one of each caller at a time, all callers at once.

    Args:
        network: the shared network.
        silence: what it remembers of a caller who has not spoken, shape `STATE_SHAPE`.
    """

    def __init__(self, network: Network, silence: Samples) -> None:
        self.silence = silence
        self._network = network
        self._waiting: list[Request] = []
        self._next: asyncio.Handle | None = None
        self._rested_at_s = 0.0

    def add(self, request: Request, *, urgent: bool) -> None:
        """Let it be answered with the next batches."""
        self._waiting.append(request)
        loop = asyncio.get_running_loop()
        if urgent or loop.time() >= self._rested_at_s:
            self._judge_soon(loop)
        elif self._next is None:
            self._next = loop.call_at(self._rested_at_s, self._judge)

    def _judge_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        """At the end of this turn of the loop: what else has come by then joins."""
        if self._next is not None:
            self._next.cancel()
        self._next = loop.call_soon(self._judge)

    def _judge(self) -> None:
        """One batch; a caller with more windows than one is back in the next, behind others."""
        waiting = [request for request in self._waiting if not request.answer.done()]
        batch, rest = waiting[:MAX_BATCH], waiting[MAX_BATCH:]
        if batch:
            self._answer(batch)
        self._waiting = rest + [request for request in batch if not request.answer.done()]
        self._next = None
        loop = asyncio.get_running_loop()
        self._rested_at_s = loop.time() + JOIN_S
        if self._waiting:
            self._judge_soon(loop)

    def _answer(self, batch: list[Request]) -> None:
        windows = np.stack([request.next_window for request in batch])
        states = np.stack([request.state for request in batch])
        try:
            probabilities, states = self._network.judge(windows, states)
        except Exception as error:  # noqa: BLE001 - those who wait must not wait for ever
            for request in batch:
                request.answer.set_exception(_failed(error))
            return
        for request, probability, state in zip(batch, probabilities.tolist(), states, strict=True):
            request.take(probability, state)


class SileroStream:
    """What the detector remembers of one caller."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self._state = batches.silence
        self._held: Samples = np.zeros(CONTEXT_SAMPLES, np.float32)

    async def judge(self, samples: Samples, *, urgent: bool = True) -> list[float]:
        """Take 16 kHz samples of any length; get one probability for each window now full."""
        sound = np.concatenate((self._held, samples))
        last = len(sound) - INPUT_SAMPLES
        begins = range(0, last + 1, WINDOW_SAMPLES)
        self._held = sound[len(begins) * WINDOW_SAMPLES :]
        if not begins:
            return []
        windows = [sound[begin : begin + INPUT_SAMPLES] for begin in begins]
        answer = asyncio.get_running_loop().create_future()
        request = Request(windows, self._state, answer)
        self._batches.add(request, urgent=urgent)
        await answer
        self._state = request.state
        return request.probabilities


def _remember_silence(network: Network) -> Samples:
    """The state after a moment of silence, for every caller to begin with.

    From zeros the network takes a while to listen: speech in the first samples of a telephone
    line was noticed after 426 ms (p95), as against 202 ms so, and 260 ms in mid-call.
    """
    states: Samples = np.zeros((1, *STATE_SHAPE), np.float32)
    for _ in range(SILENT_WINDOWS):
        _, states = network.judge(np.zeros((1, INPUT_SAMPLES), np.float32), states)
    first: Samples = states[0]
    return first


def _failed(error: Exception) -> SpeechError:
    failure = SpeechError(f"the voice-activity detector failed: {error}")
    failure.__cause__ = error
    return failure
