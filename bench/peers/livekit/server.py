"""A LiveKit agent with scripted models of known time: what `pipeline.py` holds Sayso against.

LiveKit's own room server is no Python package, so there is no room: sessions get their sound by
the interface LiveKit documents for that, `session.input.audio` and `session.output.audio`, from a
websocket each, all in one process. (Its worker would start a process for each conversation, and a
room would add WebRTC on both sides: both cost more than what runs here.) What is set, beyond the
models:

- the silence that ends a turn, 450 ms: `endpointing.min_delay`, with `turn_detection="vad"`,
  because the default detector is a model of its own;
- no reply before the turn's end (`preemptive_generation`), as Sayso in the same run;
- `interruption.mode="vad"` and `aec_warmup_duration=0`, so that the first reply can be
  interrupted as later ones.

The STT does not stream, so LiveKit gives it a VAD of its own: two for each conversation. The
output tells of its playing by time, as callers do not tell it.

It runs in an environment of its own (`requirements.txt`), and knows nothing of Sayso.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))  # child.py, which stands on nothing

from child import SERVER_CORE, obey_parent, pin

pin(SERVER_CORE)  # before anything starts threads

import numpy as np
from aiohttp import WSMsgType, web
from livekit import rtc
from livekit.agents import Agent, AgentSession, APIConnectOptions, stt, tts, utils
from livekit.agents.inference import VAD
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, NotGivenOr
from livekit.agents.voice import io
from livekit.plugins import openai

IN_RATE_HZ, OUT_RATE_HZ = 16_000, 24_000
CHARS_PER_S, PIECE_S = 15.0, 0.25


class ScriptedStt(stt.STT):
    """Always hears the same, after a known time."""

    def __init__(self, words: str, delay_s: float) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=False, interim_results=False))
        self._words, self._delay_s = words, delay_s

    async def _recognize_impl(
        self,
        buffer: utils.AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions,
    ) -> stt.SpeechEvent:
        await asyncio.sleep(self._delay_s)
        heard = stt.SpeechData(language="en", text=self._words)
        return stt.SpeechEvent(stt.SpeechEventType.FINAL_TRANSCRIPT, alternatives=[heard])


class HummingTts(tts.TTS):
    """Hums as long as the text would take to say, after a known time."""

    def __init__(self, delay_s: float) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False),
            sample_rate=OUT_RATE_HZ,
            num_channels=1,
        )
        self.delay_s = delay_s

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        """Hum."""
        return Hum(tts=self, input_text=text, conn_options=conn_options)


class Hum(tts.ChunkedStream):
    """One text, hummed."""

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(
            request_id=utils.shortuuid(),
            sample_rate=OUT_RATE_HZ,
            num_channels=1,
            mime_type="audio/pcm",
        )
        await asyncio.sleep(self._tts.delay_s)
        sound = hum(len(self.input_text.strip()) / CHARS_PER_S)
        step = int(PIECE_S * OUT_RATE_HZ) * 2
        for begin in range(0, len(sound), step):
            output_emitter.push(sound[begin : begin + step])
        output_emitter.flush()


def hum(seconds: float) -> bytes:
    """A soft tone, 16-bit."""
    times_s = np.arange(round(seconds * OUT_RATE_HZ)) / OUT_RATE_HZ
    return (3_276 * np.sin(2 * np.pi * 220.0 * times_s)).astype("<i2").tobytes()


class SocketInput(io.AudioInput):
    """The caller's microphone."""

    def __init__(self) -> None:
        super().__init__(label="websocket")
        self._frames = utils.aio.Chan[rtc.AudioFrame]()

    def push(self, sound: bytes) -> None:
        """Take what came from the socket."""
        frame = rtc.AudioFrame(sound, IN_RATE_HZ, 1, len(sound) // 2)
        self._frames.send_nowait(frame)

    def close(self) -> None:
        """No more will come."""
        self._frames.close()

    async def __anext__(self) -> rtc.AudioFrame:
        """The next of it."""
        return await self._frames.__anext__()


class SocketOutput(io.AudioOutput):
    """The caller's loudspeaker: everything is sent at once, and taken back by a message."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        super().__init__(
            label="websocket",
            capabilities=io.AudioOutputCapabilities(pause=False),
            sample_rate=OUT_RATE_HZ,
        )
        self._socket = socket
        self._began_s = 0.0
        self._pushed_s = 0.0
        self._playing: asyncio.Task[None] | None = None
        self._words: set[asyncio.Task[None]] = set()
        self._cleared = asyncio.Event()

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Send it."""
        await super().capture_frame(frame)
        if not self._pushed_s:
            self._began_s = time.monotonic()
            self.on_playback_started(created_at=time.time())
        self._pushed_s += frame.duration
        await self._socket.send_bytes(bytes(frame.data))

    def flush(self) -> None:
        """The segment is whole: wait until it has played."""
        super().flush()
        if self._pushed_s:
            self._cleared.clear()
            self._playing = asyncio.create_task(self._play(self._pushed_s))
            self._pushed_s = 0.0

    def clear_buffer(self) -> None:
        """Tell the caller to fall silent."""
        telling = asyncio.create_task(self._socket.send_str('{"type":"onAgentInterrupted"}'))
        self._words.add(telling)
        telling.add_done_callback(self._words.discard)
        self._cleared.set()

    async def _play(self, pushed_s: float) -> None:
        left_s = self._began_s + pushed_s - time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, left_s)):
                await self._cleared.wait()
            played_s = min(pushed_s, time.monotonic() - self._began_s)
            self.on_playback_finished(playback_position=played_s, interrupted=True)
        except TimeoutError:
            self.on_playback_finished(playback_position=pushed_s, interrupted=False)


def make_session(llm_url: str, script: dict[str, float | str], vad: VAD) -> AgentSession:
    """A session as LiveKit's examples make it."""
    return AgentSession(
        stt=ScriptedStt(str(script["words"]), float(script["stt_s"])),
        llm=openai.LLM(model="scripted", base_url=llm_url, api_key="none"),
        tts=HummingTts(float(script["tts_s"])),
        vad=vad,
        turn_handling={
            "turn_detection": "vad",
            "endpointing": {"min_delay": float(script["patience_s"])},
            "interruption": {"mode": "vad"},
            "preemptive_generation": {"enabled": False},
        },
        aec_warmup_duration=0,
    )


async def talk(request: web.Request) -> web.WebSocketResponse:
    """Hold one conversation."""
    socket = web.WebSocketResponse(compress=False, max_msg_size=0)
    await socket.prepare(request)
    sound, session = SocketInput(), request.app["make_session"]()
    session.input.audio = sound
    session.output.audio = SocketOutput(socket)
    await session.start(Agent(instructions=""))
    await socket.send_str('{"type":"init"}')
    try:
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                sound.push(message.data)
    finally:
        sound.close()
        await session.aclose()
    return socket


async def run(llm_url: str, script: dict[str, float | str]) -> None:
    """Serve until the parent ends."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    vad = VAD()  # one for the process, as LiveKit's examples prewarm it
    async with utils.http_context.open():
        app = web.Application()
        app["make_session"] = lambda: make_session(llm_url, script, vad)
        app.router.add_get("/ws", talk)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        obey_parent(f"ws://127.0.0.1:{port}/ws", lambda: loop.call_soon_threadsafe(over.set))
        await over.wait()
        await runner.cleanup()


def main() -> None:
    """Run the agents on the servers' core."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--llm", required=True, help="base URL of the LLM")
    parser.add_argument("--script", required=True, type=json.loads, help="times and words, JSON")
    args = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(run(args.llm, args.script))


if __name__ == "__main__":
    main()
