"""A pipecat bot with scripted models of known time: what `pipeline.py` holds Sayso against.

It is the bot that pipecat's own scaffold writes (STT, context, LLM, TTS between a FastAPI
websocket transport's ends, a pipeline for each connection, all in one process), with a serializer
of raw 16-bit sound as its documents say to write one. What is set, beyond the models:

- the silence that ends a turn, 450 ms: Silero's `stop_secs` as it comes (0.2, which is 6 windows
  of 32 ms) and a `SpeechTimeoutUserTurnStopStrategy` for the rest, in place of Smart Turn;
- no logs below warnings.

It runs in an environment of its own (`requirements.txt`), and knows nothing of Sayso.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))  # child.py, which stands on nothing

from child import SERVER_CORE, obey_parent, pin

pin(SERVER_CORE)  # before anything starts threads

import numpy as np
import uvicorn
from fastapi import FastAPI, WebSocket
from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import (
    AudioRawFrame,
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.serializers.base_serializer import FrameSerializer
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.services.settings import STTSettings, TTSSettings
from pipecat.services.stt_service import SegmentedSTTService
from pipecat.services.tts_service import TTSService
from pipecat.transports.websocket.fastapi import (
    FastAPIWebsocketParams,
    FastAPIWebsocketTransport,
)
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.utils.time import time_now_iso8601
from pipecat.workers.runner import WorkerRunner

IN_RATE_HZ, OUT_RATE_HZ = 16_000, 24_000
VAD_STOP_S = 6 * 512 / IN_RATE_HZ
"""What `stop_secs=0.2` comes to in whole windows."""

CHARS_PER_S, PIECE_S = 15.0, 0.25


class RawSerializer(FrameSerializer):
    """16-bit sound as binary messages, both ways; an interruption as the text that callers know."""

    async def serialize(self, frame: Frame) -> str | bytes | None:
        """Sound and interruptions; nothing else is sent."""
        if isinstance(frame, InterruptionFrame):
            return '{"type":"onAgentInterrupted"}'
        return frame.audio if isinstance(frame, AudioRawFrame) else None

    async def deserialize(self, data: str | bytes) -> Frame | None:
        """Sound."""
        if isinstance(data, bytes):
            return InputAudioRawFrame(audio=data, sample_rate=IN_RATE_HZ, num_channels=1)
        return None


class ScriptedStt(SegmentedSTTService):
    """Always hears the same, after a known time."""

    def __init__(self, words: str, delay_s: float) -> None:
        # The p99 is that of this very service: it is known.
        settings = STTSettings(model="scripted", language=None)
        super().__init__(settings=settings, ttfs_p99_latency=VAD_STOP_S + delay_s + 0.05)
        self._words, self._delay_s = words, delay_s

    @property
    def wants_wav_segments(self) -> bool:
        """No, as local models do not."""
        return False

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame, None]:
        """Hear."""
        await asyncio.sleep(self._delay_s)
        yield TranscriptionFrame(self._words, "", time_now_iso8601())


class HummingTts(TTSService):
    """Hums as long as the text would take to say, after a known time."""

    def __init__(self, delay_s: float) -> None:
        settings = TTSSettings(model="scripted", voice="hum", language=None)
        super().__init__(
            push_start_frame=True, push_stop_frames=True, sample_rate=OUT_RATE_HZ, settings=settings
        )
        self._delay_s = delay_s

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame, None]:
        """Hum."""
        await asyncio.sleep(self._delay_s)
        sound = hum(len(text.strip()) / CHARS_PER_S)
        step = int(PIECE_S * OUT_RATE_HZ) * 2
        for begin in range(0, len(sound), step):
            yield TTSAudioRawFrame(
                audio=sound[begin : begin + step],
                sample_rate=OUT_RATE_HZ,
                num_channels=1,
                context_id=context_id,
            )


def hum(seconds: float) -> bytes:
    """A soft tone, 16-bit."""
    times_s = np.arange(round(seconds * OUT_RATE_HZ)) / OUT_RATE_HZ
    return (3_276 * np.sin(2 * np.pi * 220.0 * times_s)).astype("<i2").tobytes()


async def run_bot(websocket: WebSocket, llm_url: str, script: dict[str, float | str]) -> None:
    """Hold one conversation."""
    transport = FastAPIWebsocketTransport(
        websocket,
        FastAPIWebsocketParams(
            audio_in_enabled=True, audio_out_enabled=True, serializer=RawSerializer()
        ),
    )
    rest_s = float(script["patience_s"]) - VAD_STOP_S
    user, assistant = LLMContextAggregatorPair(
        LLMContext(),
        user_params=LLMUserAggregatorParams(
            vad_analyzer=SileroVADAnalyzer(),
            user_turn_strategies=UserTurnStrategies(
                stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=rest_s)]
            ),
        ),
    )
    stt = ScriptedStt(str(script["words"]), float(script["stt_s"]))
    llm = OpenAILLMService(
        api_key="none", base_url=llm_url, settings=OpenAILLMService.Settings(model="scripted")
    )
    tts = HummingTts(float(script["tts_s"]))
    stages = [transport.input(), stt, user, llm, tts, transport.output(), assistant]
    params = PipelineParams(audio_in_sample_rate=IN_RATE_HZ, audio_out_sample_rate=OUT_RATE_HZ)
    worker = PipelineWorker(Pipeline(stages), params=params)

    @worker.event_handler("on_pipeline_started")
    async def tell_caller(*_: object) -> None:
        await websocket.send_text('{"type":"init"}')

    @transport.event_handler("on_client_disconnected")
    async def leave(*_: object) -> None:
        await worker.cancel()

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()


class Announced(uvicorn.Server):
    """Tells the parent where to call once the socket is open."""

    async def startup(self, sockets: list[object] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        obey_parent(f"ws://127.0.0.1:{port}/ws", self._leave)

    def _leave(self) -> None:
        self.should_exit = True


def main() -> None:
    """Run the bot's server on the servers' core."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--llm", required=True, help="base URL of the LLM")
    parser.add_argument("--script", required=True, type=json.loads, help="times and words, JSON")
    args = parser.parse_args()
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    app = FastAPI()

    @app.websocket("/ws")
    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()
        await run_bot(websocket, args.llm, args.script)

    Announced(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning")).run()


if __name__ == "__main__":
    main()
